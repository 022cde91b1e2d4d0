/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/sandbox_filter.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of socketpair's second argument; the rest are SOCK_CLOEXEC and SOCK_NONBLOCK */
#define SOCK_TYPE_MASK 0xf
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Whatever stands in none of these lists kills the process: exec, fork, ptrace, kill, set*id, mount, bpf … */
static const int allowed[] = {
    /* memory (mmap and mprotect: see below) */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(munlock),
    SCMP_SYS(msync), SCMP_SYS(membarrier),
    /* descriptors that are there already */
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
    SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
    SCMP_SYS(fstat), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    /* waiting, and what waiting is made of */
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
    SCMP_SYS(eventfd), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(signalfd4), SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(pause), SCMP_SYS(restart_syscall), SCMP_SYS(timer_create),
    SCMP_SYS(timer_settime), SCMP_SYS(timer_gettime), SCMP_SYS(timer_delete),
    /* clocks, chance, who am I */
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(getgroups), SCMP_SYS(getpgrp),
    SCMP_SYS(getsid), SCMP_SYS(uname), SCMP_SYS(getcpu), SCMP_SYS(getcwd), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
    SCMP_SYS(times), SCMP_SYS(sysinfo), SCMP_SYS(getpriority),
    /* threads (clone: see below) */
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_get_priority_min), SCMP_SYS(sched_get_priority_max), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    /* signals to itself (tgkill: see below) */
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack)};

/* Libraries try these in passing and live with a no. */
static const int denied[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(stat),
    SCMP_SYS(lstat), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
    SCMP_SYS(chdir), SCMP_SYS(fchdir), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat),
    SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown),
    SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat), SCMP_SYS(truncate), SCMP_SYS(utimensat), SCMP_SYS(mknod),
    SCMP_SYS(mknodat), SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch), SCMP_SYS(getxattr), SCMP_SYS(lgetxattr),
    SCMP_SYS(fgetxattr), SCMP_SYS(umask), SCMP_SYS(flock), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(fallocate),
    SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(setrlimit), SCMP_SYS(setpriority),
    SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_setparam), SCMP_SYS(sched_setattr), SCMP_SYS(sched_getattr),
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(arch_prctl), SCMP_SYS(mbind),
    SCMP_SYS(get_mempolicy), SCMP_SYS(set_mempolicy)};

/* Looking at files, where Landlock says which. */
static const int reading[] = {SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(fadvise64)};

static const int making_memfds[] = {SCMP_SYS(memfd_create), SCMP_SYS(ftruncate)};
static const int accepting[] = {SCMP_SYS(accept), SCMP_SYS(accept4)};

#ifdef ORIEL_SANITIZED
/* What the run-time libraries of the sanitizers do on top, by name. */
static const int sanitizers[] = {SCMP_SYS(prctl), SCMP_SYS(sched_getattr), SCMP_SYS(process_vm_readv),
    SCMP_SYS(mincore), SCMP_SYS(personality), SCMP_SYS(mlockall), SCMP_SYS(munlockall)};
#endif

static bool listed(const int *list, size_t n, int nr)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == nr)
            return true;
    return false;
}

static int add_list(scmp_filter_ctx f, uint32_t action, const int *list, size_t n)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = seccomp_rule_add(f, action, list[i], 0);
    return r;
}

/* `action` when argument `arg` has exactly `value` in the bits of `mask`. */
static int add_masked(scmp_filter_ctx f, uint32_t action, int nr, unsigned arg, uint64_t mask, uint64_t value)
{
    return seccomp_rule_add(f, action, nr, 1, SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, mask, value));
}

/* One bit of an argument decides: unset → allowed, set → errno (or the other way round). */
static int add_bit(scmp_filter_ctx f, int nr, unsigned arg, uint64_t bit, bool allowed_when_set, int err)
{
    int r = add_masked(f, SCMP_ACT_ALLOW, nr, arg, bit, allowed_when_set ? bit : 0);
    return r ? r : add_masked(f, SCMP_ACT_ERRNO((uint32_t)err), nr, arg, bit, allowed_when_set ? 0 : bit);
}

/* Only the listed values of one 32-bit argument; any other kills. */
static int add_values(scmp_filter_ctx f, int nr, unsigned arg, const uint32_t *values, size_t n)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = add_masked(f, SCMP_ACT_ALLOW, nr, arg, 0xffffffff, values[i]);
    return r;
}

static int add_memory_rules(scmp_filter_ctx f)
{
    int r = add_bit(f, SCMP_SYS(mmap), 2, PROT_EXEC, false, EACCES);
    return r ? r : add_bit(f, SCMP_SYS(mprotect), 2, PROT_EXEC, false, EACCES);
}

static int add_thread_rules(scmp_filter_ctx f)
{
    /* clone3 hides its flags from the filter; the C library falls back to clone. */
    int r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (r == 0)
        r = add_masked(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD);
    if (r == 0)
        r = add_masked(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0, 0xffffffff, (uint32_t)getpid());
    return r;
}

/* A pair that is connected reaches nobody else. Datagrams have a destination each: sendto takes any address. */
static int add_pair(scmp_filter_ctx f, int type)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 2,
        SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, 0xffffffff, AF_UNIX),
        SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, SOCK_TYPE_MASK, (uint64_t)type));
}

static int add_control_rules(scmp_filter_ctx f)
{
    static const uint32_t ioctls[] = {FIONREAD, FIONBIO, TIOCOUTQ, TCGETS};
    static const uint32_t fcntls[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GET_SEALS,
        F_ADD_SEALS};
    int r = add_values(f, SCMP_SYS(ioctl), 1, ioctls, COUNT(ioctls));
    if (r == 0)
        r = add_values(f, SCMP_SYS(fcntl), 1, fcntls, COUNT(fcntls));
    if (r == 0)
        r = add_pair(f, SOCK_STREAM);
    if (r == 0)
        r = add_pair(f, SOCK_SEQPACKET);
    if (r == 0) /* read limits, of this process, and set none */
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_CMP64(0, SCMP_CMP_EQ, 0, 0),
            SCMP_CMP64(2, SCMP_CMP_EQ, 0, 0));
#ifndef ORIEL_SANITIZED
    static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_TIMERSLACK};
    if (r == 0)
        r = add_values(f, SCMP_SYS(prctl), 0, prctls, COUNT(prctls));
#endif
    return r;
}

/* ioctls of graphics and video devices, by the letter of their family: DRM, NVIDIA, V4L2, dma-buf. */
static int add_device_rules(scmp_filter_ctx f)
{
    static const char families[] = "dFVb";
    int r = 0;
    for (size_t i = 0; families[i] && r == 0; i++)
        r = add_masked(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, 0xff00, (uint64_t)(unsigned char)families[i] << 8);
    return r;
}

static int add_file_rules(scmp_filter_ctx f, bool may_read)
{
    int r = 0;
    for (size_t i = 0; i < COUNT(denied) && r == 0; i++) {
        bool excepted = may_read &&
            (listed(reading, COUNT(reading), denied[i]) || denied[i] == SCMP_SYS(open) ||
                denied[i] == SCMP_SYS(openat));
        if (!excepted)
            r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), denied[i], 0);
    }
    if (!may_read) { /* by descriptor only: the C library's fstat */
        if (r == 0)
            r = add_bit(f, SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH, true, EACCES);
        return r ? r : add_bit(f, SCMP_SYS(statx), 2, AT_EMPTY_PATH, true, EACCES);
    }
    if (r == 0)
        r = add_list(f, SCMP_ACT_ALLOW, reading, COUNT(reading));
    if (r == 0)
        r = add_bit(f, SCMP_SYS(open), 1, O_WRONLY, false, EACCES);
    /* O_RDWR is Landlock's to refuse too; here the one bit of O_WRONLY is looked at, and O_CREAT needs neither. */
    return r ? r : add_bit(f, SCMP_SYS(openat), 2, O_WRONLY, false, EACCES);
}

static int fill(scmp_filter_ctx f, enum sandbox_profile profile, bool may_read)
{
    int r = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r == 0)
        r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
    if (r == 0)
        r = add_list(f, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
    if (r == 0)
        r = add_memory_rules(f);
    if (r == 0)
        r = add_thread_rules(f);
    if (r == 0)
        r = add_control_rules(f);
    if (r == 0)
        r = add_file_rules(f, may_read);
    if (r == 0 && profile == SANDBOX_ENCODER)
        r = add_device_rules(f);
    if (r == 0 && (profile == SANDBOX_LOGON || profile == SANDBOX_ENCODER))
        r = add_list(f, SCMP_ACT_ALLOW, making_memfds, COUNT(making_memfds));
    else if (r == 0)
        r = add_list(f, SCMP_ACT_ERRNO(EACCES), making_memfds, COUNT(making_memfds));
    if (r == 0 && profile == SANDBOX_KEYS)
        r = add_list(f, SCMP_ACT_ALLOW, accepting, COUNT(accepting));
#ifdef ORIEL_SANITIZED
    for (size_t i = 0; i < COUNT(sanitizers) && r == 0; i++)
        if (!listed(denied, COUNT(denied), sanitizers[i]))
            r = seccomp_rule_add(f, SCMP_ACT_ALLOW, sanitizers[i], 0);
#endif
    return r;
}

/* In the thread that made the call. Nothing here is what a handler may do in service; the process ends anyway. */
static void on_forbidden(int sig, siginfo_t *info, void *context)
{
    char *name = seccomp_syscall_resolve_num_arch(info->si_arch, info->si_syscall);
    log_error("system call forbidden", "name=%s number=%d", name ? name : "?", info->si_syscall);
    _exit(SANDBOX_EXIT_FORBIDDEN);
}

static int catch_forbidden(void)
{
    struct sigaction a = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO};
    return sigaction(SIGSYS, &a, NULL) < 0 ? -errno : 0;
}

int sandbox_filter_load(enum sandbox_profile profile, bool may_read, bool explain)
{
    /* A driver that tries what it may not do lives with a no; everybody else dies of it. */
    uint32_t otherwise = profile == SANDBOX_ENCODER ? SCMP_ACT_ERRNO(EPERM)
        : explain                                   ? SCMP_ACT_TRAP
                                                    : SCMP_ACT_KILL_PROCESS;
    scmp_filter_ctx f = seccomp_init(otherwise);
    if (!f)
        return -ENOMEM;
    int r = explain ? catch_forbidden() : 0;
    r = r < 0 ? r : fill(f, profile, may_read);
    if (r == 0)
        r = seccomp_load(f);
    seccomp_release(f);
    return r;
}
