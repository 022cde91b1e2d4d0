/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/change/motion.h"

#include "codecs/change/patterns.h"
#include "codecs/pixel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPAN_X PATTERN_WIDTH
#define SPAN_Y PATTERN_HEIGHT
#define ROWS (TILE + SPAN_Y)
/* Changes of colour along its first row: fewer are no landmark */
#define EDGES_MIN 3
#define FOUND_MIN 6 /* votes below this are chance */
#define ROWS_AHEAD 6
#define GROW_MAX (2 * TILE)
#define MANY_TILES 96 /* from here on a part of them is looked at, */
/* And from here on, more than half of a common screen, still less: it would not have votes to spare below */
#define MOST_TILES 300

static inline uint32_t px_at(const uint8_t *row, int x)
{
    return pixel(row + 4 * (ptrdiff_t)x);
}

typedef void (*pattern_fn)(void *ctx, uint32_t hash, int x, int y);

static int edges(const uint8_t *p)
{
    int n = 0;
    for (int x = 1; x < SPAN_X; x++)
        n += px_at(p, x) != px_at(p, x - 1);
    return n;
}

/* Rows lie pages apart: no processor guesses which comes next. */
static inline void expect_row(const uint8_t *p, int n, size_t ahead)
{
    for (int x = 0; x < n + SPAN_X; x += 16)
        __builtin_prefetch(p + ahead + 4 * x);
}

static void tile_patterns(const struct surface *s, const uint8_t *picture, int tile, int row_step, pattern_fn fn,
    void *ctx)
{
    const struct pattern_ops *ops = pattern_best();
    uint32_t rows[ROWS][TILE], h[TILE];
    struct box b = surface_tile_box(s, tile);
    int n = (b.x1 <= s->width - SPAN_X ? b.x1 : s->width - SPAN_X) - b.x0;
    int height = (b.y1 <= s->height - SPAN_Y ? b.y1 : s->height - SPAN_Y) - b.y0;
    const uint8_t *p = picture + (size_t)b.y0 * s->stride + 4 * (size_t)b.x0;
    if (n <= 0 || height <= 0)
        return;
    for (int y = 0; y < height + SPAN_Y - 1; y++)
        if (row_step == 1 || y % row_step == 0 || y % row_step == 2 || y % row_step == 4) {
            expect_row(p + (size_t)y * s->stride, n, s->stride * (row_step == 1 ? ROWS_AHEAD : (size_t)row_step));
            ops->hash_row(p + (size_t)y * s->stride, n, rows[y]);
        }
    for (int y = 0; y < height; y += row_step) {
        ops->mix_rows(rows[y], rows[y + 2], rows[y + 4], n, h);
        for (uint64_t m = ops->chosen(h, n); m; m &= m - 1) {
            int x = __builtin_ctzll(m);
            if (h[x] && edges(p + (size_t)y * s->stride + 4 * (size_t)x) >= EDGES_MIN)
                fn(ctx, h[x], b.x0 + x, b.y0 + y);
        }
    }
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

static int count_dirty(const struct surface *s)
{
    int n = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++)
        n += !box_empty(&s->tiles[t].dirty);
    return n;
}

/* Of many tiles one in three or nine tells enough, none of which lies beside another: whatever a pane shows now came
 * from one of them. */
static bool remembered(const struct surface *s, int t, int dirty)
{
    int x = t % s->tiles_x, y = t / s->tiles_x;
    return dirty < MANY_TILES || (dirty < MOST_TILES ? (x + y) % 3 == 0 : (x + 3 * y) % 9 == 0);
}

static bool looked_up(const struct surface *s, int t, int dirty)
{
    return dirty < MOST_TILES || (t % s->tiles_x + t / s->tiles_x) % 2 == 0;
}

int motion_find(struct motion *m, const struct surface *s, struct motion_vector *out)
{
    int n = 0, tiles = s->tiles_x * s->tiles_y;
    for (uint32_t i = 0; i < m->nused; i++)
        m->table[m->used[i]].hash = 0;
    m->nused = 0;
    memset(m->votes, 0, sizeof m->votes);
    int dirty = count_dirty(s);
    for (int t = 0; t < tiles; t++)
        if (!box_empty(&s->tiles[t].dirty) && !(s->tiles[t].flags & TILE_UNKNOWN) && remembered(s, t, dirty))
            tile_patterns(s, s->shown, t, 1, remember, m);
    for (int t = 0; t < tiles; t++)
        if (!box_empty(&s->tiles[t].dirty) && looked_up(s, t, dirty))
            tile_patterns(s, s->cur, t, dirty >= MANY_TILES ? 12 : 6, look_up, m);
    memset(out, 0, MOTION_VECTORS_MAX * sizeof *out);
    for (int i = 0; i < MOTION_VOTES; i++)
        if (m->votes[i].votes >= FOUND_MIN)
            insert_best(out, &n, m->votes[i]);
    return n;
}

void motion_used(struct motion_history *h, struct motion_last used, const struct motion_last *last)
{
    for (int i = 0; i < h->n; i++)
        if (h->last[i].v.dx == used.v.dx && h->last[i].v.dy == used.v.dy)
            return;
    if (h->n == MOTION_VECTORS_MAX)
        return;
    used.steady =
        last && last->v.dx == used.v.dx && last->v.dy == used.v.dy && memcmp(&last->to, &used.to, sizeof used.to) == 0;
    h->last[h->n++] = used;
}

/* Is the destination box equal to what lies (dx, dy) before it in what the client shows? */
static bool matches(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, struct box b)
{
    return ops->equal(surface_cur(s, b.x0, b.y0), s->stride, surface_shown(s, b.x0 - v.dx, b.y0 - v.dy), s->stride,
        b.x1 - b.x0, b.y1 - b.y0);
}

static bool source_inside(const struct surface *s, struct motion_vector v, struct box b)
{
    return b.x0 - v.dx >= 0 && b.y0 - v.dy >= 0 && b.x1 - v.dx <= s->width && b.y1 - v.dy <= s->height;
}

#define SAMPLES 12
#define SAMPLE_WIDTH 16
#define SAMPLE_HEIGHT 6

/* Small blocks with something to see in them, spread over what changed inside `within`. Returns how many. */
static int take_samples(const struct surface *s, const struct compare_ops *ops, struct box within, struct box *out)
{
    int n = 0, step = count_dirty(s) / SAMPLES + 1, passed = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y && n < SAMPLES; t++) {
        struct box d = box_intersect(s->tiles[t].dirty, &within);
        if (box_empty(&d) || ++passed < step)
            continue;
        int x = (d.x0 + d.x1 - SAMPLE_WIDTH) / 2, y = (d.y0 + d.y1 - SAMPLE_HEIGHT) / 2;
        struct box b = {x, y, x + SAMPLE_WIDTH, y + SAMPLE_HEIGHT}, inner = box_intersect(b, &d);
        if (box_empty(&inner) ||
            ops->uniform(surface_cur(s, inner.x0, inner.y0), s->stride, inner.x1 - inner.x0, inner.y1 - inner.y0))
            continue; /* the next one, then */
        out[n++] = inner;
        passed = 0;
    }
    return n;
}

static int count_moved(const struct surface *s, const struct compare_ops *ops, struct motion_vector v,
    const struct box *samples, int n)
{
    int won = 0;
    for (int i = 0; i < n; i++)
        won += source_inside(s, v, samples[i]) && matches(s, ops, v, samples[i]);
    return won;
}

bool motion_explains(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, struct box within)
{
    struct box samples[SAMPLES];
    int n = take_samples(s, ops, within, samples);
    return n >= SAMPLES / 2 && count_moved(s, ops, v, samples, n) * 4 >= n * 3;
}

bool motion_near(const struct surface *s, const struct compare_ops *ops, struct motion_vector v,
    struct motion_vector *out)
{
    struct box samples[SAMPLES], all = {0, 0, s->width, s->height};
    int n = take_samples(s, ops, all, samples), best = n / 2;
    bool found = false;
    for (int k = 0; k < 9; k++) {
        struct motion_vector near = {(int16_t)(v.dx + k % 3 - 1), (int16_t)(v.dy + k / 3 - 1), 0};
        int won = count_moved(s, ops, near, samples, n);
        if (won <= best || (near.dx == 0 && near.dy == 0))
            continue;
        best = won;
        *out = near;
        found = true;
    }
    return found;
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
    int x0 = (b.x0 - v.dx) / TILE, x1 = (b.x1 - 1 - v.dx) / TILE, y0 = (b.y0 - v.dy) / TILE,
        y1 = (b.y1 - 1 - v.dy) / TILE;
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++)
            if (s->tiles[y * s->tiles_x + x].flags & TILE_UNKNOWN)
                return false;
    return true;
}

bool motion_may_go_on(const struct surface *s, const struct motion_last *l)
{
    struct box all = {0, 0, s->width, s->height};
    return l->steady && box_inside(&l->to, &all) && source_inside(s, l->v, l->to) && source_known(s, l->v, l->to);
}

/* How many of at most `max` pixels ending before (to the left) or starting at `a` and `b` are equal, counted from there
 * outwards? */
static int equal_left(const uint8_t *a, const uint8_t *b, int max)
{
    int n = 0;
    while (n < max && px_at(a, -n - 1) == px_at(b, -n - 1))
        n++;
    return n;
}

static int equal_right(const uint8_t *a, const uint8_t *b, int max)
{
    int n = 0;
    while (n < max && px_at(a, n) == px_at(b, n))
        n++;
    return n;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Push the rows' ends outwards as far as every row stays right. */
static void grow_sides(const struct surface *s, struct motion_vector v, struct box *b)
{
    int left = least(GROW_MAX, least(b->x0, b->x0 - v.dx)),
        right = least(GROW_MAX, least(s->width - b->x1, s->width - b->x1 + v.dx));
    for (int y = b->y0; y < b->y1 && (left > 0 || right > 0); y++) {
        if (left > 0)
            left = equal_left(surface_cur(s, b->x0, y), surface_shown(s, b->x0 - v.dx, y - v.dy), left);
        if (right > 0)
            right = equal_right(surface_cur(s, b->x1, y), surface_shown(s, b->x1 - v.dx, y - v.dy), right);
    }
    b->x0 -= left > 0 ? left : 0;
    b->x1 += right > 0 ? right : 0;
}

static bool row_matches(const struct surface *s, const struct compare_ops *ops, struct motion_vector v,
    const struct box *b, int y)
{
    struct box row = {b->x0, y, b->x1, y + 1};
    return y >= 0 && y < s->height && source_inside(s, v, row) && matches(s, ops, v, row);
}

/* Push the edges outwards, pixel by pixel, while what that adds is right. */
static void grow(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, struct box *b)
{
    for (int i = 0; i < GROW_MAX && row_matches(s, ops, v, b, b->y0 - 1); i++)
        b->y0--;
    for (int i = 0; i < GROW_MAX && row_matches(s, ops, v, b, b->y1); i++)
        b->y1++;
    grow_sides(s, v, b);
}

static bool is_dirty(const struct surface *s, int tx, int ty)
{
    return !box_empty(&s->tiles[ty * s->tiles_x + tx].dirty);
}

int motion_try(struct motion *m, const struct surface *s, const struct compare_ops *ops, struct motion_vector v)
{
    size_t tiles = (size_t)s->tiles_x * (size_t)s->tiles_y;
    if (tiles > m->matched_cap) {
        uint8_t *p = realloc(m->matched, tiles);
        if (!p)
            return -ENOMEM;
        m->matched = p;
        m->matched_cap = tiles;
    }
    int explained = 0;
    for (int t = 0; t < (int)tiles; t++) {
        m->matched[t] =
            is_dirty(s, t % s->tiles_x, t / s->tiles_x) && tile_matches(s, ops, v, t % s->tiles_x, t / s->tiles_x);
        explained += m->matched[t];
    }
    return explained;
}

enum { NOT_TRIED = 0, MATCHES = 1, DIFFERS = 2 };

/* Tiles that did not change are compared when they come to lie inside a rectangle. */
static bool right_after(struct motion *m, const struct surface *s, const struct compare_ops *ops,
    struct motion_vector v, int tx, int ty)
{
    uint8_t *k = &m->matched[ty * s->tiles_x + tx];
    if (*k == NOT_TRIED)
        *k = !is_dirty(s, tx, ty) && tile_matches(s, ops, v, tx, ty) ? MATCHES : DIFFERS;
    return *k == MATCHES;
}

/* From a changed tile that matches, as far right as tiles match, then down while whole rows of them do. */
static struct box spread(struct motion *m, const struct surface *s, const struct compare_ops *ops,
    struct motion_vector v, int tx, int ty, int *gain)
{
    int right = tx, bottom = ty + 1;
    *gain = 0;
    for (; right < s->tiles_x && right_after(m, s, ops, v, right, ty); right++)
        *gain += is_dirty(s, right, ty);
    for (; bottom < s->tiles_y; bottom++) {
        int row = 0, x = tx;
        for (; x < right && right_after(m, s, ops, v, x, bottom); x++)
            row += is_dirty(s, x, bottom);
        if (x < right)
            break;
        *gain += row;
    }
    struct box b = {tx * TILE, ty * TILE, right * TILE, bottom * TILE}, all = {0, 0, s->width, s->height};
    return box_intersect(b, &all);
}

bool motion_rect(struct motion *m, const struct surface *s, const struct compare_ops *ops, struct motion_vector v,
    struct box *to, struct box *exact)
{
    int best = 0;
    for (int ty = 0; ty < s->tiles_y; ty++) {
        for (int tx = 0; tx < s->tiles_x; tx++) {
            if (!is_dirty(s, tx, ty) || m->matched[ty * s->tiles_x + tx] != MATCHES)
                continue;
            int gain;
            struct box b = spread(m, s, ops, v, tx, ty, &gain);
            if (gain > best && source_known(s, v, b)) {
                best = gain;
                *exact = b;
            }
            tx = (b.x1 - 1) / TILE;
        }
    }
    if (best == 0)
        return false;
    *to = *exact;
    grow(s, ops, v, to);
    if (!source_known(s, v, *to))
        *to = *exact;
    return true;
}

void motion_finish(struct motion *m)
{
    if (m)
        free(m->matched);
}
