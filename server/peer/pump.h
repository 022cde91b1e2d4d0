/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engine → front end: what has been drawn leaves as long as the client takes it. Thread: the loop's. */
#ifndef ORIEL_SERVER_PEER_PUMP_H
#define ORIEL_SERVER_PEER_PUMP_H

#include "codecs/engine/engine.h"
#include "session/proto/peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct peer;

/* The agent's frame follows its parts within 8 ms; where it does not, they are shown without it */
#define PARTS_US 10000

struct pump {
    struct engine *engine; /* NULL until the client is ready */
    bool ready;            /* the client shows the layout that is real */
    bool suppressed;
    bool broken;                      /* a frame, or a part of it, could not be sent */
    bool stale;                       /* the engine sends in a way that is no longer open */
    unsigned holds;                   /* surfaces of which the engine has half a frame, */
    uint64_t held_until_us;           /* and until when that is waited for */
    struct engine_cache_entry *offer; /* waits for the engine; NULL none */
    size_t noffer;
    uint8_t cache_salt[CACHE_SALT_LENGTH]; /* random until the login brings the user's */
    void (*room)(struct peer *p);
    struct event *timer;
    int woken_fd; /* an encoder's thread has something for the engine */
    struct event *woken;
};

/* `room` is called when more may leave than before; it calls pump_run. 0 or negative errno. */
int pump_init(struct peer *p, void (*room)(struct peer *p));
void pump_finish(struct peer *p);
/* Have an engine for the way of sending that is open now: the one that there is, as long as that stays the same, for
 * the client's caches outlive a change of size. Then pictures may leave. 0 or negative errno. */
int pump_open(struct peer *p);
/* Nothing leaves until the next pump_open. */
void pump_pause(struct peer *p);
/* Send what there is to send. */
void pump_run(struct peer *p);
/* pump_run in so many microseconds, unless something else makes it run before. */
void pump_run_in(struct peer *p, int64_t us);
/* May a frame go into the engine now? */
bool pump_has_room(const struct peer *p);
/* The engine has half a frame of a surface since `since_us`: nothing leaves before the rest came, or PARTS_US went by.
 * Each hold is released once. */
void pump_hold(struct peer *p, uint64_t since_us);
void pump_release(struct peer *p);
/* Engines made from now on name what the client keeps by it. */
void pump_salt(struct peer *p, const uint8_t salt[CACHE_SALT_LENGTH]);
/* A fresh oriel-encoder's link (owned from now on). */
void pump_encoder(struct peer *p, int fd);

#endif
