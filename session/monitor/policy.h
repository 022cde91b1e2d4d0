/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may log in, once PAM and the leader (session/leader/account.h) have said yes. Nothing here asks the name service: one that hangs
 * would hold up everybody. */
#ifndef ORIEL_SESSION_MONITOR_POLICY_H
#define ORIEL_SESSION_MONITOR_POLICY_H

#include "session/monitor/monitor.h"

/* A graphical session of `uid` that is not Oriel's, as logind's files in `dir` tell (/run/systemd/sessions); sessions of PAM service
 * `own_service` are ours. */
bool policy_session_elsewhere(const char *dir, uint32_t uid, const char *own_service);
/* The same from the login records, for systems without logind: an entry of `user` on a display (":0"). */
bool policy_utmp_elsewhere(const char *user, bool (*is_ours)(void *arg, unsigned display), void *arg);

#endif
