/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/leader_end.h"

#include "common/link.h"
#include "common/log.h"
#include "session/monitor/attempt.h"
#include "session/monitor/found.h"
#include "session/monitor/session.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void on_name(void *end, const void *msg, const int *fds);
static void on_conv(void *end, const void *msg, const int *fds);
static void on_verdict(void *end, const void *msg, const int *fds);
static void on_refreshed(void *end, const void *msg, const int *fds);
static void on_hello(void *end, const void *msg, const int *fds);
static void on_failed(void *end, const void *msg, const int *fds);
static void on_client_state(void *end, const void *msg, const int *fds);
static void on_client_gone(void *end, const void *msg, const int *fds);
static void on_service_gone(void *end, const void *msg, const int *fds);
static void on_idle(void *end, const void *msg, const int *fds);
static void on_ended(void *end, const void *msg, const int *fds);

static const struct request leader_rows[] = {
    {&leader_name_def, LEADER_AUTH, 0, true, on_name},
    {&leader_conv_def, LEADER_AUTH, 0, false, on_conv},
    {&leader_verdict_def, LEADER_AUTH, 0, true, on_verdict},
    {&leader_refreshed_def, LEADER_REFRESHING, 0, true, on_refreshed},
    /* Said again when process ids changed; a start can fail, and later an X server or desktop can die. */
    {&leader_hello_def, LEADER_STARTING | LEADER_FOUND | LEADER_RUNNING, LEADER_ENDING, false, on_hello},
    {&leader_failed_def, LEADER_STARTING | LEADER_RUNNING | LEADER_ENDING, LEADER_FOUND, true, on_failed},
    {&leader_client_state_def, LEADER_RUNNING, LEADER_ENDING, false, on_client_state},
    {&leader_client_gone_def, LEADER_RUNNING, LEADER_ENDING, false, on_client_gone},
    {&leader_service_gone_def, LEADER_RUNNING, LEADER_ENDING, false, on_service_gone},
    {&leader_idle_def, LEADER_RUNNING, LEADER_ENDING, false, on_idle},
    {&leader_ended_def, LEADER_RUNNING | LEADER_ENDING, LEADER_FOUND, true, on_ended},
};
static const char *const state_names[LEADER_STATES] = {"AUTH", "CONV", "JUDGED", "REFRESHING", "STARTING", "FOUND",
    "RUNNING", "ENDING", "GOING"};
const struct request_table leader_table = {"leader", leader_rows, sizeof leader_rows / sizeof leader_rows[0],
    state_names, LEADER_STATES};

static void leader_destroy(struct leader *l)
{
    if (l->life.ended)
        return;
    LIST_REMOVE(l, entry);
    monitor_timer_free(&l->timer);
    monitor_timer_free(&l->exited);
    link_destroy(l->link);
    l->link = NULL;
    if (l->pidfd >= 0)
        close(l->pidfd);
    l->pidfd = -1;
    monitor_end(l->m, &l->life, free);
}

static void kill_process(const struct leader *l)
{
    if (l->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, l->pidfd, SIGKILL, NULL, 0);
}

static void on_overdue(int fd, short what, void *arg)
{
    struct leader *l = arg;
    log_warning("leader killed", "pid=%d state=%s why=it did not go in time", (int)l->pid,
        request_state_name(&leader_table, l->state));
    leader_kill(l);
    if (l->state == LEADER_FOUND)
        found_lost(l->m, l->found);
}

static void on_exited(int fd, short what, void *arg)
{
    leader_destroy(arg);
}

void leader_discard(struct leader *l)
{
    if (!l || l->life.ended || l->state == LEADER_GOING)
        return;
    l->attempt = NULL;
    l->session = NULL;
    l->state = LEADER_GOING;
    link_destroy(l->link);
    l->link = NULL;
    if (l->pidfd >= 0)
        l->exited = event_new(l->m->base, l->pidfd, EV_READ, on_exited, l);
    if (!l->exited || event_add(l->exited, NULL) < 0 ||
        monitor_timer(l->m, &l->timer, LEADER_GRACE_MS, on_overdue, l) < 0) {
        kill_process(l);
        leader_destroy(l);
    }
}

void leader_kill(struct leader *l)
{
    kill_process(l);
    leader_destroy(l);
}

void leader_forget_all(struct monitor *m)
{
    while (!LIST_EMPTY(&m->leaders))
        leader_destroy(LIST_FIRST(&m->leaders));
}

/* Whoever waits for it hears that it is gone, and is cut from it. */
static void tell_lost(struct leader *l, const char *why)
{
    if (l->attempt)
        attempt_on_leader_lost(l->attempt);
    if (l->session)
        session_on_leader_lost(l->session, why);
    if (l->state == LEADER_FOUND)
        found_lost(l->m, l->found);
}

static void punish(struct leader *l, const char *what, const char *why)
{
    log_error("leader killed", "pid=%d state=%s message=%s why=%s", (int)l->pid,
        request_state_name(&leader_table, l->state), what, why);
    leader_kill(l);
    tell_lost(l, "Its leader process broke a rule and was stopped.");
}

static void on_message(void *user, struct link *link, const struct wire_def *def, void *msg, const int *fds)
{
    struct leader *l = user;
    const struct request *row;
    const char *why;
    switch (request_judge(&leader_table, def, l->state, &l->said, &row, &why)) {
    case REQUEST_RUN:
        row->handler(l, msg, fds);
        break;
    case REQUEST_LATE:
        break;
    case REQUEST_REFUSED:
        punish(l, def->name, why);
        break;
    }
}

static void on_closed(void *user, struct link *link, int err)
{
    struct leader *l = user;
    if (err != -EPIPE) {
        punish(l, "(none)", strerror(-err));
        return;
    }
    tell_lost(l, "The process that held it together ended.");
    leader_discard(l);
}

static struct leader *leader_create(struct monitor *m, int fd, pid_t pid, enum leader_state state)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    struct leader *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->m = m;
    l->pid = pid;
    l->state = state;
    l->link = link_create(m->base, fd, &leader_to_monitor, &ops, l, LINK_QUEUE_DEFAULT);
    if (!l->link) {
        free(l);
        return NULL;
    }
    l->pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    LIST_INSERT_HEAD(&m->leaders, l, entry);
    return l;
}

struct leader *leader_spawn(struct attempt *a, struct monitor *m, const struct leader_auth *auth, int *err)
{
    int sv[2];
    *err = link_pair(sv);
    if (*err < 0)
        return NULL;
    pid_t pid = monitor_spawn(m, "oriel-leader", &sv[1], 1, (uid_t)-1, (gid_t)-1, true);
    close(sv[1]);
    struct leader *l = pid > 0 ? leader_create(m, sv[0], pid, LEADER_AUTH) : NULL;
    if (!l) {
        *err = pid > 0 ? -ENOMEM : pid;
        close(sv[0]);
        return NULL;
    }
    l->attempt = a;
    (void)leader_send(l, &leader_auth_def, auth, NULL);
    return l;
}

struct leader *leader_found(struct monitor *m, int fd, pid_t pid, uint64_t session)
{
    struct leader *l = leader_create(m, fd, pid, LEADER_FOUND);
    if (!l) {
        close(fd);
        return NULL;
    }
    l->found = session;
    (void)monitor_timer(m, &l->timer, LEADER_HELLO_MS, on_overdue, l);
    return l;
}

int leader_send(struct leader *l, const struct wire_def *def, const void *msg, const int *fds)
{
    return l ? monitor_send(l->link, def, msg, fds) : -EPIPE;
}

void leader_refresh_and_go(struct leader *l, const struct env_entry *env, uint32_t nenv)
{
    struct leader_refresh *r = calloc(1, sizeof *r);
    l->state = LEADER_REFRESHING;
    if (r) {
        r->nenv = nenv < ENV_MAX ? nenv : ENV_MAX;
        if (r->nenv)
            memcpy(r->env, env, r->nenv * sizeof env[0]);
    }
    if (!r || leader_send(l, &leader_refresh_def, r, NULL) < 0 ||
        monitor_timer(l->m, &l->timer, LEADER_REFRESH_MS, on_overdue, l) < 0) {
        log_warning("credentials not refreshed", "pid=%d", (int)l->pid);
        leader_discard(l);
    }
    free(r);
}

static void on_name(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    attempt_on_name(l->attempt, msg);
}

static void on_conv(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    attempt_on_conv(l->attempt, msg);
}

static void on_verdict(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    attempt_on_verdict(l->attempt, msg);
}

static void on_refreshed(void *end, const void *msg, const int *fds)
{
    leader_discard(end);
}

/* The process we started is the leader's warden; the leader itself is the one to kill when it must be. */
static void watch_process(struct leader *l, pid_t pid)
{
    int fd = pid > 0 && pid != l->pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (fd < 0)
        return;
    if (l->pidfd >= 0)
        close(l->pidfd);
    l->pidfd = fd;
    l->pid = pid;
}

static void on_hello(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    (void)monitor_timer(l->m, &l->timer, 0, on_overdue, l);
    watch_process(l, ((const struct leader_hello *)msg)->leader_pid);
    session_on_hello(l, msg);
}

static void on_failed(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    const struct leader_failed *f = msg;
    session_on_leader_failed(l->session, f->text);
}

static void on_client_state(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    const struct leader_client_state *s = msg;
    session_on_client_state(l->session, &s->client);
}

static void on_client_gone(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    const struct leader_client_gone *g = msg;
    session_on_client_gone(l->session, g->client, g->cause);
}

static void on_service_gone(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    const struct leader_service_gone *g = msg;
    session_on_service_gone(l->session, g->client, g->service, g->for_good != 0);
}

static void on_idle(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    session_on_idle(l->session);
}

static void on_ended(void *end, const void *msg, const int *fds)
{
    struct leader *l = end;
    const struct leader_ended *e = msg;
    session_on_ended(l->session, e->cause, e->text);
}
