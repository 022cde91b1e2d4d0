/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/session.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/link.h"
#include "common/log.h"
#include "common/secret.h"
#include "session/monitor/control_end.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/reap.h"
#include "session/monitor/tokens.h"

#define RESHOW_MAX 10 /* in the life of a client: more is a peer that breaks the display protocol again and again */
#define RESHOW_MS 150 /* a peer that ends closes its display first: wait whether it is gone, too */
#define ID(s) ((unsigned long long)(s)->id)

static void on_start_overdue(int fd, short what, void *arg);
static void on_end_overdue(int fd, short what, void *arg);
static void on_disconnected_limit(int fd, short what, void *arg);
static void on_reshow(int fd, short what, void *arg);

struct session *session_find(struct monitor *m, uint64_t id)
{
    struct session *s;
    LIST_FOREACH(s, &m->sessions, entry)
        if (s->id == id)
            return s;
    return NULL;
}

struct session *session_of_uid(struct monitor *m, uint32_t uid)
{
    struct session *s;
    LIST_FOREACH(s, &m->sessions, entry)
        if (s->uid == uid && s->state != SESSION_ENDING)
            return s;
    return NULL;
}

size_t session_count(struct monitor *m)
{
    size_t n = 0;
    struct session *s;
    LIST_FOREACH(s, &m->sessions, entry)
        n++;
    return n;
}

static bool is_ending_of_uid(struct monitor *m, uint32_t uid)
{
    struct session *s;
    LIST_FOREACH(s, &m->sessions, entry)
        if (s->uid == uid && s->state == SESSION_ENDING)
            return true;
    return false;
}

/* ---- clients ---- */

static struct client *client_find(struct session *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->nclients; i++)
        if (s->clients[i].id == id)
            return &s->clients[i];
    return NULL;
}

static bool has_control(const struct session *s)
{
    for (uint32_t i = 0; i < s->nclients; i++)
        if (s->clients[i].role == ROLE_CONTROL)
            return true;
    return false;
}

/* ACTIVE ⇄ DETACHED follows from the clients; nothing else sets it. */
static void settle(struct session *s)
{
    if (s->state != SESSION_ACTIVE && s->state != SESSION_DETACHED)
        return;
    s->state = has_control(s) ? SESSION_ACTIVE : SESSION_DETACHED;
    uint64_t limit = s->state == SESSION_DETACHED ? (uint64_t)s->m->config.session_disconnected_limit * 1000 : 0;
    (void)monitor_timer(s->m, &s->timer, limit, on_disconnected_limit, s);
}

void session_limits_changed(struct monitor *m)
{
    struct session *s;
    LIST_FOREACH(s, &m->sessions, entry)
        settle(s);
}

/* Cut both directions and close the gap in the array. */
static void client_remove(struct session *s, struct client *c)
{
    if (c->peer)
        c->peer->session = NULL;
    if (c->shown)
        log_audit("detach", "session=%llu user=%s client=%u address=%s", ID(s), s->user, c->id, c->address);
    size_t i = (size_t)(c - s->clients);
    memmove(&s->clients[i], &s->clients[i + 1], (s->nclients - i - 1) * sizeof *c);
    s->nclients--;
    settle(s);
}

static struct client *client_add(struct session *s, uint8_t role, const uint8_t *token, const char *address, const char *name)
{
    if (s->nclients >= CLIENTS_MAX)
        return NULL;
    struct client *c = &s->clients[s->nclients++];
    *c = (struct client){.id = s->next_client++, .role = role};
    if (token)
        secret_sha256(token, TOKEN_BYTES, c->hash);
    snprintf(c->address, sizeof c->address, "%s", address);
    snprintf(c->client_name, sizeof c->client_name, "%s", name);
    return c;
}

static void tell_leader_detach(struct session *s, const struct client *c, enum end_cause cause)
{
    struct leader_detach d = {.client = c->id, .cause = (uint8_t)cause};
    if (c->shown)
        (void)leader_send(s->leader, &leader_detach_def, &d, NULL);
}

/* Detach one, telling whoever holds it. */
static void client_end(struct session *s, struct client *c, enum end_cause cause)
{
    struct peer *p = c->peer;
    struct control_end *v = c->viewer;
    if (c->role == ROLE_CONTROL) /* sent away: it may not come back by itself */
        (void)store_cookie_delete_session(s->m->store, s->id);
    tell_leader_detach(s, c, cause);
    client_remove(s, c);
    if (p)
        peer_finish(p, cause, monitor_end_text(cause));
    if (v)
        control_view_ended(v);
}

unsigned session_disconnect(struct session *s, uint32_t id, enum end_cause cause)
{
    unsigned n = 0;
    for (uint32_t i = s->nclients; i-- > 0;) {
        if (i < s->nclients && (!id || s->clients[i].id == id)) {
            client_end(s, &s->clients[i], cause);
            n++;
        }
    }
    return n;
}

/* A second control client takes over. */
static void replace_control(struct session *s)
{
    for (uint32_t i = s->nclients; i-- > 0;)
        if (i < s->nclients && s->clients[i].role == ROLE_CONTROL)
            client_end(s, &s->clients[i], END_REPLACED);
}

static void send_cookie(struct session *s, struct peer *p)
{
    struct peer_cookie c;
    struct client *mine = client_find(s, p->client);
    if (!s->m->config.server_auto_reconnect || !mine || mine->reshown)
        return; /* with a new display the cookie it has stays good */
    if (cookie_mint(s->m->store, s->id, s->user, s->m->boot, throttle_boottime_ms(), &c) < 0)
        log_warning("no reconnect cookie", "session=%llu: the state directory cannot be written", ID(s));
    else
        (void)link_send(p->link, &peer_cookie_def, &c, NULL);
    secret_wipe(&c, sizeof c);
}

static int send_attach(struct session *s, const struct client *c, int fd)
{
    struct leader_attach a = {.client = c->id, .role = c->role, .nhash = HASH_BYTES};
    memcpy(a.token_hash, c->hash, HASH_BYTES);
    snprintf(a.address, sizeof a.address, "%s", c->address);
    snprintf(a.client_name, sizeof a.client_name, "%s", c->client_name);
    return leader_send(s->leader, &leader_attach_def, &a, &fd);
}

/* One socketpair: an end to the leader (for the agent), the other to the peer. */
static int show(struct session *s, struct client *c)
{
    int sv[2], r = link_pair(sv);
    if (r < 0)
        return r;
    r = send_attach(s, c, sv[0]);
    if (r == 0) {
        c->shown = true;
        r = peer_show(c->peer, DISPLAY_SESSION, sv[1]);
    }
    close(sv[0]);
    close(sv[1]);
    if (r < 0)
        return r;
    send_cookie(s, c->peer);
    log_audit("attach", "session=%llu user=%s client=%u address=%s name=%s", ID(s), s->user, c->id, c->address, c->client_name);
    return 0;
}

static void show_all(struct session *s)
{
    for (uint32_t i = s->nclients; i-- > 0;) {
        struct client *c = i < s->nclients ? &s->clients[i] : NULL;
        if (!c || c->shown || !c->peer)
            continue;
        int r = show(s, c);
        if (r < 0) {
            log_error("not attached", "session=%llu client=%u error=%s", ID(s), c->id, strerror(-r));
            client_end(s, c, END_SESSION_FAILED);
        }
    }
}

static int admit(struct session *s, struct peer *p, enum peer_verdict_kind kind)
{
    uint8_t token[TOKEN_BYTES];
    secret_random(token, sizeof token);
    struct client *c = client_add(s, ROLE_CONTROL, token, p->address, p->hello.client_name);
    if (!c)
        return -EUSERS;
    c->peer = p;
    c->width = p->hello.width;
    c->height = p->hello.height;
    c->nmonitors = p->hello.nmonitors <= DISPLAY_MONITORS_MAX ? p->hello.nmonitors : 0;
    peer_accepted(p, kind, s, c->id, token, s->user);
    secret_wipe(token, sizeof token);
    settle(s);
    return 0;
}

int session_attach(struct session *s, struct peer *p)
{
    replace_control(s);
    int r = admit(s, p, VERDICT_ATTACH);
    if (r == 0 && s->state != SESSION_STARTING)
        show_all(s);
    return r;
}

void session_peer_left(struct peer *p, enum end_cause cause, bool keep)
{
    struct session *s = p->session;
    struct client *c = s ? client_find(s, p->client) : NULL;
    p->session = NULL;
    if (!c || c->peer != p)
        return;
    c->peer = NULL;
    if (keep && c->shown)
        return;
    tell_leader_detach(s, c, cause);
    client_remove(s, c);
}

int session_resume(struct monitor *m, struct peer *p, const struct peer_resume *r)
{
    uint8_t hash[HASH_BYTES];
    struct session *s = session_find(m, r->session);
    struct client *c = s && s->state != SESSION_ENDING ? client_find(s, r->client) : NULL;
    if (r->ntoken != TOKEN_BYTES)
        return -EACCES;
    if (!c || c->role != ROLE_CONTROL || !c->shown)
        return -ENOENT;
    secret_sha256(r->token, TOKEN_BYTES, hash);
    if (!secret_equal(hash, c->hash, HASH_BYTES))
        return -EACCES;
    struct peer *old = c->peer;
    if (old) {
        old->session = NULL;
        peer_destroy(old, true);
    }
    c->peer = p;
    p->session = s;
    p->client = c->id;
    log_info("resumed", "session=%llu user=%s client=%u address=%s", ID(s), s->user, c->id, p->address);
    return 0;
}

int session_view(struct session *s, struct control_end *viewer, uint32_t *client, int *fd)
{
    int sv[2];
    struct client *c = client_add(s, ROLE_VIEW, NULL, "", "orielctl");
    if (!c)
        return -EUSERS;
    int r = link_pair(sv);
    if (r == 0) {
        r = send_attach(s, c, sv[0]);
        close(sv[0]);
        if (r < 0)
            close(sv[1]);
    }
    if (r < 0) {
        s->nclients--;
        return r;
    }
    c->viewer = viewer;
    c->shown = true;
    *client = c->id;
    *fd = sv[1];
    log_audit("view", "session=%llu user=%s client=%u by=%u", ID(s), s->user, c->id, (unsigned)viewer->uid);
    return 0;
}

void session_viewer_left(struct monitor *m, struct control_end *viewer)
{
    struct session *s;
    LIST_FOREACH(s, &m->sessions, entry) {
        for (uint32_t i = s->nclients; i-- > 0;) {
            if (s->clients[i].viewer == viewer) {
                tell_leader_detach(s, &s->clients[i], END_USER_DISCONNECT);
                client_remove(s, &s->clients[i]);
            }
        }
    }
}

void session_status(struct peer *p, uint32_t width, uint32_t height, uint32_t nmonitors)
{
    struct client *c = p->session ? client_find(p->session, p->client) : NULL;
    if (!c)
        return;
    c->width = width;
    c->height = height;
    c->nmonitors = nmonitors <= DISPLAY_MONITORS_MAX ? nmonitors : 0;
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
                                              .height = hgt < DISPLAY_SIDE_MAX ? hgt : DISPLAY_SIDE_MAX, .scale = 100, .primary = 1};
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
    s->since = (uint64_t)time(NULL);
    snprintf(s->user, sizeof s->user, "%s", user);
    LIST_INSERT_HEAD(&m->sessions, s, entry);
    return s;
}

static void session_free(struct session *s)
{
    LIST_REMOVE(s, entry);
    monitor_timer_free(&s->timer);
    monitor_timer_free(&s->reshow);
    free(s->env);
    free(s->start);
    secret_wipe(s->key, sizeof s->key);
    free(s);
}

int session_start(struct leader *l, struct peer *p, const struct leader_verdict *v)
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
        if (!deferred)
            r = send_start(s);
    }
    if (r < 0) {
        reap_note_remove(m, id);
        session_free(s);
        return r;
    }
    l->session = s;
    l->state = LEADER_STARTING;
    log_info("session starting", "session=%llu user=%s leader=%d%s", ID(s), s->user, (int)l->pid, deferred ? " after the one that ends" : "");
    return admit(s, p, VERDICT_START);
}

/* An ENDING session of this uid has gone: whoever waits for that starts. */
static void start_deferred(struct monitor *m, uint32_t uid)
{
    struct session *s, *next;
    if (is_ending_of_uid(m, uid))
        return;
    for (s = LIST_FIRST(&m->sessions); s; s = next) {
        next = LIST_NEXT(s, entry);
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
    if (!h->session || session_find(m, h->session) || strlen(h->key) != 2 * TOKEN_BYTES)
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
        struct client *c = client_add(s, lc->role, NULL, lc->address, lc->client_name);
        c->id = lc->client;
        if (lc->nhash == HASH_BYTES)
            memcpy(c->hash, lc->token_hash, HASH_BYTES);
        else
            secret_random(c->hash, HASH_BYTES); /* nobody can show a token for it */
        c->shown = true;
        c->width = lc->width;
        c->height = lc->height;
        c->nmonitors = lc->nmonitors;
    }
    log_info("session found", "session=%llu user=%s clients=%u", ID(s), s->user, s->nclients);
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
        struct session *mine = l->session;
        log_error("leader killed", "pid=%d why=its hello does not fit session %llu", (int)l->pid, (unsigned long long)h->session);
        leader_kill(l);
        if (mine)
            session_on_leader_lost(mine, "Its leader process gave a wrong account of itself and was stopped.");
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
        log_audit("session", "session=%llu user=%s display=:%u leader=%d", ID(s), s->user, s->display, (int)s->leader_pid);
    show_all(s);
    settle(s);
}

/* Everything of it is gone: forget it. */
static void session_over(struct session *s)
{
    struct monitor *m = s->m;
    uint32_t uid = s->uid;
    (void)store_cookie_delete_session(m->store, s->id);
    reap_note_remove(m, s->id);
    log_audit("logoff", "session=%llu user=%s reason=%s", ID(s), s->user, monitor_end_name(s->ending));
    session_free(s);
    start_deferred(m, uid);
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
static void notify_clients(struct session *s, const char *title, const char *text)
{
    for (uint32_t i = s->nclients; i-- > 0;) {
        struct peer *p = i < s->nclients ? s->clients[i].peer : NULL;
        if (!p)
            continue;
        client_remove(s, &s->clients[i]);
        peer_notice(p, END_SESSION_FAILED, title, text);
    }
}

void session_on_failed(struct session *s, const char *text)
{
    struct leader *l = s->leader;
    log_error("session failed", "session=%llu user=%s", ID(s), s->user);
    notify_clients(s, "The session could not be started", text);
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
    notify_clients(s, s->state == SESSION_STARTING ? "The session could not be started" : "The session ended unexpectedly", text);
    enter_ending(s, s->ending ? s->ending : END_SESSION_FAILED);
}

void session_on_client_state(struct session *s, const struct leader_client *lc)
{
    struct client *c = client_find(s, lc->client);
    if (!c)
        return; /* detached while it was under way */
    c->width = lc->width;
    c->height = lc->height;
    c->nmonitors = lc->nmonitors;
}

void session_on_client_gone(struct session *s, uint32_t client, enum end_cause cause)
{
    struct client *c = client_find(s, client);
    if (!c)
        return;
    struct peer *p = c->peer;
    struct control_end *v = c->viewer;
    /* The agent died and is replaced: the same client gets a display of the new one. */
    if (cause == END_NONE && p && c->shown && s->state != SESSION_ENDING && c->reshown++ < RESHOW_MAX) {
        c->reshow = true;
        (void)monitor_timer(s->m, &s->reshow, RESHOW_MS, on_reshow, s);
        return;
    }
    client_remove(s, c);
    if (p)
        peer_finish(p, cause ? cause : END_USER_DISCONNECT, monitor_end_text(cause));
    if (v)
        control_view_ended(v);
}

static void on_reshow(int fd, short what, void *arg)
{
    struct session *s = arg;
    for (uint32_t i = s->nclients; i-- > 0;) {
        struct client *c = i < s->nclients ? &s->clients[i] : NULL;
        if (!c || !c->reshow)
            continue;
        c->reshow = false;
        if (c->peer && show(s, c) < 0)
            client_end(s, c, END_SESSION_FAILED);
    }
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
        notify_clients(s, "The session ended", text);
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
    notify_clients(s, was_starting ? "The session could not be started" : "The session ended unexpectedly", why);
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

static void on_disconnected_limit(int fd, short what, void *arg)
{
    session_logoff(arg, END_IDLE);
}

void session_forget_all(struct monitor *m)
{
    while (!LIST_EMPTY(&m->sessions))
        session_free(LIST_FIRST(&m->sessions));
}
