/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding and ending everything that belongs to a session: all descendants of its leader (a child subreaper, so that no daemon gets
 * away), and every process whose environment carries the session's key, wherever it hangs (a user's systemd, for instance). */
#ifndef ORIEL_SESSION_LEADER_SWEEP_H
#define ORIEL_SESSION_LEADER_SWEEP_H

#include <stddef.h>
#include <sys/types.h>

#define SWEEP_SPARE_MAX 4 /* X server, agent, D-Bus: they end after the rest */

struct sweep {
    pid_t leader;             /* root of the tree; its own process is never touched. 0: by key only */
    uid_t uid;                /* the key counts only in this user's processes */
    const char *key;          /* ORIEL_SESSION_KEY; "" : by tree only */
    pid_t spare[SWEEP_SPARE_MAX]; /* left alone with 0 in unused places */
};
/* Send `sig` (0: only count) to every living process of the session. Returns how many there were, or negative errno when /proc
 * cannot be read. */
int sweep_signal(const struct sweep *s, int sig);

#endif
