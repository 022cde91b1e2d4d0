/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/clients.h"

#include "common/link.h"
#include "common/log.h"
#include "common/secret.h"
#include "session/monitor/control_end.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/tokens.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the life of a client: more is a peer that breaks the display protocol again and again */
#define RESHOW_MAX 10
#define RESHOW_MS 150 /* a peer that ends closes its display first: wait whether it is gone, too */
#define ID(s) ((unsigned long long)(s)->id)

static void on_reshow(int fd, short what, void *arg);

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
void session_settle(struct session *s)
{
    if (s->state != SESSION_ACTIVE && s->state != SESSION_DETACHED)
        return;
    s->state = has_control(s) ? SESSION_ACTIVE : SESSION_DETACHED;
    uint64_t limit = s->state == SESSION_DETACHED ? (uint64_t)s->m->config.session_disconnected_limit * 1000 : 0;
    (void)monitor_timer(s->m, &s->timer, limit, session_on_disconnected_limit, s);
}

void session_limits_changed(struct monitor *m)
{
    struct session *s;
    LIST_FOREACH (s, &m->sessions, entry)
        session_settle(s);
}

/* Cut both directions and close the gap in the array. */
void client_remove(struct session *s, struct client *c)
{
    if (c->peer)
        c->peer->session = NULL;
    if (c->shown)
        log_audit("detach", "session=%llu user=%s client=%u address=%s", ID(s), s->user, c->id, c->address);
    size_t i = (size_t)(c - s->clients);
    memmove(&s->clients[i], &s->clients[i + 1], (s->nclients - i - 1) * sizeof *c);
    s->nclients--;
    session_settle(s);
}

struct client *client_add(struct session *s, uint8_t role, const uint8_t *token, const char *address, const char *name)
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
    log_audit("attach", "session=%llu user=%s client=%u address=%s name=%s", ID(s), s->user, c->id, c->address,
        c->client_name);
    return 0;
}

void session_show_all(struct session *s)
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

int session_admit(struct session *s, struct peer *p, enum peer_verdict_kind kind)
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
    session_settle(s);
    return 0;
}

int session_attach(struct session *s, struct peer *p)
{
    replace_control(s);
    int r = session_admit(s, p, VERDICT_ATTACH);
    if (r == 0 && s->state != SESSION_STARTING)
        session_show_all(s);
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
    LIST_FOREACH (s, &m->sessions, entry) {
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
