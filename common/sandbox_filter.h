/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system call filter of sandbox.c, in a file of its own because it is a list to be read. */
#ifndef ORIEL_COMMON_SANDBOX_FILTER_H
#define ORIEL_COMMON_SANDBOX_FILTER_H

#include "common/sandbox.h"

#define SANDBOX_EXIT_FORBIDDEN 120 /* status of a process that was to explain itself */

/* Build and load the filter into all threads. `may_read`: files may be opened for reading. `explain`: where it would
 * kill it traps, and a handler logs the system call and ends the process. 0 or negative errno. */
int sandbox_filter_load(enum sandbox_profile profile, bool may_read, bool explain);

#endif
