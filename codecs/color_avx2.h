/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weighted sums of colours, eight pixels at a time: what the conversions for processors with AVX2 share. Pure. */
#ifndef ORIEL_CODECS_COLOR_AVX2_H
#define ORIEL_CODECS_COLOR_AVX2_H

#include "codecs/simd.h"

#ifdef HAVE_AVX2_PATH
#include <immintrin.h>
#include <stdint.h>

#define COLOR_INLINE AVX2 static inline __attribute__((always_inline))

/* The factors of blue, green and red, each of 16 bits with its sign; the fourth byte of a pixel counts for nothing. */
#define COLOR_FACTORS(b, g, r) \
    ((int64_t)((uint64_t)(uint16_t)(b) | (uint64_t)(uint16_t)(g) << 16 | (uint64_t)(uint16_t)(r) << 32))

COLOR_INLINE __m256i color_load(const void *p)
{
    return _mm256_loadu_si256(p);
}

/* One sum of 32 bits for each of eight pixels, in their order. */
COLOR_INLINE __m256i color_sums(__m256i px, int64_t factors)
{
    const __m256i k = _mm256_set1_epi64x(factors), zero = _mm256_setzero_si256();
    return _mm256_hadd_epi32(_mm256_madd_epi16(_mm256_unpacklo_epi8(px, zero), k),
        _mm256_madd_epi16(_mm256_unpackhi_epi8(px, zero), k));
}

/* Two times eight numbers of 32 bits as sixteen of 16 bits. */
COLOR_INLINE __m256i color_join(__m256i a, __m256i b)
{
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
}

/* Sixteen of 16 bits as bytes: below 0 is 0, above 255 is 255. */
COLOR_INLINE void color_store_bytes(uint8_t *out, __m256i v)
{
    _mm_storeu_si128((__m128i *)(void *)out,
        _mm256_castsi256_si128(_mm256_permute4x64_epi64(_mm256_packus_epi16(v, v), 0xD8)));
}

/* One colour of sixteen pixels: its sums with `add` for rounding and zero point, 15 bits lower, as bytes. */
COLOR_INLINE void color_row16(const uint8_t *px, uint8_t *out, int64_t factors, int add)
{
    __m256i a = _mm256_add_epi32(color_sums(color_load(px), factors), _mm256_set1_epi32(add));
    __m256i b = _mm256_add_epi32(color_sums(color_load(px + 32), factors), _mm256_set1_epi32(add));
    color_store_bytes(out, color_join(_mm256_srai_epi32(a, 15), _mm256_srai_epi32(b, 15)));
}
#endif

#endif
