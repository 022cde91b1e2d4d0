/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "common/sockets.h"
#include "session/leader/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the monitor ---- */

void monitor_say(struct hosted_session *s, const struct wire_def *def, const void *msg)
{
    int r = s->monitor ? link_send(s->monitor, def, msg, NULL) : 0;
    if (r < 0 && r != -EPIPE)
        log_error("message not sent", "%s: %s", def->name, strerror(-r));
}

/* PAM's variables, for leader_refresh: those that fit. */
static uint32_t pam_environment(struct hosted_session *s, struct env_entry *out)
{
    uint32_t n = 0;
    char **list = s->auth->pamh ? pam_getenvlist(s->auth->pamh) : NULL;
    for (char **e = list; e && *e; e++) {
        if (n < ENV_MAX && strlen(*e) < ENV_BYTES)
            snprintf(out[n++].text, ENV_BYTES, "%s", *e);
        free(*e);
    }
    free(list);
    return n;
}

void monitor_hello(struct hosted_session *s)
{
    static struct leader_hello h; /* 35 KiB */
    h = (struct leader_hello){.session = s->start.session,
        .uid = s->who->uid,
        .gid = s->who->gid,
        .since = (uint64_t)s->since,
        .display = (uint32_t)s->display,
        .leader_pid = getpid(),
        .display_pid = s->xorg,
        .agent_pid = s->agent,
        .desktop_pid = s->desktop_pid,
        .nclients = s->nattachments};
    snprintf(h.user, sizeof h.user, "%s", s->who->user);
    snprintf(h.key, sizeof h.key, "%s", s->start.key);
    snprintf(h.xauthority, sizeof h.xauthority, "%s", s->runtime.xauthority);
    for (uint32_t i = 0; i < s->nattachments; i++)
        h.clients[i] = s->attachments[i].info;
    h.nenv = pam_environment(s, h.env);
    h.services = service_set(&services);
    monitor_say(s, &leader_hello_def, &h);
    hosted_services_tell(s);
}

static void client_gone(struct hosted_session *s, uint32_t client, enum end_cause cause)
{
    struct leader_client_gone m = {.client = client, .cause = (uint8_t)cause};
    monitor_say(s, &leader_client_gone_def, &m);
}

static struct hosted_attachment *find_attachment(struct hosted_session *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->nattachments; i++)
        if (s->attachments[i].info.client == id)
            return &s->attachments[i];
    return NULL;
}

static void forget_attachment(struct hosted_session *s, struct hosted_attachment *c)
{
    if (c->pending_fd >= 0)
        close(c->pending_fd);
    hosted_services_drop(s, c->info.client);
    *c = s->attachments[--s->nattachments];
}

void attachments_drop_all(struct hosted_session *s, enum end_cause cause, bool tell)
{
    while (s->nattachments) {
        struct hosted_attachment *c = &s->attachments[s->nattachments - 1];
        if (tell)
            client_gone(s, c->info.client, cause);
        forget_attachment(s, c);
    }
}

static void say_client_state(struct hosted_session *s, const struct hosted_attachment *c)
{
    struct leader_client_state m = {.client = c->info};
    monitor_say(s, &leader_client_state_def, &m);
}

/* Hand the display link to the agent, which is up. */
static void give_to_agent(struct hosted_session *s, struct hosted_attachment *c)
{
    struct agent_client m = {.client = c->info.client, .role = c->info.role};
    (void)link_send(s->agent_link, &agent_client_def, &m, &c->pending_fd);
    close(c->pending_fd);
    c->pending_fd = -1;
    say_client_state(s, c);
}

static void drop_attachment(struct hosted_session *s, struct hosted_attachment *c, enum end_cause cause)
{
    struct agent_drop m = {.client = c->info.client, .cause = (uint8_t)cause};
    if (s->agent_up && c->pending_fd < 0)
        (void)link_send(s->agent_link, &agent_drop_def, &m, NULL);
    client_gone(s, m.client, cause);
    forget_attachment(s, c);
}

static void on_attach(struct hosted_session *s, const struct leader_attach *m, int fd)
{
    struct hosted_attachment *old = find_attachment(s, m->client);
    if (old)
        drop_attachment(s, old, END_REPLACED);
    if (s->phase > PHASE_RUNNING || s->nattachments == CLIENTS_MAX || m->role == 0) {
        close(fd);
        client_gone(s, m->client, s->phase > PHASE_RUNNING ? s->cause : END_DENIED);
        return;
    }
    struct hosted_attachment *c = &s->attachments[s->nattachments++];
    *c =
        (struct hosted_attachment){.info = {.client = m->client, .role = m->role, .nhash = m->nhash}, .pending_fd = fd};
    memcpy(c->info.token_hash, m->token_hash, sizeof c->info.token_hash);
    memcpy(c->info.address, m->address, sizeof c->info.address);
    memcpy(c->info.client_name, m->client_name, sizeof c->info.client_name);
    if (s->agent_up)
        give_to_agent(s, c);
}

static void on_notice(struct hosted_session *s, const struct leader_notice *m, int fd)
{
    struct agent_notice n = {.width = m->width, .height = m->height, .stride = m->stride};
    if (s->agent_up)
        (void)link_send(s->agent_link, &agent_notice_def, &n, &fd);
    close(fd);
}

static void on_monitor_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct hosted_session *s = user;
    if (def == &leader_attach_def) {
        on_attach(s, msg, fds[0]);
    } else if (def == &leader_detach_def) {
        const struct leader_detach *m = msg;
        struct hosted_attachment *c = find_attachment(s, m->client);
        if (c)
            drop_attachment(s, c, m->cause);
        else
            client_gone(s, m->client, m->cause);
    } else if (def == &leader_service_def) {
        hosted_services_start(s, &((struct leader_service *)msg)->grant, fds[0]);
    } else if (def == &leader_notice_def) {
        on_notice(s, msg, fds[0]);
    } else if (def == &leader_logoff_def) {
        session_end(s, ((struct leader_logoff *)msg)->cause, "");
    } else {
        log_error("monitor out of order", "%s in a running session; link closed", def->name);
        link_destroy(l);
        s->monitor = NULL;
    }
}

/* The session goes on; the next monitor finds the socket. */
static void on_monitor_closed(void *user, struct link *l, int err)
{
    struct hosted_session *s = user;
    if (s->monitor == l)
        s->monitor = NULL;
    link_destroy(l);
    log_info("monitor gone", "%s; waiting for the next one", strerror(-err));
}

const struct link_ops monitor_ops = {.message = on_monitor_message, .closed = on_monitor_closed};

static void on_connect(evutil_socket_t fd, short what, void *arg)
{
    struct hosted_session *s = arg;
    struct ucred who;
    int sock = sockets_accept(fd, &who);
    if (sock < 0)
        return;
    if (who.uid != 0) {
        log_warning("connection refused", "uid=%u pid=%d is not the monitor", (unsigned)who.uid, (int)who.pid);
        close(sock);
        return;
    }
    struct link *l = link_create(s->base, sock, &monitor_to_leader, &monitor_ops, s, LINK_QUEUE_DEFAULT);
    if (!l) {
        close(sock);
        return;
    }
    link_destroy(s->monitor);
    s->monitor = l;
    if (s->phase == PHASE_RUNNING)
        monitor_hello(s); /* before that it comes with the start */
}

void monitor_listen(struct hosted_session *s)
{
    char name[64];
    snprintf(name, sizeof name, "leaders/%llu.sock", (unsigned long long)s->start.session);
    int r = config_run_path(s->cfg, name, s->socket_path, sizeof s->socket_path);
    s->listen_fd = r < 0 ? r : sockets_listen(s->socket_path, 0600, (gid_t)-1, 4);
    if (s->listen_fd >= 0)
        s->on_listen = event_new(s->base, s->listen_fd, EV_READ | EV_PERSIST, on_connect, s);
    if (!s->on_listen || event_add(s->on_listen, NULL) < 0)
        log_error("leader not listening", "path=%s: %s; this session will not survive the monitor", s->socket_path,
            s->listen_fd < 0 ? strerror(-s->listen_fd) : "out of memory");
}

/* ---- the agent ---- */

static void on_agent_ready(struct hosted_session *s)
{
    s->agent_up = true;
    for (uint32_t i = 0; i < s->nattachments; i++)
        if (s->attachments[i].pending_fd >= 0)
            give_to_agent(s, &s->attachments[i]);
    if (s->phase == PHASE_RUNNING)
        monitor_hello(s); /* its new pid */
    begin_desktop_when_ready(s);
}

/* What it says is passed on to the monitor: a flood must end here. */
static bool agent_floods(struct hosted_session *s)
{
    int64_t second = clock_ms() / 1000;
    if (second != s->agent_second)
        s->agent_messages = 0;
    s->agent_second = second;
    return ++s->agent_messages > AGENT_MESSAGES_PER_SECOND;
}

static void on_agent_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct hosted_session *s = user;
    if (agent_floods(s)) {
        log_error("agent stopped", "more than %d messages in a second", AGENT_MESSAGES_PER_SECOND);
        s->agent_messages = 0;
        agent_lost(s);
    } else if (def == &agent_ready_def) {
        on_agent_ready(s);
    } else if (def == &agent_client_size_def) {
        const struct agent_client_size *m = msg;
        struct hosted_attachment *c = find_attachment(s, m->client);
        if (!c)
            return;
        c->info.width = m->width;
        c->info.height = m->height;
        c->info.nmonitors = m->nmonitors;
        say_client_state(s, c);
    } else if (def == &agent_client_gone_def) {
        struct hosted_attachment *c = find_attachment(s, ((struct agent_client_gone *)msg)->client);
        if (!c)
            return;
        client_gone(s, c->info.client, END_NONE);
        forget_attachment(s, c);
    } else if (def == &agent_idle_def) {
        struct leader_idle m = {.seconds = ((struct agent_idle *)msg)->seconds};
        monitor_say(s, &leader_idle_def, &m);
    } else if (def == &agent_failed_def) {
        log_info("agent failed", "%s", ((struct agent_failed *)msg)->text);
        if (s->phase != PHASE_RUNNING) /* there it is restarted, or the display is dead: then SIGCHLD says so */
            session_fail(s, ((struct agent_failed *)msg)->text);
    }
}

static void on_agent_closed(void *user, struct link *l, int err)
{
    struct hosted_session *s = user;
    if (s->phase <= PHASE_RUNNING)
        log_warning("agent link closed", "%s", strerror(-err));
    agent_lost(s);
}

const struct link_ops agent_ops = {.message = on_agent_message, .closed = on_agent_closed};

static bool may_restart(struct hosted_session *s)
{
    int64_t now = clock_ms();
    if (now - s->restart_window_ms > AGENT_RESTART_WINDOW_MS) {
        s->restart_window_ms = now;
        s->restarts = 0;
    }
    return s->restarts++ < AGENT_RESTARTS_MAX;
}

/* The agent died or its link did. The display is the session: a new agent takes over, the clients come back to it. */
void agent_lost(struct hosted_session *s)
{
    bool was_up = s->agent_up;
    link_destroy(s->agent_link);
    s->agent_link = NULL;
    s->agent_up = false;
    if (s->agent)
        (void)process_signal(s->agent, SIGKILL);
    s->agent = 0;
    if (s->phase > PHASE_RUNNING)
        return;
    if (!was_up && s->phase != PHASE_RUNNING) {
        session_fail(s, "The agent that carries the picture (oriel-agent) ended before it was ready.");
        return;
    }
    for (uint32_t i = s->nattachments; i-- > 0;) /* those that wait for an agent go on waiting */
        if (s->attachments[i].pending_fd < 0) {
            client_gone(s, s->attachments[i].info.client, END_NONE);
            forget_attachment(s, &s->attachments[i]);
        }
    log_warning("agent restarts", "restarts=%u", s->restarts + 1);
    if (!may_restart(s) || begin_agent(s) < 0)
        session_fail(s, "The agent that carries the picture (oriel-agent) keeps failing.");
}
