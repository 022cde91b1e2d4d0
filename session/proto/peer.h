/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-peer ↔ oriel-monitor. The peer is hostile: what it may say in which state stands in the monitor's request
 * table.
 *
 *   peer                         monitor
 *   peer_hello            →
 *   peer_auth             →      (starts a leader; PAM)
 *                         ←      peer_verdict: REFUSE (again peer_auth or peer_logon), or START / ATTACH
 *                         ←      peer_display SESSION + link          (after START: when the session draws)
 *   peer_logon            →
 *                         ←      peer_display LOGON + link            (oriel-logon draws; it talks to the monitor
 * itself) ←      peer_verdict START | ATTACH | REFUSE (attempts used up: peer_end follows) ←      peer_display NOTICE +
 * link           (a session that failed to start, with its log) ←      peer_cookie                          (at each
 * attach) ←      peer_end                             (tell the client why, then disconnect) peer_resume           →
 * (after a restart of the monitor, on a fresh link)
 */
#ifndef ORIEL_SESSION_PROTO_PEER_H
#define ORIEL_SESSION_PROTO_PEER_H

#include "session/proto/display.h"
#include "session/proto/services.h"
#include "session/proto/types.h"

/* peer → monitor */
struct peer_hello {
    char client_name[CLIENT_NAME_BYTES];
    uint32_t width, height, nmonitors; /* as the client asked; for listings only */
    uint32_t keyboard_layout;
    /* As it will go to the session: its scale and time zone shape a session that starts. nmonitors 0: not known yet */
    struct display_open open;
};
struct peer_auth {
    uint8_t method; /* enum auth_method */
    /* "user", "DOMAIN\user" and "user@domain" as typed (name_parse, session/names.h) */
    char user[USER_BYTES];
    char domain[USER_BYTES]; /* counts where `user` has none */
    uint32_t nsecret;
    uint8_t secret[SECRET_BYTES];
};
struct peer_logon { /* please let oriel-logon draw */
    /* What to put into the user field: a name as in peer_auth, its domain included */
    char user[USER_BYTES];
    uint8_t reason; /* enum refuse_reason of the attempt before, shown as a message */
};
struct peer_resume {
    uint64_t session;
    uint32_t client;
    uint32_t ntoken;
    uint8_t token[TOKEN_BYTES];
};
/* The client's present size, and the primary monitor's scale in percent (0: not known). */
struct peer_status {
    uint32_t width, height, nmonitors, scale;
};
extern const struct wire_proto peer_to_monitor;
extern const struct wire_def peer_hello_def, peer_auth_def, peer_logon_def, peer_resume_def, peer_status_def;

/* monitor → peer */
#define CACHE_SALT_LENGTH 16
enum peer_verdict_kind {
    VERDICT_START = 1,
    VERDICT_ATTACH,
    VERDICT_CHOOSE,
    VERDICT_REDIRECT,
    VERDICT_REFUSE,
    VERDICT_MAX = VERDICT_REFUSE
};
struct peer_verdict {
    uint8_t verdict;       /* CHOOSE and REDIRECT are reserved */
    uint8_t reason;        /* enum refuse_reason */
    char text[TEXT_BYTES]; /* for the user */
    uint64_t session;      /* START, ATTACH: its id … */
    uint32_t client;       /* … this attachment's id … */
    uint32_t ntoken;
    uint8_t token[TOKEN_BYTES]; /* … and the proof for peer_resume */
    char user[USER_BYTES];      /* canonical name */
    uint32_t ncache_salt;
    /* START, ATTACH: this host's and user's secret, engine_config.cache_salt; none: keep nothing */
    uint8_t cache_salt[CACHE_SALT_LENGTH];
};
enum peer_display_kind { DISPLAY_LOGON = 1, DISPLAY_SESSION, DISPLAY_NOTICE, DISPLAY_KIND_MAX = DISPLAY_NOTICE };
/* fd: the front end's end of a display link; replaces an earlier one */
struct peer_display {
    uint8_t kind;
};
struct peer_cookie { /* for the client: ARC_SC_PRIVATE_PACKET, MS-RDPBCGR 2.2.4.2 */
    uint32_t logon_id;
    uint32_t nrandom;
    uint8_t random[TOKEN_BYTES];
};
struct peer_end {
    uint8_t cause; /* enum end_cause */
    char text[TEXT_BYTES];
};
struct peer_resumed {
    uint8_t unused;
};
/* fd: the peer's end of a service's link; replaces an earlier one of that service. Only after the verdict, and never
 * for DISPLAY, which has peer_display. */
struct peer_service {
    uint8_t service; /* enum service; one that this peer's build does not know is closed, with a line in the log */
    struct service_limits limits;
};
extern const struct wire_proto monitor_to_peer;
extern const struct wire_def peer_verdict_def, peer_display_def, peer_cookie_def, peer_end_def, peer_resumed_def,
    peer_service_def;

#endif
