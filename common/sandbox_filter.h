/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system call filter of sandbox.c, in a file of its own because it is a list to be read. */
#ifndef ORIEL_COMMON_SANDBOX_FILTER_H
#define ORIEL_COMMON_SANDBOX_FILTER_H

#include "common/sandbox.h"

/* Build and load the filter into all threads. `may_read`: files may be opened for reading. 0 or negative errno. */
int sandbox_filter_load(enum sandbox_profile profile, bool may_read);

#endif
