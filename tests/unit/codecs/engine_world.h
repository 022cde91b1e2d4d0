/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine, the wire, and a client of libfreerdp's decoders, around a picture that a test draws.
 *
 * A test draws into `screen`, says where with `damaged`, hands it in, and lets time pass with `step` or `settle`. Both
 * move the clock, `now`, as the test itself may; it never runs by itself. What they make the engine produce goes over
 * the wire to the client at once, and is counted.
 *
 * There may be more surfaces than the first. Each has a screen and damage of its own: `screen`, `damaged`, hand_in,
 * check_equal and resize_to are of the one that world_turn_to was called for last.
 *
 * The test owns the struct, keeps it in its place while the world is open (the engine knows it), and closes each world
 * that it opened. The world owns what its pointers, `screen` and `woken` lead to, and may replace some of it
 * (resize_to). A test that replaces a part destroys the old one; world_close destroys what is there then. Arguments are
 * copied or done with on return. A failed assertion, in here as in the test, ends the test, and its world stays open.
 * One thread; encoders may have theirs, and do no more than wake it.
 */
#ifndef ORIEL_TESTS_ENGINE_WORLD_H
#define ORIEL_TESTS_ENGINE_WORLD_H

#include "codecs/engine/engine.h"
#include "codecs/wire/gfx_wire.h"
#include "ref_client.h"
#include "scene.h"

#define WORLD_SURFACES 8
/* A surface that the world is not turned to. */
struct world_surface {
    bool live, in_window;
    uint16_t x, y;
    uint32_t window;
    struct canvas screen;
    struct engine_rect damage[256];
    size_t ndamage;
};

struct world {
    struct engine *engine;
    struct gfx_wire *wire;
    struct ref_client *client;
    uint16_t surface;               /* the one that the world is turned to */
    struct canvas screen;           /* its source */
    struct engine_rect damage[256]; /* what `damaged` noted and nobody handed in */
    size_t ndamage;
    struct world_surface others[WORLD_SURFACES]; /* by id; that of `surface` says all but what was drawn */
    size_t encoded[WORLD_SURFACES];              /* bytes of bitmaps for each surface */
    int first;                                   /* the surface drawn on first since the test set this to -1 */
    uint64_t now;
    uint32_t seed;      /* of `pick` */
    size_t avc, second; /* pictures that came as H.264; of them of a second film */
    int woken;          /* an eventfd: encoders have threads; -1: they have none */
    bool gfx, silent;   /* silent: acknowledgements are skipped for a while */
    size_t frames, bytes, parts, rests;
    size_t starts, ends;                                     /* commands that begin and end frames */
    size_t copies;                                           /* within the picture */
    struct engine_rect copied;                               /* the last one's source */
    size_t bitmaps, written;                                 /* that came encoded, and their pixels */
    void (*on_frame)(void *user, const struct gfx_frame *f); /* NULL, or told of each frame and part that leaves; */
    void *user;
    /* Points drawn from the cache, pieces smaller than tiles put into it, slots taken back */
    size_t placed, kept, evicted;
};

/* A client that can do everything but AVC444. */
extern const struct engine_caps gfx_caps;

/* The salt's first byte, the others are 0; encoders beside the loop */
struct world_options {
    uint8_t cache_salt;
    bool threads;
};
void world_open(struct world *w, const struct engine_caps *caps, int width, int height, uint32_t seed);
void world_open_with(struct world *w, const struct engine_caps *caps, int width, int height, uint32_t seed,
    struct world_options options);
void world_close(struct world *w);

/* One more surface, black, of an id under WORLD_SURFACES that is free; the world is turned to it. */
void world_add(struct world *w, uint16_t id, int width, int height);
void world_add_in_window(struct world *w, uint16_t id, int width, int height, uint32_t window);
void world_move(struct world *w, uint16_t id, uint16_t x, uint16_t y);
/* It goes, and the world is turned to surface 0. */
void world_remove(struct world *w, uint16_t id);
void world_turn_to(struct world *w, uint16_t id);

/* 0 … n - 1, the same in each run. */
unsigned pick(struct world *w, unsigned n);
/* Something was drawn here; what lies left of the screen or above it is moved in, the rest is the engine's to clip. */
void damaged(struct world *w, int x, int y, int dw, int dh);
/* The screen and its damage to the engine. */
void hand_in(struct world *w);
/* For a test that calls engine_produce itself: to the client, which acknowledges it unless it is silent. `f` stays the
 * engine's. */
void deliver(struct world *w, const struct gfx_frame *f);
/* A short while, 20 ms at most, and what is due at its end. */
void step(struct world *w);
/* What encoders have under way is done, and sent. */
void world_wait(struct world *w);
/* Until nothing is left to send: exact pictures included. Ends a silence. */
void settle(struct world *w);
/* The client shows the screen, pixel for pixel. */
void check_equal(struct world *w);
/* That, of each surface; the client has no other ones, and each is mapped to where it belongs. Call it when all has
 * settled. */
void check_all_equal(struct world *w);
/* With gfx: another surface in the place of this one, on the output's corner, a page of writing; it is not handed in
 * yet. The client is sent a ResetGraphics: what the other surfaces show comes anew. */
void resize_to(struct world *w, int width, int height);

#endif
