/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/child.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "session/leader/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OOM_LEADER "-900" /* as the daemons: a session must not take its keeper with it */
/* From fork to exec: nothing in between takes time but entering the directory */
#define EXEC_MS 5000
/* What has ended, or was killed, is gone in a moment, or hangs in the kernel */
#define END_MS 200

static struct rlimit core_limit = {RLIM_INFINITY, RLIM_INFINITY};

static void write_oom(const char *value)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = write(fd, value, strlen(value)); /* refused without CAP_SYS_RESOURCE: then it stays as it was */
    (void)n;
    close(fd);
}

void child_remember_limits(void)
{
    (void)getrlimit(RLIMIT_CORE, &core_limit);
}

void leader_hide(void)
{
#ifndef ORIEL_SANITIZED /* a leak checker has to look inside */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void leader_protect(void)
{
    struct rlimit none = {0, core_limit.rlim_max};
    (void)setrlimit(RLIMIT_CORE, &none);
    leader_hide();
    write_oom(OOM_LEADER);
}

static void plain_signals(void)
{
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &dfl, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Before the change of user: the limit that PAM left may be lower, and only root raises it; in some containers not even
 * root. */
static void raise_files(rlim_t files)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= files)
        return;
    struct rlimit more = {files, l.rlim_max > files ? l.rlim_max : files}, most = {l.rlim_max, l.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &more) < 0)
        (void)setrlimit(RLIMIT_NOFILE, &most);
}

int child_become(const struct account *who)
{
    if (setgroups((size_t)who->ngroups, who->groups) < 0 || setresgid(who->gid, who->gid, who->gid) < 0 ||
        setresuid(who->uid, who->uid, who->uid) < 0)
        return -errno;
    leader_hide(); /* changing the user made the kernel reset it */
    return who->uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

/* Returns only with an error. */
static int place_fds(const struct child *c, int report)
{
    int high[CHILD_FDS_MAX], base = 3 + CHILD_FDS_MAX;
    for (size_t i = 0; i < c->nfds; i++)
        if ((high[i] = fcntl(c->fds[i], F_DUPFD, base)) < 0)
            return -errno;
    int out = c->out >= 0 ? fcntl(c->out, F_DUPFD, base) : open("/dev/null", O_WRONLY);
    int in = open("/dev/null", O_RDONLY);
    int rep = fcntl(report, F_DUPFD_CLOEXEC, base);
    if (out < 0 || in < 0 || rep < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        return -errno;
    for (size_t i = 0; i < c->nfds; i++)
        if (dup2(high[i], 3 + (int)i) < 0)
            return -errno;
    (void)syscall(SYS_close_range, 3 + (unsigned)c->nfds, (unsigned)rep - 1, 0);
    (void)syscall(SYS_close_range, (unsigned)rep + 1, ~0U, 0);
    return rep;
}

static _Noreturn void run_child(const struct child *c, int report, pid_t parent)
{
    int rep = place_fds(c, report);
    int err = rep < 0 ? rep : 0;
    rep = rep < 0 ? report : rep;
    plain_signals();
    write_oom(plain_oom_score());
    (void)setrlimit(RLIMIT_CORE, &core_limit);
    if (c->files)
        raise_files(c->files);
    (void)setsid();
    if (!err)
        err = child_become(c->who);
    if (!err && c->death_signal) {
        /* After the change of user, which clears it. */
        (void)prctl(PR_SET_PDEATHSIG, c->death_signal, 0, 0, 0);
        if (getppid() != parent)
            _exit(1);
    }
    if (!err && (!c->directory || chdir(c->directory) < 0) && chdir("/") < 0)
        err = -errno;
    if (!err) {
        execve(c->path, (char *const *)(uintptr_t)c->argv, c->envp);
        err = -errno;
    }
    ssize_t n = write(rep, &err, sizeof err);
    (void)n;
    _exit(127);
}

int child_end(pid_t pid, bool by_force)
{
    int64_t deadline = clock_ms() + END_MS;
    int status;
    pid_t r;
    if (by_force)
        (void)process_signal(pid, SIGKILL);
    while ((r = waitpid(pid, &status, WNOHANG)) == 0 && clock_ms() < deadline)
        (void)poll(NULL, 0, 1);
    if (r == 0) {
        if (!by_force)
            return child_end(pid, true);
        log_warning("process left", "pid=%d does not end: it hangs in the kernel", (int)pid);
        return -ETIMEDOUT;
    }
    return r == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

/* What the child says of its exec: 0 (nothing, for the exec closed the pipe), its error, or -ETIMEDOUT. */
static int hear_exec(int report)
{
    int64_t deadline = clock_ms() + EXEC_MS;
    int said = 0, n;
    do {
        struct pollfd p = {.fd = report, .events = POLLIN};
        int64_t left = deadline - clock_ms();
        n = poll(&p, 1, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        return -ETIMEDOUT;
    return read(report, &said, sizeof said) == (ssize_t)sizeof said ? said : 0;
}

pid_t child_start(const struct child *c)
{
    int report[2], err = 0;
    if (c->nfds > CHILD_FDS_MAX)
        return -EINVAL;
    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        run_child(c, report[1], parent);
    err = pid < 0 ? -errno : 0;
    close(report[1]);
    if (pid > 0) {
        err = hear_exec(report[0]);
        if (err)
            (void)child_end(pid, err == -ETIMEDOUT);
    }
    close(report[0]);
    return err ? err : pid;
}

int child_enter_user(const struct account *who)
{
    if (setegid(who->gid) < 0)
        return -errno;
    if (seteuid(who->uid) < 0) {
        int e = -errno;
        if (setegid(0) < 0)
            abort();
        return e;
    }
    return 0;
}

void child_leave_user(void)
{
    if (seteuid(0) < 0 || setegid(0) < 0)
        abort();
    leader_hide(); /* changing the user made the kernel reset it */
}

static int remove_tree(const char *path)
{
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    int err = 0;
    FTS *f = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (!f)
        return errno;
    for (FTSENT *e; (e = fts_read(f)) != NULL;) {
        if (e->fts_info == FTS_D)
            (void)chmod(e->fts_accpath, 0700); /* a folder without write permission keeps its content */
        else if ((e->fts_info == FTS_DP || e->fts_info == FTS_DNR ? rmdir(e->fts_accpath) : unlink(e->fts_accpath)) <
                0 &&
            errno != ENOENT)
            err = errno;
    }
    fts_close(f);
    return err;
}

/* The exit code, an errno, as a negative one. */
static int wait_bounded(pid_t pid, int timeout_ms)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t deadline = clock_ms() + timeout_ms;
    int64_t left = timeout_ms;
    int n = 0;
    while (fd >= 0 && left > 0 && (n = poll(&p, 1, (int)left)) < 0 && errno == EINTR)
        left = deadline - clock_ms();
    if (fd >= 0)
        close(fd);
    int r = child_end(pid, n <= 0);
    return n <= 0 ? -ETIMEDOUT : r > 0 ? -r : r;
}

int child_run(const struct child *c, int timeout_ms)
{
    pid_t pid = child_start(c);
    return pid < 0 ? (int)pid : wait_bounded(pid, timeout_ms);
}

int child_remove_tree(const struct account *who, const char *path, int timeout_ms)
{
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        plain_signals();
        if (child_become(who) < 0)
            _exit(EPERM);
        _exit(remove_tree(path));
    }
    return wait_bounded(pid, timeout_ms);
}
