/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a user's systemd (user@UID.service) runs: units, and programs that a session handed to it (systemd-run --user,
 * containers). That is the user's, not a session's, though the session's variables may have found their way into it. */
#ifndef ORIEL_SESSION_USER_MANAGER_H
#define ORIEL_SESSION_USER_MANAGER_H

#include <stdbool.h>
#include <sys/types.h>

/* Does it run the process whose folder below /proc is `proc_fd`? By its control group, which only the managers can
 * change. False when that cannot be read, and where systemd does not run. */
bool user_manager_runs(int proc_fd, uid_t uid);
/* The same from the text of /proc/PID/cgroup. */
bool user_manager_in_group(const char *cgroup, uid_t uid);

#endif
