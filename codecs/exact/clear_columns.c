/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/clear_columns.h"

#include "codecs/pixel.h"
#include "codecs/simd.h"

#include <string.h>

#ifdef HAVE_AVX2_PATH
#include <immintrin.h>
#endif

#define SEED_A ((uint32_t)COLUMN_SEED)
#define SEED_B ((uint32_t)(COLUMN_SEED >> 32))
#define A0 0x9E3779B1u
#define B0 0xCC9E2D51u
#define B1 0xE6546B64u
#define F0 0x85EBCA6Bu

static inline uint32_t mix_a(uint32_t h, uint32_t px)
{
    h = (h ^ px) * A0;
    return h ^ h >> 15;
}

/* The other one adds and rotates, so that what collides here does not collide there. */
static inline uint32_t mix_b(uint32_t h, uint32_t px)
{
    h += px * B0;
    h = h << 13 | h >> 19;
    return h * 5 + B1;
}

static inline uint64_t finish(uint32_t a, uint32_t b)
{
    b = (b ^ b >> 16) * F0;
    return (uint64_t)a << 32 | (b ^ b >> 13);
}

static void scan_range(struct columns *c, const uint8_t *px, size_t stride, int from, int to, int rows, uint32_t back)
{
    for (int x = from; x < to; x++) {
        uint32_t a = SEED_A + (uint32_t)rows, b = SEED_B;
        int on = 0, off = 0;
        for (int y = 0; y < rows; y++) {
            uint32_t v = pixel(px + (size_t)y * stride + 4 * (size_t)x);
            a = mix_a(a, v);
            b = mix_b(b, v);
            if (v == back)
                continue;
            on = off ? on : y;
            off = y + 1;
        }
        c->hash[x] = finish(a, b);
        c->on[x] = (uint8_t)on;
        c->off[x] = (uint8_t)off;
    }
}

static void scan_c(struct columns *c, const uint8_t *px, size_t stride, int width, int rows, uint32_t back)
{
    scan_range(c, px, stride, 0, width, rows, back);
}

static int residual_run_c(const uint8_t *px, const uint8_t *covered, int n, uint32_t color, bool known)
{
    int x = 0;
    while (x < n && (covered[x] || (known && pixel(px + 4 * (size_t)x) == color)))
        x++;
    return x;
}

static void moving_range(const uint8_t *px, size_t stride, int from, int to, int rows, uint8_t *moving)
{
    for (int x = from; x < to; x++) {
        const uint8_t *p = px + 4 * (size_t)x;
        uint32_t differ = 0;
        for (int y = 1; y < rows; y++)
            differ |= pixel(p) ^ pixel(p + (size_t)y * stride);
        moving[x] = differ != 0;
    }
}

static void find_moving_c(const uint8_t *px, size_t stride, int width, int rows, uint8_t *moving)
{
    moving_range(px, stride, 0, width, rows, moving);
}

const struct column_ops column_ops_c = {scan_c, residual_run_c, find_moving_c};

#ifdef HAVE_AVX2_PATH

/* Eight columns from top to bottom. Rows of ink are known by their first and last: counted down and up as lanes'
 * minimum, maximum. */
AVX2 static void scan_eight(struct columns *c, int x, const uint8_t *px, size_t stride, int rows, uint32_t back)
{
    const __m256i a0 = _mm256_set1_epi32((int)A0), b0 = _mm256_set1_epi32((int)B0), b1 = _mm256_set1_epi32((int)B1);
    const __m256i paper = _mm256_set1_epi32((int)back), one = _mm256_set1_epi32(1);
    __m256i a = _mm256_set1_epi32((int)(SEED_A + (uint32_t)rows)), b = _mm256_set1_epi32((int)SEED_B);
    __m256i on = _mm256_set1_epi32(255), off = _mm256_setzero_si256(), y = _mm256_setzero_si256();
    for (int i = 0; i < rows; i++, px += stride) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)px);
        a = _mm256_mullo_epi32(_mm256_xor_si256(a, v), a0);
        a = _mm256_xor_si256(a, _mm256_srli_epi32(a, 15));
        b = _mm256_add_epi32(b, _mm256_mullo_epi32(v, b0));
        b = _mm256_or_si256(_mm256_slli_epi32(b, 13), _mm256_srli_epi32(b, 19));
        b = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(b, 2), b), b1);
        __m256i blank = _mm256_cmpeq_epi32(v, paper);
        on = _mm256_min_epu32(on, _mm256_or_si256(y, blank));
        y = _mm256_add_epi32(y, one);
        off = _mm256_max_epi32(off, _mm256_andnot_si256(blank, y));
    }
    uint32_t ha[8], hb[8], from[8], to[8];
    _mm256_storeu_si256((__m256i *)(void *)ha, a);
    _mm256_storeu_si256((__m256i *)(void *)hb, b);
    _mm256_storeu_si256((__m256i *)(void *)from, on);
    _mm256_storeu_si256((__m256i *)(void *)to, off);
    for (int i = 0; i < 8; i++) {
        c->hash[x + i] = finish(ha[i], hb[i]);
        c->on[x + i] = (uint8_t)(to[i] ? from[i] : 0);
        c->off[x + i] = (uint8_t)to[i];
    }
}

AVX2 static void scan_avx2(struct columns *c, const uint8_t *px, size_t stride, int width, int rows, uint32_t back)
{
    int x = 0;
    for (; x + 8 <= width; x += 8)
        scan_eight(c, x, px + 4 * (size_t)x, stride, rows, back);
    scan_range(c, px, stride, x, width, rows, back);
}

AVX2 static int residual_run_avx2(const uint8_t *px, const uint8_t *covered, int n, uint32_t color, bool known)
{
    const __m256i all = _mm256_set1_epi32((int)color);
    int x = 0;
    for (; known && x + 8 <= n; x += 8) {
        __m256i same = _mm256_cmpeq_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(px + 4 * (size_t)x)), all);
        unsigned m = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same));
        m |= (unsigned)_mm_movemask_epi8(_mm_loadl_epi64((const __m128i *)(const void *)(covered + x)));
        if ((m & 0xFF) != 0xFF)
            return x + __builtin_ctz(~m);
    }
    return x + residual_run_c(px + 4 * (size_t)x, covered + x, n - x, color, known);
}

AVX2 static void find_moving_avx2(const uint8_t *px, size_t stride, int width, int rows, uint8_t *moving)
{
    const __m256i first_bytes = _mm256_set1_epi64x(0x0C080400), one = _mm256_set1_epi8(1),
                  zero = _mm256_setzero_si256();
    int x = 0;
    for (; x + 8 <= width; x += 8) {
        const uint8_t *p = px + 4 * (size_t)x;
        __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)p), differ = zero;
        for (int y = 1; y < rows; y++)
            differ = _mm256_or_si256(differ,
                _mm256_xor_si256(first, _mm256_loadu_si256((const __m256i *)(const void *)(p + (size_t)y * stride))));
        __m256i b = _mm256_shuffle_epi8(_mm256_andnot_si256(_mm256_cmpeq_epi32(differ, zero), one), first_bytes);
        uint32_t low = (uint32_t)_mm256_extract_epi32(b, 0), high = (uint32_t)_mm256_extract_epi32(b, 4);
        memcpy(moving + x, &low, sizeof low);
        memcpy(moving + x + 4, &high, sizeof high);
    }
    moving_range(px, stride, x, width, rows, moving);
}

static const struct column_ops column_ops_avx2 = {scan_avx2, residual_run_avx2, find_moving_avx2};
#endif

const struct column_ops *column_ops_best(void)
{
#ifdef HAVE_AVX2_PATH
    if (__builtin_cpu_supports("avx2"))
        return &column_ops_avx2;
#endif
    return &column_ops_c;
}
