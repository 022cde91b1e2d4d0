/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/peer.h"

#include "common/link.h"
#include "common/log.h"
#include "session/monitor/attempt.h"
#include "session/monitor/logon_end.h"
#include "session/monitor/offers.h"
#include "session/monitor/server_end.h"
#include "session/monitor/session.h"
#include "session/monitor/tokens.h"
#include "session/proto/layout.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_hello(void *end, const void *msg, const int *fds);
static void on_auth(void *end, const void *msg, const int *fds);
static void on_logon(void *end, const void *msg, const int *fds);
static void on_resume(void *end, const void *msg, const int *fds);
static void on_status(void *end, const void *msg, const int *fds);

static const struct request peer_rows[] = {
    {&peer_hello_def, PEER_FRESH, PEER_ENDING, true, on_hello},
    {&peer_auth_def, PEER_READY, PEER_ENDING, false, on_auth},
    {&peer_logon_def, PEER_READY, PEER_ENDING, true, on_logon},
    {&peer_resume_def, PEER_READY, PEER_ENDING, true, on_resume},
    {&peer_status_def, PEER_READY | PEER_CHECKING | PEER_LOGON | PEER_STARTING | PEER_ATTACHED | PEER_NOTICE,
        PEER_ENDING, false, on_status},
};
static const char *const state_names[PEER_STATES] = {"FRESH", "READY", "CHECKING", "LOGON", "STARTING", "ATTACHED",
    "NOTICE", "ENDING"};
const struct request_table peer_table = {"peer", peer_rows, sizeof peer_rows / sizeof peer_rows[0], state_names,
    PEER_STATES};

static void on_login_deadline(int fd, short what, void *arg)
{
    struct monitor_peer *p = arg;
    log_audit("refused", "address=%s user=- reason=timeout state=%s", p->address,
        request_state_name(&peer_table, p->state));
    peer_finish(p, END_LOGON_TIMEOUT, monitor_end_text(END_LOGON_TIMEOUT));
}

static void on_grace_over(int fd, short what, void *arg)
{
    peer_punish(arg, "did not leave", "peer_end");
}

static void on_notice_over(int fd, short what, void *arg)
{
    struct monitor_peer *p = arg;
    peer_finish(p, p->logon ? p->logon->cause : END_SESSION_FAILED, "");
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct monitor_peer *p = user;
    const struct request *row;
    const char *why;
    switch (request_judge(&peer_table, def, p->state, &p->said, &row, &why)) {
    case REQUEST_RUN:
        row->handler(p, msg, fds);
        return;
    case REQUEST_LATE:
        break;
    case REQUEST_REFUSED:
        peer_punish(p, why, def->name);
        return;
    }
    for (int i = 0; i < def->nfds; i++)
        close(fds[i]);
}

static void on_closed(void *user, struct link *l, int err)
{
    struct monitor_peer *p = user;
    if (err == -EPIPE || err == -ECONNRESET)
        peer_destroy(p, false);
    else
        peer_punish(p, strerror(-err), "message");
}

struct monitor_peer *peer_create(struct monitor *m, struct server_end *server, const struct server_peer_new *n, int fd)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    struct monitor_peer *p = calloc(1, sizeof *p);
    if (p)
        p->link = link_create(m->base, fd, &peer_to_monitor, &ops, p, LINK_QUEUE_DEFAULT);
    if (!p || !p->link) {
        free(p);
        close(fd);
        return NULL;
    }
    p->m = m;
    p->server = server;
    p->id = n->peer;
    p->pid = n->pid;
    p->state = PEER_FRESH;
    snprintf(p->address, sizeof p->address, "%s", n->address);
    name_source_prefix(n->address, p->prefix);
    LIST_INSERT_HEAD(&m->peers, p, entry);
    (void)monitor_timer(m, &p->deadline, (uint64_t)m->config.server_login_deadline * 1000, on_login_deadline, p);
    return p;
}

static void drop_login(struct monitor_peer *p)
{
    attempt_abandon(p->attempt);
    logon_destroy(p->logon);
}

void peer_destroy(struct monitor_peer *p, bool keep_place)
{
    if (!p || p->life.ended)
        return;
    drop_login(p);
    session_peer_left(p, END_USER_DISCONNECT, keep_place);
    LIST_REMOVE(p, entry);
    monitor_timer_free(&p->deadline);
    link_destroy(p->link);
    p->link = NULL;
    monitor_end(p->m, &p->life, free);
}

struct monitor_peer *peer_find(struct monitor *m, struct server_end *server, uint64_t id)
{
    struct monitor_peer *p;
    LIST_FOREACH (p, &m->peers, entry)
        if (p->server == server && p->id == id)
            return p;
    return NULL;
}

void peer_punish(struct monitor_peer *p, const char *why, const char *what)
{
    log_warning("peer killed", "peer=%llu pid=%d address=%s state=%s request=%s why=%s", (unsigned long long)p->id,
        (int)p->pid, p->address, request_state_name(&peer_table, p->state), what, why);
    if (p->server)
        server_kill_peer(p->server, p->id, why);
    peer_destroy(p, false);
}

static void on_hello(void *end, const void *msg, const int *fds)
{
    struct monitor_peer *p = end;
    p->hello = *(const struct peer_hello *)msg;
    const struct display_monitor *primary = layout_primary(p->hello.open.monitors, p->hello.open.nmonitors);
    p->scale = primary ? primary->scale : 0;
    p->state = PEER_READY;
}

static void on_auth(void *end, const void *msg, const int *fds)
{
    struct monitor_peer *p = end;
    p->state = PEER_CHECKING;
    attempt_begin(p, msg, false);
}

/* What the logon screen begins with: a domain that is a machine of the two says nothing to a person. */
static void suggest_name(const struct monitor_peer *p, const char *given, char *out, size_t cap)
{
    struct name n;
    bool plain = name_parse(given, "", &n) == 0;
    if (plain && (name_is_machine(n.domain, p->hello.client_name) || name_is_machine(n.domain, p->m->host)))
        n.domain[0] = n.at = 0;
    if (!plain || name_text(&n, out, cap) < 0)
        snprintf(out, cap, "%s", given);
}

static void on_logon(void *end, const void *msg, const int *fds)
{
    struct monitor_peer *p = end;
    const struct peer_logon *q = msg;
    struct logon_start *s = calloc(1, sizeof *s);
    p->state = PEER_LOGON;
    if (s) {
        s->mode = LOGON_MODE_LOGON;
        s->reason = q->reason;
        suggest_name(p, q->user, s->user, sizeof s->user);
        snprintf(s->text, sizeof s->text, "%s", p->m->config.login_banner);
        snprintf(s->why, sizeof s->why, "%s", q->reason == p->refused ? p->refused_text : "");
        offers_fill(s);
        p->logon = logon_open(p, s);
    }
    free(s);
    if (!p->logon)
        peer_finish(p, END_DENIED, monitor_refuse_text(REFUSE_UNAVAILABLE, 0));
}

static void on_resume(void *end, const void *msg, const int *fds)
{
    struct monitor_peer *p = end;
    int r = session_resume(p->m, p, msg);
    if (r == -EACCES)
        peer_punish(p, "the token is wrong", "peer_resume");
    else if (r < 0)
        peer_finish(p, END_REPLACED, "The session is no longer there, or another client has it.");
    else {
        struct peer_resumed done = {0};
        p->state = PEER_ATTACHED;
        (void)monitor_timer(p->m, &p->deadline, 0, on_login_deadline, p);
        (void)monitor_send(p->link, &peer_resumed_def, &done, NULL);
    }
}

static void on_status(void *end, const void *msg, const int *fds)
{
    struct monitor_peer *p = end;
    const struct peer_status *s = msg;
    p->hello.width = s->width;
    p->hello.height = s->height;
    p->hello.nmonitors = s->nmonitors;
    p->scale = s->scale;
    session_status(p, s->width, s->height, s->nmonitors);
}

void peer_refused(struct monitor_peer *p, enum refuse_reason reason, const char *text)
{
    p->failures += reason != REFUSE_CONVERSATION;
    bool final = p->failures >= (unsigned)p->m->config.login_attempts;
    if (p->state == PEER_LOGON) {
        logon_refuse(p->logon, reason, final, text);
        return;
    }
    struct peer_verdict v = {.verdict = VERDICT_REFUSE, .reason = (uint8_t)reason};
    snprintf(v.text, sizeof v.text, "%s", text);
    p->refused = (uint8_t)reason;
    snprintf(p->refused_text, sizeof p->refused_text, "%s", text);
    p->state = PEER_READY;
    (void)monitor_send(p->link, &peer_verdict_def, &v, NULL);
    if (final)
        peer_finish(p, END_DENIED, "Too many attempts.");
}

void peer_accepted(struct monitor_peer *p, enum peer_verdict_kind kind, struct session *s, uint32_t client,
    const uint8_t token[TOKEN_BYTES], const char *user)
{
    struct peer_verdict v = {.verdict = (uint8_t)kind, .session = s->id, .client = client, .ntoken = TOKEN_BYTES};
    memcpy(v.token, token, TOKEN_BYTES);
    snprintf(v.user, sizeof v.user, "%s", user);
    int r = cache_salt(p->m->store, s->uid, v.cache_salt);
    v.ncache_salt = r == 0 ? CACHE_SALT_LENGTH : 0;
    if (r < 0)
        log_warning("clients keep no pictures", "session=%llu error=%s", (unsigned long long)s->id, strerror(-r));
    p->attempt = NULL;
    p->session = s;
    p->client = client;
    p->state = PEER_STARTING;
    (void)monitor_timer(p->m, &p->deadline, 0, on_login_deadline, p);
    if (p->logon)
        logon_welcome(p->logon);
    (void)monitor_send(p->link, &peer_verdict_def, &v, NULL);
    explicit_bzero(v.token, sizeof v.token);
    explicit_bzero(v.cache_salt, sizeof v.cache_salt);
}

int peer_show(struct monitor_peer *p, enum peer_display_kind kind, int fd)
{
    struct peer_display d = {.kind = (uint8_t)kind};
    int r = monitor_send(p->link, &peer_display_def, &d, &fd);
    if (r == 0 && kind == DISPLAY_SESSION) {
        p->state = PEER_ATTACHED;
        logon_destroy(p->logon);
    }
    return r;
}

void peer_notice(struct monitor_peer *p, enum end_cause cause, const char *title, const char *text)
{
    struct logon_start *s = calloc(1, sizeof *s);
    session_peer_left(p, cause, false);
    drop_login(p);
    p->state = PEER_NOTICE;
    if (s) {
        s->mode = LOGON_MODE_NOTICE;
        snprintf(s->title, sizeof s->title, "%s", title);
        snprintf(s->text, sizeof s->text, "%s", text);
        p->logon = logon_open(p, s);
    }
    free(s);
    if (!p->logon) {
        peer_finish(p, cause, text);
        return;
    }
    p->logon->cause = cause;
    (void)monitor_timer(p->m, &p->deadline, NOTICE_LIMIT_MS, on_notice_over, p);
}

void peer_finish(struct monitor_peer *p, enum end_cause cause, const char *text)
{
    struct peer_end e = {.cause = (uint8_t)cause};
    if (p->state == PEER_ENDING || p->life.ended)
        return;
    snprintf(e.text, sizeof e.text, "%.1000s", text);
    p->state = PEER_ENDING;
    drop_login(p);
    session_peer_left(p, cause, false);
    (void)monitor_send(p->link, &peer_end_def, &e, NULL);
    (void)monitor_timer(p->m, &p->deadline, END_GRACE_MS, on_grace_over, p);
}
