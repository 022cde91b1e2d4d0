/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BIT(c) ((uint64_t)1 << (c))
/* clang-format off */
#define KEEP_IDS .uid = (uid_t)-1, .gid = (gid_t)-1
/* clang-format on */

/* Run `script` by sh with `s`, its descriptor 3 being a pipe; what it wrote there comes back. */
static int run_script(struct spawn *s, const char *script, char *out, size_t cap)
{
    int pipefd[2];
    assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
    const char *argv[] = {"sh", "-c", script, NULL};
    int fds[] = {pipefd[1]};
    s->path = "/bin/sh";
    s->argv = argv;
    s->fds = fds;
    s->nfds = 1;
    pid_t pid = spawn_program(s);
    close(pipefd[1]);
    assert_true(pid > 0);
    size_t len = 0;
    ssize_t n;
    while (len < cap - 1 && (n = read(pipefd[0], out + len, cap - 1 - len)) > 0)
        len += (size_t)n;
    out[len] = 0;
    close(pipefd[0]);
    int status = 0;
    if (!s->detach)
        assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void a_missing_program_is_reported_and_leaves_no_child(void **state)
{
    const char *argv[] = {"nothing", NULL};
    struct spawn s = {.path = "/nonexistent/program", .argv = argv, KEEP_IDS};
    assert_int_equal(spawn_program(&s), -ENOENT);
    s.detach = 1;
    assert_int_equal(spawn_program(&s), -ENOENT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void a_relative_path_or_a_uid_without_gid_is_refused(void **state)
{
    const char *argv[] = {"sh", NULL};
    struct spawn s = {.path = "sh", .argv = argv, KEEP_IDS};
    assert_int_equal(spawn_program(&s), -EINVAL);
    s.path = "/bin/sh";
    s.uid = 1;
    assert_int_equal(spawn_program(&s), -EINVAL);
}

static void only_the_listed_descriptors_reach_the_child(void **state)
{
    char out[512];
    int leak[20];
    for (int i = 0; i < 20; i++)
        leak[i] = open("/dev/null", O_RDONLY);
    struct spawn s = {KEEP_IDS};
    assert_int_equal(run_script(&s, "exec ls /proc/self/fd >&3", out, sizeof out), 0);
    for (int i = 0; i < 20; i++)
        close(leak[i]);
    assert_string_equal(out, "0\n1\n2\n3\n4\n"); /* 4: the folder that ls reads */
}

static void descriptors_land_in_order_even_when_they_overlap_their_targets(void **state)
{
    int a[2], b[2];
    assert_int_equal(pipe2(a, O_CLOEXEC), 0);
    assert_int_equal(pipe2(b, O_CLOEXEC), 0);
    /* The sources are among the targets, crosswise. */
    int fds[] = {b[1], -1, a[1]};
    const char *argv[] = {"sh", "-c", "echo three >&3; echo five >&5; (echo four >&4) 2>/dev/null || echo closed >&5",
        NULL};
    struct spawn s = {.path = "/bin/sh", .argv = argv, .fds = fds, .nfds = 3, KEEP_IDS};
    pid_t pid = spawn_program(&s);
    assert_true(pid > 0);
    waitpid(pid, NULL, 0);
    char out[64] = "";
    assert_int_equal(read(b[0], out, sizeof out), 6);
    assert_memory_equal(out, "three\n", 6);
    close(a[1]);
    size_t len = 0;
    ssize_t n;
    memset(out, 0, sizeof out);
    while ((n = read(a[0], out + len, sizeof out - 1 - len)) > 0)
        len += (size_t)n;
    assert_string_equal(out, "five\nclosed\n");
    close(a[0]), close(b[0]), close(b[1]);
}

static void signal_mask_and_handlers_start_fresh(void **state)
{
    char out[256];
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    signal(SIGPIPE, SIG_IGN);
    struct spawn s = {KEEP_IDS};
    run_script(&s, "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -s '\\n\\t' ' ' >&3", out, sizeof out);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    assert_string_equal(out, "SigBlk: 0000000000000000 SigIgn: 0000000000000000 ");
}

static void another_uid_keeps_no_group_and_no_capability(void **state)
{
    char out[512];
    if (geteuid() != 0)
        skip();
    struct spawn s = {.uid = 12345, .gid = 12346};
    run_script(&s, "id -u >&3; id -G >&3; grep -E '^Cap(Prm|Eff|Amb|Inh)' /proc/self/status | cut -f2 | sort -u >&3",
        out, sizeof out);
    assert_string_equal(out, "12345\n12346\n0000000000000000\n");
}

static void asked_capabilities_survive_the_exec_and_no_others(void **state)
{
    char out[512];
    if (geteuid() != 0)
        skip();
    struct spawn s = {.uid = 12345, .gid = 12346, .ambient_caps = BIT(7) | BIT(18)}; /* SETUID, SYS_CHROOT */
    run_script(&s, "grep -E '^Cap(Prm|Eff|Amb|Inh)' /proc/self/status | cut -f2 | sort -u >&3", out, sizeof out);
    assert_string_equal(out, "0000000000040080\n");
}

static void an_unprivileged_parent_hands_on_no_capability_unasked(void **state)
{
    if (geteuid() != 0)
        skip();
    pid_t helper = fork();
    if (helper == 0) {
        /* As oriel-server is: an ordinary uid with ambient capabilities; it starts this test again as "peer". */
        char self[512];
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        self[n > 0 ? n : 0] = 0;
        const char *argv[] = {self, "as-server", NULL};
        struct spawn s = {.path = self, .argv = argv, .uid = 12345, .gid = 12346, .ambient_caps = BIT(6) | BIT(7)};
        pid_t pid = spawn_program(&s);
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            _exit(9);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 8);
    }
    int status;
    assert_int_equal(waitpid(helper, &status, 0), helper);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int as_server(void)
{
    const char *argv[] = {"sh", "-c",
        "test $(id -u) = 22345 && grep -q '^CapPrm:.0*$' /proc/self/status && "
        "grep -q '^CapAmb:.0*$' /proc/self/status",
        NULL};
    struct spawn s = {.path = "/bin/sh", .argv = argv, .uid = 22345, .gid = 22346};
    int status = 0;
    pid_t pid = spawn_program(&s);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 7;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 6;
}

static void a_detached_program_is_not_our_child(void **state)
{
    char out[64], want[64];
    struct spawn s = {.detach = 1, .new_session = 1, KEEP_IDS};
    run_script(&s, "echo $PPID >&3", out, sizeof out);
    snprintf(want, sizeof want, "%d\n", (int)getpid());
    assert_string_not_equal(out, want);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void the_environment_is_the_given_one_or_a_plain_one(void **state)
{
    char out[1024];
    const char *envp[] = {"COLOUR=blue", NULL};
    struct spawn s = {.envp = envp, KEEP_IDS};
    run_script(&s, "echo $COLOUR$HOME >&3; pwd >&3", out, sizeof out);
    assert_string_equal(out, "blue\n/\n");
    s = (struct spawn){.directory = "/usr", KEEP_IDS};
    run_script(&s, "echo $COLOUR$HOME$LANG >&3; pwd >&3", out, sizeof out);
    assert_string_equal(out, "C.UTF-8\n/usr\n");
}

static void a_child_with_a_death_signal_dies_with_its_parent(void **state)
{
    int alive[2];
    assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
    pid_t parent = fork();
    if (parent == 0) {
        const char *argv[] = {"sleep", "60", NULL};
        int fds[] = {alive[1]};
        struct spawn s = {.path = "/bin/sleep", .argv = argv, .fds = fds, .nfds = 1, .death_signal = SIGKILL, KEEP_IDS};
        _exit(spawn_program(&s) > 0 ? 0 : 1);
    }
    close(alive[1]);
    int status;
    waitpid(parent, &status, 0);
    assert_int_equal(status, 0);
    char c;
    assert_int_equal(read(alive[0], &c, 1), 0); /* comes back when the sleeper, last holder of the pipe, is gone */
    close(alive[0]);
}

static void a_sibling_lies_beside_the_running_program(void **state)
{
    char out[512], tiny[4];
    assert_int_equal(spawn_sibling("/opt/x", "oriel-peer", out, sizeof out), 0);
    assert_string_equal(out, "/opt/x/oriel-peer");
    assert_int_equal(spawn_sibling("", "test_common_spawn", out, sizeof out), 0);
    assert_int_equal(access(out, X_OK), 0);
    assert_int_equal(spawn_sibling("", "oriel-peer", tiny, sizeof tiny), -ENAMETOOLONG);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return as_server();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_program_is_reported_and_leaves_no_child),
        cmocka_unit_test(a_relative_path_or_a_uid_without_gid_is_refused),
        cmocka_unit_test(only_the_listed_descriptors_reach_the_child),
        cmocka_unit_test(descriptors_land_in_order_even_when_they_overlap_their_targets),
        cmocka_unit_test(signal_mask_and_handlers_start_fresh),
        cmocka_unit_test(another_uid_keeps_no_group_and_no_capability),
        cmocka_unit_test(asked_capabilities_survive_the_exec_and_no_others),
        cmocka_unit_test(an_unprivileged_parent_hands_on_no_capability_unasked),
        cmocka_unit_test(a_detached_program_is_not_our_child),
        cmocka_unit_test(the_environment_is_the_given_one_or_a_plain_one),
        cmocka_unit_test(a_child_with_a_death_signal_dies_with_its_parent),
        cmocka_unit_test(a_sibling_lies_beside_the_running_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
