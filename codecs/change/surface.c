/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/change/surface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define OWED_PIXELS (TILE * TILE) /* less is copied at once */
#define HUGE_PAGE ((size_t)2 << 20)

/* A row is two pages long: whoever walks down a tile, or a letter, has another page at each row, and of small ones more
 * than a processor's table holds. */
static uint8_t *allocate_picture(size_t rows, size_t stride)
{
    void *p;
    size_t bytes;
    if (__builtin_mul_overflow(rows, stride, &bytes) ||
        posix_memalign(&p, bytes < HUGE_PAGE ? 64 : HUGE_PAGE, bytes) != 0)
        return NULL;
    if (bytes >= HUGE_PAGE)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* where there are none, it is as slow as it was */
    return p;
}

static void blacken(uint8_t *px, size_t bytes)
{
    const uint8_t black[4] = {0, 0, 0, 0xFF};
    for (size_t i = 0; i < bytes; i += 4)
        memcpy(px + i, black, 4);
}

int surface_init(struct surface *s, uint16_t id, uint16_t width, uint16_t height, uint16_t x, uint16_t y)
{
    memset(s, 0, sizeof *s);
    s->tiles_x = (width + TILE - 1) / TILE;
    s->tiles_y = (height + TILE - 1) / TILE;
    s->stride = (size_t)s->tiles_x * TILE * 4;
    size_t rows = (size_t)s->tiles_y * TILE;
    s->cur = allocate_picture(rows, s->stride);
    s->shown = allocate_picture(rows, s->stride);
    s->tiles = calloc((size_t)s->tiles_x * (size_t)s->tiles_y, sizeof *s->tiles);
    s->before = calloc((size_t)s->tiles_x * (size_t)s->tiles_y, 1);
    s->lossy_before = calloc((size_t)s->tiles_x * (size_t)s->tiles_y, sizeof *s->lossy_before);
    s->changed = calloc((size_t)s->tiles_x, sizeof *s->changed);
    s->borrowed = calloc((size_t)s->tiles_y, 1);
    s->touched_ms = calloc((size_t)s->tiles_y, sizeof *s->touched_ms);
    s->follow.seen = calloc(height, 1);
    if (!s->follow.seen || !s->cur || !s->shown || !s->tiles || !s->before || !s->lossy_before || !s->changed ||
        !s->borrowed || !s->touched_ms) {
        surface_finish(s);
        return -ENOMEM;
    }
    /* a small window's memory would not be worth it; pages of 64 KiB may be of two rows */
    s->may_rest = rows * s->stride >= HUGE_PAGE && TILE * s->stride % (size_t)sysconf(_SC_PAGESIZE) == 0;
    blacken(s->cur, rows * s->stride);
    memcpy(s->shown, s->cur, rows * s->stride);
    s->ops = compare_best();
    s->id = id;
    s->width = width;
    s->height = height;
    s->x = x;
    s->y = y;
    s->live = true;
    surface_forget(s);
    return 0;
}

void surface_finish(struct surface *s)
{
    free(s->cur);
    free(s->shown);
    free(s->tiles);
    free(s->before);
    free(s->lossy_before);
    free(s->changed);
    free(s->borrowed);
    free(s->touched_ms);
    free(s->follow.seen);
    memset(s, 0, sizeof *s);
}

void surface_mark(struct surface *s, int tile, uint8_t flags)
{
    if (!(s->tiles[tile].flags & (TILE_CHECK | TILE_UNKNOWN)))
        s->checks++;
    s->tiles[tile].flags |= flags | TILE_CHECK;
    s->tiles[tile].flags &= (uint8_t)~TILE_CACHED;
    s->uncached = true;
}

void surface_unmark(struct surface *s, int tile)
{
    if (s->tiles[tile].flags & (TILE_CHECK | TILE_UNKNOWN))
        s->checks--;
    surface_unmark_urgent(s, tile);
    s->held -= (s->tiles[tile].flags & TILE_HELD) != 0;
    const uint8_t gone = TILE_CHECK | TILE_UNKNOWN | TILE_RECHECK | TILE_HELD;
    s->tiles[tile].flags &= (uint8_t)~gone;
    s->tiles[tile].dirty = (struct box){0, 0, 0, 0};
}

void surface_mark_urgent(struct surface *s, struct box area, uint32_t now_ms)
{
    if (box_empty(&area))
        return;
    for (int ty = area.y0 / TILE; ty <= (area.y1 - 1) / TILE; ty++)
        for (int tx = area.x0 / TILE; tx <= (area.x1 - 1) / TILE; tx++) {
            struct tile *t = &s->tiles[ty * s->tiles_x + tx];
            if (!(t->flags & TILE_CHECK) || t->changed_ms != now_ms || t->flags & TILE_URGENT)
                continue;
            t->flags |= TILE_URGENT;
            s->urgent++;
        }
}

static bool is_rested(const struct tile *t, uint32_t now_ms)
{
    return t->flags & TILE_CHECK && t->changed_ms == now_ms && t->rested;
}

void surface_mark_rested(struct surface *s, int most, uint32_t now_ms)
{
    int n = 0, tiles = s->tiles_x * s->tiles_y;
    for (int t = 0; t < tiles; t++)
        n += is_rested(&s->tiles[t], now_ms);
    for (int t = 0; t < tiles && n <= most; t++)
        if (is_rested(&s->tiles[t], now_ms) && !(s->tiles[t].flags & TILE_URGENT)) {
            s->tiles[t].flags |= TILE_URGENT;
            s->urgent++;
        }
}

void surface_unmark_urgent(struct surface *s, int tile)
{
    s->urgent -= (s->tiles[tile].flags & TILE_URGENT) != 0;
    s->tiles[tile].flags &= (uint8_t)~TILE_URGENT;
}

void surface_set_lossy(struct surface *s, int tile, struct box area, uint8_t quality)
{
    struct tile *t = &s->tiles[tile];
    struct box b = surface_tile_box(s, tile), part = box_intersect(b, &area);
    if (box_empty(&part))
        return;
    if (!(t->flags & TILE_LOSSY))
        t->lossy = (struct box){0, 0, 0, 0};
    s->lossy += !(t->flags & TILE_LOSSY);
    t->flags |= TILE_LOSSY;
    t->flags &= (uint8_t)~TILE_CACHED;
    t->quality = quality;
    box_add(&t->lossy, &part);
    s->uncached = true;
}

void surface_set_exact(struct surface *s, int tile)
{
    if (!(s->tiles[tile].flags & TILE_LOSSY))
        return;
    s->lossy--;
    const uint8_t gone = TILE_LOSSY | TILE_CACHED; /* worth keeping as it is now */
    s->tiles[tile].flags &= (uint8_t)~gone;
    s->uncached = true;
}

void surface_forget(struct surface *s)
{
    s->created = false;
    s->cursor = 0;
    for (int i = 0; i < SURFACE_PENDING_MAX; i++)
        surface_release(s, i, false);
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        surface_set_exact(s, t);
        surface_mark(s, t, TILE_UNKNOWN | TILE_RECHECK);
    }
}

struct box surface_tile_box(const struct surface *s, int tile)
{
    int x = tile % s->tiles_x * TILE, y = tile / s->tiles_x * TILE;
    struct box all = {0, 0, s->width, s->height};
    return box_intersect((struct box){x, y, x + TILE, y + TILE}, &all);
}

static void absorb_line(struct surface *s, const struct compare_ops *ops, const uint8_t *line, int y, int x0, int x1)
{
    for (int from = x0, to; from < x1; from = to) {
        int tx = from / TILE;
        struct box d;
        to = (tx + 1) * TILE < x1 ? (tx + 1) * TILE : x1;
        if (!ops->absorb(surface_cur(s, from, y), s->stride, line + (size_t)from * 4, 0, to - from, 1, &d))
            continue;
        d = (struct box){from + d.x0, y, from + d.x1, y + 1};
        box_add(&s->changed[tx], &d);
    }
}

/* The part of a row's tiles that lies in `area`, a line of pixels after the other: so memory is read in its order,
 * which takes two thirds of the time that tiles take one by one. */
static void absorb_lines(struct surface *s, const struct compare_ops *ops, const uint8_t *px, size_t stride,
    struct box area)
{
    int first = area.x0 / TILE, last = (area.x1 - 1) / TILE;
    memset(s->changed + first, 0, (size_t)(last - first + 1) * sizeof *s->changed);
    for (int y = area.y0; y < area.y1; y++) {
        const uint8_t *line = px + (size_t)y * stride;
        struct box part = surface_follow_line(s, ops, line, y, &area);
        if (box_empty(&part))
            part.x0 = part.x1 = area.x1;
        absorb_line(s, ops, line, y, area.x0, part.x0);
        absorb_line(s, ops, line, y, part.x1, area.x1);
    }
}

/* Of a tile that was right, what changed now is what differs. */
static void note_change(struct surface *s, int tile, struct box changed, uint32_t now_ms)
{
    bool waiting = s->tiles[tile].flags & TILE_CHECK;
    if (s->tiles[tile].changed_ms != now_ms) /* a tile that several rectangles touch changes once */
        s->tiles[tile].rested = now_ms - s->tiles[tile].changed_ms >= RESTED_MS;
    s->tiles[tile].changed_ms = now_ms;
    s->tiles[tile].changed_turn = s->turn;
    s->tiles[tile].flags &= (uint8_t)~TILE_LOOKED_AT;
    surface_mark(s, tile, waiting ? TILE_RECHECK : TILE_CHECK);
    if (!waiting)
        s->tiles[tile].dirty = changed;
}

static void note_coming(struct surface *s, const struct box *area)
{
    for (int i = 0; i < s->ncame; i++)
        if (box_inside(area, &s->came[i]))
            return;
    if (s->ncame == SURFACE_CAME_MAX)
        box_add(&s->came[SURFACE_CAME_MAX - 1], area);
    else
        s->came[s->ncame++] = *area;
}

int surface_absorb(struct surface *s, const struct compare_ops *ops, const uint8_t *px, size_t stride, struct box area,
    uint32_t now_ms)
{
    int changed = 0;
    if (box_empty(&area))
        return 0;
    note_coming(s, &area);
    surface_own(s, area.y0, area.y1);
    for (int ty = area.y0 / TILE; ty <= (area.y1 - 1) / TILE; ty++) {
        struct box row = {area.x0, ty * TILE, area.x1, (ty + 1) * TILE}, part = box_intersect(row, &area),
                   followed = {0, 0, 0, 0};
        if (s->follow.on)
            followed = box_intersect(part, &s->follow.to);
        if (!box_empty(&followed)) /* what is compared with */
            surface_own(s, followed.y0 - s->follow.dy, followed.y1 - s->follow.dy);
        s->touched_ms[ty] = now_ms;
        absorb_lines(s, ops, px, stride, part);
        for (int tx = area.x0 / TILE; tx <= (area.x1 - 1) / TILE; tx++) {
            struct box tile = surface_tile_box(s, ty * s->tiles_x + tx), guess = box_intersect(tile, &followed);
            box_add(&s->changed[tx], &guess);
            if (box_empty(&s->changed[tx]))
                continue;
            note_change(s, ty * s->tiles_x + tx, s->changed[tx], now_ms);
            changed++;
        }
    }
    return changed;
}

struct box surface_tile_dirty(const struct surface *s, const struct compare_ops *ops, int tile)
{
    struct box b = surface_tile_box(s, tile), d;
    if (s->tiles[tile].flags & TILE_UNKNOWN)
        return b;
    if (s->borrowed[tile / s->tiles_x] ||
        !ops->diff(surface_cur(s, b.x0, b.y0), s->stride, surface_shown(s, b.x0, b.y0), s->stride, b.x1 - b.x0,
            b.y1 - b.y0, &d))
        return (struct box){0, 0, 0, 0};
    return (struct box){b.x0 + d.x0, b.y0 + d.y0, b.x0 + d.x1, b.y0 + d.y1};
}

bool surface_is_pending(const struct surface *s, const struct box *b)
{
    for (int i = 0; i < SURFACE_PENDING_MAX; i++) {
        struct box both = box_intersect(*b, &s->pending[i]);
        if (!box_empty(&both))
            return true;
    }
    return false;
}

static void hold_tile(struct surface *s, int tile)
{
    s->held += !(s->tiles[tile].flags & TILE_HELD);
    s->tiles[tile].flags |= TILE_HELD;
    s->tiles[tile].dirty = (struct box){0, 0, 0, 0};
}

void surface_spoil(struct surface *s, const struct box *area)
{
    for (int i = 0; i < SURFACE_PENDING_MAX; i++) {
        struct box both = box_intersect(*area, &s->pending[i]);
        box_add(&s->spoiled[i], &both);
    }
}

void surface_hold(struct surface *s, int slot, struct box area)
{
    s->pending[slot] = area;
    s->spoiled[slot] = (struct box){0, 0, 0, 0};
}

void surface_hold_changes(struct surface *s)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++)
        if (!box_empty(&s->tiles[t].dirty) &&
            (!(s->tiles[t].flags & TILE_URGENT) || surface_is_pending(s, &s->tiles[t].dirty)))
            hold_tile(s, t);
}

void surface_release(struct surface *s, int slot, bool lost)
{
    struct box wrong = lost ? s->pending[slot] : s->spoiled[slot];
    s->pending[slot] = s->spoiled[slot] = (struct box){0, 0, 0, 0};
    s->waits = false;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        struct box b = surface_tile_box(s, t), both = box_intersect(wrong, &b);
        if (!box_empty(&both))
            surface_mark(s, t, TILE_UNKNOWN | TILE_RECHECK);
        if (!(s->tiles[t].flags & TILE_HELD))
            continue;
        s->tiles[t].flags &= (uint8_t)~TILE_HELD;
        s->held--;
        surface_mark(s, t, TILE_RECHECK);
    }
}

int surface_find_dirty(struct surface *s, const struct compare_ops *ops)
{
    int n = 0;
    if (s->follow.guessed && !surface_followed(s))
        surface_unfollow(s);
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        struct tile *tile = &s->tiles[t];
        if (!(tile->flags & TILE_CHECK) || tile->flags & TILE_HELD)
            continue;
        if (tile->flags & TILE_RECHECK) {
            tile->dirty = surface_tile_dirty(s, ops, t);
            tile->flags &= (uint8_t)~TILE_RECHECK;
        }
        if (box_empty(&tile->dirty))
            surface_unmark(s, t);
        else if (surface_is_pending(s, &tile->dirty))
            hold_tile(s, t);
        else
            n++;
    }
    return n;
}

/* What is left of `b` without `off`; where that would be no box, all of it. */
static void cut(struct box *b, const struct box *off)
{
    if (box_inside(b, off))
        *b = (struct box){0, 0, 0, 0};
    else if (off->x0 <= b->x0 && off->x1 >= b->x1 && off->y0 <= b->y0 && off->y1 > b->y0)
        b->y0 = off->y1;
    else if (off->x0 <= b->x0 && off->x1 >= b->x1 && off->y1 >= b->y1 && off->y0 < b->y1)
        b->y1 = off->y0;
    else if (off->y0 <= b->y0 && off->y1 >= b->y1 && off->x0 <= b->x0 && off->x1 > b->x0)
        b->x0 = off->x1;
    else if (off->y0 <= b->y0 && off->y1 >= b->y1 && off->x1 >= b->x1 && off->x0 < b->x1)
        b->x1 = off->x0;
}

void surface_drop_lossy(struct surface *s, int tile, const struct box *area)
{
    struct tile *t = &s->tiles[tile];
    if (!(t->flags & TILE_LOSSY))
        return;
    cut(&t->lossy, area);
    if (box_empty(&t->lossy))
        surface_set_exact(s, tile);
}

static void show(const struct surface *s, const struct box *area)
{
    for (int y = area->y0; y < area->y1; y++)
        if (!s->borrowed[y / TILE])
            memcpy(surface_shown(s, area->x0, y), surface_cur(s, area->x0, y), (size_t)(area->x1 - area->x0) * 4);
}

void surface_catch_up(struct surface *s)
{
    for (int i = 0; i < s->nowed; i++)
        show(s, &s->owed[i]);
    s->nowed = 0;
}

bool surface_rests(const struct surface *s)
{
    return s->nborrowed == s->tiles_y || !s->may_rest;
}

/* Milliseconds until a row of tiles will have rested; -1: something waits in it. What was drawn anew as it was counts,
 * too: it may be again. */
static int32_t row_wait(const struct surface *s, int ty, uint32_t now_ms, uint32_t after_ms)
{
    uint32_t still = now_ms - s->touched_ms[ty];
    for (int t = ty * s->tiles_x; t < (ty + 1) * s->tiles_x; t++)
        if (s->tiles[t].flags & (TILE_CHECK | TILE_UNKNOWN))
            return -1;
    return still < after_ms ? (int32_t)(after_ms - still) : 0;
}

/* Of a surface that may rest. */
static void give_back(struct surface *s, int first, int n)
{
    size_t row = TILE * s->stride;
    if (n == 0 || madvise(s->shown + (size_t)first * row, (size_t)n * row, MADV_DONTNEED) < 0)
        return;
    /* a row that is drawn on then takes half a megabyte, not two or four */
    if (!s->small_pages)
        (void)madvise(s->shown, (size_t)s->tiles_y * row, MADV_NOHUGEPAGE);
    s->small_pages = true;
    memset(s->borrowed + first, 1, (size_t)n);
    s->nborrowed += n;
    s->follow.on = false; /* it would take all of it back at the first change */
}

int32_t surface_rest(struct surface *s, uint32_t now_ms, uint32_t after_ms)
{
    int32_t next = -1;
    int first = 0; /* of the rows that rest before ty */
    surface_catch_up(s);
    if (surface_rests(s))
        return -1;
    for (int ty = 0; ty <= s->tiles_y; ty++) {
        bool none = ty == s->tiles_y || s->borrowed[ty];
        int32_t wait = none ? -1 : row_wait(s, ty, now_ms, after_ms);
        if (wait == 0)
            continue;
        give_back(s, first, ty - first);
        first = ty + 1;
        if (wait > 0 && (next < 0 || wait < next))
            next = wait;
    }
    return next;
}

/* What fills most of a large page is quicker in one, small ones all at once; a kernel that cannot do so brings them one
 * by one. */
static void prepare(struct surface *s, int first, int last)
{
    size_t row = TILE * s->stride, n = 0;
    for (int ty = first; ty <= last; ty++)
        n += s->borrowed[ty];
    if (n * row < HUGE_PAGE / 4 * 3) {
        for (int ty = first; ty <= last && n; ty++)
            if (s->borrowed[ty])
                (void)madvise(s->shown + (size_t)ty * row, row, MADV_POPULATE_WRITE);
        return;
    }
    (void)madvise(s->shown, (size_t)s->tiles_y * row, MADV_HUGEPAGE);
    s->small_pages = false;
}

void surface_own(struct surface *s, int y0, int y1)
{
    size_t row = TILE * s->stride;
    int first = y0 / TILE, last = (y1 - 1) / TILE;
    if (s->small_pages)
        prepare(s, first, last);
    for (int ty = first; s->nborrowed && ty <= last; ty++) {
        if (!s->borrowed[ty])
            continue;
        memcpy(s->shown + (size_t)ty * row, s->cur + (size_t)ty * row, row);
        s->borrowed[ty] = 0;
        s->nborrowed--;
    }
}

void surface_own_all(struct surface *s)
{
    s->moves = true;
    surface_own(s, 0, s->height);
}

/* Tiles that lie side by side are one box: whole rows are copied faster. */
static void owe(struct surface *s, const struct box *area)
{
    struct box *last = s->nowed ? &s->owed[s->nowed - 1] : NULL;
    if (last && last->x1 == area->x0 && last->y0 == area->y0 && last->y1 == area->y1) {
        last->x1 = area->x1;
        return;
    }
    if (s->nowed == SURFACE_OWED_MAX)
        surface_catch_up(s);
    s->owed[s->nowed++] = *area;
}

static void settled(struct surface *s, const struct box *area)
{
    s->follow.on = false;
    surface_spoil(s, area);
    for (int ty = area->y0 / TILE; s->lossy && ty <= (area->y1 - 1) / TILE; ty++)
        for (int tx = area->x0 / TILE; tx <= (area->x1 - 1) / TILE; tx++)
            surface_drop_lossy(s, ty * s->tiles_x + tx, area);
}

void surface_settle(struct surface *s, struct box area)
{
    settled(s, &area);
    show(s, &area);
}

void surface_settle_later(struct surface *s, struct box area)
{
    settled(s, &area);
    if ((area.x1 - area.x0) * (area.y1 - area.y0) < OWED_PIXELS)
        show(s, &area);
    else
        owe(s, &area);
}

static bool differs_at(const struct surface *s, int x, int y)
{
    return memcmp(surface_cur(s, x, y), surface_shown(s, x, y), 4) != 0;
}

/* Do most of a grid of samples differ? Then the box is full. */
static bool is_full(const struct surface *s, const struct box *b)
{
    int n = 0, differ = 0;
    for (int y = b->y0; y < b->y1; y += 1 + (b->y1 - b->y0) / 8)
        for (int x = b->x0; x < b->x1; x += 1 + (b->x1 - b->x0) / 8, n++)
            differ += differs_at(s, x, y);
    return differ * 4 >= n * 3;
}

static int box_area(const struct box *b)
{
    return (b->x1 - b->x0) * (b->y1 - b->y0);
}

int surface_pieces(const struct surface *s, const struct compare_ops *ops, int tile, struct box *out)
{
    struct box b = s->tiles[tile].dirty, d;
    int n = 0, sum = 0;
    if (s->tiles[tile].flags & TILE_UNKNOWN || box_area(&b) < 256 || is_full(s, &b)) {
        out[0] = b;
        return 1;
    }
    for (int y = b.y0; y < b.y1; y++) {
        if (!ops->diff(surface_cur(s, b.x0, y), s->stride, surface_shown(s, b.x0, y), s->stride, b.x1 - b.x0, 1, &d))
            continue;
        struct box row = {b.x0 + d.x0, y, b.x0 + d.x1, y + 1}, both = n ? out[n - 1] : row;
        box_add(&both, &row);
        sum += box_area(&row);
        if (n && (n == PIECES_MAX || box_area(&both) <= sum * 5 / 4 + 64)) {
            out[n - 1] = both;
        } else {
            out[n++] = row;
            sum = box_area(&row);
        }
    }
    return n;
}

/* From the box's first row downwards, or from its last upwards: of the rows so far, how many pixels at either end are
 * right in all of them? */
static struct box corner_from(const struct surface *s, const struct compare_ops *ops, const struct box *b, bool top)
{
    struct box best = {0, 0, 0, 0}, d;
    int width = b->x1 - b->x0, left = width, right = width;
    for (int i = 0; i < b->y1 - b->y0 && (left > 0 || right > 0); i++) {
        int y = top ? b->y0 + i : b->y1 - 1 - i;
        if (!ops->diff(surface_cur(s, b->x0, y), s->stride, surface_shown(s, b->x0, y), s->stride, width, 1, &d))
            continue;
        left = d.x0 < left ? d.x0 : left;
        right = width - d.x1 < right ? width - d.x1 : right;
        struct box rows = {b->x0, top ? b->y0 : y, b->x1, top ? y + 1 : b->y1}, c = rows;
        if (left >= right)
            c.x1 = b->x0 + left;
        else
            c.x0 = b->x1 - right;
        if (box_area(&c) > box_area(&best))
            best = c;
    }
    return best;
}

struct box surface_equal_corner(const struct surface *s, const struct compare_ops *ops, const struct box *b)
{
    struct box top = corner_from(s, ops, b, true), bottom = corner_from(s, ops, b, false);
    struct box best = box_area(&top) >= box_area(&bottom) ? top : bottom;
    return box_area(&best) >= 2 ? best : (struct box){0, 0, 0, 0};
}

struct box surface_clip(const struct surface *s, const struct engine_rect *r)
{
    struct box all = {0, 0, s->width, s->height};
    return box_intersect((struct box){r->x, r->y, r->x + r->width, r->y + r->height}, &all);
}
