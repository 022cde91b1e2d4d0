/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A surface: the newest picture, the picture the client shows, and per 64x64 tile what lies between them. */
#ifndef ORIEL_CODECS_CHANGE_SURFACE_H
#define ORIEL_CODECS_CHANGE_SURFACE_H

#include "codecs/change/compare.h"
#include "codecs/engine/engine.h"

#define TILE 64

enum {
    TILE_CHECK = 1,      /* cur may differ from shown */
    TILE_UNKNOWN = 2,    /* what the client shows here is not known: send it whole */
    TILE_LOSSY = 4,      /* the client shows an approximation of `shown` */
    TILE_CACHED = 16,    /* the client's cache has it, or it is not worth a slot */
    TILE_LOOKED_AT = 32, /* `picture` is of this content */
    TILE_RECHECK = 8,    /* `dirty` is not known: compare again */
    TILE_URGENT = 128,   /* waits since a small change: it goes before what is large */
    TILE_HELD = 64,      /* differs where something is under way: looked at again when that has come */
};
struct tile {
    uint8_t flags;
    uint8_t quality; /* of a lossy tile: enum picture_quality */
    uint8_t heat;    /* how often it changed lately as a picture does: a film's tiles are hot */
    /* Had not changed for RESTED_MS before it last did: no film's clock or subtitle */
    bool rested;
    uint16_t picture;      /* classify.h: its cells that are pictures, row by row */
    uint32_t changed_ms;   /* when it last changed */
    uint32_t changed_turn; /* the surface's `turn` then */
    /* Smallest box of what differs; of tiles with RECHECK only after surface_find_dirty */
    struct box dirty;
    struct box lossy; /* of a lossy tile: all that is approximate lies in here */
};

/* More than two of a film's pictures; faster typing is seen with the film */
#define RESTED_MS 100

#define SURFACE_OWED_MAX 64 /* a row of tiles or an area each: a screen has some thirty */

#define SURFACE_CAME_MAX 8 /* a frame's damage in parts; more are taken together */

#define SURFACE_PENDING_MAX 3 /* as many as films may play */

#define MOTION_VECTORS_MAX 4 /* panes of a surface that move at once */
struct motion_vector {
    int16_t dx, dy;
    uint32_t votes;
};
/* A displacement that was used in the surface's last frame. */
struct motion_last {
    struct motion_vector v;
    struct box to; /* the largest rectangle that was copied */
    bool steady;   /* the one before that was the same: a pane scrolls */
};
/* What moved the last time often moves on. */
struct motion_history {
    struct motion_last last[MOTION_VECTORS_MAX];
    int n;
};

/* A pane that scrolls steadily: while its next picture comes in, each line is compared with what one more copy by (dx,
 * dy) into `to` would bring, as long as it is in the processor's cache. What `shown` is must not change between. */
struct follow {
    struct box to; /* its source lies in the surface, too */
    int dx, dy;
    bool on; /* nothing differed so far */
    /* The tiles that came in are dirty all over: what differs from before was not looked for */
    bool guessed;
    int lines;     /* of `to` that came in whole */
    uint8_t *seen; /* a byte a line of the surface: it is among them */
};

struct surface {
    uint16_t id, width, height;
    uint16_t x, y;   /* on the output, */
    bool in_window;  /* or else */
    uint32_t window; /* in the window of this id */
    bool live;
    bool created; /* at the client */
    const struct compare_ops *ops;
    size_t stride;                     /* of both pictures: whole tiles */
    uint8_t *cur;                      /* newest pixels, X = 0xFF */
    uint8_t *shown;                    /* what the client shows (exactly, but for TILE_LOSSY and TILE_UNKNOWN) */
    struct box owed[SURFACE_OWED_MAX]; /* where `shown` is cur, and is copied from it when the frame is on its way */
    int nowed;
    uint8_t *borrowed; /* a row of tiles each: `shown` is cur there, and has no memory of its own */
    int nborrowed;
    bool may_rest;        /* it is large enough, and its rows are whole pages */
    uint32_t *touched_ms; /* a row of tiles each: when pixels last came in, changed or not */
    bool small_pages;     /* rows get their memory back one by one */
    bool moves;           /* something moved since somebody set it to false: all of `shown` was needed */
    struct tile *tiles;
    int tiles_x, tiles_y;
    int checks;                              /* how many tiles have CHECK or UNKNOWN */
    int lossy;                               /* how many tiles have LOSSY */
    int urgent;                              /* how many tiles have URGENT */
    bool uncached;                           /* some tile lacks CACHED */
    uint8_t *before;                         /* scratch, a byte a tile */
    struct box *lossy_before;                /* scratch, a box a tile */
    struct box *changed;                     /* scratch, a box for each of a row's tiles */
    struct box pending[SURFACE_PENDING_MAX]; /* what `shown` has already and the client gets later; empty: nothing */
    struct box spoiled[SURFACE_PENDING_MAX]; /* what of it was drawn over meanwhile */
    struct motion_history history;
    struct follow follow;
    /* Where pixels came in since nothing waited: outside of these, and of what is dirty, cur is shown */
    struct box came[SURFACE_CAME_MAX];
    int ncame;
    int held;      /* how many tiles have HELD */
    bool waits;    /* nothing more can be planned before what is pending has come */
    uint32_t turn; /* counts how often films were looked for */
    int cursor;    /* where the next frame goes on when the last one's budget ran out */
};

int surface_init(struct surface *s, uint16_t id, uint16_t width, uint16_t height, uint16_t x, uint16_t y);
void surface_finish(struct surface *s);
/* Nothing is known of what the client shows. */
void surface_forget(struct surface *s);
void surface_mark(struct surface *s, int tile, uint8_t flags);
void surface_unmark(struct surface *s, int tile);
/* The tiles of `area` that changed at `now_ms` are urgent. */
void surface_mark_urgent(struct surface *s, struct box area, uint32_t now_ms);
/* Of what changed at `now_ms` the tiles that had rested, if they are `most` or fewer. */
void surface_mark_rested(struct surface *s, int most, uint32_t now_ms);
void surface_unmark_urgent(struct surface *s, int tile);
/* What the client shows of a tile is, where `area` touches it, an approximation of this quality; or all of it is exact.
 */
void surface_set_lossy(struct surface *s, int tile, struct box area, uint8_t quality);
void surface_set_exact(struct surface *s, int tile);
/* Copy new pixels in; returns the number of tiles that changed. */
int surface_absorb(struct surface *s, const struct compare_ops *ops, const uint8_t *px, size_t stride, struct box area,
    uint32_t now_ms);
/* The box of a tile, clipped to the surface. */
struct box surface_tile_box(const struct surface *s, int tile);
/* Compare the tiles with RECHECK: sets their `dirty`, clears the flags of those that turn out equal. Returns how many
 * differ. */
int surface_find_dirty(struct surface *s, const struct compare_ops *ops);
/* Copy within `shown`, as the client does. Tiles wholly within `exact` are known to be right afterwards; others touched
 * are to be looked at again. */
void surface_moved(struct surface *s, struct box to, int dx, int dy, struct box exact);
/* The same where nobody knows yet what the copy makes right: compared row by row as it moves, so memory is passed once.
 * Returns how many tiles are right; those that lie wholly in `to` and are not have their `dirty`. */
int surface_slide(struct surface *s, const struct compare_ops *ops, struct box to, int dx, int dy);
/* From here on it is looked for: `to` and what lies (dx, dy) before it are inside the surface. */
void surface_follow(struct surface *s, struct box to, int dx, int dy);
/* Of the part of a new line that is in `area`, takes over what is in `to`, and returns it; empty: none. `line` is pixel
 * 0 of line y. */
struct box surface_follow_line(struct surface *s, const struct compare_ops *ops, const uint8_t *line, int y,
    const struct box *area);
/* It came otherwise: what differs is looked for. */
void surface_unfollow(struct surface *s);
/* All of `to` came in as that copy brings it? Then surface_shift notes that the client makes it, and what it brings is
 * copied from cur later, as by surface_settle_later. Returns how many tiles are right now. */
bool surface_followed(const struct surface *s);
int surface_shift(struct surface *s);
/* What must be sent of a tile: empty when nothing differs. */
struct box surface_tile_dirty(const struct surface *s, const struct compare_ops *ops, int tile);
#define PIECES_MAX 4
/* What differs in a tile as up to PIECES_MAX disjoint boxes: an L is two. */
int surface_pieces(const struct surface *s, const struct compare_ops *ops, int tile, struct box *out);
/* The largest rectangle in one of the corners of `b` in which nothing differs; empty where that has fewer than two
 * pixels. */
struct box surface_equal_corner(const struct surface *s, const struct compare_ops *ops, const struct box *b);
/* Drawn over: of what is pending there, the client will show the older. */
void surface_spoil(struct surface *s, const struct box *area);
/* What of a tile lies in `area` is no approximation any more. */
void surface_drop_lossy(struct surface *s, int tile, const struct box *area);
/* The client now shows cur in `area`, exactly. */
void surface_settle(struct surface *s, struct box area);
/* The same, but what is large is only noted: until surface_catch_up `shown` may have older pixels there. Who compares
 * it with cur then sends what needs not be sent; who copies from it, or changes cur, catches up first. */
void surface_settle_later(struct surface *s, struct box area);
void surface_catch_up(struct surface *s);
/* Rows of tiles in which nothing waits, and nothing came in in the last `after_ms`, give the memory of `shown` back: it
 * is what cur is. They have it again (surface_own) before cur changes there, and all of them before somebody copies
 * from it; who looks for motion in borrowed rows finds none. Returns milliseconds until the next row will have rested,
 * -1: none will by itself. */
int32_t surface_rest(struct surface *s, uint32_t now_ms, uint32_t after_ms);
/* All rows rest, or none may. */
bool surface_rests(const struct surface *s);
/* The tiles' rows of the lines y0 … y1 - 1. */
void surface_own(struct surface *s, int y0, int y1);
/* All of them, for something moves. */
void surface_own_all(struct surface *s);
/* `area` was settled, but the client gets it later, and then over whatever was sent there meanwhile: until
 * surface_release nothing reads from there or is sent there. */
void surface_hold(struct surface *s, int slot, struct box area);
/* It came, or (`lost`) will never come: then all of it is unknown. */
void surface_release(struct surface *s, int slot, bool lost);
/* What else changed by now is shown together with it, what is urgent apart. */
void surface_hold_changes(struct surface *s);
bool surface_is_pending(const struct surface *s, const struct box *b);
/* A client's rectangle, clipped. */
struct box surface_clip(const struct surface *s, const struct engine_rect *r);

static inline uint8_t *surface_cur(const struct surface *s, int x, int y)
{
    return s->cur + (size_t)y * s->stride + (size_t)x * 4;
}

static inline uint8_t *surface_shown(const struct surface *s, int x, int y)
{
    return s->shown + (size_t)y * s->stride + (size_t)x * 4;
}

static inline struct engine_rect box_rect(const struct box *b)
{
    return (struct engine_rect){(uint16_t)b->x0, (uint16_t)b->y0, (uint16_t)(b->x1 - b->x0), (uint16_t)(b->y1 - b->y0)};
}

#endif
