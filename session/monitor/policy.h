/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may log in, once PAM has said yes. */
#ifndef ORIEL_SESSION_MONITOR_POLICY_H
#define ORIEL_SESSION_MONITOR_POLICY_H

#include "session/monitor/monitor.h"

/* A name that is never asked PAM about: root's (any account of uid 0) while login.allow_root is off. No oracle for its password. */
bool policy_name_forbidden(const struct config *c, const char *name);
/* Allowed groups and root. */
bool policy_account_allowed(const struct config *c, const char *user, uint32_t uid, uint32_t gid);
/* A graphical session of `uid` that is not Oriel's, as logind's files in `dir` tell (/run/systemd/sessions); sessions of PAM service
 * `own_service` are ours. */
bool policy_session_elsewhere(const char *dir, uint32_t uid, const char *own_service);
/* The same from the login records, for systems without logind: an entry of `user` on a display (":0"). */
bool policy_utmp_elsewhere(const char *user, bool (*is_ours)(void *arg, unsigned display), void *arg);

#endif
