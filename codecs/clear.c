/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/clear.h"

#include "codecs/clear_layout.h"
#include "codecs/vbar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FLAG_CACHE_RESET = 0x04 };
enum { FULL_HIT = 0x8000, SHORT_HIT = 0x4000 };
#define HASH_SEED 0x243F6A8885A308D3u

struct clear {
    const struct compare_ops *ops;
    uint8_t sequence;
    bool reset;                       /* tell the client to start its caches over */
    struct vbar_ring full, shorts;
    struct layout layout;
    uint8_t covered[CLEAR_PIXELS_MAX];/* pixels that bands draw: the residual may have anything there */
    uint64_t hash[CLEAR_WIDTH_MAX];
    uint8_t on[CLEAR_WIDTH_MAX], off[CLEAR_WIDTH_MAX]; /* a column's ink: rows on … off - 1 */
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

static inline uint32_t pixel(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void put_color(struct wr *w, uint32_t v)
{
    uint8_t bgr[3] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16)};
    wr_bytes(w, bgr, 3);
}

static void put_run(struct wr *w, uint32_t color, uint32_t run)
{
    put_color(w, color);
    if (run < 0xFF) {
        wr_u8(w, (uint8_t)run);
    } else if (run < 0xFFFF) {
        wr_u8(w, 0xFF);
        wr_u16(w, (uint16_t)run);
    } else {
        wr_u8(w, 0xFF);
        wr_u16(w, 0xFFFF);
        wr_u32(w, run);
    }
}

static void cover(struct clear *c, int width, int height)
{
    memset(c->covered, 0, (size_t)width * (size_t)height);
    for (int i = 0; i < c->layout.n; i++) {
        const struct box *b = &c->layout.leaves[i];
        for (int y = b->y0; y < b->y1; y++)
            memset(c->covered + (size_t)y * (size_t)width + b->x0, 1, (size_t)(b->x1 - b->x0));
    }
}

/* Runs over the whole bitmap; a covered pixel takes the colour of the run it stands in. */
static void put_residual(struct clear *c, const uint8_t *px, size_t stride, int width, int height, struct wr *w)
{
    uint32_t run = 0, color = 0;
    bool known = false;
    cover(c, width, height);
    for (int y = 0; y < height; y++) {
        const uint8_t *row = px + (size_t)y * stride, *covered = c->covered + (size_t)y * (size_t)width;
        for (int x = 0; x < width; x++, run++) {
            if (covered[x] || (known && pixel(row + 4 * x) == color))
                continue;
            if (known) {
                put_run(w, color, run);
                run = 0;
            }
            color = pixel(row + 4 * x);
            known = true;
        }
    }
    put_run(w, known ? color : 0, run);
}

/* The most frequent of a grid of samples. */
static uint32_t background(const uint8_t *px, size_t stride, struct box b)
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

static void scan_columns(struct clear *c, const uint8_t *px, size_t stride, struct box b, uint32_t back)
{
    int n = b.x1 - b.x0, rows = b.y1 - b.y0;
    for (int x = 0; x < n; x++) {
        c->hash[x] = HASH_SEED + (uint64_t)rows;
        c->on[x] = c->off[x] = 0;
    }
    for (int y = 0; y < rows; y++) {
        const uint8_t *row = px + (size_t)(b.y0 + y) * stride + 4 * (size_t)b.x0;
        for (int x = 0; x < n; x++) {
            uint32_t v = pixel(row + 4 * x);
            c->hash[x] = vbar_mix(c->hash[x], v);
            if (v == back)
                continue;
            if (c->off[x] == 0)
                c->on[x] = (uint8_t)y;
            c->off[x] = (uint8_t)(y + 1);
        }
    }
}

static uint64_t short_hash(const uint8_t *p, size_t stride, int n)
{
    uint64_t h = HASH_SEED ^ (uint64_t)n << 56;
    for (int y = 0; y < n; y++)
        h = vbar_mix(h, pixel(p + (size_t)y * stride));
    return h;
}

/* A column that the client has not seen: by its ink, or pixel by pixel. */
static void put_new_bar(struct clear *c, const uint8_t *ink, size_t stride, int x, struct wr *w)
{
    int n = c->off[x] - c->on[x];
    uint64_t key = short_hash(ink, stride, n);
    int32_t hit = vbar_find(&c->shorts, key);
    vbar_add(&c->full, c->hash[x]);
    if (hit >= 0) {
        wr_u16(w, (uint16_t)(SHORT_HIT | hit));
        wr_u8(w, c->on[x]);
        return;
    }
    wr_u16(w, (uint16_t)(c->off[x] << 8 | c->on[x]));
    for (int y = 0; y < n; y++)
        wr_bytes(w, ink + (size_t)y * stride, 3);
    vbar_add(&c->shorts, key);
}

static void put_band(struct clear *c, const uint8_t *px, size_t stride, struct box b, struct wr *w)
{
    uint32_t back = background(px, stride, b);
    wr_u16(w, (uint16_t)b.x0);
    wr_u16(w, (uint16_t)(b.x1 - 1));
    wr_u16(w, (uint16_t)b.y0);
    wr_u16(w, (uint16_t)(b.y1 - 1));
    put_color(w, back);
    scan_columns(c, px, stride, b, back);
    for (int x = 0; x < b.x1 - b.x0; x++) {
        int32_t hit = vbar_find(&c->full, c->hash[x]);
        if (hit >= 0)
            wr_u16(w, (uint16_t)(FULL_HIT | hit));
        else
            put_new_bar(c, px + (size_t)(b.y0 + c->on[x]) * stride + 4 * (size_t)(b.x0 + x), stride, x, w);
    }
}

static void put_u32_at(uint8_t *p, size_t v)
{
    struct wr w;
    wr_init(&w, p, 4);
    wr_u32(&w, (uint32_t)v);
}

int clear_encode(struct clear *c, const uint8_t *px, size_t stride, int width, int height, struct wr *w)
{
    if (width < 1 || height < 1 || width > CLEAR_WIDTH_MAX || width * height > CLEAR_PIXELS_MAX)
        return -EINVAL;
    if (w->bad || w->cap - w->len < CLEAR_BYTES(width, height))
        return -EMSGSIZE;
    layout_find(&c->layout, c->ops, px, stride, width, height);
    wr_u8(w, c->reset ? FLAG_CACHE_RESET : 0);
    wr_u8(w, c->sequence++);
    c->reset = false;
    uint8_t *counts = wr_reserve(w, 12); /* bytes of residual, bands, subcodecs */
    size_t start = w->len;
    put_residual(c, px, stride, width, height, w);
    put_u32_at(counts, w->len - start);
    start = w->len;
    for (int i = 0; i < c->layout.n; i++)
        put_band(c, px, stride, c->layout.leaves[i], w);
    put_u32_at(counts + 4, w->len - start);
    put_u32_at(counts + 8, 0);
    return 0;
}
