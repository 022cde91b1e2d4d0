/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a machine may do to oriel-peer: named in /etc/ld.so.preload, this does to it (and to nobody else) what
 * /etc/oriel-test-preload says.
 *
 *   thread     a thread that is there before main
 *   call       a system call that its filter forbids, with the first byte that it reads
 *   killed     a filter around it that kills it for using Landlock
 *   bare       a filter around it that refuses chroot, and knows no Landlock
 *   old        a filter around it that knows no Landlock
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static char mode[16];

static void *sleep_on(void *arg)
{
    for (;;)
        pause();
    return arg;
}

/* `call` is answered with `action`, everything else goes on. */
static void filter(unsigned call, unsigned action)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    if (strcmp(mode, "call") == 0)
        (void)syscall(SYS_sync);
    return recvfrom(fd, data, len, flags, NULL, NULL);
}

static void __attribute__((constructor)) begin(void)
{
    static pthread_t thread;
    int fd = strcmp(program_invocation_short_name, "oriel-peer") == 0
        ? open("/etc/oriel-test-preload", O_RDONLY | O_CLOEXEC)
        : -1;
    ssize_t n = fd < 0 ? 0 : read(fd, mode, sizeof mode - 1);
    if (fd >= 0)
        close(fd);
    mode[n > 0 ? n : 0] = 0;
    if (strcmp(mode, "thread") == 0)
        (void)pthread_create(&thread, NULL, sleep_on, NULL);
    if (strcmp(mode, "killed") == 0)
        filter(SYS_landlock_create_ruleset, SECCOMP_RET_KILL_PROCESS);
    if (strcmp(mode, "bare") == 0)
        filter(SYS_chroot, SECCOMP_RET_ERRNO | EPERM);
    if (strcmp(mode, "bare") == 0 || strcmp(mode, "old") == 0)
        filter(SYS_landlock_create_ruleset, SECCOMP_RET_ERRNO | ENOSYS);
}
