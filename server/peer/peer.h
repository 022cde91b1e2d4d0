/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-peer: one client. The parts that the files of the program share.
 *
 *   main     start, sandbox, loop, link to oriel-server                     main.c, peer.c
 *   login    what is asked of the monitor and what it answers               login.c
 *   display  the link to who draws, the layout, input                       display_link.c
 *   shown    one surface: its buffer, the loan, its way into the engine     shown.c
 *   pump     engine → front end, pacing                                     pump.c
 *   services the links of what was granted beside the display               services.c
 *   front    the client's protocol                                          rdp_*.c (front_end.h)
 */
#ifndef ORIEL_SERVER_PEER_PEER_H
#define ORIEL_SERVER_PEER_PEER_H

#include "common/config.h"
#include "server/peer/credentials.h"
#include "server/peer/display_link.h"
#include "server/peer/front_end.h"
#include "server/peer/pump.h"
#include "session/proto/server.h"

struct event;
struct event_base;
struct keys_client;
struct link;

enum login_state {
    LOGIN_NONE,     /* no Client Info yet */
    LOGIN_COOKIE,   /* peer_auth with the reconnect cookie is out */
    LOGIN_PASSWORD, /* peer_auth with the client's password is out */
    LOGIN_SCREEN,   /* oriel-logon has the word */
    LOGIN_GRANTED,  /* START or ATTACH; session, client and token are valid */
};
struct login {
    enum login_state state;
    struct link *link;         /* to the monitor; NULL while it is away */
    struct credentials info;   /* wiped as soon as it was sent */
    enum refuse_reason reason; /* of the last refusal, for the logon screen */
    uint64_t session;
    uint32_t client;
    uint8_t token[TOKEN_BYTES];
    bool resuming; /* peer_resume is out */
};

struct encoder_link;
struct peer {
    struct event_base *base;
    struct encoder_link *encoder; /* NULL: there is none */
    struct config config;
    struct link *server;
    struct keys_client *keys;
    const struct front_end_ops *ops;
    struct front *front;
    struct login login;
    struct display_link display;
    struct pump pump;
    struct granted_service services[SERVICE_MAX + 1]; /* by enum service */
    struct event *beat;                               /* heartbeat */
    uint64_t sent; /* counts frames and pointer updates: quiet when it did not move */
    bool ended;
    bool check; /* PEER_CHECK was its argument */
    enum peer_exit exit_code;
};

/* ---- main ---- */
/* Leave: tell the client why, end the loop. Only the first call counts. */
void peer_end(struct peer *p, enum end_cause cause, const char *text);
/* Leave without a word: the stream is gone or broken. */
void peer_gone(struct peer *p, enum peer_exit code, const char *why);
void peer_tell_server(struct peer *p, uint8_t phase);

/* ---- what the client does (called by front ends) ---- */
/* Credentials are there. `ci` is moved: the caller wipes its copy. */
void peer_client_info(struct peer *p, const struct credentials *ci);
/* The RDP (or web) handshake is complete: pictures can be sent. */
void peer_client_connected(struct peer *p);
/* Frames of the size last asked for with ops->desktop can be sent; everything must be sent anew. */
void peer_client_picture_ready(struct peer *p);
/* They no longer can (reactivation began, the channel closed) until the next ready. */
void peer_client_picture_stop(struct peer *p);
/* The way of sending changed: ops->caps tells the new one. */
void peer_client_caps_changed(struct peer *p);
/* There is room for pictures again. */
void peer_client_drained(struct peer *p);
void peer_client_ack(struct peer *p, uint32_t frame, uint32_t depth, uint32_t total);
/* The client has these from an earlier session; answered with ops->cache_taken, as soon as there is a picture. Once per
 * opening. */
void peer_client_cache_offer(struct peer *p, const struct engine_cache_entry *entries, size_t n);
void peer_client_refresh(struct peer *p, const struct engine_rect *rects, size_t nrects);
void peer_client_suppress(struct peer *p, bool on);
void peer_client_input(struct peer *p, const struct display_event *e);
void peer_client_layout(struct peer *p, const struct display_layout *l);

/* ---- login ---- */
void login_init(struct login *l);
void login_finish(struct login *l);
/* A fresh link to the monitor (owned from now on). */
void login_link(struct peer *p, int fd);

#endif
