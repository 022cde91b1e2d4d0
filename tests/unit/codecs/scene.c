/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scene.h"

#include <stdlib.h>
#include <string.h>

struct canvas canvas_new(int w, int h)
{
    return (struct canvas){w, h, (size_t)w * 4, calloc((size_t)w * 4, (size_t)h)};
}

void canvas_free(struct canvas *c)
{
    free(c->px);
    c->px = NULL;
}

uint32_t scene_rand(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static int clip(const struct canvas *c, int *x, int *y, int *w, int *h)
{
    if (*x < 0) {
        *w += *x;
        *x = 0;
    }
    if (*y < 0) {
        *h += *y;
        *y = 0;
    }
    if (*x + *w > c->w)
        *w = c->w - *x;
    if (*y + *h > c->h)
        *h = c->h - *y;
    return *w > 0 && *h > 0;
}

static void put(struct canvas *c, int x, int y, uint32_t v)
{
    if (x >= 0 && y >= 0 && x < c->w && y < c->h)
        memcpy(c->px + (size_t)y * c->stride + 4 * (size_t)x, &v, 4);
}

void draw_rect(struct canvas *c, int x, int y, int w, int h, uint32_t v)
{
    if (!clip(c, &x, &y, &w, &h))
        return;
    for (int j = y; j < y + h; j++)
        for (int i = x; i < x + w; i++)
            put(c, i, j, v);
}

/* A glyph of strokes: vertical stems and bars, chosen by the letter. Coverage 0 … 4. */
static int coverage(unsigned letter, int gx, int gy)
{
    static const uint8_t stems[26] = {0x22, 0x42, 0x02, 0x28, 0x12, 0x06, 0x2A, 0x44, 0x08, 0x20, 0x46, 0x08, 0x2A,
        0x22, 0x24, 0x42, 0x28, 0x04, 0x10, 0x09, 0x22, 0x14, 0x2A, 0x18, 0x24, 0x21};
    static const uint16_t bars[26] = {0x0890, 0x1210, 0x1010, 0x1010, 0x1110, 0x0120, 0x2110, 0x0100, 0x1020, 0x2002,
        0x0200, 0x1000, 0x0010, 0x0010, 0x1010, 0x1110, 0x1110, 0x0010, 0x1110, 0x0020, 0x1000, 0x1000, 0x1000, 0x0200,
        0x2200, 0x1210};
    letter %= 26;
    if (gx == 7 || gy < 3 || gy > 13)
        return 0;
    int c = stems[letter] >> gx & 1 ? 4 : 0;
    if (gx >= 1 && gx <= 5 && bars[letter] >> (gy - 1) & 1)
        c = 4;
    if (c == 0 && gx > 0 && stems[letter] >> (gx - 1) & 1)
        c = (int)(letter % 3);
    return c;
}

static uint32_t mix(uint32_t paper, uint32_t ink, int cov)
{
    uint32_t v = 0xFF000000u;
    for (int k = 0; k < 24; k += 8) {
        uint32_t a = paper >> k & 0xFF, b = ink >> k & 0xFF;
        v |= ((a * (uint32_t)(4 - cov) + b * (uint32_t)cov) / 4) << k;
    }
    return v;
}

static void glyph(struct canvas *c, int x, int y, int right, int bottom, unsigned letter, uint32_t ink, uint32_t paper,
    int soft)
{
    for (int gy = 0; gy < 16 && y + gy < bottom; gy++)
        for (int gx = 0; gx < 8 && x + gx < right; gx++) {
            int cov = coverage(letter, gx, gy);
            if (!soft)
                cov = cov > 2 ? 4 : 0;
            if (cov)
                put(c, x + gx, y + gy, mix(paper, ink, cov));
        }
}

void draw_text(struct canvas *c, int x, int y, int w, int h, uint32_t seed, uint32_t ink, uint32_t paper, int soft)
{
    draw_rect(c, x, y, w, h, paper | 0xFF000000u);
    seed |= 1;
    for (int ly = y; ly < y + h; ly += 18) {
        int word = 0, end = x + w - (int)(scene_rand(&seed) % ((unsigned)w / 3 + 1));
        for (int lx = x + 4; lx + 8 <= end; lx += 8) {
            if (word-- == 0)
                word = 2 + (int)(scene_rand(&seed) % 8);
            else
                glyph(c, lx, ly, x + w, y + h, scene_rand(&seed) >> 8, ink, paper, soft);
        }
    }
}

void draw_glyph(struct canvas *c, int x, int y, unsigned letter, uint32_t ink, uint32_t paper)
{
    glyph(c, x, y, c->w, c->h, letter, ink, paper, 1);
}

static int lattice(uint32_t seed, int x, int y)
{
    uint32_t h = seed + (uint32_t)x * 374761393u + (uint32_t)y * 668265263u;
    h = (h ^ h >> 13) * 1274126177u;
    return (int)((h ^ h >> 16) & 0xFF);
}

/* Bilinear value noise, coordinates in 1/256 lattice units. */
static int smooth(uint32_t seed, int x, int y)
{
    int ix = x >> 8, iy = y >> 8, fx = x & 255, fy = y & 255;
    int a = lattice(seed, ix, iy) * (256 - fx) + lattice(seed, ix + 1, iy) * fx;
    int b = lattice(seed, ix, iy + 1) * (256 - fx) + lattice(seed, ix + 1, iy + 1) * fx;
    return (a * (256 - fy) + b * fy) >> 16;
}

void draw_photo(struct canvas *c, int x, int y, int w, int h, uint32_t seed, int dx, int dy, int zoom, int grain)
{
    uint32_t g = seed * 2654435761u + (uint32_t)dx * 97u + (uint32_t)dy * 31u + (uint32_t)zoom + 1;
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            int u = (i + dx) * zoom / 256, v = (j + dy) * zoom / 256;
            uint32_t px = 0xFF000000u;
            int base = smooth(seed, u * 2, v * 2) / 2 + smooth(seed + 7, u * 9, v * 9) / 4 +
                smooth(seed + 11, u * 40, v * 40) / 8;
            for (int k = 0; k < 3; k++) {
                int t = base + smooth(seed + 20u + (uint32_t)k, u * 3, v * 3) / 4 - 24;
                if (grain)
                    t += (int)(scene_rand(&g) % (unsigned)(2 * grain + 1)) - grain;
                t = t < 0 ? 0 : t > 255 ? 255 : t;
                px |= (uint32_t)t << (8 * k);
            }
            put(c, x + i, y + j, px);
        }
}

void draw_scroll(struct canvas *c, int x, int y, int w, int h, int dx, int dy)
{
    if (!clip(c, &x, &y, &w, &h) || abs(dx) >= w || abs(dy) >= h)
        return;
    int sx = dx < 0 ? x - dx : x, tx = dx < 0 ? x : x + dx, n = h - abs(dy);
    size_t bytes = (size_t)(w - abs(dx)) * 4;
    for (int k = 0; k < n; k++) {
        int row = dy > 0 ? n - 1 - k : k, sy = dy < 0 ? y - dy + row : y + row, ty = dy < 0 ? y + row : y + dy + row;
        memmove(c->px + (size_t)ty * c->stride + 4 * (size_t)tx, c->px + (size_t)sy * c->stride + 4 * (size_t)sx,
            bytes);
    }
}

void draw_copy(struct canvas *dst, int dx, int dy, const struct canvas *src, int sx, int sy, int w, int h)
{
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++)
            if (sx + i >= 0 && sy + j >= 0 && sx + i < src->w && sy + j < src->h) {
                uint32_t v;
                memcpy(&v, src->px + (size_t)(sy + j) * src->stride + 4 * (size_t)(sx + i), 4);
                put(dst, dx + i, dy + j, v);
            }
}
