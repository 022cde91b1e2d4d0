/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's end of one oriel-logon: a logon screen, a notice, or the drawing of a message. */
#ifndef ORIEL_SESSION_MONITOR_LOGON_END_H
#define ORIEL_SESSION_MONITOR_LOGON_END_H

#include "session/monitor/monitor.h"
#include "session/monitor/table.h"
#include "session/proto/leader.h"
#include "session/proto/logon.h"

struct link;

/*   LOGON mode:  FORM ─submit▶ BUSY ⇄ ASKED (prompts shown) ─▶ DONE
 *                 ◀── refused ──┘ └──▶ FINAL (no attempts left)
 *   NOTICE mode: NOTICE      RENDER mode: RENDER ─▶ DONE */
enum logon_state {
    LOGON_FORM = 1,
    LOGON_BUSY = 2,
    LOGON_ASKED = 4,
    LOGON_DONE = 8,
    LOGON_FINAL = 16,
    LOGON_NOTICE = 32,
    LOGON_RENDER = 64
};
#define LOGON_STATES 7
#define LOGON_FINAL_MS 5000 /* how long the last refusal can be read */
#define LOGON_RENDER_MS 10000

struct logon {
    struct lifetime life;
    LIST_ENTRY(logon) entry;
    struct monitor *m;
    struct link *link;
    pid_t pid;
    enum logon_state state;
    uint32_t said;
    struct monitor_peer *peer;   /* FORM … NOTICE */
    enum end_cause cause;        /* NOTICE: what the peer is told afterwards */
    struct control_end *control; /* RENDER: who asked; NULL when that one went away */
    uint32_t nprompts;           /* ASKED: so many answers are due */
    struct event *timer;
};
extern const struct request_table logon_table;

/* Start one for `p` and hand `p` the display. NULL: it could not be started (logged). */
struct logon *logon_open(struct monitor_peer *p, const struct logon_start *start);
/* Draw a text for orielctl message. */
struct logon *logon_render(struct monitor *m, struct control_end *c, const struct logon_start *start);
void logon_destroy(struct logon *l);
void logon_ask(struct logon *l, const struct leader_conv *conv);
void logon_refuse(struct logon *l, enum refuse_reason reason, bool final, const char *text);
/* Logged in; it keeps drawing until the session does. */
void logon_welcome(struct logon *l);

#endif
