/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at processes of one's own through /proc. Everything here may be out of date the moment it is known. */
#ifndef ORIEL_SESSION_STARTUP_PROC_H
#define ORIEL_SESSION_STARTUP_PROC_H

#include "session/startup/snapshot.h"

#define PROC_COMM_BYTES 16
#define PROC_COMMAND_BYTES 128

/* What the process was executed with, and its umask and limits now. 0 or -errno. */
int proc_snapshot(pid_t pid, struct snapshot *s);
#define PROC_CHAIN_MAX 8 /* command substitutions within each other */
/* What a shell waits for: its youngest child, that one's, and so on. Returns how many. */
size_t proc_waiting_chain(pid_t shell, pid_t chain[PROC_CHAIN_MAX]);
/* The environment of the first process in the chain that executes another program than the shell: all that was
 * exported. 0 (then *child is that process, if wanted) or -ESRCH. */
int proc_waiting_snapshot(pid_t shell, pid_t *child, struct snapshot *s);
/* The short name, also of a zombie: what it executed last. False and "" when it cannot be had. */
bool proc_comm(pid_t pid, char out[PROC_COMM_BYTES]);
/* Its command line for people: blanks between arguments, cut where it is long. "" when there is none. */
void proc_command(pid_t pid, char out[PROC_COMMAND_BYTES]);
/* Whether both execute the same file. */
bool proc_same_program(pid_t a, pid_t b);
/* Kill this user's processes that were executed with `marker` ("NAME=value") in their environment. */
void proc_kill_marked(const char *marker);

#endif
