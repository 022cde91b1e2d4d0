/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The leader's parent: a small process that does nothing until the leader is killed. Then it inherits what the leader
 * had started (it is a subreaper, too), ends it and removes the session's traces. Without it programs that shed their
 * environment would outlive a killed leader. PAM's closing calls cannot be made then: the handle died with the leader.
 */
#ifndef ORIEL_SESSION_LEADER_WARDEN_H
#define ORIEL_SESSION_LEADER_WARDEN_H

#include "session/leader/userbus.h"

struct warden_note { /* what there is to take away; only between these two processes of one program */
    uint64_t session;
    pid_t leader;
    struct account who;
    char key[2 * TOKEN_BYTES + 1];
    int display;            /* -1 none */
    bool recorded;          /* in utmp */
    struct runtime runtime; /* descriptors in here and in userbus were the leader's */
    struct userbus userbus;
    char socket_path[PATH_BYTES];
};
/* Fork. The caller goes on as the child, the leader; the parent never returns from here and exits with the leader's
 * status. Call it first thing. Returns a descriptor for warden_tell, or negative errno. */
int warden_fork(void);
/* The leader's warden; 0: it was killed, and the leader's parent is a stranger, process 1 mostly. */
pid_t warden_alive(void);
/* Leave the note. Once, when the session's parts are known and before anything is started. */
void warden_tell(int fd, const struct warden_note *n);

#endif
