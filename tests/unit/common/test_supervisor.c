/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real supervisor over daemons that are shell scripts: each writes what it sees into a file of its name. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 8000

static char top[] = "/tmp/oriel-super-XXXXXX";
static pid_t oriel;

static void path_in_top(char *out, const char *name)
{
    snprintf(out, 256, "%s/%s", top, name);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[256];
    path_in_top(path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void read_file(const char *name, char *out, size_t cap)
{
    char path[256];
    path_in_top(path, name);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, out, cap - 1);
    out[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
}

static void write_daemon(const char *name, const char *body)
{
    char script[2048], path[128];
    snprintf(script, sizeof script,
        "#!/bin/sh\nlog=%s/log/%s\necho start $$ $(id -u) $(grep CapAmb /proc/$$/status | cut -f2) $* >>$log\n"
        "trap 'echo hup >>$log' HUP\ntrap 'echo term >>$log; echo %s >>%s/log/order; exit 0' TERM\n%s\n"
        "while :; do sleep 0.05; done\n",
        top, name, name, top, body);
    snprintf(path, sizeof path, "libexec/%s", name);
    write_file(path, script, 0755);
}

static int set_up(void **state)
{
    char path[256], text[1024];
    snprintf(top, sizeof top, "/tmp/oriel-super-XXXXXX");
    if (!mkdtemp(top) || chmod(top, 0755) < 0)
        return -1;
    path_in_top(path, "libexec");
    mkdir(path, 0755);
    path_in_top(path, "log");
    mkdir(path, 0777);
    chmod(path, 0777);
    write_file("log/order", "", 0666);
    write_daemon("oriel-keys", "");
    write_daemon("oriel-monitor", "");
    write_daemon("oriel-server", "");
    snprintf(text, sizeof text,
        "[paths]\nrun_dir = %s/run\nstate_dir = %s/state\nlibexec_dir = %s/libexec\n"
        "user_server = daemon\nuser_keys = nobody\n[login]\npam_dir = %s\n",
        top, top, top, top);
    write_file("oriel.conf", text, 0644);
    write_file("oriel", "auth required a.so\naccount required a.so\npassword required a.so\nsession required a.so\n",
        0644);
    oriel = 0;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    if (oriel > 0) {
        kill(oriel, SIGKILL);
        waitpid(oriel, NULL, 0);
    }
    poll(NULL, 0, 100); /* the daemons die with it, and may be writing */
    return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void run_oriel(const char *option)
{
    char conf[256], out[256];
    path_in_top(conf, "oriel.conf");
    path_in_top(out, "out");
    oriel = fork();
    if (oriel == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int fd = open(out, O_CREAT | O_TRUNC | O_WRONLY, 0644);
        dup2(fd, 1), dup2(fd, 2);
        execl(getenv("ORIEL"), "oriel", "--config", conf, option, NULL);
        _exit(99);
    }
}

static int wait_exit(void)
{
    int status;
    for (int i = 0; i < WAIT_MS / 20; i++, poll(NULL, 0, 20))
        if (waitpid(oriel, &status, WNOHANG) == oriel) {
            oriel = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
    fail_msg("oriel does not end");
    return -1;
}

static void count_lines(const char *log, const char *starts, int *n, char *last, size_t cap)
{
    char text[4096], *save = NULL;
    read_file(log, text, sizeof text);
    *n = 0;
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        if (strncmp(l, starts, strlen(starts)) == 0) {
            ++*n;
            snprintf(last, cap, "%s", l);
        }
}

static pid_t wait_lines(const char *log, const char *starts, int want, char *last, size_t cap)
{
    int n = 0;
    for (int i = 0; i < WAIT_MS / 10; i++, poll(NULL, 0, 10)) {
        count_lines(log, starts, &n, last, cap);
        if (n >= want)
            return (pid_t)(strncmp(last, "start ", 6) == 0 ? strtol(last + 6, NULL, 10) : 0);
    }
    fail_msg("%s: %d lines of \"%s\", wanted %d", log, n, starts, want);
    return 0;
}

static void daemons_run_as_their_accounts_and_end_in_order(void **state)
{
    char line[512], want[512];
    if (geteuid() != 0)
        skip();
    run_oriel(NULL);
    pid_t pid = wait_lines("log/oriel-keys", "start", 1, line, sizeof line);
    snprintf(want, sizeof want, "start %d 65534 0000000000000000 --config %s/oriel.conf", (int)pid, top);
    assert_string_equal(line, want);
    pid = wait_lines("log/oriel-monitor", "start", 1, line, sizeof line);
    snprintf(want, sizeof want, "start %d 0 0000000000000000 --config %s/oriel.conf", (int)pid, top);
    assert_string_equal(line, want);
    pid = wait_lines("log/oriel-server", "start", 1, line, sizeof line);
    snprintf(want, sizeof want, "start %d 1 00000000000404e0 --config %s/oriel.conf", (int)pid, top);
    assert_string_equal(line, want);
    kill(oriel, SIGHUP);
    wait_lines("log/oriel-keys", "hup", 1, line, sizeof line);
    wait_lines("log/oriel-monitor", "hup", 1, line, sizeof line);
    wait_lines("log/oriel-server", "hup", 1, line, sizeof line);
    kill(oriel, SIGTERM);
    assert_int_equal(wait_exit(), 0);
    read_file("log/order", line, sizeof line);
    assert_string_equal(line, "oriel-server\noriel-monitor\noriel-keys\n");
}

static void a_killed_daemon_comes_back(void **state)
{
    char line[512];
    if (geteuid() != 0)
        skip();
    run_oriel(NULL);
    pid_t first = wait_lines("log/oriel-monitor", "start", 1, line, sizeof line);
    kill(first, SIGKILL);
    pid_t second = wait_lines("log/oriel-monitor", "start", 2, line, sizeof line);
    assert_int_not_equal(first, second);
    kill(second, SIGKILL);
    wait_lines("log/oriel-monitor", "start", 3, line, sizeof line);
    int n;
    count_lines("log/oriel-keys", "start", &n, line, sizeof line);
    assert_int_equal(n, 1);
}

static void a_broken_configuration_is_not_passed_on(void **state)
{
    char line[1024];
    int n;
    if (geteuid() != 0)
        skip();
    run_oriel(NULL);
    wait_lines("log/oriel-server", "start", 1, line, sizeof line);
    write_file("oriel.conf", "[server]\nport = x\n", 0644);
    kill(oriel, SIGHUP);
    for (int i = 0; i < WAIT_MS / 10 && !strstr(line, "configuration kept"); i++, poll(NULL, 0, 10))
        read_file("out", line, sizeof line);
    assert_non_null(strstr(line, "oriel.conf:2: server.port cannot be \"x\""));
    count_lines("log/oriel-server", "hup", &n, line, sizeof line);
    assert_int_equal(n, 0);
}

static void a_daemon_that_ends_at_once_ends_the_service(void **state)
{
    char line[2048], path[256];
    if (geteuid() != 0)
        skip();
    write_daemon("oriel-server", "exit 1");
    run_oriel(NULL);
    assert_int_equal(wait_exit(), 1);
    read_file("out", line, sizeof line);
    assert_non_null(strstr(line, "giving up name=oriel-server"));
    path_in_top(path, "libexec/oriel-monitor");
    unlink(path);
    run_oriel(NULL);
    assert_int_equal(wait_exit(), 1);
    read_file("out", line, sizeof line);
    assert_non_null(strstr(line, "daemon not started name=oriel-monitor"));
}

static void daemons_die_with_a_killed_supervisor(void **state)
{
    char line[512];
    if (geteuid() != 0)
        skip();
    run_oriel(NULL);
    pid_t pid = wait_lines("log/oriel-server", "start", 1, line, sizeof line);
    kill(oriel, SIGKILL);
    waitpid(oriel, NULL, 0);
    oriel = 0;
    int i;
    for (i = 0; i < WAIT_MS / 10 && kill(pid, 0) == 0; i++)
        poll(NULL, 0, 10);
    assert_true(i < WAIT_MS / 10);
}

static void checking_is_silent_unless_something_is_wrong(void **state)
{
    char line[65536], want[512];
    run_oriel("--check-config");
    assert_int_equal(wait_exit(), 0);
    read_file("out", line, sizeof line);
    assert_string_equal(line, "");
    run_oriel("--dump-config");
    assert_int_equal(wait_exit(), 0);
    read_file("out", line, sizeof line);
    assert_non_null(strstr(line, "\nuser_server = daemon\n"));
    write_file("oriel", "auth required a.so\naccount required a.so\nsession required a.so\n", 0644);
    run_oriel("--check-config");
    assert_int_equal(wait_exit(), 2);
    read_file("out", line, sizeof line);
    snprintf(want, sizeof want,
        "login.pam_service: %s/oriel has no line of the type password: the service other would decide\n", top);
    assert_string_equal(line, want);
    write_file("oriel.conf", "[server]\n\nmax_clients = 0\n", 0644);
    run_oriel("--check-config");
    assert_int_equal(wait_exit(), 2);
    read_file("out", line, sizeof line);
    snprintf(want, sizeof want,
        "%s/oriel.conf:3: server.max_clients cannot be \"0\"; it takes a number from 1 to 4096\n", top);
    assert_string_equal(line, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(daemons_run_as_their_accounts_and_end_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_daemon_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_configuration_is_not_passed_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_daemon_that_ends_at_once_ends_the_service, set_up, tear_down),
        cmocka_unit_test_setup_teardown(daemons_die_with_a_killed_supervisor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checking_is_silent_unless_something_is_wrong, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
