/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/clear.h"

#include "codecs/exact/clear_columns.h"
#include "codecs/exact/clear_layout.h"
#include "codecs/exact/vbar.h"
#include "codecs/pixel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FLAG_CACHE_RESET = 0x04 };
enum { FULL_HIT = 0x8000, SHORT_HIT = 0x4000 };

struct clear {
    const struct compare_ops *ops;
    const struct column_ops *columns_of;
    uint8_t sequence;
    bool reset; /* tell the client to start its caches over */
    struct vbar_ring full, shorts;
    struct layout layout;
    uint8_t covered[CLEAR_PIXELS_MAX]; /* pixels that bands draw: the residual may have anything there */
    struct columns columns;
    struct clear_flat flats[CLEAR_FLATS_MAX];
    int nflats;
};

struct clear *clear_create(const struct compare_ops *ops)
{
    struct clear *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    if (vbar_init(&c->full, VBAR_FULL) < 0 || vbar_init(&c->shorts, VBAR_SHORT) < 0) {
        clear_destroy(c);
        return NULL;
    }
    c->ops = ops;
    c->columns_of = column_ops_best();
    c->reset = true;
    return c;
}

void clear_destroy(struct clear *c)
{
    if (!c)
        return;
    vbar_finish(&c->full);
    vbar_finish(&c->shorts);
    free(c);
}

void clear_restart(struct clear *c)
{
    c->sequence = 0;
    c->reset = true;
    vbar_reset(&c->full);
    vbar_reset(&c->shorts);
}

/* Writers onto room that clear_encode has checked: at most five bytes a pixel are ever written. */
static inline uint8_t *put_u16(uint8_t *o, unsigned v)
{
    o[0] = (uint8_t)v;
    o[1] = (uint8_t)(v >> 8);
    return o + 2;
}

static inline uint8_t *put_color(uint8_t *o, uint32_t v)
{
    o[0] = (uint8_t)v;
    o[1] = (uint8_t)(v >> 8);
    o[2] = (uint8_t)(v >> 16);
    return o + 3;
}

static uint8_t *put_run(uint8_t *o, uint32_t color, uint32_t run)
{
    o = put_color(o, color);
    if (run < 0xFF) {
        *o++ = (uint8_t)run;
        return o;
    }
    *o++ = 0xFF;
    if (run < 0xFFFF)
        return put_u16(o, run);
    o = put_u16(o, 0xFFFF);
    return put_u16(put_u16(o, run & 0xFFFF), run >> 16);
}

static void cover(struct clear *c, int width, int height)
{
    memset(c->covered, 0, (size_t)width * (size_t)height);
    for (int i = 0; i < c->layout.n; i++) {
        const struct box *b = &c->layout.leaves[i];
        for (int y = b->y0; y < b->y1; y++)
            memset(c->covered + (size_t)y * (size_t)width + b->x0, 0xFF, (size_t)(b->x1 - b->x0));
    }
}

/* Runs over the whole bitmap; a covered pixel takes the colour of the run it stands in. */
static uint8_t *put_residual(struct clear *c, const uint8_t *px, size_t stride, int width, int height, uint8_t *o)
{
    uint32_t run = 0, color = 0;
    bool known = false;
    cover(c, width, height);
    for (int y = 0; y < height; y++) {
        const uint8_t *row = px + (size_t)y * stride, *covered = c->covered + (size_t)y * (size_t)width;
        for (int x = 0; x < width; x++, run++) {
            int more = c->columns_of->residual_run(row + 4 * (size_t)x, covered + x, width - x, color, known);
            x += more;
            run += (uint32_t)more;
            if (x == width)
                break;
            if (known) {
                o = put_run(o, color, run);
                run = 0;
            }
            color = pixel(row + 4 * (size_t)x);
            known = true;
        }
    }
    return put_run(o, known ? color : 0, run);
}

uint32_t clear_ground(const uint8_t *px, size_t stride, struct box b)
{
    uint32_t colors[24];
    int counts[24], n = 0, best = 0;
    int dx = (b.x1 - b.x0) / 24 + 1, dy = (b.y1 - b.y0) / 8 + 1;
    for (int y = b.y0; y < b.y1; y += dy)
        for (int x = b.x0; x < b.x1; x += dx) {
            uint32_t v = pixel(px + (size_t)y * stride + 4 * (size_t)x);
            int i = 0;
            while (i < n && colors[i] != v)
                i++;
            if (i == n && n == 24)
                continue;
            if (i == n) {
                colors[n] = v;
                counts[n++] = 0;
            }
            if (++counts[i] > counts[best])
                best = i;
        }
    return colors[best];
}

static uint64_t short_hash(const uint8_t *p, size_t stride, int n)
{
    uint64_t h = COLUMN_SEED ^ (uint64_t)n << 56;
    for (int y = 0; y < n; y++)
        h = vbar_mix(h, pixel(p + (size_t)y * stride));
    return h;
}

/* A column that the client has not seen: by its ink, or pixel by pixel. */
static uint8_t *put_new_bar(struct clear *c, const uint8_t *ink, size_t stride, int x, uint8_t *o)
{
    unsigned on = c->columns.on[x], off = c->columns.off[x];
    int n = (int)(off - on);
    uint64_t key = short_hash(ink, stride, n);
    int32_t hit = vbar_find(&c->shorts, key);
    vbar_add(&c->full, c->columns.hash[x]);
    if (hit >= 0) {
        o = put_u16(o, (unsigned)(SHORT_HIT | hit));
        *o++ = (uint8_t)on;
        return o;
    }
    o = put_u16(o, off << 8 | on);
    for (int y = 0; y < n; y++)
        o = put_color(o, pixel(ink + (size_t)y * stride));
    vbar_add(&c->shorts, key);
    return o;
}

static uint8_t *put_band(struct clear *c, const uint8_t *px, size_t stride, struct box b, uint8_t *o)
{
    uint32_t back = clear_ground(px, stride, b);
    const uint8_t *first = px + (size_t)b.y0 * stride + 4 * (size_t)b.x0;
    o = put_u16(o, (unsigned)b.x0);
    o = put_u16(o, (unsigned)(b.x1 - 1));
    o = put_u16(o, (unsigned)b.y0);
    o = put_u16(o, (unsigned)(b.y1 - 1));
    o = put_color(o, back);
    c->columns_of->scan(&c->columns, first, stride, b.x1 - b.x0, b.y1 - b.y0, back);
    for (int x = 0; x < b.x1 - b.x0; x++) {
        int32_t hit = vbar_find(&c->full, c->columns.hash[x]);
        if (hit >= 0)
            o = put_u16(o, (unsigned)(FULL_HIT | hit));
        else
            o = put_new_bar(c, first + (size_t)c->columns.on[x] * stride + 4 * (size_t)x, stride, x, o);
    }
    return o;
}

static void put_u32_at(uint8_t *p, size_t v)
{
    struct wr w;
    wr_init(&w, p, 4);
    wr_u32(&w, (uint32_t)v);
}

/* The head; *counts is where the three lengths go. */
static int head(struct clear *c, int width, int height, struct wr *w, uint8_t **counts)
{
    if (width < 1 || height < 1 || width > CLEAR_WIDTH_MAX || width * height > CLEAR_PIXELS_MAX)
        return -EINVAL;
    if (w->bad || w->cap - w->len < CLEAR_BYTES(width, height))
        return -EMSGSIZE;
    wr_u8(w, c->reset ? FLAG_CACHE_RESET : 0);
    wr_u8(w, c->sequence++);
    c->reset = false;
    *counts = wr_reserve(w, 12); /* bytes of residual, bands, subcodecs */
    return 0;
}

static int tail(struct wr *w, uint8_t *counts, size_t residual, size_t bands)
{
    put_u32_at(counts, residual);
    put_u32_at(counts + 4, bands);
    put_u32_at(counts + 8, 0);
    return wr_reserve(w, residual + bands) ? 0 : -EMSGSIZE;
}

int clear_encode(struct clear *c, const uint8_t *px, size_t stride, int width, int height, struct wr *w)
{
    uint8_t *counts;
    int r = head(c, width, height, w, &counts);
    if (r < 0)
        return r;
    layout_find(&c->layout, c->ops, c->columns_of, px, stride, width, height);
    uint8_t *start = w->p + w->len, *residual = put_residual(c, px, stride, width, height, start), *end = residual;
    for (int i = 0; i < c->layout.n; i++)
        end = put_band(c, px, stride, c->layout.leaves[i], end);
    return tail(w, counts, (size_t)(residual - start), (size_t)(end - residual));
}

int clear_encode_bands(struct clear *c, const uint8_t *px, size_t stride, int width, int height, struct wr *w)
{
    uint8_t *counts;
    int r = head(c, width, height, w, &counts);
    if (r < 0)
        return r;
    uint8_t *start = w->p + w->len, *end = start;
    for (int y = 0; y < height; y += LAYOUT_BAND_ROWS) {
        int bottom = y + LAYOUT_BAND_ROWS < height ? y + LAYOUT_BAND_ROWS : height;
        end = put_band(c, px, stride, (struct box){0, y, width, bottom}, end);
    }
    return tail(w, counts, 0, (size_t)(end - start));
}

/* A run of one colour is a rectangle, or makes the one above it higher. */
static bool add_flat(struct clear *c, int x0, int x1, int y, uint32_t color, int most)
{
    for (int i = c->nflats - 1; i >= 0; i--) {
        struct clear_flat *f = &c->flats[i];
        if (f->box.y1 == y && f->box.x0 == x0 && f->box.x1 == x1 && f->color == color) {
            f->box.y1++;
            return true;
        }
    }
    if (c->nflats >= most)
        return false;
    c->flats[c->nflats++] = (struct clear_flat){{x0, y, x1, y + 1}, color};
    return true;
}

/* What is neither ground nor covered by a leaf. Returns whether `most` rectangles are enough. */
static bool find_flats(struct clear *c, const uint8_t *px, size_t stride, int width, int height, uint32_t ground,
    int most)
{
    cover(c, width, height);
    c->nflats = 0;
    for (int y = 0; y < height; y++) {
        const uint8_t *row = px + (size_t)y * stride, *covered = c->covered + (size_t)y * (size_t)width;
        int x = c->columns_of->residual_run(row, covered, width, ground, true);
        while (x < width) {
            uint32_t color = pixel(row + 4 * (size_t)x);
            int end = x + 1;
            while (end < width && !covered[end] && pixel(row + 4 * (size_t)end) == color)
                end++;
            if (!add_flat(c, x, end, y, color, most))
                return false;
            x = end + c->columns_of->residual_run(row + 4 * (size_t)end, covered + end, width - end, ground, true);
        }
    }
    return true;
}

/* Bands that a tall box was chopped into are one box again. Returns how many are left. */
static int join_chopped(struct layout *l)
{
    int n = 0;
    for (int i = 0; i < l->n; i++) {
        struct box *last = n ? &l->leaves[n - 1] : NULL, b = l->leaves[i];
        if (last && last->x0 == b.x0 && last->x1 == b.x1 && last->y1 == b.y0)
            last->y1 = b.y1;
        else
            l->leaves[n++] = b;
    }
    return l->n = n;
}

int clear_find_parts(struct clear *c, const uint8_t *px, size_t stride, int width, int height, int flats, int leaves,
    struct clear_parts *parts)
{
    if (width < 1 || height < 1 || width > CLEAR_WIDTH_MAX || width * height > CLEAR_PIXELS_MAX)
        return -1;
    uint32_t ground = clear_ground(px, stride, (struct box){0, 0, width, height});
    layout_find(&c->layout, c->ops, c->columns_of, px, stride, width, height);
    flats = flats < CLEAR_FLATS_MAX ? flats : CLEAR_FLATS_MAX;
    if (join_chopped(&c->layout) > leaves || !find_flats(c, px, stride, width, height, ground, flats))
        return -1;
    *parts = (struct clear_parts){ground, c->flats, c->layout.leaves, c->nflats, c->layout.n};
    return 0;
}
