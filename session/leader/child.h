/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doing things as the session's user: programs, and file work of the leader itself. */
#ifndef ORIEL_SESSION_LEADER_CHILD_H
#define ORIEL_SESSION_LEADER_CHILD_H

#include "session/leader/auth.h"

#include <stdbool.h>

#define CHILD_FDS_MAX 4

struct child {
    const char *path;        /* absolute */
    const char *const *argv; /* NULL-terminated */
    char *const *envp;
    const char *directory; /* "/" when it cannot be entered */
    const struct account *who;
    const int *fds; /* fds[i] becomes descriptor 3 + i */
    size_t nfds;
    int out; /* standard output and error; -1: /dev/null */
    /* Descriptors that it may have at least, whatever PAM says of the user's; 0: what PAM says */
    unsigned files;
    int death_signal; /* what it gets when the leader dies; 0: none */
};
/* Start in a session and process group of its own, standard input /dev/null, signals and umask as at login, the
 * account's groups, no leader's core or OOM setting. Returns the pid, or negative errno, also when the exec failed;
 * -ETIMEDOUT: `directory` hangs. */
pid_t child_start(const struct child *c);

/* Start it and wait until it ends, for at most `timeout_ms`; then it is killed. 0: it ended well; -ETIMEDOUT, or
 * another -errno. */
int child_run(const struct child *c, int timeout_ms);

/* For good: all user and group ids, and the groups. 0 or negative errno. In a child of the leader's. */
int child_become(const struct account *who);
/* Reap a child that has ended, or (`by_force`, or it takes longer than a moment) is killed first. Never hangs: one that
 * does not die, because the kernel keeps it, is left for whoever waits for all children. Its exit code, or negative
 * errno. */
int child_end(pid_t pid, bool by_force);

/* Between enter and leave the (single-threaded) leader opens and makes files with the user's rights and no others. For
 * /run and /tmp: a home may hang, and may be closed to a process that is only half the user's (session/leader/aside.h).
 * 0 or negative errno; a failing leave aborts, for nothing is safe then. */
int child_enter_user(const struct account *who);
void child_leave_user(void);

/* Remove a folder tree as the user, in a process of its own, for at most `timeout_ms`. Stays on one file system,
 * follows no links. 0 or negative errno. */
int child_remove_tree(const struct account *who, const char *path, int timeout_ms);

/* Remember umask and limits as the PAM session left them, before the leader sets its own. Call once, then
 * leader_protect. */
void child_remember_limits(void);
/* The leader itself: no core file, not to be traced by the user it works for, late victim of the OOM killer. */
void leader_protect(void);
/* Nobody but root may look into this process. */
void leader_hide(void);

#endif
