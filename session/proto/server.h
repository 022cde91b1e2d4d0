/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-server ↔ oriel-monitor (the named socket RUN_DIR/monitor.sock, the server's uid is checked), and
 * oriel-server ↔ its oriel-peer children (a socketpair). */
#ifndef ORIEL_SESSION_PROTO_SERVER_H
#define ORIEL_SESSION_PROTO_SERVER_H

#include "session/proto/types.h"

/* server → monitor */
struct server_peer_new {
    uint64_t peer; /* the server's number for it, never reused */
    int32_t pid;
    char address[ADDRESS_BYTES]; /* numeric, without port; throttling and audit use it */
    uint16_t port;
};
struct server_peer_gone {
    uint64_t peer;
};
struct server_hello { /* once, first; for orielctl status */
    char version[64]; /* Oriel's */
    char freerdp[64]; /* libfreerdp's, as freerdp_get_version_string says at run time */
};
extern const struct wire_proto server_to_monitor;
extern const struct wire_def server_peer_new_def, server_peer_gone_def, server_hello_def;

/* monitor → server */
/* fd: the peer's end of its monitor link; pass it down */
struct server_peer_link {
    uint64_t peer;
};
/* It broke the request table: SIGKILL */
struct server_peer_kill {
    uint64_t peer;
    char why[TEXT_BYTES];
};
extern const struct wire_proto monitor_to_server;
extern const struct wire_def server_peer_link_def, server_peer_kill_def;

/* server → peer */
/* fd: a fresh monitor link */
struct child_monitor {
    uint8_t unused;
};
/* fd: the link to the peer's oriel-encoder (codecs/encoder/proto.h) */
struct child_encoder {
    uint8_t unused;
};
/* fd: memfd with the configuration text */
struct child_reload {
    uint8_t unused;
};
extern const struct wire_proto server_to_child;
/* The login deadline passed: tell the client and leave; SIGKILL follows soon */
struct child_timeout {
    uint8_t unused;
};
extern const struct wire_def child_monitor_def, child_encoder_def, child_reload_def, child_timeout_def;

/* peer → server */
enum child_phase {
    CHILD_AUTHENTICATED = 1, /* no longer half-open */
    CHILD_CONNECTED,         /* TLS and RDP handshakes are done: the handshake deadline is lifted */
    CHILD_ENCODER_LOST,      /* not a phase: its oriel-encoder failed after it had been ready */
    CHILD_PHASE_MAX = CHILD_ENCODER_LOST
};
struct child_state {
    uint8_t phase;
};
extern const struct wire_proto child_to_server;
extern const struct wire_def child_state_def;

/* How oriel-peer ends; oriel-server reads it. Greater than PEER_EXIT_PROTOCOL counts against the client's source. */
enum peer_exit {
    PEER_EXIT_OK = 0,               /* left in order */
    PEER_EXIT_INTERNAL = 1,         /* something of ours failed */
    PEER_EXIT_PROTOCOL = 10,        /* the client broke the protocol */
    PEER_EXIT_UNAUTHENTICATED = 11, /* left without a login */
};

/* The argument of a peer that oriel-server starts to see whether it can live here (its self-check): what its filter
 * forbids it logs. */
#define PEER_CHECK_ARGUMENT "--self-check"
/* The second: the front end that serves the client's stream, said by who hands the stream in */
#define PEER_FRONT_END_RDP "rdp"

#endif
