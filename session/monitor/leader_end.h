/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's end of one oriel-leader. */
#ifndef ORIEL_SESSION_MONITOR_LEADER_END_H
#define ORIEL_SESSION_MONITOR_LEADER_END_H

#include "session/monitor/monitor.h"
#include "session/monitor/table.h"
#include "session/proto/leader.h"

struct attempt;
struct link;

/*   spawned: AUTH ⇄ CONV (prompts are with the user) ──▶ JUDGED ──▶ STARTING ──▶ RUNNING ──▶ ENDING
 *                                                            └──▶ REFRESHING
 *   connected to after a restart of the monitor: FOUND ──▶ RUNNING
 * Invariants: `attempt` in AUTH, CONV, JUDGED; `session` in STARTING, RUNNING, ENDING; `link` except in GOING. */
enum leader_state {
    LEADER_AUTH = 1,
    LEADER_CONV = 2,
    LEADER_JUDGED = 4,
    LEADER_REFRESHING = 8,
    LEADER_STARTING = 16,
    LEADER_FOUND = 32,
    /* Its link is closed; it is watched until it has exited */
    LEADER_RUNNING = 64,
    LEADER_ENDING = 128,
    LEADER_GOING = 256
};
#define LEADER_STATES 9
/* A PAM module may sleep after a failure, or hang: then it is killed */
#define LEADER_GRACE_MS 10000
#define LEADER_REFRESH_MS 30000
/* A found leader that says nothing: it may still be starting its session (START_LIMIT_MS) */
#define LEADER_HELLO_MS 120000

struct leader {
    struct lifetime life;
    LIST_ENTRY(leader) entry;
    struct monitor *m;
    struct link *link;
    pid_t pid;
    int pidfd; /* -1: already gone */
    enum leader_state state;
    uint32_t said;
    uint64_t found; /* FOUND: the session its socket is named after */
    struct attempt *attempt;
    struct session *session;
    struct event *timer, *exited;
};
extern const struct request_table leader_table;

/* Start a leader for an attempt, and send it `auth`. NULL: *err. */
struct leader *leader_spawn(struct attempt *a, struct monitor *m, const struct leader_auth *auth, int *err);
/* Take over a connection to a session's leader (fd is taken) whose credentials were checked. NULL: fd is closed. */
struct leader *leader_found(struct monitor *m, int fd, pid_t pid, uint64_t session);
int leader_send(struct leader *l, const struct wire_def *def, const void *msg, const int *fds);
/* The user has a session: let this leader refresh its credentials, and go. */
void leader_refresh_and_go(struct leader *l, const struct env_entry *env, uint32_t nenv);
/* Close its link; kill it when it has not gone after LEADER_GRACE_MS. NULL is fine, and one that goes or has ended. */
void leader_discard(struct leader *l);
/* Kill at once (it broke the table, or hangs). The session, if any, must have been cut before. */
void leader_kill(struct leader *l);
/* The monitor exits: close all links. Session leaders live on. */
void leader_forget_all(struct monitor *m);

#endif
