/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole sessions: a real oriel-leader with Xorg, agent and desktop. Needs root; skipped otherwise. */
#include "common/clock.h"
#include "common/sockets.h"
#include "tests/unit/session/leader_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef ORIEL_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif

static void a_refused_login_starts_nothing(void **state)
{
    spawn_leader();
    assert_int_equal(log_in("wrong"), REFUSE_CREDENTIALS);
    nothing_is_left();
    assert_null(strstr(got("/mnt/record"), "session"));
    assert_int_equal(access("/tmp/.X11-unix", F_OK), -1);
}

static void a_login_without_a_start_leaves_nothing(void **state)
{
    spawn_leader();
    assert_int_equal(log_in(SECRET), REFUSE_NONE);
    hang_up();
    nothing_is_left();
    assert_null(strstr(got("/mnt/record"), "session"));
}

static void a_session_shows_its_pixels_and_its_logoff_leaves_nothing(void **state)
{
    char want[128];
    int64_t before = clock_ms();
    begin(
        "env > ~/env\n(trap '' TERM HUP; env -i setsid sh -c 'trap \"\" TERM HUP; sleep 1000; :') &\nexec " XTERM "\n");
    const struct leader_hello *h = await(&leader_hello_def);
    print_message("hello after %lld ms\n", (long long)(clock_ms() - before));
    assert_string_equal(h->user, USER);
    assert_int_equal(h->uid, UID);
    assert_int_equal(h->display, 20);
    bool from_pam = false;
    for (uint32_t i = 0; i < h->nenv; i++)
        from_pam = from_pam || !strcmp(h->env[i].text, "FROM_PAM=yes");
    assert_true(from_pam);
    struct stat st;
    assert_int_equal(stat(h->xauthority, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, UID);
    pid_t leader = h->leader_pid;
    int display = attach_and_see(7, 0x123456);
    print_message("pixels after %lld ms\n", (long long)(clock_ms() - before));
    assert_true(somebody_is_on());
    /* A sanitizer's allocator keeps freed memory as it was */
    assert_true(SANITIZED || !memory_holds(leader, SECRET));
    const char *env = got(HOME "/env");
    assert_non_null(strstr(env, "FROM_PAM=yes\n"));
    assert_non_null(strstr(env, "DISPLAY=:20\n"));
    assert_non_null(strstr(env, "XDG_RUNTIME_DIR=/run/user/7001\n"));
    snprintf(want, sizeof want, "ORIEL_SESSION_DIR=/run/user/7001/oriel-%d\n", (int)session_id);
    assert_non_null(strstr(env, want));
    assert_non_null(strstr(env, "XAUTHORITY=/run/user/7001/oriel-"));
    assert_non_null(strstr(env, "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/7001/bus\n"));
    assert_int_equal(lstat("/run/user/7001", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(st.st_uid, UID);
    assert_int_equal(lstat("/run/user/7001/bus", &st), 0);
    assert_true(S_ISSOCK(st.st_mode)); /* libdbus wants it to be one, and no link */
    log_off();
    close(display);
    nothing_is_left();
    assert_non_null(strstr(got("/mnt/record"), "close_session"));
    snprintf(want, sizeof want, "setcred flags=%d", 4 /* PAM_DELETE_CRED */);
    assert_non_null(strstr(got("/mnt/record"), want));
}

static void the_end_of_the_desktop_is_a_logoff(void **state)
{
    begin("sleep 1.2\n");
    (void)await(&leader_hello_def);
    assert_int_equal(((struct leader_ended *)await(&leader_ended_def))->cause, END_USER_LOGOFF);
    nothing_is_left();
}

static void a_desktop_that_fails_says_why(void **state)
{
    begin("echo the disk of dreams is full\nexit 3\n");
    expect_failure("exit status 3", "the disk of dreams is full");
}

static void a_missing_x_server_says_what_to_install(void **state)
{
    write_config("xorg = /usr/lib/xorg/NoSuch", "");
    begin(XTERM);
    expect_failure("/usr/lib/xorg/NoSuch", "xserver-xorg-video-dummy");
}

static void an_x_server_that_ends_at_once_is_a_failure(void **state)
{
    write_config("xorg = /bin/false", "");
    begin(XTERM);
    expect_failure("X server", "exit status 1");
}

static void an_agent_that_ends_at_once_is_a_failure(void **state)
{
    use_agent("/bin/false");
    begin(XTERM);
    expect_failure("oriel-agent", "before it was ready");
}

static void an_agent_that_floods_its_leader_is_stopped(void **state)
{
    use_agent("/mnt/b/tests/unit/session/leader_flood_agent");
    begin(XTERM);
    expect_failure("oriel-agent", "keeps failing");
}

static void a_killed_x_server_ends_the_session_with_words(void **state)
{
    begin("sleep 1000\n"); /* a desktop that does not end with the X server: whichever end is seen first is told */
    const struct leader_hello *h = await(&leader_hello_def);
    kill(h->display_pid, SIGKILL);
    expect_failure("X server of the session ended", "signal 9");
}

static void every_failing_pam_call_of_the_start_is_told(void **state)
{
    put("/mnt/script", RIGHT "open_session error No room\nopen_session return 14\n", 0644);
    begin(XTERM);
    expect_failure("pam_open_session", "No room");
    put("/mnt/script", RIGHT "setcred return 17\n", 0644);
    begin(XTERM);
    expect_failure("pam_setcred", "");
}

static void a_killed_agent_is_replaced_and_the_session_lives(void **state)
{
    begin("exec " XTERM "\n");
    pid_t agent = ((struct leader_hello *)await(&leader_hello_def))->agent_pid;
    int display = attach_and_see(7, 0x123456);
    kill(agent, SIGKILL);
    assert_int_equal(((struct leader_client_gone *)await(&leader_client_gone_def))->client, 7);
    close(display);
    const struct leader_hello *h = await(&leader_hello_def);
    assert_int_not_equal(h->agent_pid, agent);
    assert_int_equal(h->nclients, 0);
    display = attach_and_see(8, 0x123456);
    log_off();
    close(display);
    nothing_is_left();
}

static void a_new_monitor_finds_the_session_with_its_clients(void **state)
{
    char path[64];
    begin("exec " XTERM "\n");
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    hang_up();
    snprintf(path, sizeof path, "/run/oriel/leaders/%d.sock", (int)session_id);
    leader_link = sockets_connect(path);
    assert_true(leader_link >= 0);
    const struct leader_hello *h = await(&leader_hello_def);
    assert_int_equal(h->session, session_id);
    assert_int_equal(h->nclients, 1);
    assert_int_equal(h->clients[0].client, 7);
    assert_int_equal(h->clients[0].width, 800);
    int second = sockets_connect(path); /* a newer one replaces it */
    assert_true(second >= 0);
    int fds[WIRE_FDS_MAX];
    const struct wire_def *def;
    assert_int_equal(wire_recv(leader_link, &leader_to_monitor, &def, inbox, fds, WAIT_MS), -EPIPE);
    hang_up();
    leader_link = second;
    (void)await(&leader_hello_def);
    log_off();
    close(display);
    nothing_is_left();
}

static void nobody_but_root_is_a_monitor(void **state)
{
    char path[64];
    begin("exec " XTERM "\n");
    (void)await(&leader_hello_def);
    assert_int_equal(chmod("/run/oriel/leaders", 0777), 0); /* even if the folder let them in */
    snprintf(path, sizeof path, "/run/oriel/leaders/%d.sock", (int)session_id);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(seteuid(65534), 0);
    int fd = sockets_connect(path);
    assert_int_equal(seteuid(0), 0);
    assert_true(fd >= 0);
    int fds[WIRE_FDS_MAX];
    const struct wire_def *def;
    assert_int_equal(wire_recv(fd, &leader_to_monitor, &def, inbox, fds, WAIT_MS), -EPIPE);
    close(fd);
    assert_int_equal(chmod("/run/oriel/leaders", 0700), 0);
    log_off();
    nothing_is_left();
}

static void a_killed_leader_takes_its_session_with_it(void **state)
{
    begin("env -i setsid sh -c 'trap \"\" TERM HUP; sleep 1000; :' &\nexec " XTERM "\n");
    pid_t leader = ((struct leader_hello *)await(&leader_hello_def))->leader_pid;
    kill(leader, SIGKILL);
    nothing_is_left();
}

static void a_detach_drops_the_client_and_says_so(void **state)
{
    struct leader_detach m = {.client = 7, .cause = END_REPLACED};
    const struct wire_def *def = NULL;
    int fds[WIRE_FDS_MAX];
    begin("exec " XTERM "\n");
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    assert_int_equal(wire_send(leader_link, &leader_detach_def, &m, NULL), 0);
    const struct leader_client_gone *gone = await(&leader_client_gone_def);
    assert_int_equal(gone->client, 7);
    assert_int_equal(gone->cause, END_REPLACED);
    int r;
    while ((r = next_display(display, &def, fds, WAIT_MS)) == 0)
        if (fds[0] >= 0)
            close(fds[0]);
    assert_int_equal(r, -EPIPE);
    close(display);
    log_off();
    nothing_is_left();
}

static void displays_that_are_taken_are_left_alone(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/tmp/.X11-unix/X21"};
    char lock[16];
    assert_true(mkdir("/tmp/.X11-unix", 01777) == 0 || errno == EEXIST);
    assert_int_equal(chmod("/tmp/.X11-unix", 01777), 0);
    snprintf(lock, sizeof lock, "%10d\n", (int)getpid());
    put("/tmp/.X20-lock", lock, 0444);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    put("/tmp/.X22-lock", "     99999\n", 0444); /* its server is long dead */
    begin("exec " XTERM "\n");
    assert_int_equal(((struct leader_hello *)await(&leader_hello_def))->display, 22);
    log_off();
    assert_int_equal(access("/tmp/.X20-lock", F_OK), 0);
    assert_int_equal(access("/tmp/.X11-unix/X21", F_OK), 0);
    close(fd);
    unlink("/tmp/.X20-lock");
    unlink(a.sun_path);
    nothing_is_left();
}

/* Not the console's: a mouse that is moved there must never move a session's pointer. */
static void the_x_server_opens_no_device_of_the_host(void **state)
{
    char path[96];
    begin("exec " XTERM "\n");
    (void)await(&leader_hello_def);
    snprintf(path, sizeof path, "/run/user/7001/oriel-%d/Xorg.log", (int)session_id);
    const char *log = got(path);
    assert_non_null(strstr(log, "ServerLayout \"oriel\""));
    assert_non_null(strstr(log, "oriel pointer"));
    assert_null(strstr(log, "default mouse"));
    assert_null(strstr(log, "default keyboard"));
    assert_null(strstr(log, "/dev/input"));
    log_off();
    nothing_is_left();
}

static void socket_folders_that_anybody_could_change_are_made_safe_first(void **state)
{
    static const char *const all[] = {"/tmp/.X11-unix", "/tmp/.ICE-unix", "/tmp/.XIM-unix", "/tmp/.font-unix"};
    struct stat st;
    for (size_t i = 0; i < 4; i++) {
        (void)mkdir(all[i], 0777);
        assert_int_equal(chmod(all[i], 0777) | chown(all[i], 4242, 4242), 0);
    }
    begin("exec " XTERM "\n");
    (void)await(&leader_hello_def);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(lstat(all[i], &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 01777);
        assert_int_equal(st.st_uid, 0);
    }
    log_off();
    nothing_is_left();
}

static void a_link_in_place_of_the_log_is_not_followed(void **state)
{
    char path[128];
    put("/mnt/precious", "precious", 0666);
    snprintf(path, sizeof path, HOME "/.local/state/oriel/%s", log_name(session_id + 1));
    assert_int_equal(symlink("/mnt/precious", path), 0);
    begin("echo hello\nexec " XTERM "\n");
    (void)await(&leader_hello_def);
    log_off();
    nothing_is_left();
    assert_string_equal(got("/mnt/precious"), "precious");
}

static void a_session_without_a_dot_xsession_still_shows_something(void **state)
{
    write_config("", "start_command = exec " XTERM);
    begin(NULL);
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    log_off();
    close(display);
    nothing_is_left();
}

static bool runs(const char *name)
{
    char path[64], want[64];
    snprintf(want, sizeof want, "Name:\t%s\n", name);
    for (int pid = 2; pid < 5000; pid++) {
        snprintf(path, sizeof path, "/proc/%d/status", pid);
        if (!strncmp(got(path), want, strlen(want)))
            return true;
    }
    return false;
}

static void a_bare_machine_shows_a_coloured_screen_with_a_terminal(void **state)
{
    begin(NULL);
    const struct leader_hello *h = await(&leader_hello_def);
    assert_true(h->desktop_pid > 0);
    int display = attach_and_see_at(7, 790, 590, 0x2c3e50);
    int64_t deadline = clock_ms() + WAIT_MS;
    while (!runs("xterm") && clock_ms() < deadline)
        (void)poll(NULL, 0, 20);
    assert_true(runs("xterm"));
    assert_true(runs("openbox"));
    log_off();
    close(display);
    nothing_is_left();
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refused_login_starts_nothing, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_login_without_a_start_leaves_nothing, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_session_shows_its_pixels_and_its_logoff_leaves_nothing, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(the_end_of_the_desktop_is_a_logoff, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_desktop_that_fails_says_why, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_missing_x_server_says_what_to_install, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(an_x_server_that_ends_at_once_is_a_failure, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(an_agent_that_ends_at_once_is_a_failure, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(an_agent_that_floods_its_leader_is_stopped, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_killed_x_server_ends_the_session_with_words, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(every_failing_pam_call_of_the_start_is_told, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_killed_agent_is_replaced_and_the_session_lives, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_new_monitor_finds_the_session_with_its_clients, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(nobody_but_root_is_a_monitor, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_killed_leader_takes_its_session_with_it, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_detach_drops_the_client_and_says_so, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(displays_that_are_taken_are_left_alone, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(socket_folders_that_anybody_could_change_are_made_safe_first, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(the_x_server_opens_no_device_of_the_host, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_link_in_place_of_the_log_is_not_followed, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_bare_machine_shows_a_coloured_screen_with_a_terminal, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(a_session_without_a_dot_xsession_still_shows_something, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return rig_main(all_tests);
}
