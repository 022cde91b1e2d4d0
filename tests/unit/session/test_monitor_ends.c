/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the monitor's objects end (session/monitor/monitor.h): from within their own callbacks and each other's. The
 * monitor runs in this process, with the test as server, peers, leaders and administrators at the other ends of its
 * links. A sanitizer sees what a mistake here would read too late. */
#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/secret.h"
#include "rig.h"
#include "scratch.h"
#include "session/monitor/attachments.h"
#include "session/monitor/control_end.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/logon_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/reap.h"
#include "session/monitor/server_end.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SESSION 7
#define PEERS 6
#define VIEWERS (CLIENTS_MAX - PEERS)
#define UID 600099997 /* nobody has it: what clears up after a session finds no process */

static struct monitor m;
static int server;
static int leader; /* of SESSION */
static struct rig_peer peers[PEERS];
static int viewers[VIEWERS];

static size_t ended(void)
{
    size_t n = 0;
    struct lifetime *object;
    SLIST_FOREACH (object, &m.ended, next)
        n++;
    return n;
}

/* Until nothing more happens by itself. */
static void run_loop(void)
{
    for (int i = 0; i < 16; i++)
        (void)event_base_loop(m.base, EVLOOP_NONBLOCK);
    assert_int_equal(ended(), 0);
}

/* Until a process has said something there. */
static void run_until(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    for (int waited = 0; waited < RIG_WAIT_MS; waited += 10) {
        run_loop();
        if (poll(&p, 1, 10) > 0)
            return;
    }
    fail_msg("nothing came");
}

/* As a callback of the loop. */
static void run(void (*what)(int fd, short events, void *arg))
{
    assert_int_equal(event_base_once(m.base, -1, EV_TIMEOUT, what, NULL, NULL), 0);
    run_loop();
}

static void say(int fd, const struct wire_def *def, const void *msg)
{
    assert_int_equal(wire_send(fd, def, msg, NULL), 0);
}

static void token_of(uint32_t client, uint8_t out[TOKEN_BYTES])
{
    memset(out, (int)client, TOKEN_BYTES);
}

static int set_up(void **state)
{
    static const struct server_hello hello = {.version = "test"};
    int sv[2], err = 0;
    (void)scratch_setup(state);
    put("run/leaders/.keep", "", 0600);
    m = (struct monitor){.logon_uid = (uid_t)-1, .logon_gid = (gid_t)-1, .own_uid = geteuid()};
    config_defaults(&m.config);
    snprintf(m.config.paths_run_dir, sizeof m.config.paths_run_dir, "%s/run", scratch);
    snprintf(m.config.paths_libexec_dir, sizeof m.config.paths_libexec_dir, "%s", getenv("ORIEL_FAKES"));
    m.store = store_open(at("monitor.db"), &err);
    limits_find(&m.limits);
    m.throttle = throttle_create(NULL, "boot", clock_boottime_ms);
    assert_non_null(m.store);
    assert_non_null(m.throttle);
    assert_int_equal(monitor_init(&m), 0);
    assert_int_equal(link_pair(sv), 0);
    server_accept(&m, sv[0]);
    server = sv[1];
    leader = -1;
    say(server, &server_hello_def, &hello);
    run_loop();
    return 0;
}

static void end_all(int fd, short what, void *arg)
{
    while (!LIST_EMPTY(&m.controls))
        control_destroy(LIST_FIRST(&m.controls));
    while (!LIST_EMPTY(&m.servers))
        server_destroy(LIST_FIRST(&m.servers));
    while (!LIST_EMPTY(&m.logons))
        logon_destroy(LIST_FIRST(&m.logons));
    session_forget_all(&m);
    leader_forget_all(&m);
    reap_forget_all(&m);
}

static int tear_down(void **state)
{
    run(end_all);
    assert_true(LIST_EMPTY(&m.peers));
    throttle_destroy(m.throttle);
    store_close(m.store);
    monitor_finish(&m);
    close(server);
    if (leader >= 0)
        close(leader);
    for (size_t i = 0; i < PEERS; i++)
        if (peers[i].fd > 0)
            close(peers[i].fd);
    memset(peers, 0, sizeof peers);
    for (size_t i = 0; i < VIEWERS; i++)
        if (viewers[i] > 0)
            close(viewers[i]);
    memset(viewers, 0, sizeof viewers);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    return scratch_teardown(state);
}

/* A peer that has said hello. */
static struct rig_peer peer_at_the_door(uint64_t id)
{
    struct rig_peer p = {.id = id};
    struct server_peer_new n = {.peer = id, .address = "192.0.2.1"};
    struct peer_hello hello = {.width = 1024, .height = 768};
    say(server, &server_peer_new_def, &n);
    run_loop();
    (void)rig_expect(server, &monitor_to_server, &server_peer_link_def, &p.fd);
    say(p.fd, &peer_hello_def, &hello);
    run_loop();
    return p;
}

/* A session that ran before the monitor did, with so many clients that may come back. Returns its leader's end. */
static int session_with(uint64_t id, uint32_t nclients)
{
    static struct leader_hello h;
    int sv[2];
    h = (struct leader_hello){.session = id, .user = "anna", .uid = UID, .gid = UID, .nclients = nclients};
    snprintf(h.key, sizeof h.key, "%032llx", (unsigned long long)id);
    for (uint32_t i = 0; i < nclients; i++) {
        uint8_t token[TOKEN_BYTES];
        token_of(i + 1, token);
        h.clients[i] = (struct leader_client){.client = i + 1, .role = ROLE_CONTROL, .nhash = HASH_BYTES};
        secret_sha256(token, sizeof token, h.clients[i].token_hash);
    }
    assert_int_equal(link_pair(sv), 0);
    assert_non_null(leader_found(&m, sv[0], 0, id));
    say(sv[1], &leader_hello_def, &h);
    run_loop();
    assert_non_null(session_find(&m, id));
    return sv[1];
}

static void resume(struct rig_peer *p, uint32_t client)
{
    struct peer_resume r = {.session = SESSION, .client = client, .ntoken = TOKEN_BYTES};
    token_of(client, r.token);
    say(p->fd, &peer_resume_def, &r);
    run_loop();
    (void)rig_peer_expect(p, peer_resumed, NULL);
}

static int administrator(void)
{
    int sv[2];
    assert_int_equal(link_pair(sv), 0);
    control_accept(&m, sv[0], 0);
    return sv[1];
}

static int viewer(void)
{
    struct control_view q = {.session = SESSION};
    int display = -1, fd = administrator();
    say(fd, &control_view_def, &q);
    run_loop();
    (void)rig_expect(fd, &monitor_to_control, &control_viewer_def, &display);
    close(display);
    return fd;
}

/* SESSION with as many clients as it can have: PEERS that control it, VIEWERS that look on. */
static void full_session(void)
{
    leader = session_with(SESSION, PEERS);
    for (uint32_t i = 0; i < PEERS; i++) {
        peers[i] = peer_at_the_door(i + 1);
        resume(&peers[i], i + 1);
    }
    for (size_t i = 0; i < VIEWERS; i++)
        viewers[i] = viewer();
    assert_int_equal(session_find(&m, SESSION)->nattachments, CLIENTS_MAX);
}

static void expect_all_told(enum end_cause cause)
{
    for (size_t i = 0; i < PEERS; i++)
        rig_expect_end(&peers[i], cause);
    for (size_t i = 0; i < VIEWERS; i++)
        (void)rig_expect(viewers[i], &monitor_to_control, &control_done_def, NULL);
}

/* ---- the rule itself ---- */

static void end_one_of_each(int fd, short what, void *arg)
{
    struct session *s = session_find(&m, SESSION);
    struct attachment *a = TAILQ_FIRST(&s->attachments);
    struct monitor_peer *p = a->peer;
    struct leader *l = s->leader;
    struct server_end *e = p->server;
    struct control_end *c = LIST_FIRST(&m.controls);
    assert_int_equal(ended(), 0);
    session_on_ended(s, END_USER_LOGOFF, "");
    assert_true(s->life.ended);
    assert_true(a->life.ended);
    assert_true(l->life.ended);
    assert_int_equal(ended(), 1 + CLIENTS_MAX + 1);
    assert_null(session_find(&m, SESSION));
    assert_true(LIST_EMPTY(&m.leaders));
    assert_string_equal(s->user, "anna");
    assert_int_equal(a->id, 1);
    assert_null(p->session);
    assert_false(p->life.ended); /* it has its time to tell its client */
    server_destroy(e);
    assert_true(p->life.ended);
    assert_null(peer_find(&m, NULL, p->id));
    control_destroy(c);
    assert_true(LIST_FIRST(&m.controls) != c);
    assert_int_equal(ended(), 1 + CLIENTS_MAX + 1 + 1 + PEERS + 1);
    /* again, and for those that have ended: nothing */
    peer_destroy(p, false);
    peer_finish(p, END_DENIED, "");
    attachment_remove(s, a);
    leader_discard(l);
    server_destroy(e);
    control_destroy(c);
    assert_int_equal(monitor_send(p->link, &peer_end_def, &(struct peer_end){0}, NULL), -EPIPE);
    assert_int_equal(s->nattachments, 0);
    assert_int_equal(ended(), 1 + CLIENTS_MAX + 1 + 1 + PEERS + 1);
}

static void what_ends_in_a_callback_can_be_read_until_it_returns(void **state)
{
    full_session();
    run(end_one_of_each);
    assert_true(LIST_EMPTY(&m.peers));
    expect_all_told(END_USER_LOGOFF);
}

/* ---- in their own callback ---- */

static void a_peer_that_breaks_a_rule(void **state)
{
    static const struct peer_hello again;
    full_session();
    say(peers[0].fd, &peer_hello_def, &again);
    say(peers[0].fd, &peer_hello_def, &again); /* nobody reads that any more */
    run_loop();
    assert_int_equal(session_find(&m, SESSION)->nattachments, CLIENTS_MAX - 1);
    assert_int_equal(write(peers[1].fd, "x", 1), 1);
    run_loop();
    assert_int_equal(session_find(&m, SESSION)->nattachments, CLIENTS_MAX - 2);
    rig_expect_closed(peers[0].fd);
    rig_expect_closed(peers[1].fd);
}

static void a_leader_that_breaks_a_rule_and_all_that_hangs_on_it(void **state)
{
    static const struct leader_conv conv;
    full_session();
    say(leader, &leader_conv_def, &conv);
    run_loop();
    rig_expect_closed(leader);
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(rig_peer_expect(&peers[i], peer_display, NULL)->kind, DISPLAY_NOTICE);
    assert_true(LIST_EMPTY(&m.leaders));
}

static void a_leader_whose_hello_fits_nothing(void **state)
{
    static const struct leader_hello other = {.session = 99, .user = "eve", .uid = 1, .key = "0"};
    full_session();
    say(leader, &leader_hello_def, &other);
    run_loop();
    rig_expect_closed(leader);
    for (size_t i = 0; i < PEERS; i++)
        assert_int_equal(rig_peer_expect(&peers[i], peer_display, NULL)->kind, DISPLAY_NOTICE);
}

static void a_server_that_breaks_a_rule_and_all_its_peers(void **state)
{
    static const struct server_peer_new again = {.peer = 1, .address = "192.0.2.1"};
    full_session();
    say(server, &server_peer_new_def, &again);
    run_loop();
    assert_true(LIST_EMPTY(&m.peers));
    assert_int_equal(session_find(&m, SESSION)->nattachments, CLIENTS_MAX); /* they may come back */
}

static void a_viewer_that_breaks_a_rule(void **state)
{
    static const struct control_status q;
    full_session();
    say(viewers[0], &control_status_def, &q);
    run_loop();
    rig_expect_closed(viewers[0]);
    assert_int_equal(session_find(&m, SESSION)->nattachments, CLIENTS_MAX - 1);
}

static void a_logon_screen_that_is_cancelled_or_breaks_a_rule(void **state)
{
    static const char *const typed[] = {"cancel", "break"};
    static const enum end_cause causes[] = {END_USER_DISCONNECT, END_DENIED};
    static const struct peer_logon q;
    for (size_t i = 0; i < 2; i++) {
        int display = -1;
        peers[i] = peer_at_the_door(i + 1);
        say(peers[i].fd, &peer_logon_def, &q);
        run_loop();
        assert_int_equal(rig_peer_expect(&peers[i], peer_display, &display)->kind, DISPLAY_LOGON);
        rig_type(display, typed[i]);
        run_until(peers[i].fd);
        rig_expect_end(&peers[i], causes[i]);
        assert_true(LIST_EMPTY(&m.logons));
        close(display);
    }
}

static void an_attempt_that_is_refused_before_it_has_begun(void **state)
{
    m.config.login_attempts = 1;
    peers[0] = peer_at_the_door(1);
    rig_auth(&peers[0], AUTH_PASSWORD, "root", "right", 5);
    run_loop();
    rig_expect_refused(&peers[0], REFUSE_POLICY);
    rig_expect_end(&peers[0], END_DENIED);
}

static void an_attempt_of_a_logon_screen_that_is_refused_before_it_has_begun(void **state)
{
    static const struct peer_logon q;
    int display = -1;
    peers[0] = peer_at_the_door(1);
    say(peers[0].fd, &peer_logon_def, &q);
    run_loop();
    (void)rig_peer_expect(&peers[0], peer_display, &display);
    run_until(display);
    rig_expect_text(display, "start ");
    rig_type(display, "submit root right");
    run_until(display);
    rig_expect_text(display, "refused ");
    assert_null(LIST_FIRST(&m.peers)->attempt);
    close(display);
}

/* ---- in each other's ---- */

static void a_peer_whose_place_another_takes(void **state)
{
    full_session();
    struct rig_peer next = peer_at_the_door(PEERS + 1);
    resume(&next, 3);
    rig_expect_closed(peers[2].fd);
    assert_null(peer_find(&m, LIST_FIRST(&m.servers), 3));
    assert_int_equal(session_find(&m, SESSION)->nattachments, CLIENTS_MAX);
    close(next.fd);
}

static void all_that_is_attached_when_the_session_ends(void **state)
{
    static const struct leader_ended over = {.cause = END_USER_LOGOFF};
    full_session();
    say(leader, &leader_ended_def, &over);
    say(leader, &leader_ended_def, &over); /* nobody reads that any more */
    run_loop();
    expect_all_told(END_USER_LOGOFF);
    assert_true(LIST_EMPTY(&m.sessions));
}

static void all_that_is_attached_when_an_administrator_says_so(void **state)
{
    static const struct control_disconnect q = {.session = SESSION};
    full_session();
    int fd = administrator();
    say(fd, &control_disconnect_def, &q);
    run_loop();
    assert_int_equal(((const struct control_done *)rig_expect(fd, &monitor_to_control, &control_done_def, NULL))->code,
        CONTROL_OK);
    expect_all_told(END_ADMIN_DISCONNECT);
    assert_int_equal(session_find(&m, SESSION)->nattachments, 0);
    close(fd);
}

static void show_again_without_a_leader(int fd, short what, void *arg)
{
    struct session *s = session_find(&m, SESSION);
    struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry)
        a->shown = false;
    close(leader);
    leader = -1;
    session_show_all(s);
    assert_int_equal(s->nattachments, VIEWERS);
}

static void everybody_whose_display_cannot_be_shown(void **state)
{
    full_session();
    run(show_again_without_a_leader);
    expect_all_told(END_SESSION_FAILED);
}

/* A second session of the user, that begins when SESSION is gone. Its leader's end. */
static int session_that_waits(struct rig_peer *p)
{
    struct leader_verdict v = {.user = "anna", .uid = UID, .gid = UID};
    int sv[2];
    session_logoff(session_find(&m, SESSION), END_USER_LOGOFF);
    assert_int_equal(link_pair(sv), 0);
    struct leader *l = leader_found(&m, sv[0], 0, SESSION + 1);
    assert_non_null(l);
    assert_int_equal(session_start(l, peer_find(&m, LIST_FIRST(&m.servers), p->id), &v), 0);
    (void)rig_peer_expect(p, peer_verdict, NULL);
    assert_true(LIST_FIRST(&m.sessions)->deferred);
    return sv[1];
}

static void a_session_that_cannot_begin_when_the_one_before_it_has_ended(void **state)
{
    static const struct leader_ended over = {.cause = END_USER_LOGOFF};
    leader = session_with(SESSION, 0);
    peers[0] = peer_at_the_door(1);
    int waiting = session_that_waits(&peers[0]);
    snprintf(m.config.paths_run_dir, sizeof m.config.paths_run_dir, "%s/gone", scratch);
    say(leader, &leader_ended_def, &over);
    run_loop();
    assert_true(LIST_EMPTY(&m.sessions));
    assert_true(LIST_EMPTY(&m.leaders));
    rig_expect_closed(waiting);
    assert_int_equal(rig_peer_expect(&peers[0], peer_display, NULL)->kind, DISPLAY_NOTICE);
    close(waiting);
}

static void log_everybody_off(int fd, short what, void *arg)
{
    struct session *s;
    LIST_FOREACH (s, &m.sessions, entry)
        session_logoff(s, END_SHUTDOWN);
}

static void a_session_that_waits_when_all_are_logged_off(void **state)
{
    leader = session_with(SESSION, 0);
    peers[0] = peer_at_the_door(1);
    int waiting = session_that_waits(&peers[0]);
    run(log_everybody_off);
    rig_expect_closed(waiting);
    assert_int_equal(session_count(&m), 1);
    assert_int_equal(LIST_FIRST(&m.sessions)->state, SESSION_ENDING);
    close(waiting);
}

#define ENDS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        ENDS(what_ends_in_a_callback_can_be_read_until_it_returns),
        ENDS(a_peer_that_breaks_a_rule),
        ENDS(a_leader_that_breaks_a_rule_and_all_that_hangs_on_it),
        ENDS(a_leader_whose_hello_fits_nothing),
        ENDS(a_server_that_breaks_a_rule_and_all_its_peers),
        ENDS(a_viewer_that_breaks_a_rule),
        ENDS(a_logon_screen_that_is_cancelled_or_breaks_a_rule),
        ENDS(an_attempt_that_is_refused_before_it_has_begun),
        ENDS(an_attempt_of_a_logon_screen_that_is_refused_before_it_has_begun),
        ENDS(a_peer_whose_place_another_takes),
        ENDS(all_that_is_attached_when_the_session_ends),
        ENDS(all_that_is_attached_when_an_administrator_says_so),
        ENDS(everybody_whose_display_cannot_be_shown),
        ENDS(a_session_that_cannot_begin_when_the_one_before_it_has_ended),
        ENDS(a_session_that_waits_when_all_are_logged_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
