/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/color_avx2.h"
#include "codecs/picture/rfx_planes.h"

#ifdef HAVE_AVX2_PATH
#define INLINE COLOR_INLINE

INLINE void store(void *p, __m256i v)
{
    _mm256_storeu_si256(p, v);
}

INLINE __m256i weigh(__m256i p, __m256i q, int64_t factors)
{
    return color_join(_mm256_srai_epi32(color_sums(p, factors), 10), _mm256_srai_epi32(color_sums(q, factors), 10));
}

AVX2 static void color_row(const uint8_t *px, int16_t *y, int16_t *cb, int16_t *cr)
{
    for (int x = 0; x < RFX_SIDE; x += 16) {
        __m256i p = color_load(px + 4 * x), q = color_load(px + 4 * x + 32);
        store(y + x, _mm256_sub_epi16(weigh(p, q, COLOR_FACTORS(3735, 19235, 9798)), _mm256_set1_epi16(4096)));
        store(cb + x, weigh(p, q, COLOR_FACTORS(16403, -10868, -5535)));
        store(cr + x, weigh(p, q, COLOR_FACTORS(-2663, -13714, 16377)));
    }
}

/* (a + b) >> 1 of what does not fit into 16 bits meanwhile. */
INLINE __m256i middle(__m256i a, __m256i b)
{
    return _mm256_add_epi16(_mm256_and_si256(a, b), _mm256_srai_epi16(_mm256_xor_si256(a, b), 1));
}

INLINE __m256i high_of(__m256i even, __m256i odd, __m256i next)
{
    return _mm256_srai_epi16(_mm256_sub_epi16(odd, middle(even, next)), 1);
}

INLINE __m256i low_of(__m256i even, __m256i before, __m256i high)
{
    return _mm256_add_epi16(even, middle(before, high));
}

INLINE void wavelet_down(const int16_t *in, int16_t *low, int16_t *high, int half)
{
    int width = 2 * half;
    for (int x = 0; x < width; x += 16) {
        __m256i even = color_load(in + x), before = even;
        for (int n = 0; n < half; n++) {
            const int16_t *odd = in + (2 * n + 1) * width + x;
            __m256i next = n < half - 1 ? color_load(odd + width) : even, h = high_of(even, color_load(odd), next);
            store(high + n * width + x, h);
            store(low + n * width + x, low_of(even, n ? before : h, h));
            before = h;
            even = next;
        }
    }
}

/* The even, and the odd, of 32 numbers. */
INLINE __m256i evens(__m256i a, __m256i b)
{
    a = _mm256_srai_epi32(_mm256_slli_epi32(a, 16), 16);
    b = _mm256_srai_epi32(_mm256_slli_epi32(b, 16), 16);
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
}

INLINE __m256i odds(__m256i a, __m256i b)
{
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(_mm256_srai_epi32(a, 16), _mm256_srai_epi32(b, 16)), 0xD8);
}

/* Each number's right neighbour; the last one's is itself. */
INLINE __m256i following(__m256i v)
{
    __m256i t = _mm256_blend_epi32(_mm256_permute2x128_si256(v, v, 0x81), _mm256_srli_si256(v, 14), 0xF0);
    return _mm256_alignr_epi8(t, v, 2);
}

/* Each number's left neighbour; the first one's is itself. */
INLINE __m256i preceding(__m256i v)
{
    __m256i t = _mm256_blend_epi32(_mm256_slli_si256(v, 14), _mm256_permute2x128_si256(v, v, 0x08), 0xF0);
    return _mm256_alignr_epi8(v, t, 14);
}

INLINE void across_64(const int16_t *in, int16_t *low, int16_t *high)
{
    __m256i a = color_load(in), b = color_load(in + 16), c = color_load(in + 32), d = color_load(in + 48);
    __m256i e0 = evens(a, b), e1 = evens(c, d);
    __m256i next0 = _mm256_alignr_epi8(_mm256_permute2x128_si256(e0, e1, 0x21), e0, 2);
    __m256i h0 = high_of(e0, odds(a, b), next0), h1 = high_of(e1, odds(c, d), following(e1));
    __m256i before1 = _mm256_alignr_epi8(h1, _mm256_permute2x128_si256(h0, h1, 0x21), 14);
    store(high, h0);
    store(high + 16, h1);
    store(low, low_of(e0, preceding(h0), h0));
    store(low + 16, low_of(e1, before1, h1));
}

INLINE void across_32(const int16_t *in, int16_t *low, int16_t *high)
{
    __m256i a = color_load(in), b = color_load(in + 16), e = evens(a, b), h = high_of(e, odds(a, b), following(e));
    store(high, h);
    store(low, low_of(e, preceding(h), h));
}

/* Two rows of sixteen, one in each half of the registers. */
INLINE void across_16(const int16_t *in, int16_t *low, int16_t *high)
{
    __m256i a = color_load(in), b = color_load(in + 16), e = evens(a, b);
    __m256i h = high_of(e, odds(a, b), _mm256_blend_epi16(_mm256_srli_si256(e, 2), e, 0x80));
    store(high, h);
    store(low, low_of(e, _mm256_blend_epi16(_mm256_slli_si256(h, 2), h, 0x01), h));
}

INLINE void wavelet_across(const int16_t *in, int16_t *low, int16_t *high, int half)
{
    for (int at = 0, step = half > 16 ? half : 16; at < half * half; at += step)
        if (half == 32)
            across_64(in + 2 * at, low + at, high + at);
        else if (half == 16)
            across_32(in + 2 * at, low + at, high + at);
        else
            across_16(in + 2 * at, low + at, high + at);
}

INLINE void one_level(int16_t *v, int16_t *temp, int half)
{
    int area = half * half;
    wavelet_down(v, temp, temp + 2 * area, half);
    wavelet_across(temp, v + 3 * area, v, half);
    wavelet_across(temp + 2 * area, v + area, v + 2 * area, half);
}

AVX2 static void wavelet(int16_t *v, int16_t *temp, int half)
{
    if (half == 32)
        one_level(v, temp, 32);
    else if (half == 16)
        one_level(v, temp, 16);
    else
        one_level(v, temp, 8);
}

AVX2 static void quantize(int16_t *v, int n, int step, int dead)
{
    int shift = step - 1, round = dead ? (1 << shift) * 3 / 8 : 1 << shift >> 1;
    const __m256i add = _mm256_set1_epi16((int16_t)round);
    const __m128i by = _mm_cvtsi32_si128(shift);
    for (int i = 0; i < n; i += 16) {
        __m256i x = color_load(v + i), m = _mm256_srl_epi16(_mm256_add_epi16(_mm256_abs_epi16(x), add), by);
        store(v + i, _mm256_sign_epi16(m, x));
    }
}

const struct rfx_planes_ops rfx_planes_avx2 = {color_row, wavelet, quantize};
#endif
