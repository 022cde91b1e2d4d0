/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals to one process. */
#ifndef ORIEL_COMMON_PROCESS_H
#define ORIEL_COMMON_PROCESS_H

#include <sys/types.h>

/* kill(2) for one process that is known to be ours, or for a look whether it is there (signal 0). -ESRCH where `pid` is
 * 0 or less: to kill(2) those are this process's own group, every process, or somebody else's group. Returns 0 or
 * -errno. Any thread. */
int process_signal(pid_t pid, int sig);

/* The same for the process group that a child of ours leads. */
int process_signal_group(pid_t leader, int sig);

#endif
