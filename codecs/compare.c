/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/compare.h"

#include "codecs/simd.h"

#include <string.h>

#ifdef HAVE_AVX2_PATH
#include <immintrin.h>
#endif

#define X_OPAQUE 0xFF000000u

static inline uint32_t load_px(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store_px(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

/* First and last differing pixel of one row widen the box. */
static inline void widen(struct box *b, int y, int first, int last)
{
    if (b->y1 == 0) {
        *b = (struct box){first, y, last + 1, y + 1};
        return;
    }
    b->x0 = first < b->x0 ? first : b->x0;
    b->x1 = last >= b->x1 ? last + 1 : b->x1;
    b->y1 = y + 1;
}

static void absorb_row_c(uint8_t *d, const uint8_t *s, int from, int to, int *first, int *last)
{
    for (int x = from; x < to; x++) {
        uint32_t v = load_px(s + 4 * x) | X_OPAQUE;
        if (v == load_px(d + 4 * x))
            continue;
        store_px(d + 4 * x, v);
        if (*first < 0)
            *first = x;
        *last = x;
    }
}

static void diff_row_c(const uint8_t *a, const uint8_t *b, int from, int to, int *first, int *last)
{
    for (int x = from; x < to; x++) {
        if (load_px(a + 4 * x) == load_px(b + 4 * x))
            continue;
        if (*first < 0)
            *first = x;
        *last = x;
    }
}

static bool absorb_c(uint8_t *dst, size_t dst_stride, const uint8_t *src, size_t src_stride, int width, int height,
                     struct box *changed)
{
    *changed = (struct box){0, 0, 0, 0};
    for (int y = 0; y < height; y++) {
        int first = -1, last = -1;
        absorb_row_c(dst + (size_t)y * dst_stride, src + (size_t)y * src_stride, 0, width, &first, &last);
        if (first >= 0)
            widen(changed, y, first, last);
    }
    return !box_empty(changed);
}

static bool diff_c(const uint8_t *a, size_t a_stride, const uint8_t *b, size_t b_stride, int width, int height,
                   struct box *changed)
{
    *changed = (struct box){0, 0, 0, 0};
    for (int y = 0; y < height; y++) {
        int first = -1, last = -1;
        diff_row_c(a + (size_t)y * a_stride, b + (size_t)y * b_stride, 0, width, &first, &last);
        if (first >= 0)
            widen(changed, y, first, last);
    }
    return !box_empty(changed);
}

static bool equal_rows(const uint8_t *a, size_t a_stride, const uint8_t *b, size_t b_stride, int width, int height)
{
    for (int y = 0; y < height; y++)
        if (memcmp(a + (size_t)y * a_stride, b + (size_t)y * b_stride, (size_t)width * 4) != 0)
            return false;
    return true;
}

static bool uniform_c(const uint8_t *px, size_t stride, int width, int height)
{
    uint32_t v = load_px(px);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            if (load_px(px + (size_t)y * stride + 4 * x) != v)
                return false;
    return true;
}

const struct compare_ops compare_c = {"c", absorb_c, diff_c, equal_rows, uniform_c};

#ifdef HAVE_AVX2_PATH

/* Bit i set: pixel i of the eight differs. */
AVX2 static inline unsigned differing(__m256i a, __m256i b)
{
    return 0xFFu & ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)));
}

static inline void note(unsigned mask, int x, int *first, int *last)
{
    if (*first < 0)
        *first = x + __builtin_ctz(mask);
    *last = x + 31 - __builtin_clz(mask);
}

AVX2 static bool absorb_avx2(uint8_t *dst, size_t dst_stride, const uint8_t *src, size_t src_stride, int width, int height,
                             struct box *changed)
{
    const __m256i opaque = _mm256_set1_epi32((int)X_OPAQUE);
    *changed = (struct box){0, 0, 0, 0};
    for (int y = 0; y < height; y++) {
        uint8_t *d = dst + (size_t)y * dst_stride;
        const uint8_t *s = src + (size_t)y * src_stride;
        int first = -1, last = -1, x = 0;
        for (; x + 8 <= width; x += 8) {
            __m256i v = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(const void *)(s + 4 * x)), opaque);
            unsigned m = differing(v, _mm256_loadu_si256((const __m256i *)(const void *)(d + 4 * x)));
            if (m) {
                _mm256_storeu_si256((__m256i *)(void *)(d + 4 * x), v);
                note(m, x, &first, &last);
            }
        }
        absorb_row_c(d, s, x, width, &first, &last);
        if (first >= 0)
            widen(changed, y, first, last);
    }
    return !box_empty(changed);
}

AVX2 static bool diff_avx2(const uint8_t *a, size_t a_stride, const uint8_t *b, size_t b_stride, int width, int height,
                           struct box *changed)
{
    *changed = (struct box){0, 0, 0, 0};
    for (int y = 0; y < height; y++) {
        const uint8_t *p = a + (size_t)y * a_stride, *q = b + (size_t)y * b_stride;
        int first = -1, last = -1, x = 0;
        for (; x + 8 <= width; x += 8) {
            unsigned m = differing(_mm256_loadu_si256((const __m256i *)(const void *)(p + 4 * x)),
                                   _mm256_loadu_si256((const __m256i *)(const void *)(q + 4 * x)));
            if (m)
                note(m, x, &first, &last);
        }
        diff_row_c(p, q, x, width, &first, &last);
        if (first >= 0)
            widen(changed, y, first, last);
    }
    return !box_empty(changed);
}

AVX2 static bool uniform_avx2(const uint8_t *px, size_t stride, int width, int height)
{
    uint32_t v = load_px(px);
    __m256i all = _mm256_set1_epi32((int)v);
    for (int y = 0; y < height; y++) {
        const uint8_t *p = px + (size_t)y * stride;
        int x = 0;
        for (; x + 8 <= width; x += 8)
            if (differing(_mm256_loadu_si256((const __m256i *)(const void *)(p + 4 * x)), all))
                return false;
        for (; x < width; x++)
            if (load_px(p + 4 * x) != v)
                return false;
    }
    return true;
}

static const struct compare_ops compare_avx2 = {"avx2", absorb_avx2, diff_avx2, equal_rows, uniform_avx2};
#endif

const struct compare_ops *compare_best(void)
{
#ifdef HAVE_AVX2_PATH
    if (__builtin_cpu_supports("avx2"))
        return &compare_avx2;
#endif
    return &compare_c;
}
