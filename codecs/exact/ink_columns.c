/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/ink_columns.h"

#include "codecs/pixel.h"
#include "codecs/simd.h"

#ifdef HAVE_AVX2_PATH
#include <immintrin.h>
#endif

/* A polynomial in ROW over the column's pixels from its top, in which ground counts as 0: what is above the ink adds
 * nothing to it, and its value at the last row of ink is taken. */
#define PIXEL 0x9E3779B1u
#define ROW 0x2C9277B5u
#define SPREAD 0x85EBCA6Bu

static void set(struct ink_columns *c, int x, uint32_t h, int on, int off)
{
    h = (h ^ h >> 16) * SPREAD;
    c->hash[x] = h ^ h >> 13;
    c->on[x] = (uint8_t)(off ? on : 0);
    c->off[x] = (uint8_t)off;
}

static void scan_range(struct ink_columns *c, const uint8_t *px, size_t stride, int from, int to, int rows,
    uint32_t ground)
{
    for (int x = from; x < to; x++) {
        uint32_t h = 0, last = 0;
        int on = 0, off = 0;
        for (int y = 0; y < rows; y++) {
            uint32_t v = (pixel(px + (size_t)y * stride + 4 * (size_t)x) ^ ground) * PIXEL;
            h = h * ROW + (v ^ v >> 15);
            if (v == 0)
                continue;
            on = off ? on : y;
            off = y + 1;
            last = h;
        }
        set(c, x, last, on, off);
    }
}

void ink_scan_c(struct ink_columns *c, const uint8_t *px, size_t stride, int width, int rows, uint32_t ground)
{
    scan_range(c, px, stride, 0, width, rows, ground);
}

#ifdef HAVE_AVX2_PATH
AVX2 static void scan_eight(struct ink_columns *c, int x, const uint8_t *px, size_t stride, int rows, uint32_t ground)
{
    const __m256i k = _mm256_set1_epi32((int)PIXEL), row = _mm256_set1_epi32((int)ROW),
                  paper = _mm256_set1_epi32((int)ground);
    const __m256i one = _mm256_set1_epi32(1), zero = _mm256_setzero_si256();
    __m256i h = zero, last = zero, on = _mm256_set1_epi32(255), off = zero, y = zero;
    for (int i = 0; i < rows; i++, px += stride) {
        __m256i v =
            _mm256_mullo_epi32(_mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)px), paper), k);
        h = _mm256_add_epi32(_mm256_mullo_epi32(h, row), _mm256_xor_si256(v, _mm256_srli_epi32(v, 15)));
        __m256i blank = _mm256_cmpeq_epi32(v, zero);
        on = _mm256_min_epu32(on, _mm256_or_si256(y, blank));
        y = _mm256_add_epi32(y, one);
        off = _mm256_max_epi32(off, _mm256_andnot_si256(blank, y));
        last = _mm256_blendv_epi8(h, last, blank);
    }
    uint32_t hash[8], from[8], to[8];
    _mm256_storeu_si256((__m256i *)(void *)hash, last);
    _mm256_storeu_si256((__m256i *)(void *)from, on);
    _mm256_storeu_si256((__m256i *)(void *)to, off);
    for (int i = 0; i < 8; i++)
        set(c, x + i, hash[i], (int)from[i], (int)to[i]);
}

AVX2 static void ink_scan_avx2(struct ink_columns *c, const uint8_t *px, size_t stride, int width, int rows,
    uint32_t ground)
{
    int x = 0;
    for (; x + 8 <= width; x += 8)
        scan_eight(c, x, px + 4 * (size_t)x, stride, rows, ground);
    scan_range(c, px, stride, x, width, rows, ground);
}
#endif

ink_scan_fn ink_scan_best(void)
{
#ifdef HAVE_AVX2_PATH
    if (__builtin_cpu_supports("avx2"))
        return ink_scan_avx2;
#endif
    return ink_scan_c;
}
