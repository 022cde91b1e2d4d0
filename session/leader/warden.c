/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/warden.h"

#include "common/clock.h"
#include "common/log.h"
#include "session/leader/record.h"
#include "session/leader/sweep.h"
#include "session/leader/xorg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The X server removes its socket on SIGTERM; programs have lost their display and go */
#define GRACE_MS 500
#define KILL_MS 3000
#define STEP_MS 20

static pid_t warden; /* in the leader */

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* Signal everything until nothing is left or the time is over. */
static int sweep_for(const struct sweep *s, int first, int then, int ms)
{
    int64_t deadline = clock_ms() + ms;
    int left = sweep_signal(s, first);
    while (left > 0 && clock_ms() < deadline) {
        (void)poll(NULL, 0, STEP_MS);
        reap();
        left = sweep_signal(s, then);
    }
    return left;
}

static void clean_up_after(struct warden_note *n)
{
    struct sweep s = {.leader = getpid(), .uid = n->who.uid, .key = n->key};
    char name[32];
    snprintf(name, sizeof name, "%llu", (unsigned long long)n->session);
    log_set_session(name);
    log_error("leader was killed", "user=%s display=:%d: ending what it left", n->who.user, n->display);
    (void)sweep_for(&s, SIGTERM, 0, GRACE_MS);
    int left = sweep_for(&s, SIGKILL, SIGKILL, KILL_MS);
    if (left > 0)
        log_error("processes left", "count=%d: they do not end", left);
    if (n->recorded)
        record_logout((unsigned)n->display, n->leader);
    n->runtime.log_fd = n->runtime.hold = n->runtime.user.lock = n->userbus.lock = -1; /* they were the leader's */
    userbus_end(&n->userbus, &n->runtime, &n->who, (unsigned)n->display);
    runtime_destroy(&n->runtime, &n->who);
    if (n->display >= 0)
        xorg_release_display(&xorg_system_places, (unsigned)n->display, n->leader);
    if (n->socket_path[0])
        (void)unlink(n->socket_path);
}

static _Noreturn void watch(pid_t leader, int note_fd)
{
    static struct warden_note note;
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}; /* the leader decides when it is over */
    int status = 0;
    pid_t pid;
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
    (void)setsid();
    (void)prctl(PR_SET_NAME, "oriel-warden", 0, 0, 0);
    (void)syscall(SYS_close_range, 3, (unsigned)note_fd - 1, 0);
    (void)syscall(SYS_close_range, (unsigned)note_fd + 1, ~0U, 0);
    do
        pid = waitpid(-1, &status, 0);
    while (pid != leader && (pid > 0 || errno == EINTR));
    if (pid == leader && WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    if (read(note_fd, &note, sizeof note) == (ssize_t)sizeof note)
        clean_up_after(&note);
    _exit(EXIT_FAILURE);
}

int warden_fork(void)
{
    pid_t parent = getpid();
    int p[2];
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return -errno;
    if (pipe2(p, O_CLOEXEC) < 0)
        return -errno;
    int high = fcntl(p[0], F_DUPFD_CLOEXEC, 10); /* not beside the monitor's link, which is closed */
    pid_t pid = high < 0 ? -1 : fork();
    if (pid < 0)
        return -errno;
    if (pid > 0)
        watch(pid, high);
    warden = parent;
    close(high);
    close(p[0]);
    return p[1];
}

pid_t warden_alive(void)
{
    return warden && getppid() == warden ? warden : 0;
}

void warden_tell(int fd, const struct warden_note *n)
{
    if (write(fd, n, sizeof *n) != (ssize_t)sizeof *n)
        log_warning("warden not told", "%s; a killed leader would leave things behind", strerror(errno));
}
