/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Logins from end to end: a real monitor, a fake leader, a fake logon screen. Each refusal has its accepting twin. */
#include "common/secret.h"
#include "rig.h"
#include "session/monitor/tokens.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct rig rig;

static struct rig_peer peer(void)
{
    return rig_connect(&rig, "192.0.2.1");
}

static void no_session(void)
{
    static struct rig_answer a;
    struct control_sessions q = {0};
    assert_int_equal(rig_control(&rig, &control_sessions_def, &q, &a), 0);
    assert_int_equal(a.nrows, 0);
}

static void the_right_password_starts_a_session(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = peer();
    int display = rig_login(&rig, &p, " CORP\\anna ", VERDICT_START, &v, NULL);
    assert_string_equal(v.user, "anna");
    const struct control_session *row = rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    assert_string_equal(row->user, "anna");
    assert_string_equal(row->clients[0].address, "192.0.2.1");
    assert_int_equal(row->clients[0].nhash, 0);
    assert_int_equal(row->display, 4000);
    close(display);
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
}

static void a_wrong_password_is_refused_and_the_right_one_then_taken(void **state)
{
    struct rig_peer p = peer();
    rig_auth(&p, AUTH_PASSWORD, "anna", "wrong", 5);
    const struct peer_verdict *v = rig_peer_expect(&p, peer_verdict, NULL);
    assert_int_equal(v->reason, REFUSE_CREDENTIALS);
    assert_null(strstr(v->text, "never shown"));
    no_session();
    close(rig_login(&rig, &p, "anna", VERDICT_START, NULL, NULL));
    close(p.fd);
}

static void what_can_be_no_password_is_refused_without_asking(void **state)
{
    struct rig_peer p = peer();
    char longest[SECRET_BYTES];
    memset(longest, 'x', sizeof longest);
    rig_auth(&p, AUTH_PASSWORD, "anna", "", 0);
    rig_expect_refused(&p, REFUSE_CREDENTIALS);
    rig_auth(&p, AUTH_PASSWORD, "anna", "right\0x", 7);
    rig_expect_refused(&p, REFUSE_CREDENTIALS);
    rig_auth(&p, AUTH_PASSWORD, "", "right", 5);
    rig_expect_refused(&p, REFUSE_CREDENTIALS);
    rig_auth(&p, AUTH_PASSWORD, "../anna", "right", 5);
    rig_expect_refused(&p, REFUSE_CREDENTIALS);
    rig_auth(&p, AUTH_PASSWORD, "anna", longest, sizeof longest);
    rig_expect_refused(&p, REFUSE_CREDENTIALS);
    no_session();
    close(p.fd);
}

static void reserved_methods_are_refused(void **state)
{
    static const enum auth_method methods[] = {AUTH_ASSERTION, AUTH_SPNEGO, AUTH_CERT};
    struct rig_peer p = peer();
    for (size_t i = 0; i < 3; i++) {
        rig_auth(&p, methods[i], "anna", "right", 5);
        rig_expect_refused(&p, REFUSE_UNAVAILABLE);
    }
    rig_auth(&p, AUTH_CONVERSATION, "anna", "", 0);
    rig_expect_refused(&p, REFUSE_CONVERSATION);
    no_session();
    close(p.fd);
}

static void root_is_refused_before_and_after_pam(void **state)
{
    struct rig_peer p = peer();
    rig_auth(&p, AUTH_PASSWORD, "root", "right", 5);
    rig_expect_refused(&p, REFUSE_POLICY);
    rig_auth(&p, AUTH_PASSWORD, "root0", "right", 5);
    rig_expect_refused(&p, REFUSE_POLICY);
    no_session();
    close(p.fd);
    rig_stop(&rig);
    rig_start(&rig, "[login]\nallow_root = true\n");
    p = peer();
    close(rig_login(&rig, &p, "root0", VERDICT_START, NULL, NULL));
    close(p.fd);
}

static void an_account_that_pam_refuses_hears_pams_words(void **state)
{
    struct rig_peer p = peer();
    rig_auth(&p, AUTH_PASSWORD, "locked", "right", 5);
    const struct peer_verdict *v = rig_peer_expect(&p, peer_verdict, NULL);
    assert_int_equal(v->reason, REFUSE_ACCOUNT);
    assert_string_equal(v->text, "The account has expired.");
    rig_auth(&p, AUTH_PASSWORD, "locked", "wrong", 5);
    rig_expect_refused(&p, REFUSE_CREDENTIALS);
    no_session();
    close(p.fd);
}

static void a_leader_that_dies_or_lies_lets_nobody_in(void **state)
{
    struct rig_peer p = peer();
    rig_auth(&p, AUTH_PASSWORD, "dies", "right", 5);
    rig_expect_refused(&p, REFUSE_UNAVAILABLE);
    rig_auth(&p, AUTH_PASSWORD, "liar", "right", 5);
    rig_expect_refused(&p, REFUSE_UNAVAILABLE);
    no_session();
    close(p.fd);
}

static void a_leaders_refusal_by_policy_is_one(void **state)
{
    struct rig_peer p = peer();
    rig_auth(&p, AUTH_PASSWORD, "outsider", "right", 5);
    rig_expect_refused(&p, REFUSE_POLICY);
    no_session();
    close(rig_login(&rig, &p, "anna", VERDICT_START, NULL, NULL));
    close(p.fd);
}

static void the_leader_gets_the_name_as_it_was_typed(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = peer();
    close(rig_login(&rig, &p, "  bert@corp.example ", VERDICT_START, &v, NULL));
    assert_string_equal(rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1)->user, "bert@corp.example");
    close(p.fd);
    p = peer();
    rig_auth(&p, AUTH_PASSWORD, "CORP\\root", "right", 5);
    rig_expect_refused(&p, REFUSE_POLICY);
    close(p.fd);
}

static void the_domain_beside_the_name_goes_to_the_leader(void **state)
{
    static const char *const own[] = {"thin", "THIN", "thin.home", ".", ""};
    char host[256];
    struct peer_verdict v;
    struct rig_peer p = peer();
    int fd;
    rig_auth_domain(&p, "WERK", "anna", "werk");
    v = *rig_peer_expect(&p, peer_verdict, NULL);
    assert_int_equal(v.verdict, VERDICT_START);
    assert_string_equal(v.user, "WERK\\anna");
    close(p.fd);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        p = peer();
        /* The client's own machine: a leader that heard of it would say thin\anna */
        rig_auth_domain(&p, own[i], "anna", "right");
        v = *rig_peer_expect(&p, peer_verdict, NULL);
        assert_int_equal(v.verdict, i ? VERDICT_ATTACH : VERDICT_START);
        assert_string_equal(v.user, "anna");
        close(p.fd);
    }
    p = peer();
    rig_auth_domain(&p, "WERK", "zoe", "right");
    rig_expect_refused(&p, REFUSE_CREDENTIALS);
    rig_auth_domain(&p, "a/b", "anna", "right");
    rig_expect_refused(&p, REFUSE_CREDENTIALS);
    close(p.fd);
    /* what the logon screen begins with */
    assert_int_equal(gethostname(host, sizeof host), 0);
    const char *const given[] = {"WERK\\anna", "THIN\\anna", "anna@werk.example", ""};
    const char *const shown[] = {"user=WERK\\anna ", "user=anna ", "user=anna@werk.example ", "user= "};
    for (size_t i = 0; i < 5; i++) {
        struct peer_logon q = {0};
        snprintf(q.user, sizeof q.user, i < 4 ? "%s" : "%.200s\\anna", i < 4 ? given[i] : host);
        p = peer();
        assert_int_equal(wire_send(p.fd, &peer_logon_def, &q, NULL), 0);
        (void)rig_peer_expect(&p, peer_display, &fd);
        assert_non_null(strstr(rig_expect_text(fd, "start"), i < 4 ? shown[i] : "user=anna "));
        close(fd);
        close(p.fd);
    }
}

static void all_spellings_of_an_account_are_counted_together(void **state)
{
    static const char *const spelled[] = {"anna", "ANNA", "WERK\\Anna", "anna@werk.example", "alias"};
    struct rig_peer p;
    rig_stop(&rig);
    rig_start(&rig, "[login]\nthrottle_burst = 5\nthrottle_seconds = 3600\nattempts = 20\n");
    p = peer();
    for (size_t i = 0; i < 5; i++) {
        rig_auth(&p, AUTH_PASSWORD, spelled[i], "wrong", 5);
        rig_expect_refused(&p, REFUSE_CREDENTIALS);
    }
    close(p.fd);
    static struct rig_answer a;
    struct control_throttle q = {0};
    assert_int_equal(rig_control(&rig, &control_throttle_def, &q, &a), 0);
    assert_non_null(strstr(a.text, "anna@192.0.2.0/24 "));
    assert_non_null(strstr(a.text, "anna@* "));
    assert_null(strstr(a.text, "ANNA"));
    assert_null(strstr(a.text, "WERK"));
    assert_null(strstr(a.text, "alias@")); /* its charge went over to the account */
    struct control_throttle clear = {.clear = 1, .key = "192.0.2.0/24"};
    assert_int_equal(rig_control(&rig, &control_throttle_def, &clear, &a), 0);
    p = peer();
    rig_auth(&p, AUTH_PASSWORD, "alias", "right", 5); /* the network may try again, but not for her */
    rig_expect_refused(&p, REFUSE_THROTTLED);
    rig_auth(&p, AUTH_PASSWORD, "bert", "right", 5);
    assert_int_equal(rig_peer_expect(&p, peer_verdict, NULL)->verdict, VERDICT_START);
    close(p.fd);
}

/* option: session.max_sessions */
static void a_full_host_refuses_new_sessions_but_not_old_ones(void **state)
{
    struct rig_peer p = peer(), q;
    rig_stop(&rig);
    close(p.fd);
    rig_start(&rig, "[session]\nmax_sessions = 1\n");
    p = peer();
    int display = rig_login(&rig, &p, "anna", VERDICT_START, NULL, NULL);
    q = peer();
    rig_auth(&q, AUTH_PASSWORD, "bert", "right", 5);
    rig_expect_refused(&q, REFUSE_LIMIT);
    close(q.fd);
    q = peer();
    close(rig_login(&rig, &q, "anna", VERDICT_ATTACH, NULL, NULL));
    close(q.fd);
    close(display);
    close(p.fd);
}

static void guessing_is_slowed_down_for_its_network_alone(void **state)
{
    rig_stop(&rig);
    rig_start(&rig, "[login]\nthrottle_burst = 3\nthrottle_seconds = 3600\n");
    struct rig_peer p = peer();
    for (int i = 0; i < 3; i++) {
        rig_auth(&p, AUTH_PASSWORD, "anna", "wrong", 5);
        rig_expect_refused(&p, REFUSE_CREDENTIALS);
    }
    rig_auth(&p, AUTH_PASSWORD, "anna", "right", 5);
    rig_expect_refused(&p, REFUSE_THROTTLED);
    close(p.fd);
    p = rig_connect(&rig, "192.0.2.200");
    rig_auth(&p, AUTH_PASSWORD, "bert", "right", 5);
    rig_expect_refused(&p, REFUSE_THROTTLED);
    close(p.fd);
    rig_restart(&rig);
    p = rig_connect(&rig, "192.0.2.201");
    rig_auth(&p, AUTH_PASSWORD, "bert", "right", 5);
    rig_expect_refused(&p, REFUSE_THROTTLED);
    close(p.fd);
    p = rig_connect(&rig, "198.51.100.1");
    close(rig_login(&rig, &p, "anna", VERDICT_START, NULL, NULL));
    close(p.fd);
}

/* option: login.attempts */
static void attempts_on_one_connection_are_counted(void **state)
{
    rig_stop(&rig);
    rig_start(&rig, "[login]\nattempts = 2\n");
    struct rig_peer p = peer();
    for (int i = 0; i < 2; i++) {
        rig_auth(&p, AUTH_PASSWORD, "anna", "wrong", 5);
        rig_expect_refused(&p, REFUSE_CREDENTIALS);
    }
    rig_expect_end(&p, END_DENIED);
    rig_auth(&p, AUTH_PASSWORD, "anna", "right", 5); /* too late, and dropped */
    rig_expect_kill(&rig, p.id);                     /* it does not leave by itself */
    rig_expect_closed(p.fd);
    no_session();
    close(p.fd);
}

/* option: server.login_deadline */
static void the_login_deadline_ends_a_silent_client(void **state)
{
    rig_stop(&rig);
    rig_start(&rig, "[server]\nlogin_deadline = 4\n");
    struct rig_peer idle = peer(), checking = peer(), logon = peer();
    struct peer_logon q = {0};
    int display;
    rig_auth(&checking, AUTH_PASSWORD, "sleeps", "right", 5);
    assert_int_equal(wire_send(logon.fd, &peer_logon_def, &q, NULL), 0);
    (void)rig_peer_expect(&logon, peer_display, &display);
    rig_expect_end(&idle, END_LOGON_TIMEOUT);
    rig_expect_end(&checking, END_LOGON_TIMEOUT);
    rig_expect_end(&logon, END_LOGON_TIMEOUT);
    close(display);
    close(idle.fd);
    close(checking.fd);
    close(logon.fd);
    no_session();
}

static void a_second_client_takes_over(void **state)
{
    struct peer_verdict v, w;
    struct rig_peer p = peer(), q = peer();
    int first = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    int second = rig_login(&rig, &q, "anna", VERDICT_ATTACH, &w, NULL);
    assert_int_equal(v.session, w.session);
    assert_int_not_equal(v.client, w.client);
    rig_expect_end(&p, END_REPLACED);
    rig_expect_closed(first);
    const struct control_session *row = rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    assert_int_equal(row->clients[0].client, w.client);
    close(first);
    close(second);
    close(p.fd);
    close(q.fd);
}

static void two_users_have_two_sessions(void **state)
{
    struct peer_verdict v, w;
    struct rig_peer p = peer(), q = peer();
    int a = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL),
        b = rig_login(&rig, &q, "bert", VERDICT_START, &w, NULL);
    assert_int_not_equal(v.session, w.session);
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    rig_wait_session(&rig, w.session, SESSION_ACTIVE, 1);
    close(a);
    close(b);
    close(p.fd);
    close(q.fd);
}

static void a_session_that_cannot_start_says_why_on_the_screen(void **state)
{
    struct rig_peer p = peer();
    int notice;
    rig_auth(&p, AUTH_PASSWORD, "fails", "right", 5);
    const struct peer_verdict *v = rig_peer_expect(&p, peer_verdict, NULL);
    assert_int_equal(v->verdict, VERDICT_START);
    uint64_t id = v->session;
    assert_int_equal(rig_peer_expect(&p, peer_display, &notice)->kind, DISPLAY_NOTICE);
    const char *text = rig_expect_text(notice, "start mode=2");
    assert_non_null(strstr(text, "Xorg: no screens found"));
    rig_type(notice, "cancel");
    rig_expect_end(&p, END_SESSION_FAILED);
    rig_wait_session(&rig, id, 0, 0);
    close(notice);
    close(p.fd);
}

static void a_leader_that_forges_its_session_is_killed(void **state)
{
    struct rig_peer p = peer();
    int notice;
    rig_auth(&p, AUTH_PASSWORD, "forger", "right", 5);
    assert_int_equal(rig_peer_expect(&p, peer_verdict, NULL)->verdict, VERDICT_START);
    assert_int_equal(rig_peer_expect(&p, peer_display, &notice)->kind, DISPLAY_NOTICE);
    close(notice);
    close(p.fd);
}

static void the_user_logs_off_and_starts_anew(void **state)
{
    struct peer_verdict v, w;
    struct rig_peer p = peer();
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    rig_type(display, "logoff");
    rig_expect_end(&p, END_USER_LOGOFF);
    rig_wait_session(&rig, v.session, 0, 0);
    close(display);
    close(p.fd);
    p = peer();
    close(rig_login(&rig, &p, "anna", VERDICT_START, &w, NULL));
    assert_int_equal(w.session, v.session + 1);
    close(p.fd);
}

static void an_idle_client_is_disconnected_and_the_session_stays(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = peer();
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    rig_type(display, "idle");
    rig_expect_end(&p, END_IDLE);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
    close(display);
    close(p.fd);
}

static void a_session_left_alone_is_logged_off_at_its_limit(void **state)
{
    rig_stop(&rig);
    rig_start(&rig, "[session]\ndisconnected_limit = 1\n");
    struct peer_verdict v;
    struct rig_peer p = peer();
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    close(display);
    close(p.fd);
    rig_wait_session(&rig, v.session, 0, 0);
}

/* ---- the logon screen ---- */

static int open_logon(struct rig_peer *p, const char *want)
{
    struct peer_logon q = {.user = "anna", .reason = REFUSE_CREDENTIALS};
    int display = -1;
    assert_int_equal(wire_send(p->fd, &peer_logon_def, &q, NULL), 0);
    assert_int_equal(rig_peer_expect(p, peer_display, &display)->kind, DISPLAY_LOGON);
    rig_expect_text(display, want);
    return display;
}

static void expect_session(struct rig_peer *p, int logon)
{
    int display = -1;
    rig_expect_text(logon, ""); /* "done", or it has been ended already */
    assert_int_equal(rig_peer_expect(p, peer_verdict, NULL)->verdict, VERDICT_START);
    assert_int_equal(rig_peer_expect(p, peer_display, &display)->kind, DISPLAY_SESSION);
    rig_expect_text(display, "session ");
    close(display);
}

static void the_logon_screen_takes_a_wrong_then_the_right_password(void **state)
{
    struct rig_peer p = peer();
    int logon = open_logon(&p, "start mode=1 reason=1 user=anna");
    rig_type(logon, "submit anna wrong");
    rig_expect_text(logon, "refused reason=1 final=0");
    no_session();
    rig_type(logon, "submit anna right");
    expect_session(&p, logon);
    close(logon);
    close(p.fd);
}

static void the_logon_screen_asks_what_pam_asks(void **state)
{
    struct rig_peer p = peer();
    rig_auth(&p, AUTH_PASSWORD, "otp", "right", 5);
    rig_expect_refused(&p, REFUSE_CONVERSATION);
    int logon = open_logon(&p, "start");
    rig_type(logon, "submit otp right");
    rig_expect_text(logon, "conv 1 Code: ");
    rig_type(logon, "answer 000000");
    rig_expect_text(logon, "refused reason=1 final=0");
    rig_type(logon, "submit otp right");
    rig_expect_text(logon, "conv 1 Code: ");
    rig_type(logon, "cancel");
    rig_expect_text(logon, "refused reason=0 final=0");
    no_session();
    rig_type(logon, "submit otp right");
    rig_expect_text(logon, "conv 1 Code: ");
    rig_type(logon, "answer 123456");
    expect_session(&p, logon);
    close(logon);
    close(p.fd);
}

/* Its end is known before its last message is read: what is done about the message must not hit somebody else. */
static void a_logon_screen_that_breaks_the_rules_and_is_gone_ends_alone(void **state)
{
    rig_stop(&rig);
    rig_start(&rig, "[login]\nattempts = 1\n");
    for (int i = 0; i < 5; i++) {
        struct rig_peer p = rig_connect(&rig, "192.0.2.9");
        int logon = open_logon(&p, "start");
        rig_type(logon, "submit anna wrong");
        rig_expect_text(logon, "refused reason=1 final=1");
        char c;
        kill(rig.monitor, SIGSTOP);
        rig_type(logon, "flood");
        while (read(logon, &c, 1) > 0) /* until it has ended */
            ;
        kill(rig.monitor, SIGCONT);
        rig_expect_end(&p, END_DENIED);
        close(logon);
        close(p.fd);
    }
    struct rig_peer honest = rig_connect(&rig, "198.51.100.1");
    close(rig_login(&rig, &honest, "anna", VERDICT_START, NULL, NULL));
    close(honest.fd);
}

static void the_logon_screen_ends_after_its_attempts(void **state)
{
    rig_stop(&rig);
    rig_start(&rig, "[login]\nattempts = 2\nbanner = Be polite.\n");
    struct rig_peer p = peer();
    int logon = open_logon(&p, "start");
    rig_type(logon, "submit anna wrong");
    rig_expect_text(logon, "refused reason=1 final=0");
    rig_type(logon, "submit anna wrong");
    rig_expect_text(logon, "refused reason=1 final=1");
    rig_type(logon, "cancel");
    rig_expect_end(&p, END_DENIED);
    no_session();
    close(logon);
    close(p.fd);
}

static void cancelling_the_logon_screen_disconnects(void **state)
{
    struct rig_peer p = peer();
    int logon = open_logon(&p, "start");
    rig_type(logon, "cancel");
    rig_expect_end(&p, END_USER_DISCONNECT);
    close(logon);
    close(p.fd);
}

static void a_logon_screen_that_breaks_its_table_is_ended(void **state)
{
    struct rig_peer p = peer();
    int logon = open_logon(&p, "start");
    rig_type(logon, "break");
    rig_expect_end(&p, END_DENIED);
    rig_expect_closed(logon);
    close(logon);
    close(p.fd);
}

/* ---- the reconnect cookie ---- */

static void show_cookie(struct rig_peer *p, const struct peer_cookie *c, uint8_t flip)
{
    uint8_t secret[COOKIE_SECRET_BYTES], verifier[16];
    struct wr w;
    assert_int_equal(cookie_verifier(c->random, verifier), 0);
    verifier[3] ^= flip;
    wr_init(&w, secret, sizeof secret);
    wr_u32(&w, c->logon_id);
    wr_bytes(&w, verifier, sizeof verifier);
    rig_auth(p, AUTH_RECONNECT_COOKIE, "somebody-else", secret, sizeof secret);
}

static void a_cut_client_comes_back_with_its_cookie_once(void **state)
{
    struct peer_verdict v;
    struct peer_cookie c;
    int display = -1;
    struct rig_peer p = peer(), q;
    close(rig_login(&rig, &p, "anna", VERDICT_START, &v, &c));
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
    q = peer();
    show_cookie(&q, &c, 0);
    const struct peer_verdict *w = rig_peer_expect(&q, peer_verdict, NULL);
    assert_int_equal(w->verdict, VERDICT_ATTACH);
    assert_int_equal(w->session, v.session);
    assert_string_equal(w->user, "anna");
    (void)rig_peer_expect(&q, peer_display, &display);
    (void)rig_peer_expect(&q, peer_cookie, NULL);
    close(display);
    close(q.fd);
    q = peer();
    show_cookie(&q, &c, 0);
    rig_expect_refused(&q, REFUSE_COOKIE);
    close(q.fd);
}

static void a_forged_cookie_is_refused_and_counts(void **state)
{
    struct peer_verdict v;
    struct peer_cookie c;
    rig_stop(&rig);
    rig_start(&rig, "[login]\nthrottle_burst = 2\nthrottle_seconds = 3600\n");
    struct rig_peer p = peer();
    close(rig_login(&rig, &p, "anna", VERDICT_START, &v, &c));
    close(p.fd);
    p = peer();
    show_cookie(&p, &c, 1);
    rig_expect_refused(&p, REFUSE_COOKIE);
    c.logon_id++;
    show_cookie(&p, &c, 0);
    rig_expect_refused(&p, REFUSE_COOKIE);
    rig_auth(&p, AUTH_PASSWORD, "anna", "right", 5);
    rig_expect_refused(&p, REFUSE_THROTTLED);
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
}

static void a_cookie_does_not_help_an_account_that_lapsed(void **state)
{
    struct peer_verdict v;
    struct peer_cookie c;
    struct rig_peer p = peer();
    close(rig_login(&rig, &p, "lapses", VERDICT_START, &v, &c));
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
    p = peer();
    show_cookie(&p, &c, 0);
    rig_expect_refused(&p, REFUSE_ACCOUNT);
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
}

static void a_cookie_is_void_once_its_session_ended(void **state)
{
    struct peer_verdict v;
    struct peer_cookie c;
    static struct rig_answer a;
    struct rig_peer p = peer();
    close(rig_login(&rig, &p, "anna", VERDICT_START, &v, &c));
    close(p.fd);
    struct control_logoff off = {.session = v.session};
    assert_int_equal(rig_control(&rig, &control_logoff_def, &off, &a), 0);
    rig_wait_session(&rig, v.session, 0, 0);
    p = peer();
    show_cookie(&p, &c, 0);
    rig_expect_refused(&p, REFUSE_COOKIE);
    close(p.fd);
    no_session();
}

static void a_replaced_client_cannot_come_back_by_cookie(void **state)
{
    struct peer_cookie c;
    struct rig_peer p = peer(), q = peer();
    int first = rig_login(&rig, &p, "anna", VERDICT_START, NULL, &c);
    int second = rig_login(&rig, &q, "anna", VERDICT_ATTACH, NULL, NULL);
    rig_expect_end(&p, END_REPLACED);
    close(p.fd);
    p = peer();
    show_cookie(&p, &c, 0);
    rig_expect_refused(&p, REFUSE_COOKIE);
    close(first);
    close(second);
    close(p.fd);
    close(q.fd);
}

/* option: server.auto_reconnect */
static void no_cookie_where_the_option_says_no(void **state)
{
    rig_stop(&rig);
    rig_start(&rig, "[server]\nauto_reconnect = false\n");
    struct rig_peer p = peer(), q;
    int display;
    rig_auth(&p, AUTH_PASSWORD, "anna", "right", 5);
    (void)rig_peer_expect(&p, peer_verdict, NULL);
    (void)rig_peer_expect(&p, peer_display, &display);
    q = peer();
    rig_auth(&q, AUTH_PASSWORD, "anna", "right", 5);
    rig_expect_end(&p, END_REPLACED); /* and no peer_cookie before it */
    close(display);
    close(p.fd);
    close(q.fd);
}

static int setup(void **state)
{
    rig_start(&rig, "");
    return 0;
}

static int teardown(void **state)
{
    rig_stop(&rig);
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_right_password_starts_a_session),
        T(a_wrong_password_is_refused_and_the_right_one_then_taken),
        T(what_can_be_no_password_is_refused_without_asking),
        T(reserved_methods_are_refused),
        T(root_is_refused_before_and_after_pam),
        T(an_account_that_pam_refuses_hears_pams_words),
        T(a_leader_that_dies_or_lies_lets_nobody_in),
        T(a_leaders_refusal_by_policy_is_one),
        T(the_leader_gets_the_name_as_it_was_typed),
        T(the_domain_beside_the_name_goes_to_the_leader),
        T(all_spellings_of_an_account_are_counted_together),
        T(the_domain_beside_the_name_goes_to_the_leader),
        T(all_spellings_of_an_account_are_counted_together),
        T(a_full_host_refuses_new_sessions_but_not_old_ones),
        T(guessing_is_slowed_down_for_its_network_alone),
        T(attempts_on_one_connection_are_counted),
        T(the_login_deadline_ends_a_silent_client),
        T(a_second_client_takes_over),
        T(two_users_have_two_sessions),
        T(a_session_that_cannot_start_says_why_on_the_screen),
        T(a_leader_that_forges_its_session_is_killed),
        T(the_user_logs_off_and_starts_anew),
        T(an_idle_client_is_disconnected_and_the_session_stays),
        T(a_session_left_alone_is_logged_off_at_its_limit),
        T(the_logon_screen_takes_a_wrong_then_the_right_password),
        T(the_logon_screen_asks_what_pam_asks),
        T(a_logon_screen_that_breaks_the_rules_and_is_gone_ends_alone),
        T(the_logon_screen_ends_after_its_attempts),
        T(cancelling_the_logon_screen_disconnects),
        T(a_logon_screen_that_breaks_its_table_is_ended),
        T(a_cut_client_comes_back_with_its_cookie_once),
        T(a_forged_cookie_is_refused_and_counts),
        T(a_cookie_does_not_help_an_account_that_lapsed),
        T(a_cookie_is_void_once_its_session_ended),
        T(a_replaced_client_cannot_come_back_by_cookie),
        T(no_cookie_where_the_option_says_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
