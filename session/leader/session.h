/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a session, from leader_start to leader_ended. */
#ifndef ORIEL_SESSION_LEADER_SESSION_H
#define ORIEL_SESSION_LEADER_SESSION_H

#include "common/config.h"
#include "session/leader/auth.h"

/* Become the session's leader and stay until everything of the session is gone. `monitor_fd` is taken over. The handle
 * in `a` is the one that authenticated; it is closed at the end. `warden_fd` comes from warden_fork and stays the
 * caller's. Returns the exit status. */
int session_run(const struct config *cfg, struct auth *a, const struct leader_start *start, int monitor_fd,
    int warden_fd);

#endif
