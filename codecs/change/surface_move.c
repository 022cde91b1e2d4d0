/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a copy within the client's picture does to what is known of it. */
#include "codecs/change/surface.h"

#include <string.h>

static void touched(struct surface *s, int tile, struct box exact)
{
    struct box b = surface_tile_box(s, tile);
    if (box_inside(&b, &exact) && !(s->tiles[tile].flags & TILE_UNKNOWN)) {
        surface_mark(s, tile, 0); /* its content is new to the cache */
        surface_unmark(s, tile);
    } else {
        surface_mark(s, tile, TILE_RECHECK);
    }
}

enum { BEFORE_EXACT = 0xFF };

/* The coarsest quality of what lies in a source box, as it was before the copy, and the box around that. */
static uint8_t coarsest(const struct surface *s, struct box from, struct box *around)
{
    uint8_t q = BEFORE_EXACT;
    for (int ty = from.y0 / TILE; ty <= (from.y1 - 1) / TILE; ty++)
        for (int tx = from.x0 / TILE; tx <= (from.x1 - 1) / TILE; tx++) {
            int tile = ty * s->tiles_x + tx;
            struct box both = box_intersect(s->lossy_before[tile], &from);
            box_add(around, &both);
            if (!box_empty(&both) && s->before[tile] < q)
                q = s->before[tile];
        }
    return q;
}

/* Approximations move along with their pixels. */
static void move_quality(struct surface *s, int tile, struct box to, int dx, int dy)
{
    struct box b = surface_tile_box(s, tile), part = box_intersect(b, &to), lossy = {0, 0, 0, 0};
    uint8_t q = coarsest(s, (struct box){part.x0 - dx, part.y0 - dy, part.x1 - dx, part.y1 - dy}, &lossy);
    surface_drop_lossy(s, tile, &part);
    if (q == BEFORE_EXACT)
        return;
    if (s->tiles[tile].flags & TILE_LOSSY && s->before[tile] < q)
        q = s->before[tile];
    surface_set_lossy(s, tile, (struct box){lossy.x0 + dx, lossy.y0 + dy, lossy.x1 + dx, lossy.y1 + dy}, q);
}

static void remember_quality(struct surface *s)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        bool lossy = s->tiles[t].flags & TILE_LOSSY;
        s->before[t] = lossy ? s->tiles[t].quality : BEFORE_EXACT;
        s->lossy_before[t] = lossy ? s->tiles[t].lossy : (struct box){0, 0, 0, 0};
    }
}

static void move_row(const struct surface *s, const struct box *to, int y, int dx, int dy)
{
    memmove(surface_shown(s, to->x0, y), surface_shown(s, to->x0 - dx, y - dy), (size_t)(to->x1 - to->x0) * 4);
}

void surface_moved(struct surface *s, struct box to, int dx, int dy, struct box exact)
{
    int rows = to.y1 - to.y0;
    s->follow.on = false;
    surface_catch_up(s);
    surface_own_all(s);
    for (int i = 0; i < rows; i++)
        move_row(s, &to, dy > 0 ? to.y1 - 1 - i : to.y0 + i, dx, dy);
    bool lossy = s->lossy > 0;
    surface_spoil(s, &to);
    if (lossy)
        remember_quality(s);
    for (int ty = to.y0 / TILE; ty <= (to.y1 - 1) / TILE; ty++)
        for (int tx = to.x0 / TILE; tx <= (to.x1 - 1) / TILE; tx++) {
            touched(s, ty * s->tiles_x + tx, exact);
            if (lossy)
                move_quality(s, ty * s->tiles_x + tx, to, dx, dy);
        }
}

/* What differs in a row's pixels x0 … x1 - 1, added to its tiles' `changed`. */
static void add_differences(struct surface *s, const struct compare_ops *ops, int y, int x0, int x1)
{
    if (ops->equal(surface_cur(s, x0, y), s->stride, surface_shown(s, x0, y), s->stride, x1 - x0, 1))
        return;
    for (int tx = x0 / TILE; tx <= (x1 - 1) / TILE; tx++) {
        int from = tx * TILE > x0 ? tx * TILE : x0, to = (tx + 1) * TILE < x1 ? (tx + 1) * TILE : x1;
        struct box d;
        if (!ops->diff(surface_cur(s, from, y), s->stride, surface_shown(s, from, y), s->stride, to - from, 1, &d))
            continue;
        d = (struct box){from + d.x0, y, from + d.x1, y + 1};
        box_add(&s->changed[tx], &d);
    }
}

/* Returns whether it is right now. */
static bool slid(struct surface *s, int tile, const struct box *to)
{
    struct box b = surface_tile_box(s, tile);
    if (!box_inside(&b, to) || s->tiles[tile].flags & (TILE_UNKNOWN | TILE_HELD)) {
        surface_mark(s, tile, TILE_RECHECK);
        return false;
    }
    surface_mark(s, tile, 0); /* its content is new to the cache */
    s->tiles[tile].flags &= (uint8_t)~TILE_RECHECK;
    s->tiles[tile].dirty = s->changed[tile % s->tiles_x];
    if (!box_empty(&s->tiles[tile].dirty))
        return false;
    surface_unmark(s, tile);
    return true;
}

int surface_slide(struct surface *s, const struct compare_ops *ops, struct box to, int dx, int dy)
{
    int first = to.x0 / TILE, last = (to.x1 - 1) / TILE, top = to.y0 / TILE, bottom = (to.y1 - 1) / TILE, right = 0;
    bool lossy = s->lossy > 0;
    s->follow.on = false;
    surface_catch_up(s);
    surface_own_all(s);
    surface_spoil(s, &to);
    if (lossy)
        remember_quality(s);
    for (int i = 0; i <= bottom - top; i++) {
        int ty = dy > 0 ? bottom - i : top + i;
        struct box row = {to.x0, ty * TILE, to.x1, (ty + 1) * TILE};
        row = box_intersect(row, &to);
        memset(s->changed + first, 0, (size_t)(last - first + 1) * sizeof *s->changed);
        for (int k = 0; k < row.y1 - row.y0; k++) {
            int y = dy > 0 ? row.y1 - 1 - k : row.y0 + k;
            move_row(s, &to, y, dx, dy);
            add_differences(s, ops, y, to.x0, to.x1);
        }
        for (int tx = first; tx <= last; tx++) {
            right += slid(s, ty * s->tiles_x + tx, &to);
            if (lossy)
                move_quality(s, ty * s->tiles_x + tx, to, dx, dy);
        }
    }
    return right;
}

void surface_follow(struct surface *s, struct box to, int dx, int dy)
{
    uint8_t *seen = s->follow.seen;
    surface_unfollow(s);
    memset(seen + to.y0, 0, (size_t)(to.y1 - to.y0));
    s->follow = (struct follow){.to = to, .dx = dx, .dy = dy, .on = true, .seen = seen};
}

void surface_unfollow(struct surface *s)
{
    const struct box *to = &s->follow.to;
    for (int ty = to->y0 / TILE; s->follow.guessed && ty <= (to->y1 - 1) / TILE; ty++)
        for (int tx = to->x0 / TILE; tx <= (to->x1 - 1) / TILE; tx++)
            if (s->tiles[ty * s->tiles_x + tx].flags & TILE_CHECK)
                surface_mark(s, ty * s->tiles_x + tx, TILE_RECHECK);
    s->follow.on = s->follow.guessed = false;
}

struct box surface_follow_line(struct surface *s, const struct compare_ops *ops, const uint8_t *line, int y,
    const struct box *area)
{
    struct follow *f = &s->follow;
    struct box all = {area->x0, y, area->x1, y + 1}, part = {0, 0, 0, 0};
    if (f->on)
        part = box_intersect(all, &f->to);
    if (box_empty(&part))
        return part;
    f->guessed = true;
    f->on = ops->follow(surface_cur(s, part.x0, y), line + 4 * (size_t)part.x0,
        surface_shown(s, part.x0 - f->dx, y - f->dy), part.x1 - part.x0);
    if (part.x0 == f->to.x0 && part.x1 == f->to.x1 && !f->seen[y]) {
        f->seen[y] = 1;
        f->lines++;
    }
    return part;
}

bool surface_followed(const struct surface *s)
{
    return s->follow.on && s->follow.lines == s->follow.to.y1 - s->follow.to.y0;
}

int surface_shift(struct surface *s)
{
    struct follow f = s->follow;
    int right = 0, first = f.to.x0 / TILE, last = (f.to.x1 - 1) / TILE;
    bool lossy = s->lossy > 0;
    s->follow.on = s->follow.guessed = false;
    s->moves = true;
    if (lossy)
        remember_quality(s);
    surface_settle_later(s, f.to);
    memset(s->changed + first, 0, (size_t)(last - first + 1) * sizeof *s->changed);
    for (int ty = f.to.y0 / TILE; ty <= (f.to.y1 - 1) / TILE; ty++)
        for (int tx = first; tx <= last; tx++) {
            struct box b = surface_tile_box(s, ty * s->tiles_x + tx), part = box_intersect(b, &f.to);
            if (!box_inside(&b, &f.to))
                surface_settle(s, part); /* the rest of it is compared at once */
            right += slid(s, ty * s->tiles_x + tx, &f.to);
            if (lossy)
                move_quality(s, ty * s->tiles_x + tx, f.to, f.dx, f.dy);
        }
    return right;
}
