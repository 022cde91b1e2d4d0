/* SPDX-License-Identifier: GPL-3.0-or-later */
/* utmp and wtmp: who is on, for w(1), last(1) and wall(1). */
#ifndef ORIEL_SESSION_LEADER_RECORD_H
#define ORIEL_SESSION_LEADER_RECORD_H

#include <sys/types.h>

/* Write the login record of display `display`. Missing files are left missing. */
void record_login(const char *user, unsigned display, const char *host, pid_t leader);
/* The same line as DEAD_PROCESS. */
void record_logout(unsigned display, pid_t leader);

#endif
