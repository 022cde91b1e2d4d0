/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's inside, shared by engine.c and the planner's files. */
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

#define BUSY_BYTES 2048 /* typing is less, scrolling pictures and films are more */
/* So many encoded pixels make a part: a millisecond or two of ours, twice that of the client */
#define PART_PIXELS (128 * 1024)
/* So long after its last change a row of tiles rests: who types is not held up by what rest costs */
#define REST_US 2000000
#define SMALL_TILES 8 /* an update of so few tiles may overtake */

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
    size_t budget;       /* bytes this frame may have, as plan_cost counts them */
    size_t cost, costed; /* what the commands before `costed` cost */
    int encoded;         /* pixels encoded since the last part left */
    struct clear *clear; /* NULL without gfx */
    struct motion *motion;
    struct progressive *progressive; /* NULL: pictures are sent exactly */
    struct video video;
    bool collected;         /* this frame has a picture that was waited for: nothing waits once more */
    struct cache *cache;    /* NULL without gfx */
    struct glyphs *glyphs;  /* NULL without gfx */
    struct rfx_stream *rfx; /* only with surface bits */
    uint64_t refine_us;     /* no refinement before */
    uint64_t active_us;     /* when something last changed, or left */
    uint64_t moved_us;      /* when something last moved */
    bool film_ended;        /* and nobody was told that there is memory to give back */
    bool rested;            /* since then nothing was to be done, for long enough */
    uint32_t busy_ms;       /* when the last frame of BUSY_BYTES left, refinement apart */
};

/* What the frame costs the link so far, about: what is on the wire is known only later. */
size_t plan_cost(struct engine *e);
/* So many pixels were encoded: what is there may leave as a part. Not for background work. */
void plan_part(struct engine *e, int pixels);
/* The live surfaces, in the order in which they may use this frame's budget. Returns how many. */
unsigned plan_order(struct engine *e, struct surface *order[ENGINE_SURFACES_MAX]);
/* Call it after each surface of that order: `s` was planned, and the frame's cost was `before` until then. */
void plan_turn(struct engine *e, const struct surface *s, size_t before);
/* The small changes alone, exactly. */
void plan_urgent(struct engine *e, struct surface *s);
/* Surfaces to delete, create and map. */
void plan_surfaces(struct engine *e);
/* One surface's changes. */
void plan_surface(struct engine *e, struct surface *s, uint64_t now_us);
/* Changed tiles that look like pictures, as such. */
void plan_pictures(struct engine *e, struct surface *s);
/* The films that play on this surface. Returns whether an encoder was given a picture. */
bool plan_video(struct engine *e, struct surface *s, bool before_copies, uint64_t now_us);
/* Microseconds until a film that paused gets its colour or one that stopped is given up; -1: there is none. */
int64_t plan_video_wait(const struct engine *e, uint64_t now_us);
void plan_video_end(struct engine *e, uint64_t now_us);
/* Changed tiles whose new content the client has in its cache. */
void plan_from_cache(struct engine *e, struct surface *s);
/* How many of some samples of the changed tiles lie in the client's cache? A slide that comes back is not searched for
 * motion, and a new page not for what was seen. */
enum seen { SEEN_NONE, SEEN_SOME, SEEN_MOST };
enum seen plan_cache_seen(struct engine *e, const struct surface *s, int dirty);
/* Microseconds until something has stood long enough to be kept; -1: nothing is new. */
int64_t plan_cache_wait(const struct engine *e, uint64_t now_us);
void plan_to_cache(struct engine *e, uint64_t now_us);
/* Microseconds until a lossy tile may become better; -1: there is none. */
int64_t plan_refinement_wait(const struct engine *e, uint64_t now_us);
/* The next step of some: of pictures that are not fine yet to fine, else to exact. Returns whether it was the last, to
 * exact. */
bool plan_refinement(struct engine *e, uint64_t now_us);
/* Send `area` exactly, as it is in cur, and remember it as shown. At most EXACT_PIXELS_MAX pixels and CLEAR_WIDTH_MAX
 * wide. */
void exact_send(struct engine *e, struct surface *s, struct box area);
/* Writing all over `area`, as bands; nothing is remembered. */
void exact_bands(struct engine *e, const struct surface *s, struct box area);
/* The same for a line of writing on `ground`, which the client has filled it with; some of it is drawn by
 * plan_glyphs_end, which must follow in the same frame, before anything else is sent there. */
void plan_line(struct engine *e, const struct surface *s, struct box area, uint32_t ground);
void plan_glyphs_end(struct engine *e, const struct surface *s);
/* The client keeps what its surface shows there in this slot; or in one that is made free for it. */
void plan_cache_keep(struct engine *e, const struct surface *s, const struct box *b, uint64_t key, uint16_t slot);
void plan_cache_store(struct engine *e, const struct surface *s, const struct box *b, uint64_t key);
/* The older ways: a tile's change as RemoteFX where it is a picture and the client takes it, else exactly. */
void plan_legacy(struct engine *e, struct surface *s, int tile, struct box area);
/* Copies for what moved; `dirty` boxes are up to date before and after. */
void plan_motion(struct engine *e, struct surface *s, int dirty);
/* Changed tiles joined to rectangles and sent, until the budget is used. */
void plan_exact(struct engine *e, struct surface *s);
#define EXACT_PIXELS_MAX CLEAR_PIXELS_MAX

#endif
