/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may log in, once PAM and the leader (session/leader/account.h) have said yes. Nothing here asks the name service:
 * one that hangs would hold up everybody. */
#ifndef ORIEL_SESSION_MONITOR_POLICY_H
#define ORIEL_SESSION_MONITOR_POLICY_H

#include "session/monitor/monitor.h"

/* A graphical session elsewhere (session/elsewhere.h), from the login records, for systems without logind: an entry of
 * `user` on a display
 * (":0") that is not Oriel's. */
bool policy_utmp_elsewhere(const char *user, bool (*is_ours)(void *arg, unsigned display), void *arg);

#endif
