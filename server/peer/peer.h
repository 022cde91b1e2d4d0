/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-peer: one client. The parts that the files of the program share.
 *
 *   main     start, sandbox, loop, link to oriel-server                     main.c, peer.c
 *   login    what is asked of the monitor and what it answers               login.c
 *   display  the link to who draws, and the picture buffer                  display_front.c
 *   picture  buffer → engine → front end, pacing                            picture.c
 *   services the links of what was granted beside the display               services.c
 *   front    the client's protocol                                          rdp_*.c (front_end.h)
 */
#ifndef ORIEL_SERVER_PEER_PEER_H
#define ORIEL_SERVER_PEER_PEER_H

#include "common/config.h"
#include "server/peer/credentials.h"
#include "server/peer/front_end.h"
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

struct display_front {
    struct link *link;                /* NULL: nobody draws */
    uint8_t kind;                     /* enum peer_display_kind */
    struct event *lost;               /* running while a granted session has nobody who draws */
    struct display_monitors monitors; /* the layout that is real; serial 0: none was told yet */
    struct display_surface surface;   /* the desktop as announced; kind 0: it was not */
    const uint8_t *px;                /* its buffer, mapped read-only; NULL none */
    size_t size;
    uint32_t stride;
    struct display_input input; /* gathered in this turn of the loop */
    struct event *input_ev;
    bool on_loan; /* a frame came and was not given back */
    uint32_t loan;
};

struct picture {
    struct engine *engine; /* NULL until the client is ready */
    bool ready;            /* the client shows width x height */
    bool suppressed;
    bool broken; /* a frame, or a part of it, could not be sent */
    bool stale;  /* the engine sends in a way that is no longer open */
    uint16_t width, height;
    /* Not yet in the engine: of the frame on loan, and of the parts before it */
    struct engine_rect held[DISPLAY_RECTS_MAX + DISPLAY_COPIED_MAX * DISPLAY_PART_RECTS_MAX];
    size_t nheld;
    unsigned nparts;                  /* that the drawer told of since the last frame */
    bool parts_taken;                 /* they are in the engine: nothing is shown before the frame */
    uint64_t parts_us;                /* when the first of them came */
    struct engine_cache_entry *offer; /* waits for the engine; NULL none */
    size_t noffer;
    uint8_t cache_salt[CACHE_SALT_LENGTH]; /* random until the login brings the user's */
    struct event *timer;
    int woken_fd; /* an encoder's thread has something for the engine */
    struct event *woken;
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
    struct display_front display;
    struct picture picture;
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

/* ---- display ---- */
int display_front_init(struct peer *p);
void display_front_finish(struct peer *p);
/* A new drawer (`fd` is owned from now on); the old one is dropped. */
void display_front_attach(struct peer *p, int fd, uint8_t kind);
/* Nobody draws any more. */
void display_front_detach(struct peer *p);
/* Give the frame on loan back, if there is one. */
void display_front_return(struct peer *p);
void display_front_refresh(struct peer *p, const struct engine_rect *rects, size_t nrects);
void display_front_suppress(struct peer *p, bool on);
/* What the client told about itself, as the session and its drawer want it. */
void display_front_facts(const struct client_facts *facts, struct display_open *o);

/* ---- picture ---- */
int picture_init(struct peer *p);
void picture_finish(struct peer *p);
/* The layout is another one: the client's desktop follows. */
void picture_layout(struct peer *p);
/* There is a buffer of the desktop. */
void picture_buffer(struct peer *p);
/* Engines made from now on name what the client keeps by it. */
void picture_salt(struct peer *p, const uint8_t salt[CACHE_SALT_LENGTH]);
/* A fresh oriel-encoder's link (owned from now on). */
void picture_encoder(struct peer *p, int fd);
/* A part of the next frame can be read already. False: they are more than a drawer may tell of. */
bool picture_copied(struct peer *p, const struct display_rect *rects, size_t nrects);
/* The drawer, or its buffer, is gone, and with it what it told. */
void picture_forget_parts(struct peer *p);
/* A frame is on loan. */
void picture_frame(struct peer *p, const struct display_rect *rects, size_t nrects);
/* Nobody draws: keep what is shown. */
void picture_pause(struct peer *p);

#endif
