/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's private state and functions, for the files of codecs/engine alone. plan.c says in which order a frame is
 * planned; the plan_*.c files each plan one kind of content. */
#ifndef ORIEL_CODECS_ENGINE_STATE_H
#define ORIEL_CODECS_ENGINE_STATE_H

#include "codecs/change/compare.h"
#include "codecs/change/motion.h"
#include "codecs/change/surface.h"
#include "codecs/engine/cache.h"
#include "codecs/engine/engine.h"
#include "codecs/engine/frame.h"
#include "codecs/engine/pace.h"
#include "codecs/engine/video.h"
#include "codecs/exact/clear.h"
#include "codecs/exact/glyphs.h"
#include "codecs/picture/progressive.h"
#include "codecs/picture/rfx_message.h"

#define BUSY_BYTES 2048 /* a frame of more keeps refinement waiting: typing is less, scrolling and films are more */
/* A part leaves when so many pixels are encoded: one or two milliseconds of encoding, twice that of decoding */
#define PART_PIXELS (128 * 1024)
/* A row of tiles gives its memory back so long after its last change. Typing does not pay for that each time. */
#define REST_US 2000000
#define SMALL_TILES 8 /* an update of up to so many tiles may overtake large ones */

struct engine {
    struct engine_config config;
    const struct compare_ops *ops;
    struct surface surfaces[ENGINE_SURFACES_MAX];
    uint16_t deleted[ENGINE_SURFACES_MAX + FILMS_MAX * STREAMS_MAX]; /* ids the client still has and must delete */
    unsigned ndeleted;
    uint16_t focus;    /* the surface that somebody works in; ENGINE_NO_SURFACE: none */
    bool focus_yields; /* it used up the last frame's budget */
    unsigned turn;     /* the slot that the others' turn begins with */
    bool suppressed;
    struct pace pace;
    uint32_t frame_id;
    struct frame frame;
    size_t budget;       /* bytes that this frame may have, as plan_cost counts them */
    size_t cost, costed; /* cost of the first `costed` commands */
    int encoded;         /* pixels encoded since the last part left */
    struct clear *clear; /* NULL without gfx */
    struct motion *motion;
    struct progressive *progressive; /* NULL: pictures are sent exactly */
    struct video video;
    bool collected;         /* this frame shows a film's picture: changes that waited for it do not wait again */
    struct cache *cache;    /* NULL without gfx */
    struct glyphs *glyphs;  /* NULL without gfx */
    struct rfx_stream *rfx; /* only with surface bits */
    uint64_t refine_us;     /* refinement does not begin before */
    uint64_t active_us;     /* when something last changed, or a frame left */
    uint64_t moved_us;      /* when something last moved */
    bool film_ended;        /* a film ended, and config.rested was not called since */
    bool rested;            /* config.rested was called since then, or there was nothing to give back */
    uint32_t busy_ms;       /* when the last frame of BUSY_BYTES or more left; refinement does not count */
};

/* What the frame costs the link so far, in bytes. An estimate: compression comes later. */
size_t plan_cost(struct engine *e);
/* `pixels` more were encoded: the commands so far may leave as a part. Not for refinement. */
void plan_part(struct engine *e, int pixels);
/* The live surfaces, in the order in which they may use this frame's budget. Returns how many. */
unsigned plan_order(struct engine *e, struct surface *order[ENGINE_SURFACES_MAX]);
/* Call it after each surface of that order: `s` was planned, and the frame's cost was `before` until then. */
void plan_turn(struct engine *e, const struct surface *s, size_t before);
/* Send the urgent tiles of `s` and nothing else, exactly. */
void plan_urgent(struct engine *e, struct surface *s);
/* Commands that delete, create and map surfaces. */
void plan_surfaces(struct engine *e);
/* Plan all changes of one surface. */
void plan_surface(struct engine *e, struct surface *s, uint64_t now_us);
/* Send changed tiles that look like photographs with a lossy codec. */
void plan_pictures(struct engine *e, struct surface *s);
/* Give new pictures of the films on `s` to their encoders. `before_copies`: only those that play steadily; otherwise
 * look for new films, too. Returns whether an encoder was given a picture. */
bool plan_video(struct engine *e, struct surface *s, bool before_copies, uint64_t now_us);
/* Microseconds until a film that paused gets its full colour, or one that stopped is closed; -1: there is none. */
int64_t plan_video_wait(const struct engine *e, uint64_t now_us);
void plan_video_end(struct engine *e, uint64_t now_us);
/* Draw changed tiles from the client's cache where it has their new content. */
void plan_from_cache(struct engine *e, struct surface *s);
/* Look up a sample of the changed tiles in the client's cache. Where most are there, motion is not searched for; where
 * none is, the other tiles are not looked up. */
enum seen { SEEN_NONE, SEEN_SOME, SEEN_MOST };
enum seen plan_cache_seen(struct engine *e, const struct surface *s, int dirty);
/* Microseconds until some tile has been still for long enough to be cached; -1: all are cached. */
int64_t plan_cache_wait(const struct engine *e, uint64_t now_us);
void plan_to_cache(struct engine *e, uint64_t now_us);
/* Microseconds until a lossy tile may be refined; -1: there is none. */
int64_t plan_refinement_wait(const struct engine *e, uint64_t now_us);
/* Refine some lossy tiles: coarse ones to fine, or, where none is due, fine ones to exact. Returns whether it was the
 * step to exact. */
bool plan_refinement(struct engine *e, uint64_t now_us);
/* Send `area` of `cur` losslessly and note it as shown. At most EXACT_PIXELS_MAX pixels, at most CLEAR_WIDTH_MAX wide.
 */
void exact_send(struct engine *e, struct surface *s, struct box area);
/* Send `area`, which is all text, as ClearCodec bands. Does not note it as shown. */
void exact_bands(struct engine *e, const struct surface *s, struct box area);
/* Send a line of text on `ground`; the client has filled the area with that colour. Does not note it as shown. Glyphs
 * that the client has cached are drawn only by plan_glyphs_end: call it in the same frame, before anything else is sent
 * there. */
void plan_line(struct engine *e, const struct surface *s, struct box area, uint32_t ground);
void plan_glyphs_end(struct engine *e, const struct surface *s);
/* Cache what the client shows in `b`: in this slot, or in one that is freed for it. */
void plan_cache_keep(struct engine *e, const struct surface *s, const struct box *b, uint64_t key, uint16_t slot);
void plan_cache_store(struct engine *e, const struct surface *s, const struct box *b, uint64_t key);
/* For clients without the graphics pipeline: send `area` of a tile as RemoteFX where it is a photograph and the client
 * takes that, else losslessly. */
void plan_legacy(struct engine *e, struct surface *s, int tile, struct box area);
/* Send copies for what moved. The tiles' `dirty` boxes must be up to date, and are so again afterwards. */
void plan_motion(struct engine *e, struct surface *s, int dirty);
/* Join changed tiles to rectangles and send them losslessly, until the budget is used up. */
void plan_exact(struct engine *e, struct surface *s);
#define EXACT_PIXELS_MAX CLEAR_PIXELS_MAX

#endif
