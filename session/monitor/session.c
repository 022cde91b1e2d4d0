/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/link.h"
#include "common/log.h"
#include "common/secret.h"
#include "session/monitor/attachments.h"
#include "session/monitor/found.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/reap.h"
#include "session/monitor/service_links.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ID(s) ((unsigned long long)(s)->id)

static void on_start_overdue(int fd, short what, void *arg);
static void on_end_overdue(int fd, short what, void *arg);

struct session *session_find(struct monitor *m, uint64_t id)
{
    struct session *s;
    LIST_FOREACH (s, &m->sessions, entry)
        if (s->id == id)
            return s;
    return NULL;
}

struct session *session_of_uid(struct monitor *m, uint32_t uid)
{
    struct session *s;
    LIST_FOREACH (s, &m->sessions, entry)
        if (s->uid == uid && s->state != SESSION_ENDING)
            return s;
    return NULL;
}

size_t session_count(struct monitor *m)
{
    size_t n = 0;
    struct session *s;
    LIST_FOREACH (s, &m->sessions, entry)
        n++;
    return n;
}

static bool is_ending_of_uid(struct monitor *m, uint32_t uid)
{
    struct session *s;
    LIST_FOREACH (s, &m->sessions, entry)
        if (s->uid == uid && s->state == SESSION_ENDING)
            return true;
    return false;
}
/* ---- beginning ---- */

static void fill_open(struct display_open *o, const struct peer_hello *h)
{
    if (h->open.nmonitors) {
        *o = h->open;
        return;
    }
    uint32_t w = h->width ? h->width : 1024, hgt = h->height ? h->height : 768;
    o->nmonitors = 1;
    o->monitors[0] = (struct display_monitor){.width = w < DISPLAY_SIDE_MAX ? w : DISPLAY_SIDE_MAX,
        .height = hgt < DISPLAY_SIDE_MAX ? hgt : DISPLAY_SIDE_MAX,
        .scale = 100,
        .primary = 1};
    o->keyboard_layout = h->keyboard_layout;
}

static int send_start(struct session *s)
{
    struct reap_note n = {.session = s->id, .uid = s->uid, .leader_pid = s->leader->pid};
    snprintf(n.key, sizeof n.key, "%s", s->key);
    int r = reap_note_write(s->m, &n);
    if (r == 0)
        r = leader_send(s->leader, &leader_start_def, s->start, NULL);
    if (r == 0)
        r = monitor_timer(s->m, &s->timer, START_LIMIT_MS, on_start_overdue, s);
    return r;
}

static struct session *session_create(struct monitor *m, uint64_t id, const char *user, uint32_t uid, uint32_t gid)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct session){.m = m, .id = id, .state = SESSION_STARTING, .uid = uid, .gid = gid, .next_client = 1};
    TAILQ_INIT(&s->attachments);
    s->since = (uint64_t)time(NULL);
    snprintf(s->user, sizeof s->user, "%s", user);
    LIST_INSERT_HEAD(&m->sessions, s, entry);
    return s;
}

static void session_release(void *object)
{
    struct session *s = object;
    free(s->env);
    free(s->start);
    secret_wipe(s->key, sizeof s->key);
    free(s);
}

/* Its leader and its peers have been cut. */
static void session_destroy(struct session *s)
{
    struct attachment *a;
    LIST_REMOVE(s, entry);
    monitor_timer_free(&s->timer);
    monitor_timer_free(&s->reshow);
    service_links_finish(s);
    TAILQ_FOREACH (a, &s->attachments, entry)
        attachment_cut(s, a);
    monitor_end(s->m, &s->life, session_release);
}

int session_start(struct leader *l, struct monitor_peer *p, const struct leader_verdict *v)
{
    struct monitor *m = p->m;
    uint8_t key[TOKEN_BYTES];
    uint64_t id = store_next_session(m->store);
    bool deferred = is_ending_of_uid(m, v->uid);
    struct session *s = id ? session_create(m, id, v->user, v->uid, v->gid) : NULL;
    if (!s)
        return id ? -ENOMEM : -EIO;
    s->deferred = deferred;
    s->start = calloc(1, sizeof *s->start);
    secret_random(key, sizeof key);
    secret_hex(key, sizeof key, s->key);
    secret_wipe(key, sizeof key);
    s->leader = l;
    s->leader_pid = l->pid;
    int r = s->start ? 0 : -ENOMEM;
    if (r == 0) {
        s->start->session = id;
        snprintf(s->start->key, sizeof s->start->key, "%s", s->key);
        fill_open(&s->start->open, &p->hello);
        snprintf(s->start->client_address, sizeof s->start->client_address, "%s", p->address);
        snprintf(s->start->client_name, sizeof s->start->client_name, "%s", p->hello.client_name);
        snprintf(s->start->desktop, sizeof s->start->desktop, "%s", p->desktop);
        if (!deferred)
            r = send_start(s);
    }
    if (r < 0) {
        reap_note_remove(m, id);
        session_destroy(s);
        return r;
    }
    l->session = s;
    l->state = LEADER_STARTING;
    log_info("session starting", "session=%llu user=%s leader=%d%s", ID(s), s->user, (int)l->pid,
        deferred ? " after the one that ends" : "");
    r = session_admit(s, p, VERDICT_START);
    if (r < 0) { /* no memory; its leader may have begun */
        leader_kill(l);
        session_on_leader_lost(s, "");
    }
    return r;
}

/* An ENDING session of this uid has gone: whoever waits for that starts. */
static void start_deferred(struct monitor *m, uint32_t uid)
{
    struct session *s;
    if (is_ending_of_uid(m, uid))
        return;
    LIST_FOREACH (s, &m->sessions, entry) {
        if (!s->deferred || s->uid != uid)
            continue;
        s->deferred = false;
        if (send_start(s) < 0)
            session_on_failed(s, monitor_refuse_text(REFUSE_UNAVAILABLE, 0));
        return;
    }
}

/* ---- what the leader says ---- */

static int take_hello(struct session *s, const struct leader_hello *h)
{
    struct env_entry *env = h->nenv ? calloc(h->nenv, sizeof *env) : NULL;
    if (h->nenv && !env)
        return -ENOMEM;
    if (env)
        memcpy(env, h->env, h->nenv * sizeof *env);
    free(s->env);
    s->env = env;
    s->nenv = h->nenv;
    s->display = h->display;
    snprintf(s->xauthority, sizeof s->xauthority, "%s", h->xauthority);
    s->leader_pid = h->leader_pid;
    s->display_pid = h->display_pid;
    s->agent_pid = h->agent_pid;
    s->desktop_pid = h->desktop_pid;
    s->served = h->services;
    if (h->since)
        s->since = h->since;
    struct reap_note n = {.session = s->id, .uid = s->uid, .leader_pid = s->leader_pid, .display = s->display};
    snprintf(n.key, sizeof n.key, "%s", s->key);
    return reap_note_write(s->m, &n);
}

/* A session that ran before the monitor did: its clients come back with peer_resume. */
static struct session *rebuild(struct leader *l, const struct leader_hello *h)
{
    struct monitor *m = l->m;
    if (!h->session || h->session != l->found || session_find(m, h->session) || strlen(h->key) != 2 * TOKEN_BYTES)
        return NULL;
    struct session *s = session_create(m, h->session, h->user, h->uid, h->gid);
    if (!s)
        return NULL;
    snprintf(s->key, sizeof s->key, "%s", h->key);
    s->leader = l;
    l->session = s;
    (void)store_session_seen(m->store, s->id);
    for (uint32_t i = 0; i < h->nclients; i++) {
        const struct leader_client *lc = &h->clients[i];
        if (lc->client >= s->next_client)
            s->next_client = lc->client + 1;
        if (lc->role == ROLE_VIEW) { /* its orielctl is not bound to us any more */
            struct leader_detach d = {.client = lc->client, .cause = END_ADMIN_DISCONNECT};
            (void)leader_send(l, &leader_detach_def, &d, NULL);
            continue;
        }
        struct attachment *a = attachment_add(s, lc->role, NULL, lc->address, lc->client_name);
        if (!a) {
            log_error("client forgotten", "session=%llu client=%u: no memory", ID(s), lc->client);
            continue;
        }
        a->id = lc->client;
        if (lc->nhash == HASH_BYTES)
            memcpy(a->hash, lc->token_hash, HASH_BYTES);
        else
            secret_random(a->hash, HASH_BYTES); /* nobody can show a token for it */
        a->shown = true;
        a->width = lc->width;
        a->height = lc->height;
        a->nmonitors = lc->nmonitors;
    }
    log_info("session found", "session=%llu user=%s clients=%u", ID(s), s->user, s->nattachments);
    return s;
}

void session_on_hello(struct leader *l, const struct leader_hello *h)
{
    struct session *s = l->session;
    bool found = l->state == LEADER_FOUND, again = l->state == LEADER_RUNNING;
    if (found)
        s = rebuild(l, h);
    else if (h->session != s->id || h->uid != s->uid || strcmp(h->key, s->key) != 0)
        s = NULL;
    if (!s) {
        log_error("leader killed", "pid=%d why=its hello does not fit session %llu", (int)l->pid,
            (unsigned long long)h->session);
        leader_kill(l);
        if (l->session)
            session_on_leader_lost(l->session, "Its leader process gave a wrong account of itself and was stopped.");
        if (found && !session_find(l->m, l->found))
            found_lost(l->m, l->found);
        return;
    }
    if (take_hello(s, h) < 0)
        log_warning("session note not kept", "session=%llu", ID(s));
    if (again)
        return;
    l->state = LEADER_RUNNING;
    s->state = SESSION_DETACHED;
    free(s->start);
    s->start = NULL;
    if (!found)
        log_audit("session", "session=%llu user=%s display=:%u leader=%d", ID(s), s->user, s->display,
            (int)s->leader_pid);
    session_show_all(s);
    session_settle(s);
}

/* Everything of it is gone: forget it. */
static void session_over(struct session *s)
{
    (void)store_cookie_delete_session(s->m->store, s->id);
    reap_note_remove(s->m, s->id);
    log_audit("logoff", "session=%llu user=%s reason=%s", ID(s), s->user, monitor_end_name(s->ending));
    session_destroy(s);
    start_deferred(s->m, s->uid);
}

/* ENDING: clients are told, the table keeps the place until nothing is left. */
static void enter_ending(struct session *s, enum end_cause cause)
{
    s->state = SESSION_ENDING;
    s->ending = cause;
    if (s->leader)
        s->leader->state = LEADER_ENDING;
    session_disconnect(s, 0, cause);
    uint64_t limit = (uint64_t)s->m->config.session_logoff_grace * 1000 + END_SLACK_MS;
    (void)monitor_timer(s->m, &s->timer, limit, on_end_overdue, s);
}

/* Show every client's user why, instead of a black screen. */
static void notify_attached(struct session *s, const char *title, const char *text)
{
    struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry) {
        struct monitor_peer *p = a->peer;
        if (!p)
            continue;
        attachment_remove(s, a);
        peer_notice(p, END_SESSION_FAILED, title, text);
    }
}

void session_on_failed(struct session *s, const char *text)
{
    struct leader *l = s->leader;
    log_error("session failed", "session=%llu user=%s", ID(s), s->user);
    notify_attached(s, "The session could not be started", text);
    session_disconnect(s, 0, END_SESSION_FAILED);
    s->leader = NULL;
    s->state = SESSION_ENDING;
    s->ending = s->ending ? s->ending : END_SESSION_FAILED;
    leader_discard(l);
    session_over(s);
}

void session_on_leader_failed(struct session *s, const char *text)
{
    log_error("session failed", "session=%llu user=%s", ID(s), s->user);
    notify_attached(s,
        s->state == SESSION_STARTING ? "The session could not be started" : "The session ended unexpectedly", text);
    enter_ending(s, s->ending ? s->ending : END_SESSION_FAILED);
}

void session_on_idle(struct session *s)
{
    log_info("session idle", "session=%llu user=%s", ID(s), s->user);
    session_disconnect(s, 0, END_IDLE);
}

void session_on_ended(struct session *s, enum end_cause cause, const char *text)
{
    struct leader *l = s->leader;
    if (s->ending == END_NONE)
        s->ending = cause ? cause : END_USER_LOGOFF;
    if (s->ending == END_SESSION_FAILED && *text)
        notify_attached(s, "The session ended", text);
    s->state = SESSION_ENDING;
    session_disconnect(s, 0, s->ending);
    s->leader = NULL;
    leader_discard(l);
    session_over(s);
}

static void on_reaped(struct monitor *m, uint64_t session, bool clean)
{
    struct session *s = session_find(m, session);
    if (!clean)
        log_error("session not cleared", "session=%llu: processes of it remain", (unsigned long long)session);
    if (s)
        session_over(s);
}

/* By force: its leader is gone or was killed. */
static void clear_up(struct session *s)
{
    struct reap_note n = {.session = s->id, .uid = s->uid, .leader_pid = s->leader_pid, .display = s->display};
    snprintf(n.key, sizeof n.key, "%s", s->key);
    (void)monitor_timer(s->m, &s->timer, 0, on_end_overdue, s);
    reap_start(s->m, &n, on_reaped);
}

void session_on_leader_lost(struct session *s, const char *why)
{
    bool was_starting = s->state == SESSION_STARTING;
    s->leader = NULL;
    log_error("leader lost", "session=%llu user=%s: %s", ID(s), s->user, why);
    notify_attached(s, was_starting ? "The session could not be started" : "The session ended unexpectedly", why);
    enter_ending(s, s->ending ? s->ending : END_SESSION_FAILED);
    clear_up(s);
}

void session_logoff(struct session *s, enum end_cause cause)
{
    struct leader_logoff q = {.cause = (uint8_t)cause};
    if (s->state == SESSION_ENDING)
        return;
    log_info("session ending", "session=%llu user=%s reason=%s", ID(s), s->user, monitor_end_name(cause));
    if (s->deferred) {
        s->ending = cause;
        session_on_failed(s, monitor_end_text(cause));
        return;
    }
    enter_ending(s, cause);
    (void)leader_send(s->leader, &leader_logoff_def, &q, NULL);
}

/* ---- timers ---- */

static void on_start_overdue(int fd, short what, void *arg)
{
    struct session *s = arg;
    struct leader *l = s->leader;
    s->leader = NULL;
    if (l)
        leader_kill(l);
    session_on_leader_lost(s, "Starting it took too long.");
}

static void on_end_overdue(int fd, short what, void *arg)
{
    struct session *s = arg;
    struct leader *l = s->leader;
    log_warning("logoff forced", "session=%llu user=%s", ID(s), s->user);
    s->leader = NULL;
    if (l)
        leader_kill(l);
    clear_up(s);
}

void session_on_disconnected_limit(int fd, short what, void *arg)
{
    session_logoff(arg, END_IDLE);
}

void session_forget_all(struct monitor *m)
{
    while (!LIST_EMPTY(&m->sessions))
        session_destroy(LIST_FIRST(&m->sessions));
}
