/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding and ending everything that belongs to a session: all descendants of its leader (a child subreaper, so that no
 * daemon gets away), and every process whose environment carries the session's key, wherever it hangs. What the user's
 * systemd runs is not the session's but the user's, though the session may have asked for it ("systemd-run --user", a
 * container): it ends when the user's manager does, or stays, where the user lingers. */
#ifndef ORIEL_SESSION_LEADER_SWEEP_H
#define ORIEL_SESSION_LEADER_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SWEEP_SPARE_MAX 4 /* X server, agent, D-Bus: they end after the rest */

struct sweep {
    pid_t leader;                 /* root of the tree; its own process is never touched. 0: by key only */
    uid_t uid;                    /* the key counts only in this user's processes */
    const char *key;              /* ORIEL_SESSION_KEY; "" : by tree only */
    pid_t spare[SWEEP_SPARE_MAX]; /* left alone with 0 in unused places */
};
/* Send `sig` (0: only count) to every living process of the session. Returns how many there were, or negative errno
 * when /proc cannot be read. A process that was killed and hangs in the kernel, as on a file server that does not
 * answer, does not count. */
int sweep_signal(const struct sweep *s, int sig);
/* Is the process one of a session of Oriel's, whichever that is? False for what has ended. */
bool sweep_has_any_key(pid_t pid);

#endif
