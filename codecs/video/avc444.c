/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/video/avc444.h"

#include "codecs/color_avx2.h"

#include <string.h>

#define BODY static inline __attribute__((always_inline))
#define CHUNK 512    /* pixels of a row at a time; a multiple of 4 */
#define LOSS_STEP 16 /* pixels from sample to sample, both ways */

/* Factors scaled by 2^15, as in yuv.c. */
enum { UR = -3754, UG = -12630, UB = 16384, VR = 16384, VG = -14882, VB = -1502 };

static inline int clamp(int v)
{
    return v > 255 ? 255 : v;
}

struct chunk {
    uint8_t u[2][CHUNK], v[2][CHUNK];
};

BODY void row_uv(const uint8_t *p, uint8_t *u, uint8_t *v, int n)
{
    for (int x = 0; x < n; x++) {
        int b = p[4 * x], g = p[4 * x + 1], r = p[4 * x + 2];
        u[x] = (uint8_t)clamp((UB * b + UG * g + UR * r + (128 << 15) + 16384) >> 15);
        v[x] = (uint8_t)clamp((VB * b + VG * g + VR * r + (128 << 15) + 16384) >> 15);
    }
}

/* Both rows' odd columns go to the luma plane, the lower row's even ones to the chroma planes; U left, V right in each.
 */
BODY void split(const struct yuv *o, const struct chunk *c, int row, int at, int n)
{
    size_t w = (size_t)o->width;
    for (int k = 0; k < 2; k++) {
        uint8_t *y = o->y + (size_t)(row + k) * w + at / 2;
        for (int x = 0; x < n / 2; x++) {
            y[x] = c->u[k][2 * x + 1];
            y[(size_t)x + w / 2] = c->v[k][2 * x + 1];
        }
    }
    uint8_t *u = o->u + (size_t)row / 2 * (w / 2) + at / 4, *v = o->v + (size_t)row / 2 * (w / 2) + at / 4;
    for (int x = 0; x < n / 4; x++) {
        u[x] = c->u[1][4 * x];
        u[(size_t)x + w / 4] = c->v[1][4 * x];
        v[x] = c->u[1][4 * x + 2];
        v[(size_t)x + w / 4] = c->v[1][4 * x + 2];
    }
}

typedef void (*row_fn)(const uint8_t *p, uint8_t *u, uint8_t *v, int n);

BODY void rows(const struct yuv *o, const uint8_t *p, const uint8_t *q, int row, int width, row_fn uv)
{
    struct chunk c;
    for (int at = 0; at < o->width; at += CHUNK) {
        int n = o->width - at < CHUNK ? o->width - at : CHUNK, real = width - at < n ? width - at : n;
        if (real > 0) {
            uv(p + 4 * (size_t)at, c.u[0], c.v[0], real);
            uv(q + 4 * (size_t)at, c.u[1], c.v[1], real);
        }
        for (int k = 0; k < 2 && real < n; k++) {
            int from = real > 0 ? real : 0, last = from ? from - 1 : CHUNK - 1;
            memset(c.u[k] + from, c.u[k][last], (size_t)(n - from));
            memset(c.v[k] + from, c.v[k][last], (size_t)(n - from));
        }
        split(o, &c, row, at, n);
    }
}

VECTORIZED static void rows_c(const struct yuv *o, const uint8_t *p, const uint8_t *q, int row, int width)
{
    rows(o, p, q, row, width, row_uv);
}

#ifdef HAVE_AVX2_PATH
COLOR_INLINE void row_uv_avx2(const uint8_t *p, uint8_t *u, uint8_t *v, int n)
{
    enum { ADD = (128 << 15) + 16384 };
    int x = 0;
    for (; x + 16 <= n; x += 16) {
        color_row16(p + 4 * x, u + x, COLOR_FACTORS(UB, UG, UR), ADD);
        color_row16(p + 4 * x, v + x, COLOR_FACTORS(VB, VG, VR), ADD);
    }
    row_uv(p + 4 * x, u + x, v + x, n - x);
}

AVX2 VECTORIZED static void rows_avx2(const struct yuv *o, const uint8_t *p, const uint8_t *q, int row, int width)
{
    rows(o, p, q, row, width, row_uv_avx2);
}
#endif

void avc444_chroma_from_bgrx(const struct yuv *o, const uint8_t *px, size_t stride, int width, int height, bool plain)
{
    for (int row = 0; row < o->height; row += 2) {
        const uint8_t *p = px + (size_t)(row < height ? row : height - 1) * stride;
        const uint8_t *q = px + (size_t)(row + 1 < height ? row + 1 : height - 1) * stride;
#ifdef HAVE_AVX2_PATH
        if (!plain && __builtin_cpu_supports("avx2")) {
            rows_avx2(o, p, q, row, width);
            continue;
        }
#endif
        rows_c(o, p, q, row, width);
    }
}

/* Sum of squares of four values' distances from their mean, times four. */
static unsigned spread(const uint8_t *a, const uint8_t *b)
{
    int sum = a[0] + a[1] + b[0] + b[1];
    int squares = a[0] * a[0] + a[1] * a[1] + b[0] * b[0] + b[1] * b[1];
    return (unsigned)(4 * squares - sum * sum);
}

/* The samples lie irregularly: drawings are regular. */
unsigned avc444_loss(const uint8_t *px, size_t stride, int width, int height)
{
    uint64_t sum = 0;
    uint32_t chance = 1;
    unsigned n = 0;
    for (int y = 0; y + LOSS_STEP <= height; y += LOSS_STEP)
        for (int x = 0; x + LOSS_STEP <= width; x += LOSS_STEP, n++) {
            chance = chance * 1664525u + 1013904223u;
            int sx = x + (int)(chance >> 28 & 14), sy = y + (int)(chance >> 24 & 14);
            uint8_t u[2][2], v[2][2];
            const uint8_t *p = px + (size_t)sy * stride + 4 * (size_t)sx;
            row_uv(p, u[0], v[0], 2);
            row_uv(p + stride, u[1], v[1], 2);
            sum += spread(u[0], u[1]) + spread(v[0], v[1]);
        }
    return n ? (unsigned)(sum / (16u * n)) : 0; /* spread is sixteen times the mean square */
}
