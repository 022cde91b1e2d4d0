/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole sessions: what options, odd homes and odd orders of messages do. Needs root; skipped otherwise. */
#include "common/clock.h"
#include "common/link.h"
#include "tests/unit/session/leader_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef ORIEL_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif
#define STAY "exec " XTERM "\n"
/* crypt(3) of SECRET */
#define SHADOW_HASH "$6$saltsalt$kwEvWs2M1wbG2oh0zOe1RfpUv04SgvMQI3d3ZQ3/NLizJqv5lBny4dbl4HVqGuGvuzFW6rb46p0qcCXKfiTmk."

static void wait_for_text(const char *path, const char *text)
{
    int64_t deadline = clock_ms() + WAIT_MS;
    while (!strstr(got(path), text) && clock_ms() < deadline)
        (void)poll(NULL, 0, 10);
    assert_non_null(strstr(got(path), text));
}

static const char *environment(void)
{
    wait_for_text(HOME "/env", "ORIEL_ENV_END");
    return got(HOME "/env");
}

/* A session whose desktop writes down its environment. */
static const char *environment_of(const struct display_open *open)
{
    static char text[65536];
    (void)unlink(HOME "/env");
    begin_with("(env; echo ORIEL_ENV_END) > ~/env\n" STAY, open);
    (void)await(&leader_hello_def);
    snprintf(text, sizeof text, "%s", environment());
    log_off();
    nothing_is_left();
    return text;
}

static struct display_open plain_open(void)
{
    struct display_open open = {.nmonitors = 1};
    open.monitors[0] = (struct display_monitor){.width = 800, .height = 600, .scale = 100, .primary = 1};
    return open;
}

/* option: session.client_time_zone */
static void the_clients_time_zone_is_used_when_the_option_says_so(void **state)
{
    static const char *const bad[] = {"../../etc/passwd", "/etc/passwd", "Europe/Nowhere", "Europe/Berlin;id"};
    struct display_open open = plain_open();
    snprintf(open.time_zone, sizeof open.time_zone, "Europe/Berlin");
    assert_null(strstr(environment_of(&open), "\nTZ="));
    write_config("", "client_time_zone = true");
    assert_non_null(strstr(environment_of(&open), "\nTZ=Europe/Berlin\n"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(open.time_zone, sizeof open.time_zone, "%s", bad[i]);
        assert_null(strstr(environment_of(&open), "\nTZ="));
    }
}

static void a_doubled_scale_reaches_the_toolkits(void **state)
{
    struct display_open open = plain_open();
    assert_null(strstr(environment_of(&open), "GDK_SCALE"));
    open.monitors[0].scale = 200;
    const char *env = environment_of(&open);
    assert_non_null(strstr(env, "\nGDK_SCALE=2\n"));
    assert_non_null(strstr(env, "\nGDK_DPI_SCALE=0.5000\n"));
}

/* option: session.log_dir */
static void a_log_folder_of_roots_is_used_and_another_is_not(void **state)
{
    char path[128];
    struct stat st;
    assert_int_equal(mkdir("/mnt/logs", 0755), 0);
    write_config("", "log_dir = /mnt/logs");
    begin("echo said\n" STAY);
    (void)await(&leader_hello_def);
    snprintf(path, sizeof path, "/mnt/logs/%s", log_name(session_id));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_uid, UID);
    assert_int_equal(st.st_mode & 07777, 0600);
    wait_for_text(path, "said");
    log_off();
    nothing_is_left();
    assert_int_equal(chmod("/mnt/logs", 0777), 0);
    begin(STAY);
    (void)await(&leader_hello_def);
    snprintf(path, sizeof path, "/mnt/logs/%s", log_name(session_id));
    assert_int_equal(access(path, F_OK), -1);
    log_off();
    nothing_is_left();
}

/* option: session.user_xsession */
static void the_users_xsession_can_be_switched_off(void **state)
{
    write_config("", "user_xsession = false\nstart_command = exec " XTERM);
    begin("exit 5\n");
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    log_off();
    close(display);
    nothing_is_left();
}

static int64_t time_of_logoff(void)
{
    (void)unlink(HOME "/trap");
    begin("(trap '' TERM HUP; echo set > ~/trap; sleep 1000; :) &\n" STAY);
    (void)await(&leader_hello_def);
    wait_for_text(HOME "/trap", "set");
    int64_t before = clock_ms();
    log_off();
    nothing_is_left();
    return clock_ms() - before;
}

/* option: session.logoff_grace */
static void programs_get_the_grace_that_the_option_gives(void **state)
{
    assert_in_range(time_of_logoff(), 900, 2800);
    write_config("", "logoff_grace = 3");
    assert_in_range(time_of_logoff(), 2900, 2900 + WAIT_MS);
}

static void a_user_without_a_home_is_told_so(void **state)
{
    write_config("", "");
    assert_int_equal(rename(HOME, "/home/elsewhere"), 0);
    begin_again();
    expect_failure("There is no home folder", HOME);
    assert_int_equal(rename("/home/elsewhere", HOME), 0);
}

static void a_full_home_does_not_keep_the_user_out(void **state)
{
    static char block[4096];
    assert_int_equal(mount("tmpfs", HOME, "tmpfs", MS_NOSUID | MS_NODEV, "size=16k,mode=700,uid=7001,gid=7001"), 0);
    put(HOME "/.xsession", STAY, 0644);
    int fd = open(HOME "/filler", O_WRONLY | O_CREAT, 0600);
    while (write(fd, block, sizeof block) > 0)
        ;
    close(fd);
    write_config("", "user_xsession = false\nstart_command = exec " XTERM);
    begin_again();
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    log_off();
    close(display);
    nothing_is_left();
    assert_int_equal(umount(HOME), 0);
}

static void an_idle_client_is_told_of(void **state)
{
    write_config("", "idle_limit = 1");
    begin(STAY);
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    assert_true(((struct leader_idle *)await(&leader_idle_def))->seconds >= 1);
    log_off();
    close(display);
    nothing_is_left();
}

static void a_refresh_ends_without_a_session(void **state)
{
    static struct leader_refresh r = {.nenv = 1, .env = {{"KRB5CCNAME=FILE:/tmp/x"}}};
    spawn_leader();
    assert_int_equal(log_in(SECRET), REFUSE_NONE);
    assert_int_equal(wire_send(leader_link, &leader_refresh_def, &r, NULL), 0);
    (void)await(&leader_refreshed_def);
    nothing_is_left();
    assert_null(strstr(got("/mnt/record"), "open_session"));
    assert_non_null(strstr(got("/mnt/record"), "setcred flags=8")); /* PAM_REINITIALIZE_CRED */
}

static void nothing_but_start_or_refresh_follows_a_verdict(void **state)
{
    struct leader_logoff m = {.cause = END_ADMIN_LOGOFF};
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    spawn_leader();
    assert_int_equal(log_in(SECRET), REFUSE_NONE);
    assert_int_equal(wire_send(leader_link, &leader_logoff_def, &m, NULL), 0);
    assert_int_equal(wire_recv(leader_link, &leader_to_monitor, &def, inbox, fds, WAIT_MS), -EPIPE);
    nothing_is_left();
}

static void a_ninth_client_is_sent_away(void **state)
{
    static struct leader_attach m;
    int ends[CLIENTS_MAX + 1];
    begin(STAY);
    (void)await(&leader_hello_def);
    for (uint32_t i = 0; i <= CLIENTS_MAX; i++) {
        int sv[2];
        m = (struct leader_attach){.client = i + 1, .role = i ? ROLE_VIEW : ROLE_CONTROL};
        assert_int_equal(link_pair(sv), 0);
        assert_int_equal(wire_send(leader_link, &leader_attach_def, &m, &sv[1]), 0);
        close(sv[1]);
        ends[i] = sv[0];
    }
    const struct leader_client_gone *gone = await(&leader_client_gone_def);
    assert_int_equal(gone->client, CLIENTS_MAX + 1);
    assert_int_equal(gone->cause, END_DENIED);
    log_off();
    for (uint32_t i = 0; i <= CLIENTS_MAX; i++)
        close(ends[i]);
    nothing_is_left();
}

static void a_terminated_leader_logs_off_in_order(void **state)
{
    begin(STAY);
    pid_t leader = ((struct leader_hello *)await(&leader_hello_def))->leader_pid;
    kill(leader, SIGTERM);
    assert_int_equal(((struct leader_ended *)await(&leader_ended_def))->cause, END_SHUTDOWN);
    nothing_is_left();
    assert_non_null(strstr(got("/mnt/record"), "close_session"));
}

static void the_end_of_one_session_does_not_touch_another(void **state)
{
    begin(STAY);
    const struct leader_hello *h = await(&leader_hello_def);
    uint32_t first_display = h->display;
    int first = leader_link;
    begin(STAY);
    h = await(&leader_hello_def);
    assert_int_not_equal(h->display, first_display);
    int second = leader_link, display = attach_and_see(7, 0x123456);
    leader_link = first;
    log_off();
    leader_link = second;
    close(display);
    display = attach_and_see(8, 0x123456); /* all of it is still there */
    log_off();
    close(display);
    nothing_is_left();
}

static void a_real_login_leaves_no_password_in_memory(void **state)
{
    if (SANITIZED)
        skip(); /* its allocator keeps freed memory as it was */
    put("/mnt/pam/oriel-unix",
        "auth required pam_unix.so nodelay\naccount required pam_unix.so\npassword required pam_unix.so\n"
        "session required pam_unix.so\n",
        0644);
    put("/mnt/shadow", USER ":" SHADOW_HASH ":20000:0:99999:7:::\n", 0600);
    assert_int_equal(mount("/mnt/shadow", "/etc/shadow", NULL, MS_BIND, NULL), 0);
    set_pam_service("oriel-unix");
    write_config("", "");
    begin(STAY);
    const struct leader_hello *h = await(&leader_hello_def);
    pid_t pids[] = {h->leader_pid, h->leader_pid - 1, h->agent_pid};
    for (size_t i = 0; i < 3; i++)
        assert_false(memory_holds(pids[i], SECRET));
    log_off();
    nothing_is_left();
    assert_int_equal(umount("/etc/shadow"), 0);
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_clients_time_zone_is_used_when_the_option_says_so, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_doubled_scale_reaches_the_toolkits, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_log_folder_of_roots_is_used_and_another_is_not, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_users_xsession_can_be_switched_off, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(programs_get_the_grace_that_the_option_gives, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_user_without_a_home_is_told_so, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_full_home_does_not_keep_the_user_out, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(an_idle_client_is_told_of, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_refresh_ends_without_a_session, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(nothing_but_start_or_refresh_follows_a_verdict, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_ninth_client_is_sent_away, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_terminated_leader_logs_off_in_order, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_end_of_one_session_does_not_touch_another, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_real_login_leaves_no_password_in_memory, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return rig_main(all_tests);
}
