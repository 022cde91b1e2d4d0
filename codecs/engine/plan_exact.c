/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changed tiles joined to rectangles: fewer commands, and lines of text stay whole for ClearCodec. */
#include "codecs/engine/state.h"

#define AREA_PIXELS (256 * 1024)  /* of one command: a millisecond or two */
#define FIRST_PIXELS (128 * 1024) /* of the first one in a large frame: a row of tiles */
#define LARGE_TILES 128
#define LINE_ROWS_MAX 48 /* what is higher is no line of writing */
/* Letters placed by one command each kind: fewer cost bytes, and the client waits for more */
#define GLYPHS_TOGETHER 700

static int area(const struct box *b)
{
    return (b->x1 - b->x0) * (b->y1 - b->y0);
}

/* On a slow link rectangles stay small, so that the budget is looked at in time: nobody knows before what one costs. */
static int area_limit(const struct engine *e, bool first)
{
    int most = first ? FIRST_PIXELS : AREA_PIXELS;
    return e->budget >= (size_t)most / 4 ? most : (int)e->budget * 4;
}

/* Of a large frame nothing has left yet: the client waits, and should not for long. */
static bool is_first(const struct engine *e, const struct surface *s)
{
    return e->config.part && e->frame.passed == 0 && s->checks >= LARGE_TILES;
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

/* Does a row that starts further left go through here? It is not to be cut in two. */
static bool goes_through(const struct surface *s, int tx, int ty, int limit)
{
    int x = tx;
    struct box row;
    while (x > 0 && waits(s, x - 1, ty))
        x--;
    while (x < tx)
        x = row_end(s, x, ty, &row, limit);
    return x > tx;
}

/* Does the row below span the same tiles? */
static bool row_below(const struct surface *s, int tx, int end, int ty, struct box *row, int limit)
{
    return waits(s, tx, ty) && !goes_through(s, tx, ty, limit) && row_end(s, tx, ty, row, limit) == end;
}

/* The next row joins when it spans the same tiles. *more: another would have, but for the limit. */
static struct box collect(struct surface *s, int tx, int ty, int limit, bool *more)
{
    struct box all, row, both;
    int end = row_end(s, tx, ty, &all, limit), bottom = ty + 1;
    while (row_below(s, tx, end, bottom, &row, limit) && joins(&all, &row, &both, limit)) {
        all = both;
        bottom++;
    }
    *more = row_below(s, tx, end, bottom, &row, limit) && area(&all) >= limit / 2;
    for (int y = ty; y < bottom; y++)
        for (int x = tx; x < end; x++)
            take(s, y * s->tiles_x + x);
    return all;
}

/* An area ends where a tile does, in the middle of a line of writing: what is below the last blank row is left to the
 * next. Letters that are cut in two are none that anybody has seen before. */
static struct box leave_cut_line(const struct surface *s, struct box *b)
{
    int y = b->y1;
    while (y > b->y0 && b->y1 - y < LINE_ROWS_MAX &&
        !s->ops->uniform(surface_cur(s, b->x0, y - 1), s->stride, b->x1 - b->x0, 1))
        y--;
    if (y == b->y0 || b->y1 - y == LINE_ROWS_MAX)
        return (struct box){0, 0, 0, 0};
    struct box left = {b->x0, y, b->x1, b->y1};
    b->y1 = y;
    return left;
}

/* The same tiles below each other? Then what was left of the upper is drawn with the lower. Both together may be wider
 * than either. */
static bool continues(const struct box *left, const struct box *b)
{
    struct box both = *b;
    box_add(&both, left);
    return left->y1 == b->y0 && left->x0 / TILE == b->x0 / TILE && (left->x1 - 1) / TILE == (b->x1 - 1) / TILE &&
        both.x1 - both.x0 <= CLEAR_WIDTH_MAX && area(&both) <= EXACT_PIXELS_MAX;
}

static void send_area(struct engine *e, struct surface *s, struct box b, bool first)
{
    exact_send(e, s, b);
    if (e->glyphs->nplaced >= GLYPHS_TOGETHER || first)
        plan_glyphs_end(e, s);
    plan_part(e, first ? PART_PIXELS : area(&b));
}

static void send_next(struct engine *e, struct surface *s, int t, struct box *left)
{
    bool more, first = is_first(e, s);
    struct box b = collect(s, t % s->tiles_x, t / s->tiles_x, area_limit(e, first), &more);
    if (!box_empty(left) && continues(left, &b))
        box_add(&b, left);
    else if (!box_empty(left))
        send_area(e, s, *left, first);
    *left = (struct box){0, 0, 0, 0};
    if (more)
        *left = leave_cut_line(s, &b);
    send_area(e, s, b, first);
}

void plan_exact(struct engine *e, struct surface *s)
{
    struct box left = {0, 0, 0, 0};
    int n = s->tiles_x * s->tiles_y, first = s->cursor % n;
    s->cursor = 0;
    for (int k = 0, t = first; k < n && s->checks; k++, t = t + 1 == n ? 0 : t + 1) {
        if (box_empty(&s->tiles[t].dirty))
            continue;
        if (plan_cost(e) >= e->budget || e->frame.failed) {
            s->cursor = t;
            break;
        }
        if (e->config.caps.gfx)
            send_next(e, s, t, &left);
        else
            plan_legacy(e, s, t, take(s, t));
    }
    if (!box_empty(&left))
        send_area(e, s, left, false);
    if (e->glyphs) {
        plan_glyphs_end(e, s);
        e->glyphs->in_page = false;
    }
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
            plan_legacy(e, s, t, area);
    }
}
