/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/launch.h"

#include "common/process.h"
#include "session/startup/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 100 /* a script that is stopped is continued within this */

/* Returns only when it cannot be executed. */
static void become(const struct launch *l, const char *path, const char *const *argv)
{
    merge_limits(l->merge, l->now);
    if (chdir(l->home) == 0 || chdir("/") == 0)
        execve(path, (char *const *)(uintptr_t)argv, l->now->env.v);
    dprintf(STDERR_FILENO, "oriel: %s does not run: %s\n", path, strerror(errno));
}

static int become_desktop(const struct launch *l)
{
    const char *argv[] = {"sh", "-c", l->desktop->script, NULL};
    l->started(l->user);
    become(l, "/bin/sh", argv);
    return 127;
}

/* ---- through the distribution's script ---- */

struct starter {
    pid_t pid;
    int pid_fd, listen_fd;
    bool gone, handed_over;
    int status;
};

static _Noreturn void be_starter(const struct launch *l, const char *name)
{
    char command[PATH_BYTES * 4 + 32];
    const char *argv[] = {l->desktop->starter, command, NULL};
    snprintf(command, sizeof command, "%s %s go", l->note, name);
    (void)prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
    (void)env_set(&l->now->env, NOTE_COMMAND, l->desktop->script);
    become(l, l->desktop->starter, argv);
    _exit(127);
}

static bool start_starter(const struct launch *l, struct starter *s)
{
    char name[8];
    *s = (struct starter){.pid = -1, .pid_fd = -1, .listen_fd = snapshot_listen(name)};
    if (s->listen_fd < 0)
        return false;
    s->pid = fork();
    if (s->pid == 0)
        be_starter(l, name);
    s->pid_fd = s->pid > 0 ? (int)syscall(SYS_pidfd_open, s->pid, 0) : -1;
    return s->pid > 0;
}

/* The script has added what it had to: take it, put the session's own over it, and let the desktop have that. */
static void hand_over(const struct launch *l, struct starter *s)
{
    struct snapshot n;
    int answer;
    if (snapshot_take(s->listen_fd, &n, &answer) < 0)
        return;
    if (answer >= 0) {
        s->handed_over = true;
        env_unset(&n.env, NOTE_COMMAND);
        if (merge_environment(l->merge, &n) < 0)
            env_finish(&n.env); /* an empty answer: it goes on with its own */
        l->started(l->user);
        snapshot_answer(answer, STDERR_FILENO, &n.env);
    }
    snapshot_finish(&n);
}

static void look_at(struct starter *s)
{
    pid_t pid = waitpid(s->pid, &s->status, WNOHANG | WUNTRACED);
    if (pid == s->pid && WIFSTOPPED(s->status))
        (void)process_signal(s->pid, SIGCONT);
    else
        s->gone = pid == s->pid || (pid < 0 && errno == ECHILD);
}

static void await_hand_over(const struct launch *l, struct starter *s)
{
    for (int left = l->starter_ms; left > 0 && !s->gone && !s->handed_over; left -= LOOK_MS) {
        struct pollfd p[2] = {{.fd = s->listen_fd, .events = POLLIN}, {.fd = s->pid_fd, .events = POLLIN}};
        (void)poll(p, 2, LOOK_MS);
        if (p[0].revents)
            hand_over(l, s);
        look_at(s);
    }
}

/* Its environment, with what the scripts have added so far; then it ends, but not what it waits for: that may be a
 * question to the user. */
static void end_hanging(const struct launch *l, const struct starter *s)
{
    struct snapshot n;
    pid_t child;
    if (proc_waiting_snapshot(s->pid, &child, &n) == 0) {
        n.tag = NOTE_LINE;
        env_unset(&n.env, NOTE_COMMAND);
        if (merge_environment(l->merge, &n) == 0) {
            snapshot_finish(l->now);
            *l->now = n;
        } else {
            snapshot_finish(&n);
        }
    }
    (void)process_signal(s->pid, SIGKILL);
    (void)waitpid(s->pid, NULL, 0);
}

/* The script was in the way: say so, and go on without it. */
static int go_without(const struct launch *l, struct starter *s)
{
    char how[64] = "could not be started", text[PATH_BYTES + 256];
    if (s->pid > 0 && !s->gone) {
        snprintf(how, sizeof how, "did not come to its end in time");
        end_hanging(l, s);
    } else if (s->pid > 0 && WIFSIGNALED(s->status)) {
        snprintf(how, sizeof how, "ended by signal %d", WTERMSIG(s->status));
    } else if (s->pid > 0) {
        snprintf(how, sizeof how, "ended (exit status %d)", WEXITSTATUS(s->status));
    }
    snprintf(text, sizeof text,
        "%s %s before it started the desktop; its output is in ~/.xsession-errors. The desktop is started without it.",
        l->desktop->starter, how);
    l->merge->trouble(l->merge->user, text);
    return become_desktop(l);
}

static int end_as(int status)
{
    if (WIFSIGNALED(status)) {
        struct rlimit none = {0, 0}; /* one core file is enough */
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)raise(WTERMSIG(status));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int launch_desktop(const struct launch *l)
{
    struct starter s;
    if (!l->desktop->starter[0])
        return become_desktop(l);
    if (start_starter(l, &s))
        await_hand_over(l, &s);
    if (s.listen_fd >= 0)
        close(s.listen_fd);
    if (s.pid_fd >= 0)
        close(s.pid_fd);
    if (!s.handed_over)
        return go_without(l, &s);
    while (!s.gone && waitpid(s.pid, &s.status, 0) < 0 && errno == EINTR)
        ;
    return end_as(s.status);
}
