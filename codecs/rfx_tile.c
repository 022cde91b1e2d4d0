/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/rfx_tile.h"

#include "codecs/rfx_rlgr.h"
#include "codecs/simd.h"

#include <string.h>

/* The same plain C compiled twice: for every x86-64, and for processors with AVX2. */
#define BODY static inline __attribute__((always_inline))

/* MS-RDPRFX 3.1.8.1.3, factors scaled by 2^15; results carry five fractional bits. */
BODY void color_row(const uint8_t *p, int16_t *y, int16_t *cb, int16_t *cr)
{
    for (int x = 0; x < RFX_SIDE; x++) {
        int b = p[4 * x], g = p[4 * x + 1], r = p[4 * x + 2];
        y[x] = (int16_t)(((r * 9798 + g * 19235 + b * 3735) >> 10) - 4096);
        cb[x] = (int16_t)((r * -5535 + g * -10868 + b * 16403) >> 10);
        cr[x] = (int16_t)((r * 16377 + g * -13714 + b * -2663) >> 10);
    }
}

BODY void wavelet_down(const int16_t *in, int16_t *low, int16_t *high, int half)
{
    int width = 2 * half;
    for (int n = 0; n < half; n++) {
        const int16_t *even = in + 2 * n * width, *odd = even + width, *next = n < half - 1 ? odd + width : even;
        int16_t *h = high + n * width, *l = low + n * width, *before = n ? h - width : h;
        for (int x = 0; x < width; x++)
            h[x] = (int16_t)((odd[x] - ((even[x] + next[x]) >> 1)) >> 1);
        for (int x = 0; x < width; x++)
            l[x] = (int16_t)(even[x] + ((before[x] + h[x]) >> 1));
    }
}

BODY void wavelet_across(const int16_t *in, int16_t *low, int16_t *high, int half)
{
    for (int y = 0; y < half; y++, in += 2 * half, low += half, high += half) {
        int16_t even[33], odd[32], h[33];
        for (int n = 0; n < half; n++) {
            even[n] = in[2 * n];
            odd[n] = in[2 * n + 1];
        }
        even[half] = even[half - 1];
        for (int n = 0; n < half; n++)
            h[n + 1] = (int16_t)((odd[n] - ((even[n] + even[n + 1]) >> 1)) >> 1);
        h[0] = h[1];
        for (int n = 0; n < half; n++) {
            high[n] = h[n + 1];
            low[n] = (int16_t)(even[n] + ((h[n] + h[n + 1]) >> 1));
        }
    }
}

/* One level in place: HL, LH, HH, LL follow each other. */
BODY void wavelet(int16_t *v, int16_t *temp, int half)
{
    int area = half * half;
    wavelet_down(v, temp, temp + 2 * area, half);
    wavelet_across(temp, v + 3 * area, v, half);
    wavelet_across(temp + 2 * area, v + area, v + 2 * area, half);
}

/* Round to the step, small values rather to zero: they cost most and show least. */
BODY void quantize(int16_t *v, int n, int step, int dead)
{
    int shift = step - 1, round = dead ? (1 << shift) * 3 / 8 : 1 << shift >> 1;
    for (int i = 0; i < n; i++) {
        int sign = v[i] >> 15, m = ((v[i] ^ sign) - sign + round) >> shift;
        v[i] = (int16_t)((m ^ sign) - sign);
    }
}

BODY void transform(int16_t *v, int16_t *temp, const struct rfx_quant *q)
{
    /* place and size of each band, and its index in rfx_quant */
    static const struct { int at, n, q; } bands[] = {
        {0, 1024, 8}, {1024, 1024, 7}, {2048, 1024, 9}, {3072, 256, 5}, {3328, 256, 4}, {3584, 256, 6},
        {3840, 64, 2}, {3904, 64, 1}, {3968, 64, 3}, {4032, 64, 0},
    };
    wavelet(v, temp, 32);
    wavelet(v + 3072, temp, 16);
    wavelet(v + 3840, temp, 8);
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++)
        quantize(v + bands[i].at, bands[i].n, q->v[bands[i].q], bands[i].q != 0 && q->v[bands[i].q] > 7);
    for (int i = 4095; i > 4032; i--)
        v[i] = (int16_t)(v[i] - v[i - 1]);
}

BODY void all(struct rfx_scratch *s, const uint8_t *px, size_t stride, const struct rfx_quant *luma, const struct rfx_quant *chroma)
{
    for (int y = 0; y < RFX_SIDE; y++)
        color_row(px + (size_t)y * stride, s->plane[0] + 64 * y, s->plane[1] + 64 * y, s->plane[2] + 64 * y);
    for (int i = 0; i < 3; i++)
        transform(s->plane[i], s->temp, i ? chroma : luma);
}

VECTORIZED static void all_c(struct rfx_scratch *s, const uint8_t *px, size_t stride,
                                                  const struct rfx_quant *luma, const struct rfx_quant *chroma)
{
    all(s, px, stride, luma, chroma);
}

#ifdef HAVE_AVX2_PATH
AVX2 VECTORIZED static void all_avx2(struct rfx_scratch *s, const uint8_t *px, size_t stride,
                                                                     const struct rfx_quant *luma, const struct rfx_quant *chroma)
{
    all(s, px, stride, luma, chroma);
}
#endif

static void planes(struct rfx_scratch *s, const uint8_t *px, size_t stride, const struct rfx_quant *luma,
                   const struct rfx_quant *chroma)
{
#ifdef HAVE_AVX2_PATH
    if (__builtin_cpu_supports("avx2")) {
        all_avx2(s, px, stride, luma, chroma);
        return;
    }
#endif
    all_c(s, px, stride, luma, chroma);
}

static void pad(uint8_t *out, const uint8_t *px, size_t stride, int x0, int y0, int x1, int y1)
{
    for (int y = 0; y < RFX_SIDE; y++) {
        const uint8_t *row = px + (size_t)(y < y0 ? y0 : y < y1 ? y : y1 - 1) * stride;
        uint8_t *o = out + y * RFX_SIDE * 4;
        for (int x = 0; x < x0; x++)
            memcpy(o + 4 * x, row + 4 * x0, 4);
        memcpy(o + 4 * x0, row + 4 * x0, (size_t)(x1 - x0) * 4);
        for (int x = x1; x < RFX_SIDE; x++)
            memcpy(o + 4 * x, row + 4 * (x1 - 1), 4);
    }
}

void rfx_tile_encode(struct rfx_scratch *s, const uint8_t *px, size_t stride, int x0, int y0, int x1, int y1,
                     const struct rfx_quant *luma, const struct rfx_quant *chroma, int entropy, uint8_t *out, size_t len[3])
{
    if (x0 || y0 || x1 < RFX_SIDE || y1 < RFX_SIDE) {
        uint8_t padded[RFX_SIDE * RFX_SIDE * 4];
        pad(padded, px, stride, x0, y0, x1, y1);
        planes(s, padded, RFX_SIDE * 4, luma, chroma);
    } else {
        planes(s, px, stride, luma, chroma);
    }
    for (int i = 0; i < 3; i++) {
        len[i] = rlgr_encode(s->plane[i], 4096, entropy, out, RFX_COMPONENT_BYTES);
        out += len[i];
    }
}
