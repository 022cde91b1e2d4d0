/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/picture/rfx_planes.h"

#include "codecs/simd.h"

/* Sums of 16-bit numbers are cut to 16 bits where they are kept: the vector code's are. */
/* MS-RDPRFX 3.1.8.1.3, factors scaled by 2^15; results carry five fractional bits. */
static void color_row(const uint8_t *p, int16_t *y, int16_t *cb, int16_t *cr)
{
    for (int x = 0; x < RFX_SIDE; x++) {
        int b = p[4 * x], g = p[4 * x + 1], r = p[4 * x + 2];
        y[x] = (int16_t)(((r * 9798 + g * 19235 + b * 3735) >> 10) - 4096);
        cb[x] = (int16_t)((r * -5535 + g * -10868 + b * 16403) >> 10);
        cr[x] = (int16_t)((r * 16377 + g * -13714 + b * -2663) >> 10);
    }
}

static void wavelet_down(const int16_t *in, int16_t *low, int16_t *high, int half)
{
    int width = 2 * half;
    for (int n = 0; n < half; n++) {
        const int16_t *even = in + 2 * n * width, *odd = even + width, *next = n < half - 1 ? odd + width : even;
        int16_t *h = high + n * width, *l = low + n * width, *before = n ? h - width : h;
        for (int x = 0; x < width; x++)
            h[x] = (int16_t)(odd[x] - ((even[x] + next[x]) >> 1)) >> 1;
        for (int x = 0; x < width; x++)
            l[x] = (int16_t)(even[x] + ((before[x] + h[x]) >> 1));
    }
}

static void wavelet_across(const int16_t *in, int16_t *low, int16_t *high, int half)
{
    for (int y = 0; y < half; y++, in += 2 * half, low += half, high += half) {
        int16_t even[33], odd[32], h[33];
        for (int n = 0; n < half; n++) {
            even[n] = in[2 * n];
            odd[n] = in[2 * n + 1];
        }
        even[half] = even[half - 1];
        for (int n = 0; n < half; n++)
            h[n + 1] = (int16_t)(odd[n] - ((even[n] + even[n + 1]) >> 1)) >> 1;
        h[0] = h[1];
        for (int n = 0; n < half; n++) {
            high[n] = h[n + 1];
            low[n] = (int16_t)(even[n] + ((h[n] + h[n + 1]) >> 1));
        }
    }
}

/* One level in place: HL, LH, HH, LL follow each other. */
static void wavelet(int16_t *v, int16_t *temp, int half)
{
    int area = half * half;
    wavelet_down(v, temp, temp + 2 * area, half);
    wavelet_across(temp, v + 3 * area, v, half);
    wavelet_across(temp + 2 * area, v + area, v + 2 * area, half);
}

/* Round to the step, small values rather to zero: they cost most and show least. */
static void quantize(int16_t *v, int n, int step, int dead)
{
    int shift = step - 1, round = dead ? (1 << shift) * 3 / 8 : 1 << shift >> 1;
    for (int i = 0; i < n; i++) {
        int sign = v[i] >> 15, m = ((v[i] ^ sign) - sign + round) >> shift;
        v[i] = (int16_t)((m ^ sign) - sign);
    }
}

static const struct rfx_planes_ops ops_c = {color_row, wavelet, quantize};

static const struct rfx_planes_ops *ops_best(bool plain)
{
#ifdef HAVE_AVX2_PATH
    if (!plain && __builtin_cpu_supports("avx2"))
        return &rfx_planes_avx2;
#endif
    return &ops_c;
}

static void transform(const struct rfx_planes_ops *ops, int16_t *v, int16_t *temp, const struct rfx_quant *q)
{
    /* place and size of each band, and its index in rfx_quant */
    static const struct {
        int at, n, q;
    } bands[] = {
        {0, 1024, 8},
        {1024, 1024, 7},
        {2048, 1024, 9},
        {3072, 256, 5},
        {3328, 256, 4},
        {3584, 256, 6},
        {3840, 64, 2},
        {3904, 64, 1},
        {3968, 64, 3},
        {4032, 64, 0},
    };
    ops->wavelet(v, temp, 32);
    ops->wavelet(v + 3072, temp, 16);
    ops->wavelet(v + 3840, temp, 8);
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++)
        ops->quantize(v + bands[i].at, bands[i].n, q->v[bands[i].q], bands[i].q != 0 && q->v[bands[i].q] > 7);
    for (int i = 4095; i > 4032; i--)
        v[i] = (int16_t)(v[i] - v[i - 1]);
}

void rfx_planes(struct rfx_scratch *s, const uint8_t *px, size_t stride, const struct rfx_quant *luma,
    const struct rfx_quant *chroma, bool plain)
{
    const struct rfx_planes_ops *ops = ops_best(plain);
    for (int y = 0; y < RFX_SIDE; y++)
        ops->color_row(px + (size_t)y * stride, s->plane[0] + 64 * y, s->plane[1] + 64 * y, s->plane[2] + 64 * y);
    for (int i = 0; i < 3; i++)
        transform(ops, s->plane[i], s->temp, i ? chroma : luma);
}
