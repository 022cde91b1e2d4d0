/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control group of a session. pam_systemd moves the process that opens the session, which is the leader, into a
 * scope; its warden was there before and would stay behind among the monitor's processes. */
#ifndef ORIEL_SESSION_LEADER_SCOPE_H
#define ORIEL_SESSION_LEADER_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Move process `pid` into the control group of the caller, where systemd's hierarchy has them in different ones.
 * Without systemd, or where nobody moved the caller, this does nothing. Returns the number of hierarchies it was moved
 * in, or negative errno. */
int scope_bring(pid_t pid);
/* The file that takes processes for a line of /proc/PID/cgroup ("0::/a" or "1:name=systemd:/a"), `where` being the
 * hierarchies' root. False for hierarchies that are not systemd's own, and for a group outside this namespace. */
bool scope_file(const char *where, const char *line, char *out, size_t cap);

#endif
