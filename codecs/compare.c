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

static bool turns_at(const uint8_t *p)
{
    for (int k = 0; k < 3; k++)
        if ((p[k] > p[k - 4] && p[k] > p[k + 4]) || (p[k] < p[k - 4] && p[k] < p[k + 4]))
            return true;
    return false;
}

static bool steep_at(const uint8_t *p)
{
    for (int k = 0; k < 3; k++)
        if (p[k] - p[k - 4] > TEXTURE_STEEP || p[k - 4] - p[k] > TEXTURE_STEEP)
            return true;
    return false;
}

static void texture_c(const uint8_t *px, size_t stride, int width, int height, struct texture *t)
{
    memset(t, 0, sizeof *t);
    for (int y = 0; y < height; y += TEXTURE_ROW_STEP) {
        const uint8_t *row = px + (size_t)y * stride;
        for (int x = 1; x < width; x++) {
            int cell = y / TEXTURE_CELL * 4 + x / TEXTURE_CELL;
            t->equal[cell] = (uint16_t)(t->equal[cell] + (load_px(row + 4 * x) == load_px(row + 4 * x - 4)));
            t->steep[cell] = (uint16_t)(t->steep[cell] + steep_at(row + 4 * x));
            if (x + 1 < width)
                t->turns[cell] = (uint16_t)(t->turns[cell] + turns_at(row + 4 * x));
        }
    }
}

/* Eight lanes, each with two hashes of 32 bits that mix differently; pixel x of a row goes to lane x % 8. */
#define LANES 8
#define HASH_A 0x9E3779B1u
#define HASH_B 0xCC9E2D51u
#define HASH_C 0xE6546B64u
struct lanes { uint32_t a[LANES], b[LANES]; };

static inline void lane_mix(struct lanes *l, int i, uint32_t px)
{
    uint32_t a = (l->a[i] ^ px) * HASH_A, b = l->b[i] + px * HASH_B;
    b = b << 13 | b >> 19;
    l->a[i] = a ^ a >> 15;
    l->b[i] = b * 5 + HASH_C;
}

static void lanes_begin(struct lanes *l)
{
    for (uint32_t i = 0; i < LANES; i++) {
        l->a[i] = 0x13198A2Eu + i * 0x9E3779B9u;
        l->b[i] = 0x03707344u + i * 0x85EBCA6Bu;
    }
}

static uint64_t mix64(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 32;
}

static uint64_t lanes_end(const struct lanes *l, int width, int height)
{
    uint64_t h = 0xA4093822299F31D0u ^ (uint64_t)(uint32_t)width << 32 ^ (uint64_t)(uint32_t)height;
    for (int i = 0; i < LANES; i++)
        h = mix64(h, (uint64_t)l->a[i] << 32 | l->b[i]);
    return mix64(h, h >> 29);
}

static uint64_t hash_c(const uint8_t *px, size_t stride, int width, int height)
{
    struct lanes l;
    lanes_begin(&l);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            lane_mix(&l, x % LANES, load_px(px + (size_t)y * stride + 4 * (size_t)x));
    return lanes_end(&l, width, height);
}

const struct compare_ops compare_c = {"c", absorb_c, diff_c, equal_rows, uniform_c, hash_c, texture_c};

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

AVX2 static inline int lanes(__m256i mask)
{
    return __builtin_popcount((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(mask)));
}

/* Eight pixels with their neighbours into a cell's counts. Lanes outside `left` and `right` are not read. */
AVX2 static inline void texture_eight(const uint8_t *p, __m256i left, __m256i right, struct texture *t, int cell)
{
    const __m256i zero = _mm256_setzero_si256(), far = _mm256_set1_epi8(TEXTURE_STEEP);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i a = _mm256_maskload_epi32((const int *)(const void *)(p - 4), left);
    __m256i c = _mm256_maskload_epi32((const int *)(const void *)(p + 4), right);
    __m256i peak = _mm256_subs_epu8(b, _mm256_max_epu8(a, c)), valley = _mm256_subs_epu8(_mm256_min_epu8(a, c), b);
    __m256i flat = _mm256_cmpeq_epi32(_mm256_or_si256(peak, valley), zero);
    __m256i step = _mm256_subs_epu8(_mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a)), far);
    t->equal[cell] = (uint16_t)(t->equal[cell] + lanes(_mm256_and_si256(_mm256_cmpeq_epi32(a, b), left)));
    t->steep[cell] = (uint16_t)(t->steep[cell] + lanes(_mm256_andnot_si256(_mm256_cmpeq_epi32(step, zero), left)));
    t->turns[cell] = (uint16_t)(t->turns[cell] + lanes(_mm256_andnot_si256(flat, _mm256_and_si256(left, right))));
}

AVX2 static void texture_avx2(const uint8_t *px, size_t stride, int width, int height, struct texture *t)
{
    const __m256i all = _mm256_set1_epi32(-1), not_first = _mm256_setr_epi32(0, -1, -1, -1, -1, -1, -1, -1);
    const __m256i not_last = _mm256_setr_epi32(-1, -1, -1, -1, -1, -1, -1, 0);
    if (width % 8) {
        texture_c(px, stride, width, height, t);
        return;
    }
    memset(t, 0, sizeof *t);
    for (int y = 0; y < height; y += TEXTURE_ROW_STEP)
        for (int x = 0; x < width; x += 8)
            texture_eight(px + (size_t)y * stride + 4 * (size_t)x, x ? all : not_first, x + 8 < width ? all : not_last, t,
                          y / TEXTURE_CELL * 4 + x / TEXTURE_CELL);
}

AVX2 static uint64_t hash_avx2(const uint8_t *px, size_t stride, int width, int height)
{
    const __m256i ka = _mm256_set1_epi32((int)HASH_A), kb = _mm256_set1_epi32((int)HASH_B), kc = _mm256_set1_epi32((int)HASH_C);
    struct lanes l;
    lanes_begin(&l);
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)l.a), b = _mm256_loadu_si256((const __m256i *)(const void *)l.b);
    for (int y = 0; y < height; y++) {
        const uint8_t *p = px + (size_t)y * stride;
        int x = 0;
        for (; x + LANES <= width; x += LANES) {
            __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + 4 * x));
            a = _mm256_mullo_epi32(_mm256_xor_si256(a, v), ka);
            a = _mm256_xor_si256(a, _mm256_srli_epi32(a, 15));
            b = _mm256_add_epi32(b, _mm256_mullo_epi32(v, kb));
            b = _mm256_or_si256(_mm256_slli_epi32(b, 13), _mm256_srli_epi32(b, 19));
            b = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(b, 2), b), kc);
        }
        if (x == width)
            continue;
        _mm256_storeu_si256((__m256i *)(void *)l.a, a);
        _mm256_storeu_si256((__m256i *)(void *)l.b, b);
        for (; x < width; x++)
            lane_mix(&l, x % LANES, load_px(p + 4 * x));
        a = _mm256_loadu_si256((const __m256i *)(const void *)l.a);
        b = _mm256_loadu_si256((const __m256i *)(const void *)l.b);
    }
    _mm256_storeu_si256((__m256i *)(void *)l.a, a);
    _mm256_storeu_si256((__m256i *)(void *)l.b, b);
    return lanes_end(&l, width, height);
}

static const struct compare_ops compare_avx2 = {"avx2", absorb_avx2, diff_avx2, equal_rows, uniform_avx2, hash_avx2, texture_avx2};
#endif

const struct compare_ops *compare_best(void)
{
#ifdef HAVE_AVX2_PATH
    if (__builtin_cpu_supports("avx2"))
        return &compare_avx2;
#endif
    return &compare_c;
}
