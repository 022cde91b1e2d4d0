/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPAWN_FDS_MAX 16 /* a peer has five */
/* Supplementary groups of a daemon's account; more is a mistake in the account */
#define SPAWN_GROUPS_MAX 256

/* Everything the child needs, made before the fork: between fork and exec nothing may allocate or take a lock. */
struct plan {
    const struct spawn *s;
    const char *const *envp;
    gid_t groups[SPAWN_GROUPS_MAX];
    int ngroups;
    int report; /* write end of the report pipe */
    pid_t parent;
    sigset_t old_mask;
};
/* What comes through the report pipe: the final process' id, then, only when something failed, the error. */
struct report {
    pid_t pid;
    int err;
};

static const char *const plain_env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8", NULL};

static _Noreturn void child_fail(const struct plan *p, int err)
{
    struct report r = {getpid(), err};
    ssize_t n = write(p->report, &r, sizeof r);
    (void)n;
    _exit(127);
}

static void child_signals(void)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &dfl, NULL); /* KILL, STOP and the C library's own refuse; they are default anyway */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int open_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        int null = open("/dev/null", O_RDWR); /* the lowest free number: fd */
        if (null != fd)
            return null < 0 ? -errno : -EBADF;
    }
    return 0;
}

/* Move everything above the targets first, so that no dup2 overwrites a source; then close all the rest. */
static int child_fds(struct plan *p)
{
    const struct spawn *s = p->s;
    int high[SPAWN_FDS_MAX];
    int base = 3 + SPAWN_FDS_MAX, end = 3 + (int)s->nfds;
    int report = fcntl(p->report, F_DUPFD_CLOEXEC, base);
    if (report < 0)
        return -errno;
    p->report = report;
    for (size_t i = 0; i < s->nfds; i++) {
        high[i] = s->fds[i] < 0 ? -1 : fcntl(s->fds[i], F_DUPFD_CLOEXEC, base);
        if (s->fds[i] >= 0 && high[i] < 0)
            return -errno;
    }
    int r = open_standard_streams();
    if (r < 0)
        return r;
    for (size_t i = 0; i < s->nfds; i++) {
        if (high[i] < 0)
            close(3 + (int)i);
        else if (dup2(high[i], 3 + (int)i) < 0)
            return -errno;
    }
    if (syscall(SYS_close_range, end, report - 1, 0) < 0 || syscall(SYS_close_range, report + 1, ~0U, 0) < 0)
        return -errno;
    return 0;
}

static int set_caps(uint64_t caps)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        uint32_t bits = (uint32_t)(caps >> (32 * i));
        data[i] = (struct __user_cap_data_struct){bits, bits, bits};
    }
    if (syscall(SYS_capset, &head, data) < 0)
        return -errno;
    for (int cap = 0; cap < 64; cap++)
        if (caps >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            return -errno;
    return 0;
}

/* Groups before gid before uid: each step needs the privilege that the next one gives up. The raw calls are used
 * because the library's wrappers signal threads that do not exist in this child. */
static int child_identity(const struct plan *p)
{
    const struct spawn *s = p->s;
    if (s->uid != (uid_t)-1 && syscall(SYS_setgroups, (size_t)p->ngroups, p->groups) < 0)
        return -errno;
    if (s->gid != (gid_t)-1 && syscall(SYS_setresgid, s->gid, s->gid, s->gid) < 0)
        return -errno;
    if (s->ambient_caps && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return -errno;
    if (s->uid != (uid_t)-1 && syscall(SYS_setresuid, s->uid, s->uid, s->uid) < 0)
        return -errno;
    if (geteuid() == 0)
        return 0;
    /* From one ordinary uid to another the kernel keeps all capabilities: give up what was not asked for. */
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return -errno;
    return set_caps(s->ambient_caps);
}

static int child_death_signal(const struct plan *p)
{
    if (!p->s->death_signal)
        return 0;
    /* After the change of uid, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, p->s->death_signal, 0, 0, 0) < 0)
        return -errno;
    return getppid() == p->parent ? 0 : -ESRCH;
}

/* Some containers keep the right to raise a hard limit from root: then what is below it. */
static void child_limits(const struct rlimit *limits)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit now, want = limits[i];
        if (setrlimit(i, &want) == 0 || getrlimit(i, &now) < 0)
            continue;
        want.rlim_max = now.rlim_max;
        if (want.rlim_cur > now.rlim_max)
            want.rlim_cur = now.rlim_max;
        (void)setrlimit(i, &want);
    }
}

static _Noreturn void child_run(struct plan *p)
{
    const struct spawn *s = p->s;
    int r = child_fds(p);
    if (s->limits)
        child_limits(s->limits); /* while we may raise them */
    if (r == 0 && s->new_session && setsid() < 0)
        r = -errno;
    if (r == 0 && s->detach) {
        pid_t pid = fork();
        if (pid < 0)
            r = -errno;
        else if (pid > 0)
            _exit(0);
    }
    if (r == 0)
        r = child_identity(p);
    if (r == 0)
        r = child_death_signal(p);
    if (r == 0 && chdir(s->directory ? s->directory : "/") < 0)
        r = -errno;
    if (r < 0)
        child_fail(p, r);
    struct report ok = {getpid(), 0};
    if (write(p->report, &ok, sizeof ok) != sizeof ok)
        _exit(127);
    child_signals();
    execve(s->path, (char *const *)(uintptr_t)s->argv, (char *const *)(uintptr_t)p->envp);
    child_fail(p, -errno);
}

/* Read reports until the pipe closes: the last one counts. */
static pid_t read_reports(int fd)
{
    struct report r, last = {0, -EIO};
    for (;;) {
        ssize_t n = read(fd, &r, sizeof r);
        if (n == sizeof r)
            last = r;
        else if (n >= 0 || errno != EINTR)
            break;
    }
    return last.err < 0 ? last.err : last.pid;
}

static int make_plan(struct plan *p, const struct spawn *s)
{
    bool bad_ids = s->uid != (uid_t)-1 && s->gid == (gid_t)-1;
    if (!s->path || s->path[0] != '/' || !s->argv || s->nfds > SPAWN_FDS_MAX || bad_ids ||
        (s->detach && s->death_signal))
        return -EINVAL;
    *p = (struct plan){.s = s, .envp = s->envp ? s->envp : plain_env, .parent = getpid()};
    if (s->uid != (uid_t)-1 && s->user) {
        p->ngroups = SPAWN_GROUPS_MAX;
        if (getgrouplist(s->user, s->gid, p->groups, &p->ngroups) < 0)
            return -E2BIG;
    }
    return 0;
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

pid_t spawn_program(const struct spawn *s)
{
    struct plan p;
    int pipefd[2];
    int r = make_plan(&p, s);
    if (r < 0)
        return r;
    if (pipe2(pipefd, O_CLOEXEC) < 0)
        return -errno;
    p.report = pipefd[1];
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &p.old_mask); /* the caller's handlers must not run in the child */
    pid_t child = fork();
    if (child == 0)
        child_run(&p);
    r = child < 0 ? -errno : 0;
    pthread_sigmask(SIG_SETMASK, &p.old_mask, NULL);
    close(pipefd[1]);
    pid_t result = r < 0 ? r : read_reports(pipefd[0]);
    close(pipefd[0]);
    if (child > 0 && (s->detach || result < 0))
        reap(child);
    return result;
}

int spawn_sibling(const char *override, const char *name, char *out, size_t cap)
{
    char self[PATH_MAX];
    if (!override || !override[0]) {
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        if (n < 0)
            return -errno;
        self[n] = 0;
        char *slash = strrchr(self, '/');
        if (!slash)
            return -ENOENT;
        *slash = 0;
        override = self;
    }
    int n = snprintf(out, cap, "%s/%s", override, name);
    return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}
