/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What outlives the monitor, its server, its peers and its leaders. */
#include "common/sockets.h"
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct rig rig;

static void resume(struct rig_peer *p, const struct peer_verdict *v, uint8_t flip)
{
    struct peer_resume r = {.session = v->session, .client = v->client, .ntoken = TOKEN_BYTES};
    memcpy(r.token, v->token, TOKEN_BYTES);
    r.token[5] ^= flip;
    assert_int_equal(wire_send(p->fd, &peer_resume_def, &r, NULL), 0);
}

static bool display_is_open(int display)
{
    char c;
    return recv(display, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void a_killed_monitor_finds_session_and_client_again(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    rig_restart(&rig);
    rig_expect_closed(p.fd);
    close(p.fd);
    const struct control_session *row = rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    assert_string_equal(row->user, "anna");
    assert_int_equal(row->since, 1700000000);
    p = rig_reconnect(&rig, p.id, "192.0.2.1");
    resume(&p, &v, 0);
    (void)rig_peer_expect(&p, peer_resumed, NULL);
    assert_true(display_is_open(display));
    rig_type(display, "logoff"); /* the peer is bound again: it is told */
    rig_expect_end(&p, END_USER_LOGOFF);
    close(display);
    close(p.fd);
    struct rig_peer q = rig_connect(&rig, "192.0.2.1");
    struct peer_verdict w;
    close(rig_login(&rig, &q, "bert", VERDICT_START, &w, NULL));
    assert_true(w.session > v.session);
    close(q.fd);
}

static void after_a_restart_a_login_attaches_to_the_found_session(void **state)
{
    struct peer_verdict v, w;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1"), q;
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    rig_restart(&rig);
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    q = rig_connect(&rig, "192.0.2.2");
    int second = rig_login(&rig, &q, "anna", VERDICT_ATTACH, &w, NULL);
    assert_int_equal(w.session, v.session);
    assert_true(w.client > v.client);
    rig_expect_closed(display);
    close(p.fd);
    p = rig_reconnect(&rig, p.id, "192.0.2.1"); /* the one that was replaced comes late */
    resume(&p, &v, 0);
    rig_expect_end(&p, END_REPLACED);
    assert_true(display_is_open(second));
    close(display);
    close(second);
    close(p.fd);
    close(q.fd);
}

static void a_forged_resume_kills_the_peer(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1"), q;
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    q = rig_connect(&rig, "192.0.2.66");
    resume(&q, &v, 1);
    rig_expect_kill(&rig, q.id);
    rig_expect_closed(q.fd);
    close(q.fd);
    q = rig_connect(&rig, "192.0.2.66");
    struct peer_resume none = {.session = v.session, .client = v.client};
    assert_int_equal(wire_send(q.fd, &peer_resume_def, &none, NULL), 0);
    rig_expect_kill(&rig, q.id);
    close(q.fd);
    rig_restart(&rig); /* the same where only the leader's word is known */
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    q = rig_connect(&rig, "192.0.2.66");
    resume(&q, &v, 0x80);
    rig_expect_kill(&rig, q.id);
    close(q.fd);
    v.session += 1000;
    q = rig_connect(&rig, "192.0.2.66");
    resume(&q, &v, 0);
    rig_expect_end(&q, END_REPLACED);
    assert_true(display_is_open(display));
    close(display);
    close(q.fd);
    close(p.fd);
}

static void a_server_that_reconnects_keeps_its_clients(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    char path[128];
    close(rig.server);
    snprintf(path, sizeof path, "%s/run/monitor.sock", rig.dir);
    rig.server = sockets_connect(path);
    assert_true(rig.server >= 0);
    close(p.fd);
    p = rig_reconnect(&rig, p.id, "192.0.2.1");
    resume(&p, &v, 0);
    (void)rig_peer_expect(&p, peer_resumed, NULL);
    assert_true(display_is_open(display));
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    close(display);
    close(p.fd);
}

static void a_killed_leader_takes_its_session_with_it(void **state)
{
    struct peer_verdict v;
    int notice;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    const struct control_session *row = rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    kill(row->leader_pid, SIGKILL);
    assert_int_equal(rig_peer_expect(&p, peer_display, &notice)->kind, DISPLAY_NOTICE);
    rig_expect_text(notice, "start mode=2");
    rig_wait_session(&rig, v.session, 0, 0);
    char path[128];
    snprintf(path, sizeof path, "%s/run/leaders/%llu.session", rig.dir, (unsigned long long)v.session);
    assert_int_equal(access(path, F_OK), -1);
    close(notice);
    close(display);
    close(p.fd);
}

static void a_leader_that_died_while_no_monitor_ran_is_cleared_up(void **state)
{
    struct peer_verdict v;
    char path[128];
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    pid_t leader = rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1)->leader_pid;
    kill(rig.monitor, SIGSTOP);
    kill(leader, SIGKILL);
    rig_restart(&rig);
    snprintf(path, sizeof path, "%s/run/leaders/%llu.session", rig.dir, (unsigned long long)v.session);
    for (int i = 0; i < 500 && access(path, F_OK) == 0; i++)
        usleep(20000);
    assert_int_equal(access(path, F_OK), -1);
    rig_wait_session(&rig, v.session, 0, 0);
    close(display);
    close(p.fd);
}

static void a_login_during_the_logoff_starts_when_that_is_over(void **state)
{
    struct peer_verdict v;
    static struct rig_answer a;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "stubborn", VERDICT_START, &v, NULL), later = -1;
    struct control_logoff off = {.session = v.session};
    pid_t leader = rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1)->leader_pid;
    assert_int_equal(rig_control(&rig, &control_logoff_def, &off, &a), 0);
    rig_expect_end(&p, END_ADMIN_LOGOFF);
    close(p.fd);
    p = rig_connect(&rig, "192.0.2.1");
    rig_auth(&p, AUTH_PASSWORD, "stubborn", "right", 5);
    const struct peer_verdict *w = rig_peer_expect(&p, peer_verdict, NULL);
    assert_int_equal(w->verdict, VERDICT_START);
    assert_int_not_equal(w->session, v.session);
    uint64_t second = w->session;
    rig_wait_session(&rig, second, SESSION_STARTING, 1);
    kill(leader, SIGKILL);
    (void)rig_peer_expect(&p, peer_display, &later);
    rig_wait_session(&rig, v.session, 0, 0);
    const struct control_session *row = rig_wait_session(&rig, second, SESSION_ACTIVE, 1);
    kill(row->leader_pid, SIGKILL); /* stubborn: it would not log off at the end of the test */
    rig_wait_session(&rig, second, 0, 0);
    close(display);
    close(later);
    close(p.fd);
}

static void a_client_whose_agent_died_gets_another_display(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    for (int i = 0; i < 10; i++) {
        close(display);
        assert_int_equal(rig_peer_expect(&p, peer_display, &display)->kind, DISPLAY_SESSION);
        rig_expect_text(display, "session ");
    }
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    close(display); /* often enough */
    rig_expect_end(&p, END_USER_DISCONNECT);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
    close(p.fd);
}

static void a_stranger_may_not_be_the_server(void **state)
{
    if (geteuid() != 0)
        skip();
    char path[128];
    snprintf(path, sizeof path, "%s/run/monitor.sock", rig.dir);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(chmod(rig.dir, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    int fd = sockets_connect(path);
    assert_int_equal(seteuid(0), 0);
    assert_true(fd >= 0);
    rig_expect_closed(fd);
    close(fd);
}

/* Listen where a leader would, as `uid`, and answer each connection with this hello. */
static pid_t impostor(const char *name, uid_t uid, const struct leader_hello *h)
{
    char path[128];
    int ready[2];
    snprintf(path, sizeof path, "%s/run/leaders/%s", rig.dir, name);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        snprintf(a.sun_path, sizeof a.sun_path, "%.100s", path);
        /* listen() says who it is */
        if (bind(s, (struct sockaddr *)&a, sizeof a) < 0 || seteuid(uid) < 0 || listen(s, 4) < 0)
            _exit(1);
        close(ready[0]);
        close(ready[1]);
        alarm(60);
        for (;;) {
            int c = accept(s, NULL, NULL);
            (void)wire_send(c, &leader_hello_def, h, NULL);
        }
    }
    char c;
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 0);
    close(ready[0]);
    return pid;
}

static void expect_no_session(void)
{
    static struct rig_answer a;
    struct control_sessions q = {0};
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rig_control(&rig, &control_sessions_def, &q, &a), 0);
        assert_int_equal(a.nrows, 0);
        usleep(10000);
    }
}

static void a_leader_of_another_user_is_not_believed(void **state)
{
    static struct leader_hello h = {.session = 99,
        .uid = 65534,
        .user = "nobody",
        .key = "00112233445566778899aabbccddeeff"};
    if (geteuid() != 0)
        skip();
    pid_t pid = impostor("99.sock", 65534, &h);
    rig_restart(&rig);
    expect_no_session();
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    pid = impostor("100.sock", 0, &h); /* the right user, but another session's socket */
    rig_restart(&rig);
    expect_no_session();
    assert_int_equal(waitpid(pid, NULL, 0), pid); /* it was killed */
    static struct leader_hello keyless = {.session = 101, .uid = 65534, .user = "nobody"};
    pid = impostor("101.sock", 0, &keyless);
    rig_restart(&rig);
    expect_no_session();
    assert_int_equal(waitpid(pid, NULL, 0), pid);
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
        T(a_killed_monitor_finds_session_and_client_again),
        T(after_a_restart_a_login_attaches_to_the_found_session),
        T(a_forged_resume_kills_the_peer),
        T(a_server_that_reconnects_keeps_its_clients),
        T(a_killed_leader_takes_its_session_with_it),
        T(a_leader_that_died_while_no_monitor_ran_is_cleared_up),
        T(a_login_during_the_logoff_starts_when_that_is_over),
        T(a_leader_of_another_user_is_not_believed),
        T(a_client_whose_agent_died_gets_another_display),
        T(a_stranger_may_not_be_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
