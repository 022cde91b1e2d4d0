/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/attempt.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/secret.h"
#include "session/elsewhere.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/logon_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/policy.h"
#include "session/monitor/session.h"
#include "session/monitor/tokens.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct attempt {
    struct lifetime life;
    struct monitor *m;
    struct monitor_peer *peer;
    struct leader *leader; /* NULL: waiting, or not begun */
    /* Who it is, for log and audit: what was given, without a domain, until the leader knows the account. "" when it
     * cannot be a name */
    char user[USER_BYTES];
    char key[NAME_BYTES]; /* the throttle's name for that (name_key) */
    bool interactive, charged;
    uint64_t cookie_session; /* AUTH_RECONNECT_COOKIE: the session it is bound to, else 0 */
    struct leader_auth auth; /* wiped once the leader has it */
    struct event *delay;
};

static void attempt_end(struct attempt *a)
{
    if (a->peer->attempt == a)
        a->peer->attempt = NULL;
    monitor_timer_free(&a->delay);
    secret_wipe(&a->auth, sizeof a->auth);
    monitor_end(a->m, &a->life, free);
}

void attempt_abandon(struct attempt *a)
{
    if (!a || a->life.ended)
        return;
    log_info("login abandoned", "address=%s user=%s", a->peer->address, a->user);
    leader_discard(a->leader);
    attempt_end(a);
}

/* Reasons that say the password itself was right, or was not looked at. */
static bool is_no_guess(enum refuse_reason r)
{
    return r == REFUSE_ACCOUNT || r == REFUSE_POLICY || r == REFUSE_LIMIT || r == REFUSE_ELSEWHERE ||
        r == REFUSE_UNAVAILABLE;
}

static void refuse(struct attempt *a, enum refuse_reason reason, const char *text, uint32_t wait_s)
{
    struct monitor_peer *p = a->peer;
    char words[TEXT_BYTES];
    if (a->charged && is_no_guess(reason))
        throttle_refund(a->m->throttle, monitor_throttle_limits(a->m), a->key, p->prefix);
    snprintf(words, sizeof words, "%s", text && *text ? text : monitor_refuse_text(reason, wait_s));
    log_audit("refused", "user=%s address=%s reason=%s", *a->user ? a->user : "-", p->address,
        monitor_refuse_name(reason));
    leader_discard(a->leader);
    attempt_end(a);
    peer_refused(p, reason, words);
}

static void start_leader(struct attempt *a)
{
    int err = 0;
    a->leader = leader_spawn(a, a->m, &a->auth, &err);
    secret_wipe(a->auth.secret, sizeof a->auth.secret);
    if (a->leader)
        return;
    log_error("leader not started", "error=%s: is oriel-leader installed beside oriel-monitor?", strerror(-err));
    refuse(a, REFUSE_UNAVAILABLE, NULL, 0);
}

static void on_delay_over(int fd, short what, void *arg)
{
    struct attempt *a = arg;
    struct leader_go go = {0};
    if (a->leader)
        (void)leader_send(a->leader, &leader_go_def, &go, NULL);
    else
        start_leader(a);
}

/* Returns false when the attempt is over. */
static bool redeem_cookie(struct attempt *a, const struct peer_auth *q)
{
    struct store_cookie c;
    int r = cookie_redeem(a->m->store, q->secret, q->nsecret, a->m->boot, clock_boottime_ms(), &c);
    struct session *s = r == 0 ? session_find(a->m, c.session) : NULL;
    if (!s || s->state == SESSION_ENDING || strcmp(s->user, c.user) != 0) {
        refuse(a, REFUSE_COOKIE, NULL, 0);
        return false;
    }
    snprintf(a->user, sizeof a->user, "%s", c.user);
    snprintf(a->auth.user, sizeof a->auth.user, "%s", c.user);
    a->cookie_session = c.session;
    a->auth.trusted = 1;
    return true;
}

/* The throttle's answer. Returns false when the attempt is over. */
static bool ask_throttle(struct attempt *a, uint32_t *delay_ms)
{
    struct throttle_verdict v = throttle_begin(a->m->throttle, monitor_throttle_limits(a->m), a->key, a->peer->prefix);
    *delay_ms = v.delay_ms;
    if (v.wait_s) {
        refuse(a, REFUSE_THROTTLED, NULL, v.wait_s);
        return false;
    }
    a->charged = true;
    return true;
}

/* What needs no PAM to be refused. Returns false when the attempt is over. */
static bool screen(struct attempt *a, const struct peer_auth *q)
{
    enum refuse_reason reason = REFUSE_NONE;
    if (a->m->stopping)
        reason = REFUSE_UNAVAILABLE;
    else if (q->method == AUTH_RECONNECT_COOKIE)
        return a->interactive ? (refuse(a, REFUSE_COOKIE, NULL, 0), false) : redeem_cookie(a, q);
    else if (q->method == AUTH_CONVERSATION && !a->interactive)
        reason = REFUSE_CONVERSATION;
    else if (q->method != AUTH_PASSWORD && q->method != AUTH_CONVERSATION)
        reason = REFUSE_UNAVAILABLE;
    else if (!*a->user || (q->method == AUTH_PASSWORD && (!q->nsecret || memchr(q->secret, 0, q->nsecret))))
        reason = REFUSE_CREDENTIALS; /* no such name or password can be right; PAM would cut at the NUL */
    else if (!a->m->config.login_allow_root &&
        strcmp(a->auth.user, "root") == 0) /* other names of uid 0 are the leader's to find */
        reason = REFUSE_POLICY;
    if (reason == REFUSE_CONVERSATION)
        throttle_refund(a->m->throttle, monitor_throttle_limits(a->m), a->key, a->peer->prefix);
    if (reason != REFUSE_NONE) {
        a->charged = a->charged && reason != REFUSE_POLICY; /* asking for root stays charged */
        refuse(a, reason, NULL, 0);
    }
    return reason == REFUSE_NONE;
}

/* What the leader asks the name service for: the name as it was given, but for a domain that is the client's own
 * machine, which knows nobody here. */
static void take_name(struct attempt *a, const struct peer_auth *q)
{
    struct name n;
    if (name_parse(q->user, q->domain, &n) < 0)
        return;
    if (name_is_machine(n.domain, a->peer->hello.client_name))
        n.domain[0] = n.at = 0;
    if (name_text(&n, a->auth.user, sizeof a->auth.user) < 0)
        return;
    snprintf(a->user, sizeof a->user, "%s", n.user);
    name_key(n.user, a->key);
}

void attempt_begin(struct monitor_peer *p, const struct peer_auth *q, bool interactive)
{
    struct attempt *a = calloc(1, sizeof *a);
    uint32_t delay_ms = 0;
    if (!a) {
        peer_refused(p, REFUSE_UNAVAILABLE, monitor_refuse_text(REFUSE_UNAVAILABLE, 0));
        return;
    }
    a->m = p->m;
    a->peer = p;
    a->interactive = interactive;
    p->attempt = a;
    take_name(a, q);
    if (!ask_throttle(a, &delay_ms) || !screen(a, q))
        return;
    a->auth.method = q->method == AUTH_CONVERSATION ? AUTH_CONVERSATION : AUTH_PASSWORD;
    a->auth.interactive = interactive;
    snprintf(a->auth.rhost, sizeof a->auth.rhost, "%s", p->address);
    if (!a->auth.trusted) {
        a->auth.nsecret = q->nsecret;
        memcpy(a->auth.secret, q->secret, q->nsecret);
    }
    if (delay_ms && monitor_timer(a->m, &a->delay, delay_ms, on_delay_over, a) == 0)
        return;
    start_leader(a);
}

void attempt_on_name(struct attempt *a, const struct leader_name *name)
{
    char key[NAME_BYTES];
    uint32_t delay_ms = 0;
    name_key(name->user, key);
    snprintf(a->user, sizeof a->user, "%s", name->user);
    if (strcmp(key, a->key) != 0) {
        throttle_refund(a->m->throttle, monitor_throttle_limits(a->m), a->key, a->peer->prefix);
        a->charged = false;
        memcpy(a->key, key, sizeof a->key);
        if (!ask_throttle(a, &delay_ms))
            return;
    }
    monitor_timer_free(&a->delay);
    if (!delay_ms || monitor_timer(a->m, &a->delay, delay_ms, on_delay_over, a) < 0)
        on_delay_over(-1, 0, a);
}

void attempt_on_conv(struct attempt *a, const struct leader_conv *conv)
{
    if (a->interactive && a->peer->logon) {
        a->leader->state = LEADER_CONV;
        logon_ask(a->peer->logon, conv);
        return;
    }
    log_warning("leader killed", "pid=%d why=prompts where none can be shown", (int)a->leader->pid);
    leader_kill(a->leader);
    a->leader = NULL;
    refuse(a, REFUSE_CONVERSATION, NULL, 0);
}

void attempt_answers(struct attempt *a, const struct leader_answers *answers)
{
    if (!a || !a->leader || a->leader->state != LEADER_CONV)
        return;
    a->leader->state = LEADER_AUTH;
    (void)leader_send(a->leader, &leader_answers_def, answers, NULL);
}

static bool is_our_display(void *arg, unsigned display)
{
    struct monitor *m = arg;
    struct session *s;
    LIST_FOREACH (s, &m->sessions, entry)
        if (s->display == display)
            return true;
    return false;
}

static bool elsewhere(struct monitor *m, const struct leader_verdict *v)
{
    enum { ALLOW, REFUSE }; /* the order of the option's choices */
    if (m->config.session_elsewhere != REFUSE)
        return false;
    return elsewhere_graphical("/run/systemd/sessions", v->uid, m->config.login_pam_service) ||
        policy_utmp_elsewhere(v->user, is_our_display, m);
}

/* PAM said yes: may this account have a session, and which? */
static enum refuse_reason judge(struct attempt *a, const struct leader_verdict *v, struct session **s)
{
    struct monitor *m = a->m;
    *s = session_of_uid(m, v->uid);
    if (!*v->user || (!m->config.login_allow_root && (v->uid == 0 || strcmp(v->user, "root") == 0)))
        return REFUSE_POLICY;
    if (a->cookie_session)
        return *s && (*s)->id == a->cookie_session ? REFUSE_NONE : REFUSE_COOKIE;
    if (*s)
        return REFUSE_NONE;
    if (session_count(m) >= (size_t)m->config.session_max_sessions)
        return REFUSE_LIMIT;
    return elsewhere(m, v) ? REFUSE_ELSEWHERE : REFUSE_NONE;
}

static void accept_login(struct attempt *a, const struct leader_verdict *v, struct session *s)
{
    struct monitor_peer *p = a->peer;
    struct leader *l = a->leader;
    bool trusted = a->cookie_session != 0;
    throttle_success(a->m->throttle, monitor_throttle_limits(a->m), a->key, p->prefix);
    log_audit("login", "user=%s address=%s method=%s client=%s", v->user, p->address, trusted ? "cookie" : "password",
        p->hello.client_name);
    l->attempt = NULL;
    a->leader = NULL;
    int r = s ? session_attach(s, p) : session_start(l, p, v);
    if (r < 0) {
        log_error("session not given", "user=%s error=%s", v->user, strerror(-r));
        a->leader = l;
        l->attempt = a;
        refuse(a, REFUSE_UNAVAILABLE, NULL, 0);
        return;
    }
    if (s && s->state != SESSION_STARTING && !trusted)
        leader_refresh_and_go(l, s->env, s->nenv);
    else if (s)
        leader_discard(l);
    attempt_end(a);
}

void attempt_on_verdict(struct attempt *a, const struct leader_verdict *v)
{
    struct session *s = NULL;
    a->leader->state = LEADER_JUDGED;
    if (*v->user)
        snprintf(a->user, sizeof a->user, "%s", v->user);
    if (v->reason != REFUSE_NONE) {
        bool known = v->reason == REFUSE_CREDENTIALS || v->reason == REFUSE_CONVERSATION ||
            v->reason == REFUSE_ACCOUNT || v->reason == REFUSE_POLICY;
        a->charged = a->charged && !(v->reason == REFUSE_POLICY && v->uid == 0); /* asking for root stays charged */
        /* Only where PAM knows the person may its words be shown; elsewhere they could tell whether the account exists.
         */
        refuse(a, known ? v->reason : REFUSE_UNAVAILABLE, v->reason == REFUSE_ACCOUNT ? v->text : NULL, 0);
        return;
    }
    enum refuse_reason r = judge(a, v, &s);
    if (r == REFUSE_NONE)
        accept_login(a, v, s);
    else
        refuse(a, r, NULL, 0);
}

void attempt_on_leader_lost(struct attempt *a)
{
    log_error("leader lost", "user=%s: it ended before its verdict", a->user);
    a->leader = NULL;
    refuse(a, REFUSE_UNAVAILABLE, NULL, 0);
}
