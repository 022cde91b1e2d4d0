/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clearing up after a leader that was killed: its processes, its X lock, its login record. */
#ifndef ORIEL_SESSION_MONITOR_REAP_H
#define ORIEL_SESSION_MONITOR_REAP_H

#include "session/monitor/monitor.h"
#include "session/proto/types.h"

/* What is needed to clear up after a session; also kept as RUN_DIR/leaders/ID.session (root only), for the case that
 * leader and monitor both die. */
struct reap_note {
    uint64_t session;
    uint32_t uid;
    char key[2 * TOKEN_BYTES + 1];
    int32_t leader_pid; /* 0 unknown */
    uint32_t display;   /* 0 unknown */
};
int reap_note_write(struct monitor *m, const struct reap_note *n);
int reap_note_read(const char *path, struct reap_note *n);
void reap_note_remove(struct monitor *m, uint64_t session);

/* Kill, round by round from the loop, every process of `uid` with ORIEL_SESSION_KEY=key in its environment
 * that is not its systemd's (session/user_manager.h), until a round finds
 * none (bounded); then remove the display's lock and the login record. `done` is called once, with whether nothing is
 * left. */
void reap_start(struct monitor *m, const struct reap_note *n,
    void (*done)(struct monitor *m, uint64_t session, bool clean));
/* One round, also for tests: SIGKILL each such process; returns how many there were. An empty key matches nothing. */
unsigned reap_round(const char *key, uid_t uid);
void reap_forget_all(struct monitor *m);

#endif
