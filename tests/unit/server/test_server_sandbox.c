/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Needs root: what is tested is what capabilities would allow. */
#include "server/listen/daemon.h"

#include <errno.h>
#include <grp.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST 600100000u
#define SLOTS 200u

static const struct encoder_account *encoder;

/* Run `act` in a child behind the filter. Returns its wait status. */
static int shut_in(int (*act)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (server_sandbox(FIRST, SLOTS, encoder) < 0)
            _exit(99);
        _exit(act() == 0 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void killed(int (*act)(void))
{
    int status = shut_in(act);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static int as(uid_t uid)
{
    return (int)syscall(SYS_setresuid, uid, uid, uid);
}
static int first_peer(void)
{
    return setgroups(0, NULL) || syscall(SYS_setresgid, FIRST, FIRST, FIRST) || as(FIRST);
}
static int last_peer(void)
{
    return as(FIRST + SLOTS - 1);
}
static int root(void)
{
    return as(0);
}
static int below(void)
{
    return as(FIRST - 1);
}
static int above(void)
{
    return as(FIRST + SLOTS);
}
static int unchanged(void)
{
    return as((uid_t)-1);
}
static int only_saved(void)
{
    return (int)syscall(SYS_setresuid, FIRST, FIRST, 0);
}
static int root_group(void)
{
    return (int)syscall(SYS_setresgid, 0, 0, 0);
}
static int old_setuid(void)
{
    return (int)syscall(SYS_setuid, FIRST);
}
static int fs_uid(void)
{
    return (int)syscall(SYS_setfsuid, 0);
}
static int groups(void)
{
    gid_t g = 0;
    return setgroups(1, &g);
}
static int trace(void)
{
    return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}
static int mounting(void)
{
    return mount("none", "/mnt", "tmpfs", 0, NULL);
}
static int spaces(void)
{
    return (int)syscall(SYS_unshare, 0x10000000);
}

static uint64_t flags; /* of clone, beside SIGCHLD */
static int cloning(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return pid < 0 || waitpid(pid, NULL, 0) != pid ? -1 : 0;
}
static int cloning3(void)
{
    struct clone_args a = {.flags = flags, .exit_signal = SIGCHLD};
    return syscall(SYS_clone3, &a, sizeof a) < 0 && errno == ENOSYS ? 0 : -1;
}

static void peers_identities_can_be_taken(void **state)
{
    assert_int_equal(shut_in(first_peer), 0);
    assert_int_equal(shut_in(last_peer), 0);
}

static void any_other_identity_kills(void **state)
{
    killed(root);
    killed(below);
    killed(above);
    killed(unchanged);
    killed(only_saved);
    killed(root_group);
    killed(groups);
    killed(old_setuid);
    killed(fs_uid);
}

static int encoders_uid(void)
{
    return as(encoder->uid);
}
static int encoders_gid(void)
{
    return (int)syscall(SYS_setresgid, encoder->gid, encoder->gid, encoder->gid);
}
static int beside_it(void)
{
    return as(encoder->uid + 1);
}
static int before_it(void)
{
    return as(encoder->uid - 1);
}
static int one(void)
{
    return as(1);
}
static int middle(void)
{
    return as(300000000);
}

static void the_encoders_identity_is_the_only_other(void **state)
{
    static const struct encoder_account below_peers = {.uid = 997, .gid = 106},
                                        above_peers = {.uid = FIRST + 70000, .gid = FIRST + 90000},
                                        among_peers = {.uid = FIRST + 5, .gid = FIRST + 5};
    const struct encoder_account *const all[] = {&below_peers, &above_peers, &among_peers};
    for (size_t i = 0; i < 3; i++) {
        encoder = all[i];
        assert_int_equal(shut_in(encoders_uid), 0);
        assert_int_equal(shut_in(encoders_gid), 0);
        peers_identities_can_be_taken(state);
        any_other_identity_kills(state);
        killed(one);
        killed(middle);
        if (i < 2) {
            killed(beside_it);
            killed(before_it);
        }
    }
    encoder = NULL;
}

static void what_a_server_never_needs_kills(void **state)
{
    killed(trace);
    killed(mounting);
    killed(spaces);
}

static void it_starts_processes_but_no_namespaces(void **state)
{
    static const uint64_t spaces_flags[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
        CLONE_NEWPID, CLONE_NEWNET};
    flags = 0;
    assert_int_equal(shut_in(cloning), 0);
    for (size_t i = 0; i < sizeof spaces_flags / sizeof spaces_flags[0]; i++) {
        flags = spaces_flags[i];
        killed(cloning);
        assert_int_equal(shut_in(cloning3), 0);
        flags |= CLONE_NEWUSER;
        killed(cloning);
    }
}

int main(void)
{
    if (geteuid() != 0)
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_identities_can_be_taken),
        cmocka_unit_test(any_other_identity_kills),
        cmocka_unit_test(the_encoders_identity_is_the_only_other),
        cmocka_unit_test(what_a_server_never_needs_kills),
        cmocka_unit_test(it_starts_processes_but_no_namespaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
