/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/attachments.h"

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/secret.h"
#include "session/monitor/control_end.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/service_links.h"
#include "session/monitor/tokens.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the life of an attachment: more is a peer that breaks the display protocol again and again */
#define RESHOW_MAX 10
#define RESHOW_MS 150 /* a peer that ends closes its display first: wait whether it is gone, too */
#define ID(s) ((unsigned long long)(s)->id)

static void on_reshow(int fd, short what, void *arg);

static struct attachment *attachment_find(struct session *s, uint32_t id)
{
    struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry)
        if (a->id == id)
            return a;
    return NULL;
}

static bool has_control(const struct session *s)
{
    const struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry)
        if (a->role == ROLE_CONTROL)
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

void attachment_cut(struct session *s, struct attachment *a)
{
    if (a->life.ended)
        return;
    if (a->peer)
        a->peer->session = NULL;
    a->peer = NULL;
    a->viewer = NULL;
    TAILQ_REMOVE(&s->attachments, a, entry);
    s->nattachments--;
    monitor_end(s->m, &a->life, free);
}

void attachment_remove(struct session *s, struct attachment *a)
{
    if (a->life.ended)
        return;
    if (a->shown)
        log_audit("detach", "session=%llu user=%s client=%u address=%s", ID(s), s->user, a->id, a->address);
    attachment_cut(s, a);
    session_settle(s);
}

struct attachment *attachment_add(struct session *s, uint8_t role, const uint8_t *token, const char *address,
    const char *name)
{
    struct attachment *a = s->nattachments < CLIENTS_MAX ? calloc(1, sizeof *a) : NULL;
    if (!a)
        return NULL;
    a->id = s->next_client++;
    a->role = role;
    TAILQ_INSERT_TAIL(&s->attachments, a, entry);
    s->nattachments++;
    if (token)
        secret_sha256(token, TOKEN_BYTES, a->hash);
    snprintf(a->address, sizeof a->address, "%s", address);
    snprintf(a->client_name, sizeof a->client_name, "%s", name);
    return a;
}

static void tell_leader_detach(struct session *s, const struct attachment *a, enum end_cause cause)
{
    struct leader_detach d = {.client = a->id, .cause = (uint8_t)cause};
    if (a->shown)
        (void)leader_send(s->leader, &leader_detach_def, &d, NULL);
}

/* Detach one, telling whoever holds it. */
static void attachment_end(struct session *s, struct attachment *a, enum end_cause cause)
{
    struct monitor_peer *p = a->peer;
    struct control_end *v = a->viewer;
    if (a->life.ended)
        return;
    if (a->role == ROLE_CONTROL) /* sent away: it may not come back by itself */
        (void)store_cookie_delete_session(s->m->store, s->id);
    tell_leader_detach(s, a, cause);
    attachment_remove(s, a);
    if (p)
        peer_finish(p, cause, monitor_end_text(cause));
    if (v)
        control_view_ended(v);
}

unsigned session_disconnect(struct session *s, uint32_t id, enum end_cause cause)
{
    unsigned n = 0;
    struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry) {
        if (!id || a->id == id) {
            attachment_end(s, a, cause);
            n++;
        }
    }
    return n;
}

/* A second control client takes over. */
static void replace_control(struct session *s)
{
    struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry)
        if (a->role == ROLE_CONTROL)
            attachment_end(s, a, END_REPLACED);
}

static void send_cookie(struct session *s, struct monitor_peer *p)
{
    struct peer_cookie c;
    struct attachment *mine = attachment_find(s, p->client);
    if (!s->m->config.server_auto_reconnect || !mine || mine->reshown)
        return; /* with a new display the cookie it has stays good */
    if (cookie_mint(s->m->store, s->id, s->user, s->m->boot, clock_boottime_ms(), &c) < 0)
        log_warning("no reconnect cookie", "session=%llu: the state directory cannot be written", ID(s));
    else
        (void)monitor_send(p->link, &peer_cookie_def, &c, NULL);
    secret_wipe(&c, sizeof c);
}

static int send_attach(struct session *s, const struct attachment *a, int fd)
{
    struct leader_attach m = {.client = a->id, .role = a->role, .nhash = HASH_BYTES};
    memcpy(m.token_hash, a->hash, HASH_BYTES);
    snprintf(m.address, sizeof m.address, "%s", a->address);
    snprintf(m.client_name, sizeof m.client_name, "%s", a->client_name);
    return leader_send(s->leader, &leader_attach_def, &m, &fd);
}

/* One socketpair: an end to the leader (for the agent), the other to the peer. */
static int show(struct session *s, struct attachment *a)
{
    int sv[2], r = link_pair(sv);
    if (r < 0)
        return r;
    r = send_attach(s, a, sv[0]);
    if (r == 0) {
        a->shown = true;
        r = peer_show(a->peer, DISPLAY_SESSION, sv[1]);
    }
    close(sv[0]);
    close(sv[1]);
    if (r < 0)
        return r;
    send_cookie(s, a->peer);
    service_links_give(s, a);
    log_audit("attach", "session=%llu user=%s client=%u address=%s name=%s", ID(s), s->user, a->id, a->address,
        a->client_name);
    return 0;
}

void session_show_all(struct session *s)
{
    struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry) {
        if (a->shown || !a->peer)
            continue;
        int r = show(s, a);
        if (r < 0) {
            log_error("not attached", "session=%llu client=%u error=%s", ID(s), a->id, strerror(-r));
            attachment_end(s, a, END_SESSION_FAILED);
        }
    }
}

int session_admit(struct session *s, struct monitor_peer *p, enum peer_verdict_kind kind)
{
    uint8_t token[TOKEN_BYTES];
    secret_random(token, sizeof token);
    struct attachment *a = attachment_add(s, ROLE_CONTROL, token, p->address, p->hello.client_name);
    if (!a)
        return -EUSERS;
    a->peer = p;
    a->width = p->hello.width;
    a->height = p->hello.height;
    a->nmonitors = p->hello.nmonitors <= DISPLAY_MONITORS_MAX ? p->hello.nmonitors : 0;
    peer_accepted(p, kind, s, a->id, token, s->user);
    secret_wipe(token, sizeof token);
    session_settle(s);
    return 0;
}

int session_attach(struct session *s, struct monitor_peer *p)
{
    replace_control(s);
    int r = session_admit(s, p, VERDICT_ATTACH);
    if (r == 0 && s->state != SESSION_STARTING)
        session_show_all(s);
    return r;
}

void session_peer_left(struct monitor_peer *p, enum end_cause cause, bool keep)
{
    struct session *s = p->session;
    struct attachment *a = s ? attachment_find(s, p->client) : NULL;
    p->session = NULL;
    if (!a || a->peer != p)
        return;
    a->peer = NULL;
    if (keep && a->shown)
        return;
    tell_leader_detach(s, a, cause);
    attachment_remove(s, a);
}

int session_resume(struct monitor *m, struct monitor_peer *p, const struct peer_resume *r)
{
    uint8_t hash[HASH_BYTES];
    struct session *s = session_find(m, r->session);
    struct attachment *a = s && s->state != SESSION_ENDING ? attachment_find(s, r->client) : NULL;
    if (r->ntoken != TOKEN_BYTES)
        return -EACCES;
    if (!a || a->role != ROLE_CONTROL || !a->shown)
        return -ENOENT;
    secret_sha256(r->token, TOKEN_BYTES, hash);
    if (!secret_equal(hash, a->hash, HASH_BYTES))
        return -EACCES;
    struct monitor_peer *old = a->peer;
    if (old) {
        old->session = NULL;
        peer_destroy(old, true);
    }
    a->peer = p;
    p->session = s;
    p->client = a->id;
    service_links_resumed(s, a);
    log_info("resumed", "session=%llu user=%s client=%u address=%s", ID(s), s->user, a->id, p->address);
    return 0;
}

int session_view(struct session *s, struct control_end *viewer, uint32_t *client, int *fd)
{
    int sv[2];
    struct attachment *a = attachment_add(s, ROLE_VIEW, NULL, "", "orielctl");
    if (!a)
        return -EUSERS;
    int r = link_pair(sv);
    if (r == 0) {
        r = send_attach(s, a, sv[0]);
        close(sv[0]);
        if (r < 0)
            close(sv[1]);
    }
    if (r < 0) {
        attachment_cut(s, a);
        return r;
    }
    a->viewer = viewer;
    a->shown = true;
    *client = a->id;
    *fd = sv[1];
    log_audit("view", "session=%llu user=%s client=%u by=%u", ID(s), s->user, a->id, (unsigned)viewer->uid);
    return 0;
}

void session_viewer_left(struct monitor *m, struct control_end *viewer)
{
    struct session *s;
    struct attachment *a;
    LIST_FOREACH (s, &m->sessions, entry) {
        TAILQ_FOREACH (a, &s->attachments, entry) {
            if (a->viewer == viewer) {
                tell_leader_detach(s, a, END_USER_DISCONNECT);
                attachment_remove(s, a);
            }
        }
    }
}

void session_status(struct monitor_peer *p, uint32_t width, uint32_t height, uint32_t nmonitors)
{
    struct attachment *a = p->session ? attachment_find(p->session, p->client) : NULL;
    if (!a)
        return;
    a->width = width;
    a->height = height;
    a->nmonitors = nmonitors <= DISPLAY_MONITORS_MAX ? nmonitors : 0;
}

void session_on_client_state(struct session *s, const struct leader_client *lc)
{
    struct attachment *a = attachment_find(s, lc->client);
    if (!a)
        return; /* detached while it was under way */
    a->width = lc->width;
    a->height = lc->height;
    a->nmonitors = lc->nmonitors;
}

void session_on_client_gone(struct session *s, uint32_t client, enum end_cause cause)
{
    struct attachment *a = attachment_find(s, client);
    if (!a)
        return;
    struct monitor_peer *p = a->peer;
    struct control_end *v = a->viewer;
    /* The agent died and is replaced: the same client gets a display of the new one. */
    if (cause == END_NONE && p && a->shown && s->state != SESSION_ENDING && a->reshown++ < RESHOW_MAX) {
        a->reshow = true;
        (void)monitor_timer(s->m, &s->reshow, RESHOW_MS, on_reshow, s);
        return;
    }
    attachment_remove(s, a);
    if (p)
        peer_finish(p, cause ? cause : END_USER_DISCONNECT, monitor_end_text(cause));
    if (v)
        control_view_ended(v);
}

void session_on_service_gone(struct session *s, uint32_t client, unsigned service, bool for_good)
{
    struct attachment *a = attachment_find(s, client);
    if (a) /* else detached while it was under way */
        service_links_lost(s, a, service, for_good);
}

static void on_reshow(int fd, short what, void *arg)
{
    struct session *s = arg;
    struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry) {
        if (!a->reshow)
            continue;
        a->reshow = false;
        if (a->peer && show(s, a) < 0)
            attachment_end(s, a, END_SESSION_FAILED);
    }
}
