/* SPDX-License-Identifier: GPL-3.0-or-later */
/* orielctl ↔ oriel-monitor: RUN_DIR/control.sock, uid 0 or a member of the option `control.group`. One request, its
 * rows, one control_done. */
#ifndef ORIEL_SESSION_PROTO_CONTROL_H
#define ORIEL_SESSION_PROTO_CONTROL_H

#include "session/proto/leader.h"

/* Orielctl → monitor */
struct control_status {
    uint8_t unused;
};
struct control_sessions {
    uint8_t unused;
};
/* Client 0: all */
struct control_disconnect {
    uint64_t session;
    uint32_t client;
};
struct control_logoff {
    uint64_t session;
};
struct control_message {
    uint64_t session;
    char text[TEXT_BYTES];
};
/* Clear with key "": everything */
struct control_throttle {
    uint8_t clear;
    char key[USER_BYTES + ADDRESS_BYTES];
};
struct control_config {
    uint8_t unused;
};
/* Attach a view-only client: the display link comes back */
struct control_view {
    uint64_t session;
};
extern const struct wire_proto control_to_monitor;
extern const struct wire_def control_status_def, control_sessions_def, control_disconnect_def, control_logoff_def,
    control_message_def, control_throttle_def, control_config_def, control_view_def;

/* monitor → orielctl */
/*   leader_start ─▶ STARTING ─ leader_hello ─▶ ACTIVE ⇄ DETACHED ─ logoff, leader_failed, leader lost ─▶ ENDING ─▶ gone
 *
 * Invariants, kept by session/monitor/attachments.c and session.c:
 *   STARTING  the leader has leader_start (or waits for an ENDING session of the same user); no client has a display;
 *             no X display is known
 *   ACTIVE    at least one client with ROLE_CONTROL; display, process ids and PAM environment are known
 *   DETACHED  no such client; viewers may be there; the disconnected limit runs
 *   ENDING    no clients, none can attach; the user's next login starts another session, which waits for this one to be
 *             gone
 *
 * Of one user at most one session is in another state than ENDING. A session's number is never used again. */
enum session_state {
    SESSION_STARTING = 1,
    SESSION_ACTIVE,
    SESSION_DETACHED,
    SESSION_ENDING,
    SESSION_STATE_MAX = SESSION_ENDING
};
struct control_session {
    uint64_t session;
    char user[USER_BYTES];
    uint32_t uid;
    uint8_t state; /* enum session_state */
    uint64_t since;
    uint32_t display;
    char xauthority[PATH_BYTES];
    int32_t leader_pid, display_pid, agent_pid, desktop_pid;
    uint32_t nclients;
    struct leader_client clients[CLIENTS_MAX]; /* token_hash left empty */
    uint32_t nmonitors;
};
/* a piece of a text answer */
struct control_text {
    char text[4096];
};
/* fd: the front end's end of a display link */
struct control_viewer {
    uint32_t client;
};
/* Code 0: done; else an exit code, and text says what to do */
struct control_done {
    uint8_t code;
    char text[TEXT_BYTES];
};
extern const struct wire_proto monitor_to_control;
extern const struct wire_def control_session_def, control_text_def, control_viewer_def, control_done_def;

#endif
