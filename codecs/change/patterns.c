/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/change/patterns.h"

#include "codecs/pixel.h"
#include "codecs/simd.h"

#ifdef HAVE_AVX2_PATH
#include <immintrin.h>
#endif

#define K0 0x9E3779B1u
#define K1 0x85EBCA77u
#define K2 0xC2B2AE3Du
#define K3 0x27D4EB2Fu
#define CHOSEN_MASK 0x3Fu

/* By doubling: two pixels, four, eight, sixteen. */
static inline __attribute__((always_inline)) void hash_row(const uint8_t *p, int n, uint32_t *h)
{
    uint32_t a[PATTERNS_MAX + 16], b[PATTERNS_MAX + 16];
    for (int x = 0; x < n + 14; x++) {
        uint32_t here = pixel(p + 4 * x), next = pixel(p + 4 * x + 4);
        b[x] = here * K0 + (next ^ next >> 11);
    }
    for (int x = 0; x < n + 12; x++)
        a[x] = b[x] * K1 + (b[x + 2] ^ b[x + 2] >> 13);
    for (int x = 0; x < n + 8; x++)
        b[x] = a[x] * K2 + (a[x + 4] ^ a[x + 4] >> 15);
    for (int x = 0; x < n; x++)
        h[x] = b[x] * K3 + (b[x + 8] ^ b[x + 8] >> 16);
}

static inline __attribute__((always_inline)) void mix_rows(const uint32_t *a, const uint32_t *b, const uint32_t *c,
    int n, uint32_t *h)
{
    for (int x = 0; x < n; x++) {
        uint32_t v = (a[x] * K1 + b[x]) * K2 + c[x];
        h[x] = v ^ v >> 15;
    }
}

VECTORIZED static void hash_row_c(const uint8_t *p, int n, uint32_t *h)
{
    hash_row(p, n, h);
}

VECTORIZED static void mix_rows_c(const uint32_t *a, const uint32_t *b, const uint32_t *c, int n, uint32_t *h)
{
    mix_rows(a, b, c, n, h);
}

static uint64_t chosen_c(const uint32_t *h, int n)
{
    uint64_t m = 0;
    for (int x = 0; x < n; x++)
        m |= (uint64_t)((h[x] & CHOSEN_MASK) == 0) << x;
    return m;
}

const struct pattern_ops pattern_c = {hash_row_c, mix_rows_c, chosen_c};

#ifdef HAVE_AVX2_PATH

/* a * k + (b ^ b >> shift) */
#define MIX(a, k, b, shift) _mm256_add_epi32(_mm256_mullo_epi32(a, k), _mm256_xor_si256(b, _mm256_srli_epi32(b, shift)))

/* Lanes 2 … 7 of `a` and 0, 1 of `b`; lanes 4 … 7 and 0 … 3. */
AVX2 static inline __m256i after_two(__m256i a, __m256i b)
{
    return _mm256_alignr_epi8(_mm256_permute2x128_si256(a, b, 0x21), a, 8);
}

AVX2 static inline __m256i after_four(__m256i a, __m256i b)
{
    return _mm256_permute2x128_si256(a, b, 0x21);
}

/* Stays in registers where plain C goes through memory four times, each time a few bytes beside what was just written.
 */
AVX2 static void hash_64(const uint8_t *p, uint32_t *h)
{
    const __m256i k0 = _mm256_set1_epi32((int)K0), k1 = _mm256_set1_epi32((int)K1), k2 = _mm256_set1_epi32((int)K2);
    const __m256i k3 = _mm256_set1_epi32((int)K3), left = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 7);
    __m256i two = _mm256_setzero_si256(), four = two, eight = two;
    for (int j = 0; j < 11; j++) { /* each length is known a vector after the one before */
        __m256i here = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * (j < 10 ? j : 9)));
        __m256i next = j < 9 ? _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * j + 4))
                             : _mm256_permutevar8x32_epi32(here, left);
        __m256i new_two = MIX(here, k0, next, 11), beside = after_two(two, new_two);
        __m256i new_four = MIX(two, k1, beside, 13);
        beside = after_four(four, new_four);
        __m256i new_eight = MIX(four, k2, beside, 15);
        if (j >= 3)
            _mm256_storeu_si256((__m256i *)(void *)(h + 8 * (j - 3)), MIX(eight, k3, new_eight, 16));
        two = new_two;
        four = new_four;
        eight = new_eight;
    }
}

AVX2 VECTORIZED static void hash_row_avx2(const uint8_t *p, int n, uint32_t *h)
{
    if (n == PATTERNS_MAX)
        hash_64(p, h);
    else
        hash_row(p, n, h);
}

AVX2 VECTORIZED static void mix_rows_avx2(const uint32_t *a, const uint32_t *b, const uint32_t *c, int n, uint32_t *h)
{
    mix_rows(a, b, c, n, h);
}

AVX2 static uint64_t chosen_avx2(const uint32_t *h, int n)
{
    const __m256i mask = _mm256_set1_epi32(CHOSEN_MASK), zero = _mm256_setzero_si256();
    uint64_t m = 0;
    int x = 0;
    for (; x + 8 <= n; x += 8) {
        __m256i v = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(const void *)(h + x)), mask);
        m |= (uint64_t)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(v, zero))) << x;
    }
    for (; x < n; x++)
        m |= (uint64_t)((h[x] & CHOSEN_MASK) == 0) << x;
    return m;
}

static const struct pattern_ops pattern_avx2 = {hash_row_avx2, mix_rows_avx2, chosen_avx2};
#endif

const struct pattern_ops *pattern_best(void)
{
#ifdef HAVE_AVX2_PATH
    if (__builtin_cpu_supports("avx2"))
        return &pattern_avx2;
#endif
    return &pattern_c;
}
