/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work that may hang, such as anything in a user's home, in a process of its own that has wholly become the user: a
 * server of the home (FUSE, NFS with Kerberos) that lets nobody but its owner in looks at all of a process's user ids.
 * The leader waits for so long and no longer; a process that hangs in the kernel and does not even die of SIGKILL is
 * left to it. */
#ifndef ORIEL_SESSION_LEADER_ASIDE_H
#define ORIEL_SESSION_LEADER_ASIDE_H

#include "session/leader/auth.h"

#define ASIDE_BYTES_MAX 65536 /* of `what`: one message of a socket with its usual buffer */
#define ASIDE_KEEP_MAX 2

struct aside;
struct aside_job {
    const struct account *who;                /* NULL: stay who we are */
    int (*work)(struct aside *a, void *what); /* runs in the child, on its copy of `what`. 0 or negative errno */
    void *what; /* plain bytes; comes back as the child left it with its last report or its end */
    size_t bytes;
    int *fd;                  /* where a reported descriptor goes, -1 without one; or NULL */
    int keep[ASIDE_KEEP_MAX]; /* descriptors that the child needs besides; 0: none */
    int stall_ms;             /* without a report for so long, it hangs */
    int total_ms;             /* and no more than this in all */
};
/* Do it and wait. What `work` returned; -ETIMEDOUT: it hangs; -ETIME: it still worked when the time was over; another
 * negative errno: it could not be started, or it died. A process that was given up is killed, and reaped by whoever
 * waits for all children. */
int aside_run(const struct aside_job *j);
/* In the child: this far. Sends `what` as it stands, and *fd (which stays open here) unless it is -1. */
void aside_report(struct aside *a, int fd);

/* Start `work` and do not wait. Returns a descriptor that reads as ended when the process has ended, or negative errno.
 */
int aside_start(const struct aside_job *j);

#endif
