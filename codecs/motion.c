/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/motion.h"

#include <stdlib.h>
#include <string.h>

/* A pattern: four pixels, spread so that it spans three letters and lies across strokes. */
#define SPAN_X 24
#define SPAN_Y 5
#define K0 0x9E3779B1u
#define K1 0x85EBCA77u
#define K2 0xC2B2AE3Du
#define K3 0x27D4EB2Fu
#define CHOSEN_MASK 0x3Fu             /* a pattern in 64 is looked at: the choice depends on content only */
#define FOUND_MIN 6                   /* votes below this are chance */
#define GROW_MAX (2 * TILE)

static inline uint32_t px_at(const uint8_t *row, int x)
{
    uint32_t v;
    memcpy(&v, row + 4 * (size_t)x, sizeof v);
    return v;
}

typedef void (*pattern_fn)(void *ctx, uint32_t hash, int x, int y);

/* Call `fn` for the chosen patterns of one row. */
__attribute__((optimize("O3"))) static void row_patterns(const uint8_t *p, size_t stride, int n, int x0, int y, pattern_fn fn,
                                                         void *ctx)
{
    uint32_t h[TILE], flat[TILE];
    for (int x = 0; x < n; x++) {
        uint32_t a = px_at(p, x), b = px_at(p + 2 * stride, x + 7), c = px_at(p + 4 * stride, x + 15), d = px_at(p + stride, x + 23);
        h[x] = a * K0 + b * K1 + c * K2 + d * K3;
        h[x] ^= h[x] >> 15;
        flat[x] = (a ^ b) | (a ^ c) | (a ^ d);
    }
    for (int x = 0; x < n; x++)
        if ((h[x] & CHOSEN_MASK) == 0 && flat[x])
            fn(ctx, h[x], x0 + x, y);
}

static void tile_patterns(const struct surface *s, const uint8_t *picture, int tile, int row_step, pattern_fn fn, void *ctx)
{
    struct box b = surface_tile_box(s, tile);
    int x1 = b.x1 < s->width - SPAN_X ? b.x1 : s->width - SPAN_X, y1 = b.y1 < s->height - SPAN_Y ? b.y1 : s->height - SPAN_Y;
    for (int y = b.y0; y < y1 && x1 > b.x0; y += row_step)
        row_patterns(picture + (size_t)y * s->stride + 4 * (size_t)b.x0, s->stride, x1 - b.x0, b.x0, y, fn, ctx);
}

static void remember(void *ctx, uint32_t hash, int x, int y)
{
    struct motion *m = ctx;
    uint32_t i = hash >> 6 & (MOTION_TABLE - 1);
    if (m->table[i].hash == 0) {
        m->table[i].hash = hash;
        m->table[i].x = (int16_t)x;
        m->table[i].y = (int16_t)y;
        m->used[m->nused++] = (uint16_t)i;
    } else if (m->table[i].hash == hash) {
        m->table[i].y = -1;
    }
}

static void vote(struct motion *m, int dx, int dy)
{
    uint32_t i = ((uint32_t)dx * 31u + (uint32_t)dy * 131u) % MOTION_VOTES;
    for (int probe = 0; probe < 8; probe++, i = (i + 1) % MOTION_VOTES) {
        struct motion_vector *v = &m->votes[i];
        if (v->votes == 0)
            *v = (struct motion_vector){(int16_t)dx, (int16_t)dy, 0};
        if (v->dx == dx && v->dy == dy) {
            v->votes++;
            return;
        }
    }
}

static void look_up(void *ctx, uint32_t hash, int x, int y)
{
    struct motion *m = ctx;
    uint32_t i = hash >> 6 & (MOTION_TABLE - 1);
    if (m->table[i].hash != hash || m->table[i].y < 0)
        return;
    int dx = x - m->table[i].x, dy = y - m->table[i].y;
    if (dx || dy)
        vote(m, dx, dy);
}

static void insert_best(struct motion_vector *out, int *n, struct motion_vector v)
{
    for (int i = 0; i < *n; i++)
        if (out[i].dx == v.dx && out[i].dy == v.dy) {
            out[i].votes += v.votes;
            return;
        }
    int at = *n < MOTION_VECTORS_MAX ? (*n)++ : MOTION_VECTORS_MAX - 1;
    if (at == MOTION_VECTORS_MAX - 1 && out[at].votes >= v.votes && *n == MOTION_VECTORS_MAX && out[at].votes)
        return;
    for (; at > 0 && out[at - 1].votes < v.votes; at--)
        out[at] = out[at - 1];
    out[at] = v;
}

int motion_find(struct motion *m, const struct surface *s, struct motion_vector *out)
{
    int n = 0, tiles = s->tiles_x * s->tiles_y;
    for (uint32_t i = 0; i < m->nused; i++)
        m->table[m->used[i]].hash = 0;
    m->nused = 0;
    memset(m->votes, 0, sizeof m->votes);
    for (int t = 0; t < tiles; t++)
        if (!box_empty(&s->tiles[t].dirty) && !(s->tiles[t].flags & TILE_UNKNOWN))
            tile_patterns(s, s->shown, t, 1, remember, m);
    for (int t = 0; t < tiles; t++)
        if (!box_empty(&s->tiles[t].dirty))
            tile_patterns(s, s->cur, t, 3, look_up, m);
    memset(out, 0, MOTION_VECTORS_MAX * sizeof *out);
    for (int i = 0; i < MOTION_VOTES; i++)
        if (m->votes[i].votes >= FOUND_MIN)
            insert_best(out, &n, m->votes[i]);
    for (int i = 0; i < m->nlast; i++)
        insert_best(out, &n, (struct motion_vector){m->last[i].dx, m->last[i].dy, 1});
    m->nlast = 0;
    return n;
}

void motion_used(struct motion *m, struct motion_vector v)
{
    if (m->nlast < MOTION_VECTORS_MAX)
        m->last[m->nlast++] = v;
}

/* Is the destination box equal to what lies (dx, dy) before it in what the client shows? */
static bool matches(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, struct box b)
{
    struct box d;
    return !ops->diff(surface_cur(s, b.x0, b.y0), s->stride, surface_shown(s, b.x0 - v.dx, b.y0 - v.dy), s->stride, b.x1 - b.x0,
                      b.y1 - b.y0, &d);
}

static bool source_inside(const struct surface *s, struct motion_vector v, struct box b)
{
    return b.x0 - v.dx >= 0 && b.y0 - v.dy >= 0 && b.x1 - v.dx <= s->width && b.y1 - v.dy <= s->height;
}

/* A tile that the copy would make right: changed, whole, with a known source. */
static bool tile_matches(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, int tx, int ty)
{
    int t = ty * s->tiles_x + tx;
    struct box b = surface_tile_box(s, t);
    if (!source_inside(s, v, b))
        return false;
    return matches(s, ops, v, b);
}

/* Nothing unknown may be copied: the client could show anything there. */
static bool source_known(const struct surface *s, struct motion_vector v, struct box b)
{
    int x0 = (b.x0 - v.dx) / TILE, x1 = (b.x1 - 1 - v.dx) / TILE, y0 = (b.y0 - v.dy) / TILE, y1 = (b.y1 - 1 - v.dy) / TILE;
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++)
            if (s->tiles[y * s->tiles_x + x].flags & TILE_UNKNOWN)
                return false;
    return true;
}

/* Push one edge outwards, pixel by pixel, while what it would add is right. */
static void grow(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, struct box *b)
{
    const struct box all = {0, 0, s->width, s->height};
    for (int edge = 0; edge < 4; edge++) {
        for (int i = 0; i < GROW_MAX; i++) {
            struct box line = *b, next = *b;
            switch (edge) {
            case 0: line.y1 = line.y0--; next.y0--; break;
            case 1: line.y0 = line.y1++; next.y1++; break;
            case 2: line.x1 = line.x0--; next.x0--; break;
            default: line.x0 = line.x1++; next.x1++; break;
            }
            struct box inside = box_intersect(next, &all);
            if (memcmp(&inside, &next, sizeof next) != 0 || !source_inside(s, v, line) || !matches(s, ops, v, line))
                break;
            *b = next;
        }
    }
}

static bool is_dirty(const struct surface *s, int tx, int ty)
{
    return !box_empty(&s->tiles[ty * s->tiles_x + tx].dirty);
}

/* From a changed tile that matches, as far right as tiles match, then down while whole rows of them do. Tiles that did not change
 * may lie between when they match as well. */
static struct box spread(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, int tx, int ty, int *gain)
{
    int right = tx, bottom = ty;
    *gain = 0;
    while (right < s->tiles_x && tile_matches(s, ops, v, right, ty)) {
        *gain += is_dirty(s, right, ty);
        right++;
    }
    for (bottom = ty + 1; bottom < s->tiles_y; bottom++) {
        int row = 0, x = tx;
        for (; x < right && tile_matches(s, ops, v, x, bottom); x++)
            row += is_dirty(s, x, bottom);
        if (x < right)
            break;
        *gain += row;
    }
    struct box b = {tx * TILE, ty * TILE, right * TILE, bottom * TILE}, all = {0, 0, s->width, s->height};
    return box_intersect(b, &all);
}

bool motion_rect(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, struct box *to)
{
    int best = 0;
    for (int ty = 0; ty < s->tiles_y; ty++) {
        for (int tx = 0; tx < s->tiles_x; tx++) {
            if (!is_dirty(s, tx, ty) || !tile_matches(s, ops, v, tx, ty))
                continue;
            int gain;
            struct box b = spread(s, ops, v, tx, ty, &gain);
            if (gain > best && source_known(s, v, b)) {
                best = gain;
                *to = b;
            }
            tx = (b.x1 - 1) / TILE;
        }
    }
    if (best == 0)
        return false;
    struct box grown = *to;
    grow(s, ops, v, &grown);
    if (source_known(s, v, grown))
        *to = grown;
    return true;
}
