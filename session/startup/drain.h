/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What start-up files print: its beginning goes to the session's log, the rest nowhere. */
#ifndef ORIEL_SESSION_STARTUP_DRAIN_H
#define ORIEL_SESSION_STARTUP_DRAIN_H

#define DRAIN_BYTES_MAX 65536 /* a login's chatter is a screenful; the log is cut at 4 MiB */

/* Start a process that copies from a new pipe to standard error and lives as long as anybody can write to it: programs
 * that a file left running in the background must not die of a closed pipe. Returns the pipe's write end,
 * close-on-exec, or -errno. */
int drain_start(void);

#endif
