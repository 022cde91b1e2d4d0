/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's end of one oriel-peer: a hostile process that asks. */
#ifndef ORIEL_SESSION_MONITOR_PEER_H
#define ORIEL_SESSION_MONITOR_PEER_H

#include "session/monitor/monitor.h"
#include "session/monitor/table.h"
#include "session/names.h"
#include "session/proto/peer.h"
#include "session/proto/server.h"

struct attempt;
struct link;

/*            peer_hello        peer_auth              START, ATTACH              the display is handed over
 *   FRESH ────────────▶ READY ──────────▶ CHECKING ─────────────────▶ STARTING ─────────────────────▶ ATTACHED
 *                       │  ▲  ◀─ REFUSE ──┘                            │  ▲ │ session failed            │
 *                       │  peer_logon                                  │  │ └──────▶ NOTICE             │
 *                       ├────────▶ LOGON ── START, ATTACH ─────────────┼──┘            │                │
 *                       └─ peer_resume (token right) ──────────────────┼───────────────┼───────────────▶┘
 *   any ── peer_end sent ──▶ ENDING (it has END_GRACE_MS to go, then it is killed)
 *
 * Invariants: `attempt` only in CHECKING and LOGON; `logon` only in LOGON, NOTICE and (until the display is there)
 * STARTING; `session` exactly in STARTING and ATTACHED; `deadline` runs in FRESH to LOGON (login) and in ENDING
 * (grace). */
enum peer_state {
    PEER_FRESH = 1,
    PEER_READY = 2,
    PEER_CHECKING = 4,
    PEER_LOGON = 8,
    PEER_STARTING = 16,
    PEER_ATTACHED = 32,
    PEER_NOTICE = 64,
    PEER_ENDING = 128
};
#define PEER_STATES 8
#define END_GRACE_MS 5000      /* for telling the client why, over a slow line */
#define NOTICE_LIMIT_MS 120000 /* an unread notice holds its connection so long */

struct monitor_peer {
    struct lifetime life;
    LIST_ENTRY(monitor_peer) entry;
    struct monitor *m;
    struct server_end *server;
    uint64_t id; /* the server's */
    int32_t pid;
    char address[ADDRESS_BYTES];
    char prefix[PREFIX_BYTES];
    struct link *link;
    enum peer_state state;
    uint32_t said;
    struct peer_hello hello;
    uint32_t scale; /* of the client's primary monitor, in percent; 0: not known */
    struct attempt *attempt;
    struct logon *logon;
    struct session *session;
    uint32_t client; /* its id in the session */
    unsigned failures;
    uint8_t refused; /* enum refuse_reason of the last attempt without a logon screen, and what it said */
    char refused_text[TEXT_BYTES];
    char desktop[DESKTOP_ID_BYTES]; /* chosen on its logon screen, for a session that starts; "" nothing */
    struct event *deadline;
};
extern const struct request_table peer_table;

/* `fd`: our end of the link, taken. NULL when out of memory (fd closed). */
struct monitor_peer *peer_create(struct monitor *m, struct server_end *server, const struct server_peer_new *n, int fd);
/* End it. Its session goes on without it: as a detach, or (`keep_place`) keeping the place for a peer_resume. NULL is
 * fine. */
void peer_destroy(struct monitor_peer *p, bool keep_place);
struct monitor_peer *peer_find(struct monitor *m, struct server_end *server, uint64_t id);
/* It broke a rule: have it killed, log why, end it. */
void peer_punish(struct monitor_peer *p, const char *why, const char *what);

/* Outcome of an attempt. */
void peer_refused(struct monitor_peer *p, enum refuse_reason reason, const char *text);
/* START or ATTACH: the session has made room for client `id`; tell the peer. The attempt is over. */
void peer_accepted(struct monitor_peer *p, enum peer_verdict_kind kind, struct session *s, uint32_t client,
    const uint8_t token[TOKEN_BYTES], const char *user);
/* Hand it a display. `fd` stays the caller's. */
int peer_show(struct monitor_peer *p, enum peer_display_kind kind, int fd);
/* Show a text through oriel-logon, then end with `cause`. */
void peer_notice(struct monitor_peer *p, enum end_cause cause, const char *title, const char *text);
/* Tell it to disconnect its client. Leaves its session. */
void peer_finish(struct monitor_peer *p, enum end_cause cause, const char *text);

#endif
