/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changed tiles joined to rectangles: fewer commands, and lines of text stay whole for ClearCodec. */
#include "codecs/state.h"

static int area(const struct box *b)
{
    return (b->x1 - b->x0) * (b->y1 - b->y0);
}

/* On a slow link rectangles stay small, so that the budget is looked at in time: nobody knows before what one costs. */
static int area_limit(const struct engine *e)
{
    return e->budget >= EXACT_PIXELS_MAX / 4 ? EXACT_PIXELS_MAX : (int)e->budget * 4;
}

/* Worth sending as one? Pixels that did not change cost little, but not nothing. */
static bool joins(const struct box *a, const struct box *b, struct box *both, int limit)
{
    *both = *a;
    box_add(both, b);
    return both->x1 - both->x0 <= CLEAR_WIDTH_MAX && area(both) <= limit &&
           area(both) <= (area(a) + area(b)) * 3 / 2 + 512;
}

static struct box take(struct surface *s, int tile)
{
    struct box b = s->tiles[tile].dirty;
    s->tiles[tile].dirty = (struct box){0, 0, 0, 0};
    surface_unmark(s, tile);
    return b;
}

static bool waits(const struct surface *s, int tx, int ty)
{
    return tx < s->tiles_x && ty < s->tiles_y && !box_empty(&s->tiles[ty * s->tiles_x + tx].dirty);
}

/* How many tiles right of tx join the row that starts there? */
static int row_end(const struct surface *s, int tx, int ty, struct box *row, int limit)
{
    *row = s->tiles[ty * s->tiles_x + tx].dirty;
    struct box both;
    while (waits(s, ++tx, ty) && joins(row, &s->tiles[ty * s->tiles_x + tx].dirty, &both, limit))
        *row = both;
    return tx;
}

/* The next row joins when it spans the same tiles. */
static struct box collect(struct surface *s, int tx, int ty, int limit)
{
    struct box all, row, both;
    int end = row_end(s, tx, ty, &all, limit), bottom = ty + 1;
    while (waits(s, tx, bottom) && row_end(s, tx, bottom, &row, limit) == end && joins(&all, &row, &both, limit)) {
        all = both;
        bottom++;
    }
    for (int y = ty; y < bottom; y++)
        for (int x = tx; x < end; x++)
            take(s, y * s->tiles_x + x);
    return all;
}

void plan_exact(struct engine *e, struct surface *s)
{
    int n = s->tiles_x * s->tiles_y;
    for (int k = 0, t = s->cursor % n; k < n && s->checks; k++, t = t + 1 == n ? 0 : t + 1) {
        if (box_empty(&s->tiles[t].dirty))
            continue;
        if (plan_cost(e) >= e->budget || e->frame.failed) {
            s->cursor = t;
            return;
        }
        if (e->config.caps.gfx) {
            struct box b = collect(s, t % s->tiles_x, t / s->tiles_x, area_limit(e));
            exact_send(e, s, b);
            plan_part(e, area(&b));
        } else {
            old_send(e, s, t, take(s, t));
        }
    }
    s->cursor = 0;
}

void plan_urgent(struct engine *e, struct surface *s)
{
    surface_find_dirty(s, e->ops);
    for (int t = 0; t < s->tiles_x * s->tiles_y && s->urgent; t++) {
        if (!(s->tiles[t].flags & TILE_URGENT))
            continue;
        if (plan_cost(e) >= e->budget || e->frame.failed)
            return;
        surface_unmark_urgent(s, t);
        /* what a film's picture is under way to has to wait for it */
        if (s->tiles[t].flags & TILE_HELD || surface_is_pending(s, &s->tiles[t].dirty))
            continue;
        struct box area = take(s, t);
        if (e->config.caps.gfx)
            exact_send(e, s, area);
        else
            old_send(e, s, t, area);
    }
}
