/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/control_end.h"

#include "common/link.h"
#include "common/log.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/logon_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/server_end.h"
#include "session/monitor/session.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_QUEUE (16 * 1024 * 1024) /* rows of session.max_sessions at its highest */
/* From 3.30 on the library refuses what we refuse: see docs/THREATS.md */
#define FREERDP_WANTED_MAJOR 3
#define FREERDP_WANTED_MINOR 30

static void on_status(void *end, const void *msg, const int *fds);
static void on_sessions(void *end, const void *msg, const int *fds);
static void on_disconnect(void *end, const void *msg, const int *fds);
static void on_logoff(void *end, const void *msg, const int *fds);
/* As the session's user sees everything else, and no wider than the screen. */
static uint32_t notice_scale(const struct session *s)
{
    const struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry) {
        if (a->role != ROLE_CONTROL || !a->peer || a->peer->scale <= 100)
            continue;
        uint32_t fits = a->width / 4 * 100 / (LOGON_NOTICE_WIDTH / 4), scale = a->peer->scale;
        scale = scale > LOGON_SCALE_MAX ? LOGON_SCALE_MAX : scale;
        return fits > 100 && fits < scale ? fits : scale;
    }
    return 100;
}

static void on_message_text(void *end, const void *msg, const int *fds);
static void on_throttle(void *end, const void *msg, const int *fds);
static void on_config(void *end, const void *msg, const int *fds);
static void on_view(void *end, const void *msg, const int *fds);

static const struct request control_rows[] = {
    {&control_status_def, CONTROL_READY, 0, false, on_status},
    {&control_sessions_def, CONTROL_READY, 0, false, on_sessions},
    {&control_disconnect_def, CONTROL_READY, 0, false, on_disconnect},
    {&control_logoff_def, CONTROL_READY, 0, false, on_logoff},
    {&control_message_def, CONTROL_READY, 0, false, on_message_text},
    {&control_throttle_def, CONTROL_READY, 0, false, on_throttle},
    {&control_config_def, CONTROL_READY, 0, false, on_config},
    {&control_view_def, CONTROL_READY, 0, true, on_view},
};
static const char *const state_names[CONTROL_STATES] = {"READY", "BUSY", "VIEWING"};
const struct request_table control_table = {"control", control_rows, sizeof control_rows / sizeof control_rows[0],
    state_names, CONTROL_STATES};

void control_destroy(struct control_end *c)
{
    struct logon *l;
    if (c->life.ended)
        return;
    session_viewer_left(c->m, c);
    LIST_FOREACH (l, &c->m->logons, entry)
        if (l->control == c)
            l->control = NULL;
    LIST_REMOVE(c, entry);
    link_destroy(c->link);
    c->link = NULL;
    monitor_end(c->m, &c->life, free);
}

static void on_message(void *user, struct link *link, const struct wire_def *def, void *msg, const int *fds)
{
    struct control_end *c = user;
    const struct request *row;
    const char *why;
    if (request_judge(&control_table, def, c->state, &c->said, &row, &why) == REQUEST_RUN) {
        row->handler(c, msg, fds);
        return;
    }
    log_warning("control link ended", "uid=%u state=%s message=%s why=%s", (unsigned)c->uid,
        request_state_name(&control_table, c->state), def->name, why);
    control_destroy(c);
}

static void on_closed(void *user, struct link *link, int err)
{
    control_destroy(user);
}

void control_accept(struct monitor *m, int fd, uid_t uid)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    struct control_end *c = calloc(1, sizeof *c);
    if (c)
        c->link = link_create(m->base, fd, &control_to_monitor, &ops, c, CONTROL_QUEUE);
    if (!c || !c->link) {
        free(c);
        close(fd);
        return;
    }
    c->m = m;
    c->uid = uid;
    c->state = CONTROL_READY;
    LIST_INSERT_HEAD(&m->controls, c, entry);
}

static void done(struct control_end *c, enum control_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void done(struct control_end *c, enum control_code code, const char *fmt, ...)
{
    struct control_done d = {.code = (uint8_t)code};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d.text, sizeof d.text, fmt, ap);
    va_end(ap);
    c->state = CONTROL_READY;
    (void)monitor_send(c->link, &control_done_def, &d, NULL);
}

static void say(struct control_end *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct control_end *c, const char *fmt, ...)
{
    struct control_text t = {0};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t.text, sizeof t.text, fmt, ap);
    va_end(ap);
    (void)monitor_send(c->link, &control_text_def, &t, NULL);
}

/* The session by its id, or an answer that there is none. */
static struct session *wanted(struct control_end *c, uint64_t id)
{
    struct session *s = session_find(c->m, id);
    if (!s)
        done(c, CONTROL_NO_SUCH, "There is no session %llu. \"orielctl sessions\" lists them.", (unsigned long long)id);
    return s;
}

static void say_server(struct control_end *c)
{
    struct server_end *s = LIST_FIRST(&c->m->servers);
    unsigned major = 0, minor = 0;
    if (!s) {
        say(c, "oriel-server: not connected; nobody can connect until it runs\n");
        return;
    }
    say(c, "oriel-server: connected, version %s\n", *s->hello.version ? s->hello.version : "unknown");
    if (!*s->hello.freerdp || sscanf(s->hello.freerdp, "%u.%u", &major, &minor) != 2) {
        say(c, "libfreerdp: unknown\n");
        return;
    }
    bool old = major < FREERDP_WANTED_MAJOR || (major == FREERDP_WANTED_MAJOR && minor < FREERDP_WANTED_MINOR);
    say(c, "libfreerdp: %s%s\n", s->hello.freerdp,
        old ? " (warning: older than 3.30; known faults are contained by the sandbox only. Debian 13's backports carry "
              "a newer "
              "one)"
            : "");
}

static void on_status(void *end, const void *msg, const int *fds)
{
    struct control_end *c = end;
    struct monitor *m = c->m;
    unsigned by_state[SESSION_STATE_MAX + 1] = {0}, peers = 0;
    struct session *s;
    struct monitor_peer *p;
    LIST_FOREACH (s, &m->sessions, entry)
        by_state[s->state]++;
    LIST_FOREACH (p, &m->peers, entry)
        peers++;
    say(c, "oriel-monitor: version %s, running since %llu s\n", ORIEL_VERSION,
        (unsigned long long)((uint64_t)time(NULL) - m->started_s));
    say_server(c);
    say(c, "sessions: %zu of %lld (%u active, %u disconnected, %u starting, %u ending)\n", session_count(m),
        (long long)m->config.session_max_sessions, by_state[SESSION_ACTIVE], by_state[SESSION_DETACHED],
        by_state[SESSION_STARTING], by_state[SESSION_ENDING]);
    say(c, "clients: %u of %lld\n", peers, (long long)m->config.server_max_clients);
    done(c, CONTROL_OK, "%s", "");
}

static void fill_row(struct control_session *r, const struct session *s)
{
    *r = (struct control_session){.session = s->id,
        .uid = s->uid,
        .state = (uint8_t)s->state,
        .since = s->since,
        .display = s->display,
        .leader_pid = s->leader_pid,
        .display_pid = s->display_pid,
        .agent_pid = s->agent_pid,
        .desktop_pid = s->desktop_pid,
        .nclients = s->nattachments};
    snprintf(r->user, sizeof r->user, "%s", s->user);
    snprintf(r->xauthority, sizeof r->xauthority, "%s", s->xauthority);
    const struct attachment *a;
    struct leader_client *out = r->clients;
    TAILQ_FOREACH (a, &s->attachments, entry) {
        *out = (struct leader_client){.client = a->id,
            .role = a->role,
            .width = a->width,
            .height = a->height,
            .nmonitors = a->nmonitors};
        snprintf(out->address, sizeof out->address, "%s", a->address);
        snprintf(out->client_name, sizeof out->client_name, "%s", a->client_name);
        if (a->role == ROLE_CONTROL)
            r->nmonitors = a->nmonitors;
        out++;
    }
}

static int by_id(const void *a, const void *b)
{
    const struct session *const *x = a, *const *y = b;
    uint64_t left = (*x)->id, right = (*y)->id;
    return left < right ? -1 : left > right;
}

static void on_sessions(void *end, const void *msg, const int *fds)
{
    struct control_end *c = end;
    size_t n = session_count(c->m), i = 0;
    struct session **all = calloc(n + 1, sizeof *all), *s;
    struct control_session *row = malloc(sizeof *row);
    if (all && row) {
        LIST_FOREACH (s, &c->m->sessions, entry)
            all[i++] = s;
        qsort(all, n, sizeof *all, by_id);
        for (i = 0; i < n; i++) {
            fill_row(row, all[i]);
            (void)monitor_send(c->link, &control_session_def, row, NULL);
        }
    }
    bool ok = all && row;
    free(all);
    free(row);
    done(c, ok ? CONTROL_OK : CONTROL_FAILED, "%s", ok ? "" : "Out of memory.");
}

static void on_disconnect(void *end, const void *msg, const int *fds)
{
    struct control_end *c = end;
    const struct control_disconnect *q = msg;
    struct session *s = wanted(c, q->session);
    if (!s)
        return;
    log_audit("admin", "uid=%u request=disconnect session=%llu client=%u", (unsigned)c->uid,
        (unsigned long long)q->session, q->client);
    if (!session_disconnect(s, q->client, END_ADMIN_DISCONNECT))
        done(c, CONTROL_NO_SUCH, "Session %llu has no such client.", (unsigned long long)q->session);
    else
        done(c, CONTROL_OK, "%s", "");
}

static void on_logoff(void *end, const void *msg, const int *fds)
{
    struct control_end *c = end;
    const struct control_logoff *q = msg;
    struct session *s = wanted(c, q->session);
    if (!s)
        return;
    log_audit("admin", "uid=%u request=logoff session=%llu", (unsigned)c->uid, (unsigned long long)q->session);
    session_logoff(s, END_ADMIN_LOGOFF);
    done(c, CONTROL_OK, "%s", "");
}

static bool is_drawing(const struct session *s)
{
    return s->state == SESSION_ACTIVE || s->state == SESSION_DETACHED;
}

static void on_message_text(void *end, const void *msg, const int *fds)
{
    struct control_end *c = end;
    const struct control_message *q = msg;
    struct session *s = wanted(c, q->session);
    struct logon_start *start = s && is_drawing(s) ? calloc(1, sizeof *start) : NULL;
    if (!s)
        return;
    if (!start) {
        done(c, CONTROL_FAILED, "Session %llu is starting or ending.", (unsigned long long)q->session);
        return;
    }
    start->mode = LOGON_MODE_RENDER;
    snprintf(start->title, sizeof start->title, "Message from the administrator");
    snprintf(start->text, sizeof start->text, "%s", q->text);
    start->scale = notice_scale(s);
    c->session = q->session;
    c->state = CONTROL_BUSY;
    log_audit("admin", "uid=%u request=message session=%llu", (unsigned)c->uid, (unsigned long long)q->session);
    if (!logon_render(c->m, c, start))
        done(c, CONTROL_FAILED, "oriel-logon could not be started; the log says why.");
    free(start);
}

void control_rendered(struct control_end *c, const struct logon_rendered *r, int fd)
{
    struct session *s = session_find(c->m, c->session);
    if (!r || fd < 0) {
        done(c, CONTROL_FAILED, "The message could not be drawn; the log says why.");
        return;
    }
    struct leader_notice n = {.width = r->width, .height = r->height, .stride = r->stride};
    if (!s || !is_drawing(s) || leader_send(s->leader, &leader_notice_def, &n, &fd) < 0)
        done(c, CONTROL_FAILED, "The session ended meanwhile.");
    else
        done(c, CONTROL_OK, "%s", "");
}

static void say_bucket(void *user, const char *key, double tokens, uint32_t wait_s)
{
    struct control_end *c = user;
    const char *at = strrchr(key, '@');
    if (!wait_s)
        say(c, "%-48s %.0f left\n", key, tokens);
    else if (at && strcmp(at, "@*") == 0)
        say(c, "%-48s slowed down by %d s each, for %u s\n", key, THROTTLE_DELAY_MS / 1000, wait_s);
    else
        say(c, "%-48s refused for %u s\n", key, wait_s);
}

static void on_throttle(void *end, const void *msg, const int *fds)
{
    struct control_end *c = end;
    const struct control_throttle *q = msg;
    if (!q->clear) {
        throttle_each(c->m->throttle, monitor_throttle_limits(c->m), say_bucket, c);
        done(c, CONTROL_OK, "%s", "");
        return;
    }
    log_audit("admin", "uid=%u request=throttle-clear key=%s", (unsigned)c->uid, *q->key ? q->key : "*");
    size_t n = throttle_clear(c->m->throttle, q->key);
    if (!n && *q->key)
        done(c, CONTROL_NO_SUCH, "Nothing is held against \"%.300s\". \"orielctl throttle\" lists the keys.", q->key);
    else
        done(c, CONTROL_OK, "%s", "");
}

static void on_config(void *end, const void *msg, const int *fds)
{
    struct control_end *c = end;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    int r = f ? config_dump(&c->m->config, f) : -ENOMEM;
    if (f && fclose(f) != 0)
        r = -ENOMEM;
    for (size_t at = 0; r >= 0 && at < len; at += 4000)
        say(c, "%.4000s", text + at);
    free(text);
    done(c, r < 0 ? CONTROL_FAILED : CONTROL_OK, "%s", r < 0 ? "Out of memory." : "");
}

static void on_view(void *end, const void *msg, const int *fds)
{
    struct control_end *c = end;
    const struct control_view *q = msg;
    struct session *s = wanted(c, q->session);
    struct control_viewer v = {0};
    int fd = -1;
    if (!s)
        return;
    int r = is_drawing(s) ? session_view(s, c, &v.client, &fd) : -EAGAIN;
    if (r < 0) {
        done(c, CONTROL_FAILED, "%s",
            r == -EUSERS ? "The session has as many clients as it can have." : "The session is starting or ending.");
        return;
    }
    (void)monitor_send(c->link, &control_viewer_def, &v, &fd);
    close(fd);
    c->state = CONTROL_VIEWING;
}

void control_view_ended(struct control_end *c)
{
    done(c, CONTROL_FAILED, "The session ended, or dropped this viewer.");
}
