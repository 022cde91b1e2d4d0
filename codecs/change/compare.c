/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/change/compare.h"

#include "codecs/pixel.h"
#include "codecs/simd.h"

#include <string.h>

#ifdef HAVE_AVX2_PATH
#include <immintrin.h>
#endif

#define X_OPAQUE 0xFF000000u

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
        uint32_t v = pixel(s + 4 * x) | X_OPAQUE;
        if (v == pixel(d + 4 * x))
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
        if (pixel(a + 4 * x) == pixel(b + 4 * x))
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

static bool follow_from(uint8_t *dst, const uint8_t *src, const uint8_t *expected, int from, int to)
{
    uint32_t differ = 0;
    for (int x = from; x < to; x++) {
        uint32_t v = pixel(src + 4 * x) | X_OPAQUE;
        differ |= v ^ pixel(expected + 4 * x);
        store_px(dst + 4 * x, v);
    }
    return differ == 0;
}

static bool follow_c(uint8_t *dst, const uint8_t *src, const uint8_t *expected, int width)
{
    return follow_from(dst, src, expected, 0, width);
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
    uint32_t v = pixel(px);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            if (pixel(px + (size_t)y * stride + 4 * x) != v)
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
            t->equal[cell] = (uint16_t)(t->equal[cell] + (pixel(row + 4 * x) == pixel(row + 4 * x - 4)));
            t->steep[cell] = (uint16_t)(t->steep[cell] + steep_at(row + 4 * x));
            if (x + 1 < width)
                t->turns[cell] = (uint16_t)(t->turns[cell] + turns_at(row + 4 * x));
        }
    }
}

static bool is_calm_c(const uint8_t *px, size_t stride, int width, int height, int percent)
{
    struct texture t;
    texture_c(px, stride, width, height, &t);
    for (int cell = 0; cell < 16; cell++) {
        int w = width - cell % 4 * TEXTURE_CELL, h = height - cell / 4 * TEXTURE_CELL;
        w = w < TEXTURE_CELL ? w : TEXTURE_CELL;
        h = h < TEXTURE_CELL ? h : TEXTURE_CELL;
        if (w > 0 && h > 0 && t.equal[cell] * 100 < w * ((h + TEXTURE_ROW_STEP - 1) / TEXTURE_ROW_STEP) * percent)
            return false;
    }
    return true;
}

/* NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: UMAC, 1999): the sum of products of pixel pairs, each pixel with a
 * word of the key added. Its second half is the same with the key shifted (the paper's Toeplitz construction). A
 * missing pixel counts as 0. */
static inline void nh_pair(const uint32_t *k, uint32_t left, uint32_t right, uint64_t out[2])
{
    out[0] += (uint64_t)(left + k[0]) * (right + k[1]);
    out[1] += (uint64_t)(left + k[HASH_SHIFT]) * (right + k[HASH_SHIFT + 1]);
}

static inline void nh_row(const uint32_t *k, const uint8_t *p, int x, int width, uint64_t out[2])
{
    for (; x < width; x += 2)
        nh_pair(k + x, pixel(p + 4 * x), x + 1 < width ? pixel(p + 4 * x + 4) : 0, out);
}

static void hash_c(const struct hash_key *key, const uint8_t *px, size_t stride, int width, int height, uint64_t out[2])
{
    out[0] = out[1] = 0;
    for (int y = 0; y < height; y++)
        nh_row(key->words + y * HASH_SIDE, px + (size_t)y * stride, 0, width, out);
}

const struct compare_ops compare_c = {"c", absorb_c, follow_c, diff_c, equal_rows, uniform_c, hash_c, texture_c,
    is_calm_c};

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

AVX2 static bool absorb_avx2(uint8_t *dst, size_t dst_stride, const uint8_t *src, size_t src_stride, int width,
    int height, struct box *changed)
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

AVX2 static bool follow_avx2(uint8_t *dst, const uint8_t *src, const uint8_t *expected, int width)
{
    const __m256i opaque = _mm256_set1_epi32((int)X_OPAQUE);
    __m256i differ = _mm256_setzero_si256();
    int x = 0;
    for (; x + 8 <= width; x += 8) {
        __m256i v = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(const void *)(src + 4 * x)), opaque);
        differ = _mm256_or_si256(differ,
            _mm256_xor_si256(v, _mm256_loadu_si256((const __m256i *)(const void *)(expected + 4 * x))));
        _mm256_storeu_si256((__m256i *)(void *)(dst + 4 * x), v);
    }
    return follow_from(dst, src, expected, x, width) && _mm256_testz_si256(differ, differ);
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
    uint32_t v = pixel(px);
    __m256i all = _mm256_set1_epi32((int)v);
    for (int y = 0; y < height; y++) {
        const uint8_t *p = px + (size_t)y * stride;
        int x = 0;
        for (; x + 8 <= width; x += 8)
            if (differing(_mm256_loadu_si256((const __m256i *)(const void *)(p + 4 * x)), all))
                return false;
        for (; x < width; x++)
            if (pixel(p + 4 * x) != v)
                return false;
    }
    return true;
}

struct texture_sums {
    __m256i equal, steep, turns;
};

/* Eight pixels with their neighbours, counted lane by lane. Lanes outside `left` and `right` are not read. */
AVX2 static inline void texture_eight(const uint8_t *p, __m256i left, __m256i right, struct texture_sums *n)
{
    const __m256i zero = _mm256_setzero_si256(), far = _mm256_set1_epi8(TEXTURE_STEEP);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i a = _mm256_maskload_epi32((const int *)(const void *)(p - 4), left);
    __m256i c = _mm256_maskload_epi32((const int *)(const void *)(p + 4), right);
    __m256i peak = _mm256_subs_epu8(b, _mm256_max_epu8(a, c)), valley = _mm256_subs_epu8(_mm256_min_epu8(a, c), b);
    __m256i flat = _mm256_cmpeq_epi32(_mm256_or_si256(peak, valley), zero);
    __m256i step = _mm256_subs_epu8(_mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a)), far);
    n->equal = _mm256_sub_epi32(n->equal, _mm256_and_si256(_mm256_cmpeq_epi32(a, b), left));
    n->steep = _mm256_sub_epi32(n->steep, _mm256_andnot_si256(_mm256_cmpeq_epi32(step, zero), left));
    n->turns = _mm256_sub_epi32(n->turns, _mm256_andnot_si256(flat, _mm256_and_si256(left, right)));
}

AVX2 static inline uint16_t sum_eight(__m256i v)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
    return (uint16_t)_mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
}

/* The cells of columns x … x + 15 from top to bottom. */
AVX2 static void texture_cells(const uint8_t *px, size_t stride, int x, int width, int height, struct texture *t)
{
    const __m256i all = _mm256_set1_epi32(-1), not_first = _mm256_setr_epi32(0, -1, -1, -1, -1, -1, -1, -1);
    const __m256i not_last = _mm256_setr_epi32(-1, -1, -1, -1, -1, -1, -1, 0);
    for (int top = 0; top < height; top += TEXTURE_CELL) {
        struct texture_sums n = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
        int bottom = top + TEXTURE_CELL < height ? top + TEXTURE_CELL : height,
            cell = top / TEXTURE_CELL * 4 + x / TEXTURE_CELL;
        for (int y = top; y < bottom; y += TEXTURE_ROW_STEP)
            for (int k = x; k < x + TEXTURE_CELL && k < width; k += 8)
                texture_eight(px + (size_t)y * stride + 4 * (size_t)k, k ? all : not_first,
                    k + 8 < width ? all : not_last, &n);
        t->equal[cell] = sum_eight(n.equal);
        t->steep[cell] = sum_eight(n.steep);
        t->turns[cell] = sum_eight(n.turns);
    }
}

AVX2 static void texture_avx2(const uint8_t *px, size_t stride, int width, int height, struct texture *t)
{
    if (width % 8) {
        texture_c(px, stride, width, height, t);
        return;
    }
    memset(t, 0, sizeof *t);
    for (int x = 0; x < width; x += TEXTURE_CELL)
        texture_cells(px, stride, x, width, height, t);
}

/* Sixteen pixels of a row that equal their left neighbours, added up lane by lane; the first of a block has none. */
AVX2 static inline __m256i add_equal(__m256i sum, const uint8_t *p, bool first, int width)
{
    const __m256i not_first = _mm256_setr_epi32(0, -1, -1, -1, -1, -1, -1, -1), all = _mm256_set1_epi32(-1);
    for (int k = 0; k < TEXTURE_CELL && k < width; k += 8) {
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 4 * k)),
                mask = first && k == 0 ? not_first : all;
        __m256i a = _mm256_maskload_epi32((const int *)(const void *)(p + 4 * k - 4), mask);
        sum = _mm256_sub_epi32(sum, _mm256_and_si256(_mm256_cmpeq_epi32(a, b), mask));
    }
    return sum;
}

/* Writing and what is flat show it in half of a cell's rows. */
AVX2 static bool cell_is_calm(const uint8_t *px, size_t stride, bool first, int width, int height, int percent)
{
    int rows = (height + TEXTURE_ROW_STEP - 1) / TEXTURE_ROW_STEP,
        pixels = (width < TEXTURE_CELL ? width : TEXTURE_CELL) * rows;
    __m256i sum = _mm256_setzero_si256();
    for (int i = 0; i < rows; i++) {
        if (i == rows / 2 && sum_eight(sum) * 100 >= pixels * percent)
            return true;
        sum = add_equal(sum, px + (size_t)i * TEXTURE_ROW_STEP * stride, first, width);
    }
    return sum_eight(sum) * 100 >= pixels * percent;
}

AVX2 static bool is_calm_avx2(const uint8_t *px, size_t stride, int width, int height, int percent)
{
    if (width % 8)
        return is_calm_c(px, stride, width, height, percent);
    for (int y = 0; y < height; y += TEXTURE_CELL)
        for (int x = 0; x < width; x += TEXTURE_CELL) {
            int h = height - y < TEXTURE_CELL ? height - y : TEXTURE_CELL;
            if (!cell_is_calm(px + (size_t)y * stride + 4 * (size_t)x, stride, x == 0, width - x, h, percent))
                return false;
        }
    return true;
}

AVX2 static inline __m256i nh_eight(__m256i sum, __m256i v, const uint32_t *k)
{
    v = _mm256_add_epi32(v, _mm256_load_si256((const __m256i *)(const void *)k));
    return _mm256_add_epi64(sum, _mm256_mul_epu32(v, _mm256_srli_epi64(v, 32)));
}

/* The last one to seven pixels of a row: pairs beyond them count nothing, a missing right one is 0. */
AVX2 static inline __m256i nh_rest(__m256i sum, __m256i v, __m256i pairs, const uint32_t *k)
{
    v = _mm256_add_epi32(v, _mm256_load_si256((const __m256i *)(const void *)k));
    return _mm256_add_epi64(sum, _mm256_and_si256(_mm256_mul_epu32(v, _mm256_srli_epi64(v, 32)), pairs));
}

AVX2 static inline uint64_t sum_lanes(__m256i v)
{
    uint64_t l[4];
    _mm256_storeu_si256((__m256i *)(void *)l, v);
    return l[0] + l[1] + l[2] + l[3];
}

AVX2 static void hash_avx2(const struct hash_key *key, const uint8_t *px, size_t stride, int width, int height,
    uint64_t out[2])
{
    __m256i a = _mm256_setzero_si256(), b = a;
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i rest = _mm256_cmpgt_epi32(_mm256_set1_epi32(width % 8), lanes);
    const __m256i pairs = _mm256_shuffle_epi32(rest, 0xA0); /* both halves as the left one */
    for (int y = 0; y < height; y++) {
        const uint8_t *p = px + (size_t)y * stride;
        const uint32_t *k = key->words + y * HASH_SIDE;
        int x = 0;
        for (; x + 8 <= width; x += 8) {
            __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + 4 * x));
            a = nh_eight(a, v, k + x);
            b = nh_eight(b, v, k + x + HASH_SHIFT);
        }
        if (x == width)
            continue;
        __m256i v = _mm256_maskload_epi32((const int *)(const void *)(p + 4 * x), rest);
        a = nh_rest(a, v, pairs, k + x);
        b = nh_rest(b, v, pairs, k + x + HASH_SHIFT);
    }
    out[0] = sum_lanes(a);
    out[1] = sum_lanes(b);
}

static const struct compare_ops compare_avx2 = {"avx2", absorb_avx2, follow_avx2, diff_avx2, equal_rows, uniform_avx2,
    hash_avx2, texture_avx2, is_calm_avx2};
#endif

const struct compare_ops *compare_best(void)
{
#ifdef HAVE_AVX2_PATH
    if (__builtin_cpu_supports("avx2"))
        return &compare_avx2;
#endif
    return &compare_c;
}
