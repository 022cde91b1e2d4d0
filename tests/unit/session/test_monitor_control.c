/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The administrator's side: orielctl itself against a real monitor. */
#include "common/sockets.h"
#include "common/text.h"
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct rig rig;
static char output[65536];

/* Run orielctl with these arguments (NULL-terminated); its standard output and error are in `output`. Returns the exit
 * code. */
static int orielctl(const char *first, ...)
{
    const char *argv[16] = {"orielctl", "--config", rig.conf};
    int n = 3, p[2], status;
    va_list ap;
    va_start(ap, first);
    for (const char *a = first; a && n < 15; a = va_arg(ap, const char *))
        argv[n++] = a;
    va_end(ap);
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(p[1], 1);
        dup2(p[1], 2);
        close(p[0]);
        close(p[1]);
        execv(getenv("ORIELCTL"), (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(p[1]);
    size_t at = 0;
    ssize_t got;
    while (at < sizeof output - 1 && (got = read(p[0], output + at, sizeof output - 1 - at)) > 0)
        at += (size_t)got;
    output[at] = 0;
    close(p[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void says(const char *text)
{
    if (!strstr(output, text))
        fail_msg("\"%s\" expected in:\n%s", text, output);
}

static void status_names_the_library_and_warns_of_an_old_one(void **state)
{
    assert_int_equal(orielctl("status", NULL), 0);
    says("libfreerdp: 3.10.3 (warning: older than 3.30");
    says("sessions: 0 of 100");
    close(rig.server);
    rig.server = -1;
    char path[128];
    for (int i = 0; i < 100 && !strstr(output, "not connected"); i++)
        (void)orielctl("status", NULL);
    says("oriel-server: not connected");
    snprintf(path, sizeof path, "%s/run/monitor.sock", rig.dir);
    rig.server = sockets_connect(path);
    struct server_hello h = {.version = "test", .freerdp = "3.30.0"};
    assert_int_equal(wire_send(rig.server, &server_hello_def, &h, NULL), 0);
    assert_int_equal(orielctl("status", NULL), 0);
    says("libfreerdp: 3.30.0\n");
}

static void sessions_are_listed_for_people_and_programs(void **state)
{
    struct peer_verdict v;
    assert_int_equal(orielctl("sessions", "--json", NULL), 0);
    assert_string_equal(output, "[]\n");
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    for (int i = 0; i < 100 && !strstr(output, "800x600"); i++) /* the leader's word */
        assert_int_equal(orielctl("sessions", NULL), 0);
    struct peer_status st = {.width = 1280, .height = 720, .nmonitors = 2};
    assert_int_equal(wire_send(p.fd, &peer_status_def, &st, NULL), 0);
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    for (int i = 0; i < 100 && !strstr(output, "1280x720"); i++)
        assert_int_equal(orielctl("sessions", NULL), 0);
    says("1      anna             active    ");
    says("control 192.0.2.1 thin 1280x720");
    assert_int_equal(orielctl("sessions", "--json", NULL), 0);
    says("\"id\": 1, \"user\": \"anna\"");
    says("\"state\": \"active\", \"since\": 1700000000, \"display\": \":4000\", \"xauthority\": "
         "\"/run/user/x/Xauthority\", "
         "\"monitors\": 2");
    says("\"pids\": {\"leader\": ");
    says("\"clients\": [{\"id\": 1, \"role\": \"control\", \"address\": \"192.0.2.1\", \"name\": \"thin\", \"width\": "
         "1280, "
         "\"height\": 720");
    close(display);
    close(p.fd);
}

static void disconnect_leaves_the_session_and_logoff_ends_it(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    assert_int_equal(orielctl("disconnect", "1", "99", NULL), 3);
    assert_int_equal(orielctl("disconnect", "1", NULL), 0);
    rig_expect_end(&p, END_ADMIN_DISCONNECT);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
    close(display);
    close(p.fd);
    p = rig_connect(&rig, "192.0.2.1");
    display = rig_login(&rig, &p, "anna", VERDICT_ATTACH, &v, NULL);
    assert_int_equal(orielctl("logoff", "1", NULL), 0);
    rig_expect_end(&p, END_ADMIN_LOGOFF);
    rig_wait_session(&rig, v.session, 0, 0);
    assert_int_equal(orielctl("logoff", "1", NULL), 3);
    says("There is no session 1.");
    close(display);
    close(p.fd);
}

static void a_message_reaches_the_session(void **state)
{
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    assert_int_equal(orielctl("message", "1", "hello", NULL), 3);
    int display = rig_login(&rig, &p, "anna", VERDICT_START, NULL, NULL);
    assert_int_equal(orielctl("message", "1", "The host", "restarts.", NULL), 0);
    rig_expect_text(display, "notice");
    close(display);
    close(p.fd);
}

static void throttled_sources_are_shown_and_cleared(void **state)
{
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    for (int i = 0; i < 3; i++) {
        rig_auth(&p, AUTH_PASSWORD, "anna", "wrong", 5);
        rig_expect_refused(&p, REFUSE_CREDENTIALS);
    }
    assert_int_equal(orielctl("throttle", NULL), 0);
    says("192.0.2.0/24");
    says("anna@192.0.2.0/24");
    says("refused for ");
    says("anna@*");
    assert_int_equal(orielctl("throttle", "clear", "198.51.100.0/24", NULL), 3);
    assert_int_equal(orielctl("throttle", "clear", "192.0.2.0/24", NULL), 0);
    rig_auth(&p, AUTH_PASSWORD, "anna", "right", 5);
    rig_expect_refused(&p, REFUSE_THROTTLED);
    assert_int_equal(orielctl("throttle", "clear", NULL), 0);
    assert_int_equal(orielctl("throttle", NULL), 0);
    assert_string_equal(output, "");
    close(rig_login(&rig, &p, "anna", VERDICT_START, NULL, NULL));
    close(p.fd);
}

static void nothing_that_acts_on_a_terminal_is_printed(void)
{
    for (size_t left = strlen(output), n; left; left -= n) {
        const char *s = output + strlen(output) - left;
        uint32_t code = 0;
        n = text_char(s, left, &code);
        if (n == 0 || (code != '\n' && !text_is_plain(code)))
            fail_msg("byte 0x%02x at %zu of:\n%s", (unsigned char)*s, strlen(output) - left, output);
    }
}

/* Names that nobody has checked: of clients before login, as they came. */
static void what_clients_call_themselves_reaches_no_terminal(void **state)
{
    static const char *const bad[] = {"bob\xc2\x9b"
                                      "2Jfake\u202e",
        "\xc2\x9d"
        "0;title\x07",
        "a\x1b[31mred",
        "\xc0\x9b"
        "2J",
        "\xe0\x82\x9b"
        "1m",
        "x\u061cy\u200ez\u2066q\ufeff", "\xed\xa0\x80", "\xff\xfe", "\xc2\x85\u2028\u2029"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rig_peer p = rig_connect(&rig, "192.0.2.77");
        rig_auth(&p, AUTH_PASSWORD, bad[i], "wrong", 5);
        assert_int_equal(rig_peer_expect(&p, peer_verdict, NULL)->verdict, VERDICT_REFUSE);
        close(p.fd);
    }
    assert_int_equal(orielctl("throttle", NULL), 0);
    nothing_that_acts_on_a_terminal_is_printed();
    says("192.0.2.0/24");
    says("bob?2jfake?@");
    assert_int_equal(orielctl("throttle", "clear", NULL), 0);
    rig.client_name = bad[0];
    struct rig_peer p = rig_connect(&rig, "192.0.2.78");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, NULL, NULL);
    assert_int_equal(orielctl("sessions", NULL), 0);
    nothing_that_acts_on_a_terminal_is_printed();
    says("bob?2Jfake?");
    assert_int_equal(orielctl("sessions", "--json", NULL), 0);
    nothing_that_acts_on_a_terminal_is_printed();
    says("\"bob\\u009b2Jfake\\u202e\"");
    rig.client_name = NULL;
    close(display);
    close(p.fd);
}

/* The monitor has handled what was sent to it before: an answer may come out of the same round of its loop, a second
 * one does not. */
static void after_signals(void)
{
    static struct rig_answer a;
    struct control_status q = {0};
    for (int i = 0; i < 2; i++)
        assert_int_equal(rig_control(&rig, &control_status_def, &q, &a), 0);
}

static void a_reload_takes_effect_and_a_broken_one_does_not(void **state)
{
    rig_write_config(&rig, "[login]\nthrottle_burst = 77\n");
    kill(rig.monitor, SIGHUP);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(orielctl("config", NULL), 0);
        if (strstr(output, "throttle_burst = 77"))
            break;
        usleep(20000);
    }
    says("throttle_burst = 77");
    char conf[96];
    memcpy(conf, rig.conf, sizeof conf);
    FILE *f = fopen(conf, "a");
    assert_non_null(f);
    fputs("throttle_bursts = 5\n", f);
    fclose(f);
    kill(rig.monitor, SIGHUP);
    after_signals();
    assert_int_equal(orielctl("status", NULL), 2); /* orielctl reads the same broken file, and says where */
    says(":11:");
    rig_write_config(&rig, "[login]\n");
    assert_int_equal(orielctl("config", NULL), 0);
    says("throttle_burst = 77");
}

static void wrong_usage_has_its_exit_code(void **state)
{
    static const char *const bad[][4] = {{"nonsense"}, {"sessions", "--xml"}, {"status", "x"}, {"logoff"},
        {"logoff", "x"}, {"logoff", "-1"}, {"logoff", "1", "2"}, {"disconnect", "1", "x"}, {"message", "1"},
        {"throttle", "cler"}, {"logoff", "99999999999999999999"}, {"disconnect", "1", "4294967296"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (orielctl(bad[i][0], bad[i][1], bad[i][2], NULL) != 2)
            fail_msg("%s %s: exit code 2 expected", bad[i][0], bad[i][1] ? bad[i][1] : "");
        says("usage: orielctl");
    }
}

static void an_absent_monitor_has_its_exit_code(void **state)
{
    char run[128], away[136];
    snprintf(run, sizeof run, "%s/run", rig.dir);
    snprintf(away, sizeof away, "%s.away", run);
    assert_int_equal(rename(run, away), 0);
    assert_int_equal(orielctl("status", NULL), 4);
    says("is oriel running");
    assert_int_equal(rename(away, run), 0);
}

static void a_viewer_sees_and_leaves_and_is_sent_away(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL), view = -1;
    struct control_view q = {.session = v.session};
    char path[128];
    snprintf(path, sizeof path, "%s/run/control.sock", rig.dir);
    int c = sockets_connect(path);
    assert_int_equal(wire_send(c, &control_view_def, &q, NULL), 0);
    (void)rig_expect(c, &monitor_to_control, &control_viewer_def, &view);
    rig_expect_text(view, "session ");
    const struct control_session *row = rig_wait_session(&rig, v.session, SESSION_ACTIVE, 2);
    assert_int_equal(row->clients[1].role, ROLE_VIEW);
    close(c);
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    rig_expect_closed(view);
    close(view);
    c = sockets_connect(path);
    assert_int_equal(wire_send(c, &control_view_def, &q, NULL), 0);
    (void)rig_expect(c, &monitor_to_control, &control_viewer_def, &view);
    close(display);
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 1); /* a viewer alone does not make it active */
    assert_int_equal(orielctl("logoff", "1", NULL), 0);
    (void)rig_expect(c, &monitor_to_control, &control_done_def, NULL);
    close(view);
    close(c);
}

static void no_more_viewers_than_the_ceiling(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    struct control_view q = {.session = v.session};
    char path[128];
    int c[CLIENTS_MAX], view[CLIENTS_MAX];
    snprintf(path, sizeof path, "%s/run/control.sock", rig.dir);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        c[i] = sockets_connect(path);
        assert_int_equal(wire_send(c[i], &control_view_def, &q, NULL), 0);
        (void)rig_expect(c[i], &monitor_to_control, i < CLIENTS_MAX - 1 ? &control_viewer_def : &control_done_def,
            &view[i]);
    }
    /* A full house does not keep the user out: the first is replaced */
    struct rig_peer second = rig_connect(&rig, "192.0.2.2");
    int again = rig_login(&rig, &second, "anna", VERDICT_ATTACH, NULL, NULL);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        close(c[i]);
        if (i < CLIENTS_MAX - 1)
            close(view[i]);
    }
    close(again);
    close(display);
    close(second.fd);
    close(p.fd);
}

static void a_request_while_viewing_ends_the_link(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL), view = -1;
    struct control_view q = {.session = v.session};
    struct control_status s = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/run/control.sock", rig.dir);
    int c = sockets_connect(path);
    assert_int_equal(wire_send(c, &control_view_def, &q, NULL), 0);
    (void)rig_expect(c, &monitor_to_control, &control_viewer_def, &view);
    assert_int_equal(wire_send(c, &control_status_def, &s, NULL), 0);
    rig_expect_closed(c);
    close(c);
    close(view);
    close(display);
    close(p.fd);
}

static void a_stranger_may_not_administer(void **state)
{
    if (geteuid() != 0)
        skip();
    char path[128];
    snprintf(path, sizeof path, "%s/run/control.sock", rig.dir);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(chmod(rig.dir, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    int fd = sockets_connect(path);
    assert_int_equal(seteuid(0), 0);
    assert_true(fd >= 0);
    rig_expect_closed(fd);
    close(fd);
}

static void sessions_end_with_the_service_where_the_option_says_so(void **state)
{
    struct peer_verdict v;
    char path[128];
    rig_stop(&rig);
    rig_start(&rig, "[session]\nstop_with_service = true\n");
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    kill(rig.monitor, SIGTERM);
    rig_expect_end(&p, END_SHUTDOWN);
    rig_expect_closed(display);
    assert_int_equal(waitpid(rig.monitor, NULL, 0), rig.monitor);
    snprintf(path, sizeof path, "%s/run/leaders/1.session", rig.dir);
    assert_int_equal(access(path, F_OK), -1);
    close(display);
    close(p.fd);
    rig.monitor = 0;
    rig_restart(&rig);
}

static int setup(void **state)
{
    rig_start(&rig, "[login]\nthrottle_burst = 3\nthrottle_seconds = 3600\n");
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
        T(status_names_the_library_and_warns_of_an_old_one),
        T(sessions_are_listed_for_people_and_programs),
        T(disconnect_leaves_the_session_and_logoff_ends_it),
        T(a_message_reaches_the_session),
        T(throttled_sources_are_shown_and_cleared),
        T(what_clients_call_themselves_reaches_no_terminal),
        T(a_reload_takes_effect_and_a_broken_one_does_not),
        T(wrong_usage_has_its_exit_code),
        T(an_absent_monitor_has_its_exit_code),
        T(a_viewer_sees_and_leaves_and_is_sent_away),
        T(no_more_viewers_than_the_ceiling),
        T(a_request_while_viewing_ends_the_link),
        T(a_stranger_may_not_administer),
        T(sessions_end_with_the_service_where_the_option_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
