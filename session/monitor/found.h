/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After a start: whose leaders are still there? */
#ifndef ORIEL_SESSION_MONITOR_FOUND_H
#define ORIEL_SESSION_MONITOR_FOUND_H

#include "session/monitor/monitor.h"

/* Connect to every RUN_DIR/leaders/ID.sock whose listener runs as m->own_uid; they answer with leader_hello. Clear up
 * after those that left a note (ID.session) and no listener. Returns how many leaders were connected to, or negative
 * errno. */
int found_scan(struct monitor *m);
/* A leader that was connected to ended, or was killed, before it said hello: clear up after it, by its note. */
void found_lost(struct monitor *m, uint64_t session);

#endif
