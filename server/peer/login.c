/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer's side of session/proto/peer.h: what is asked of the monitor, in which order, and what its answers do here.
 */
#include "common/link.h"
#include "common/log.h"
#include "common/secret.h"
#include "server/peer/peer.h"
#include "session/proto/layout.h"
#include "session/proto/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void login_init(struct login *l)
{
    *l = (struct login){.state = LOGIN_NONE};
}

void login_finish(struct login *l)
{
    link_destroy(l->link);
    secret_wipe(l, sizeof *l);
}

static int say(struct peer *p, const struct wire_def *def, const void *msg)
{
    return p->login.link ? link_send(p->login.link, def, msg, NULL) : -EPIPE;
}

static void send_hello(struct peer *p)
{
    const struct client_facts *f = p->ops->facts(p->front);
    struct peer_hello h = {.nmonitors = f->layout.nmonitors, .keyboard_layout = f->keyboard_layout};
    (void)snprintf(h.client_name, sizeof h.client_name, "%s", f->name);
    display_link_facts(f, &h.open);
    layout_size(&f->layout, &h.width, &h.height);
    (void)say(p, &peer_hello_def, &h);
}

/* The name as the user would type it. Without room for the domain: without it. */
static void whole_name(const struct credentials *ci, char *out, size_t cap)
{
    int n = -1;
    if (ci->user[0] && ci->domain[0] && !strpbrk(ci->user, "\\@"))
        n = snprintf(out, cap, "%s\\%s", ci->domain, ci->user);
    if (n < 0 || (size_t)n >= cap)
        (void)snprintf(out, cap, "%s", ci->user);
}

static void ask_screen(struct peer *p)
{
    struct peer_logon m = {.reason = (uint8_t)p->login.reason};
    whole_name(&p->login.info, m.user, sizeof m.user);
    credentials_wipe(&p->login.info);
    p->login.state = LOGIN_SCREEN;
    (void)say(p, &peer_logon_def, &m);
}

static void ask_cookie(struct peer *p)
{
    struct credentials *ci = &p->login.info;
    struct peer_auth a = {.method = AUTH_RECONNECT_COOKIE, .nsecret = 4 + sizeof ci->verifier};
    (void)snprintf(a.user, sizeof a.user, "%s", ci->user);
    (void)snprintf(a.domain, sizeof a.domain, "%s", ci->domain);
    for (int i = 0; i < 4; i++)
        a.secret[i] = (uint8_t)(ci->logon_id >> 8 * i);
    memcpy(a.secret + 4, ci->verifier, sizeof ci->verifier);
    ci->have_cookie = false;
    secret_wipe(ci->verifier, sizeof ci->verifier);
    p->login.state = LOGIN_COOKIE;
    (void)say(p, &peer_auth_def, &a);
    secret_wipe(&a, sizeof a);
}

static void ask_password(struct peer *p)
{
    struct credentials *ci = &p->login.info;
    struct peer_auth a = {.method = AUTH_PASSWORD, .nsecret = ci->npassword};
    (void)snprintf(a.user, sizeof a.user, "%s", ci->user);
    (void)snprintf(a.domain, sizeof a.domain, "%s", ci->domain);
    memcpy(a.secret, ci->password, ci->npassword);
    credentials_wipe(ci);
    p->login.state = LOGIN_PASSWORD;
    (void)say(p, &peer_auth_def, &a);
    secret_wipe(&a, sizeof a);
}

/* The best that is left: cookie, then password, then the logon screen. Each is tried once. */
static void ask_next(struct peer *p)
{
    struct credentials *ci = &p->login.info;
    if (ci->have_cookie)
        ask_cookie(p);
    else if (ci->bad_credentials && ci->have_password) {
        p->login.reason = REFUSE_CREDENTIALS;
        ask_screen(p);
    } else if (ci->have_password && ci->user[0])
        ask_password(p);
    else
        ask_screen(p);
}

static void ask_resume(struct peer *p)
{
    struct peer_resume r = {.session = p->login.session, .client = p->login.client, .ntoken = TOKEN_BYTES};
    memcpy(r.token, p->login.token, TOKEN_BYTES);
    p->login.resuming = true;
    (void)say(p, &peer_resume_def, &r);
}

/* A fresh link while we are somewhere in the login: what the old monitor knew is lost. */
static void begin(struct peer *p)
{
    if (p->login.state == LOGIN_NONE)
        return;
    send_hello(p);
    if (p->login.state == LOGIN_GRANTED)
        ask_resume(p);
    else
        ask_next(p);
}

void peer_client_info(struct peer *p, const struct credentials *ci)
{
    if (p->login.state != LOGIN_NONE)
        return;
    p->login.info = *ci;
    p->login.state = LOGIN_SCREEN;
    if (!p->login.link)
        return;
    send_hello(p);
    ask_next(p);
}

static void on_refused(struct peer *p, const struct peer_verdict *v)
{
    log_info("login refused", "reason=%u text=%s", v->reason, v->text);
    bool cookie = p->login.state == LOGIN_COOKIE;
    if (p->login.state == LOGIN_GRANTED) {
        peer_end(p, END_DENIED, v->text);
        return;
    }
    p->login.reason = v->reason;
    if (cookie || p->login.state == LOGIN_PASSWORD)
        ask_next(p);
}

static void on_granted(struct peer *p, const struct peer_verdict *v)
{
    char tag[64];
    credentials_wipe(&p->login.info);
    p->login.state = LOGIN_GRANTED;
    p->login.session = v->session;
    p->login.client = v->client;
    memcpy(p->login.token, v->token, TOKEN_BYTES);
    if (v->ncache_salt == CACHE_SALT_LENGTH)
        pump_salt(p, v->cache_salt);
    (void)snprintf(tag, sizeof tag, "%llu client=%u", (unsigned long long)v->session, v->client);
    log_set_session(tag);
    log_info("login granted", "user=%s verdict=%s", v->user, v->verdict == VERDICT_START ? "start" : "attach");
    peer_tell_server(p, CHILD_AUTHENTICATED);
    p->ops->granted(p->front, v);
}

static void on_verdict(struct peer *p, const struct peer_verdict *v)
{
    switch (v->verdict) {
    case VERDICT_REFUSE:
        on_refused(p, v);
        return;
    case VERDICT_START:
    case VERDICT_ATTACH:
        if (p->login.state != LOGIN_NONE && p->login.state != LOGIN_GRANTED && v->ntoken == TOKEN_BYTES)
            on_granted(p, v);
        else
            peer_end(p, END_SESSION_FAILED, "unexpected verdict");
        return;
    default:
        peer_end(p, END_SESSION_FAILED, "verdict not supported");
    }
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct peer *p = user;
    if (def == &peer_verdict_def) {
        on_verdict(p, msg);
    } else if (def == &peer_display_def) {
        display_link_attach(p, fds[0], ((struct peer_display *)msg)->kind);
    } else if (def == &peer_service_def) {
        const struct peer_service *s = msg;
        services_grant(p, s->service, &s->limits, fds[0]);
    } else if (def == &peer_cookie_def) {
        if (p->ops->cookie && p->config.server_auto_reconnect)
            p->ops->cookie(p->front, msg);
    } else if (def == &peer_end_def) {
        struct peer_end *e = msg;
        peer_end(p, (enum end_cause)e->cause, e->text);
    } else if (def == &peer_resumed_def) {
        p->login.resuming = false;
        log_info("session resumed", "session=%llu", (unsigned long long)p->login.session);
    }
}

/* The monitor is gone; oriel-server brings a fresh link. Until then pictures and input go on. */
static void on_closed(void *user, struct link *l, int err)
{
    struct peer *p = user;
    log_warning("link to the monitor lost", "error=%s", strerror(-err));
    link_destroy(l);
    p->login.link = NULL;
}

void login_link(struct peer *p, int fd)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    struct link *l = link_create(p->base, fd, &monitor_to_peer, &ops, p, LINK_QUEUE_DEFAULT);
    if (!l) {
        log_error("no link to the monitor", "error=%s", strerror(errno));
        close(fd);
        return;
    }
    link_destroy(p->login.link);
    p->login.link = l;
    begin(p);
}
