/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's whole life, for main and for tests. */
#ifndef ORIEL_SESSION_AGENT_AGENT_RUN_H
#define ORIEL_SESSION_AGENT_AGENT_RUN_H

#include "common/config.h"

enum agent_exit {
    AGENT_EXIT_OK = 0,
    AGENT_EXIT_FAILED = 1, /* could not start, or the leader's link broke */
    AGENT_EXIT_USAGE = 2,
    AGENT_EXIT_DISPLAY = 3, /* the display server ended */
};
/* Serve the leader at `leader_fd` (taken over) until it is gone. Returns an enum agent_exit. */
int agent_run(const struct config *config, int leader_fd);

#endif
