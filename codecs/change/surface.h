/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A surface: the newest picture, the picture the client shows, and per 64x64 tile what lies between them. */
#ifndef ORIEL_CODECS_CHANGE_SURFACE_H
#define ORIEL_CODECS_CHANGE_SURFACE_H

#include "codecs/change/compare.h"
#include "codecs/engine/engine.h"

#define TILE 64

enum {
    TILE_CHECK = 1,      /* `cur` may differ from `shown` */
    TILE_UNKNOWN = 2,    /* what the client shows here is not known: send all of it */
    TILE_LOSSY = 4,      /* the client shows an approximation of `shown` */
    TILE_CACHED = 16,    /* the client's cache has it, or it is not worth a slot */
    TILE_LOOKED_AT = 32, /* `picture` is up to date */
    TILE_RECHECK = 8,    /* `dirty` is out of date: compare again */
    TILE_URGENT = 128,   /* a small change waits here: send it before large ones */
    TILE_HELD = 64,      /* waits for a film's picture that is at its encoder; compared again when that was sent */
};
struct tile {
    uint8_t flags;
    uint8_t quality; /* of a lossy tile: enum picture_quality */
    uint8_t heat;    /* how often it lately changed as a photograph: a film's tiles are hot */
    /* Its last change came after RESTED_MS without any: it is no film's clock or subtitle */
    bool rested;
    uint16_t picture;      /* classify.h: its cells that are pictures, row by row */
    uint32_t changed_ms;   /* when it last changed */
    uint32_t changed_turn; /* the surface's `turn` then */
    /* Bounding box of the pixels that differ. With RECHECK: valid only after surface_find_dirty */
    struct box dirty;
    struct box lossy; /* of a lossy tile: bounding box of what is approximate */
};

/* Longer than two pictures of a film last. Typing that is faster is shown with the film. */
#define RESTED_MS 100

#define SURFACE_OWED_MAX 64 /* areas that are copied later; a screen has some thirty */

#define SURFACE_CAME_MAX 8 /* rectangles of damage that are kept apart; more are merged */

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

/* A pane that scrolls steadily. While its next picture comes in, each line is compared with what one more copy by (dx,
 * dy) into `to` would show: the line is in the processor's cache then. `shown` must not change meanwhile. */
struct follow {
    struct box to; /* its source lies in the surface, too */
    int dx, dy;
    bool on; /* nothing has differed so far */
    /* The tiles that came in were marked dirty as a whole, without comparing them with what they were before */
    bool guessed;
    int lines;     /* of `to`, that came in whole */
    uint8_t *seen; /* a byte for each line of the surface: it was counted in `lines` */
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
    struct box owed[SURFACE_OWED_MAX]; /* areas of `shown` that are to be copied from `cur` when the frame has left */
    int nowed;
    uint8_t *borrowed; /* a byte for each row of tiles: `shown` equals `cur` there and has no memory of its own */
    int nborrowed;
    bool may_rest;        /* rows may give memory back: it is large enough, and its rows are whole pages */
    uint32_t *touched_ms; /* for each row of tiles: when pixels last came in, changed or not */
    bool small_pages;     /* `shown` has no huge pages: rows get their memory back one by one */
    bool moves;           /* something moved since the engine set this to false: all of `shown` was needed */
    struct tile *tiles;
    int tiles_x, tiles_y;
    int checks;               /* how many tiles have CHECK or UNKNOWN */
    int lossy;                /* how many tiles have LOSSY */
    int urgent;               /* how many tiles have URGENT */
    bool uncached;            /* some tile lacks CACHED */
    uint8_t *before;          /* scratch, a byte for each tile */
    struct box *lossy_before; /* scratch, a box for each tile */
    struct box *changed;      /* scratch, a box for each of a row's tiles */
    struct box
        pending[SURFACE_PENDING_MAX]; /* by film: `shown` has this already, the client gets it later; empty: nothing */
    struct box spoiled[SURFACE_PENDING_MAX]; /* the part of it that was drawn over meanwhile */
    struct motion_history history;
    struct follow follow;
    /* Where pixels came in since nothing waited. Outside of these and of dirty tiles, `cur` equals `shown`. */
    struct box came[SURFACE_CAME_MAX];
    int ncame;
    int held;      /* how many tiles have HELD */
    bool waits;    /* nothing can be planned before the pending film's picture was sent */
    uint32_t turn; /* counts the searches for films */
    int cursor;    /* the tile that the next frame begins with, where the last one's budget ran out */
};

int surface_init(struct surface *s, uint16_t id, uint16_t width, uint16_t height, uint16_t x, uint16_t y);
void surface_finish(struct surface *s);
/* Nothing is known of what the client shows. */
void surface_forget(struct surface *s);
void surface_mark(struct surface *s, int tile, uint8_t flags);
void surface_unmark(struct surface *s, int tile);
/* Mark the tiles of `area` that changed at `now_ms` as urgent. */
void surface_mark_urgent(struct surface *s, struct box area, uint32_t now_ms);
/* Mark the tiles that changed at `now_ms` after a rest as urgent, if they are `most` or fewer. */
void surface_mark_rested(struct surface *s, int most, uint32_t now_ms);
void surface_unmark_urgent(struct surface *s, int tile);
/* The client shows an approximation of this quality in the tile's part of `area`; or the whole tile exactly. */
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
/* Copy within `shown` like surface_moved, where it is not known which tiles the copy makes right. Rows are compared
 * while they are copied, so that memory is read once. Returns how many tiles are right. Tiles that lie wholly in `to`
 * and are not right have their `dirty` set. */
int surface_slide(struct surface *s, const struct compare_ops *ops, struct box to, int dx, int dy);
/* Begin to follow (struct follow). `to` and its source lie inside the surface. */
void surface_follow(struct surface *s, struct box to, int dx, int dy);
/* Take over the pixels of a new line that lie in `area` and in `follow.to`. Returns their box; empty: none. `line` is
 * pixel 0 of line y. */
struct box surface_follow_line(struct surface *s, const struct compare_ops *ops, const uint8_t *line, int y,
    const struct box *area);
/* Something else came: stop, and compare the tiles that were only guessed. */
void surface_unfollow(struct surface *s);
/* Did all of `to` come in just as the copy would show it? Then surface_shift notes that the client makes the copy. Its
 * pixels are copied from `cur` later, as by surface_settle_later. Returns how many tiles are right now. */
bool surface_followed(const struct surface *s);
int surface_shift(struct surface *s);
/* Compare a tile: the box that must be sent; empty when nothing differs. */
struct box surface_tile_dirty(const struct surface *s, const struct compare_ops *ops, int tile);
#define PIECES_MAX 4
/* What differs in a tile as up to PIECES_MAX disjoint boxes: an L is two. */
int surface_pieces(const struct surface *s, const struct compare_ops *ops, int tile, struct box *out);
/* The largest rectangle in one of the corners of `b` in which nothing differs; empty where that has fewer than two
 * pixels. */
struct box surface_equal_corner(const struct surface *s, const struct compare_ops *ops, const struct box *b);
/* `area` was drawn over: a pending picture will cover it with older pixels when it comes. */
void surface_spoil(struct surface *s, const struct box *area);
/* The tile's part of `area` is exact now. */
void surface_drop_lossy(struct surface *s, int tile, const struct box *area);
/* The client now shows `cur` in `area`, exactly. */
void surface_settle(struct surface *s, struct box area);
/* Like surface_settle, but a large area is only noted and copied later. Until surface_catch_up, `shown` may be stale
 * there. Comparing it early only wastes bytes; catch up before copying from `shown` or changing `cur`. */
void surface_settle_later(struct surface *s, struct box area);
void surface_catch_up(struct surface *s);
/* Rows of tiles in which nothing waits, and nothing came in for `after_ms`, give the memory of `shown` back: `shown`
 * equals `cur` there. surface_own brings it back before `cur` changes there, surface_own_all before anything is copied.
 * In borrowed rows no motion is found. Returns milliseconds until the next row will have rested, -1: none will by
 * itself. */
int32_t surface_rest(struct surface *s, uint32_t now_ms, uint32_t after_ms);
/* True when all rows rest, or none may. */
bool surface_rests(const struct surface *s);
/* The rows of tiles that have the lines y0 … y1 - 1 get the memory of `shown` back. */
void surface_own(struct surface *s, int y0, int y1);
/* All rows get it back, because something moves. */
void surface_own_all(struct surface *s);
/* `area` was settled, but the client gets it later, on top of whatever is sent there meanwhile. Until surface_release
 * nothing is sent there, and no copy reads from there. `slot`: the film's. */
void surface_hold(struct surface *s, int slot, struct box area);
/* The client got it; or (`lost`) never will, and all of it is unknown. */
void surface_release(struct surface *s, int slot, bool lost);
/* All other changes so far wait and are shown together with it. Urgent ones do not wait. */
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
