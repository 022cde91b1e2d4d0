/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/video/yuv.h"

#include "codecs/color_avx2.h"

#include <string.h>

#define BODY static inline __attribute__((always_inline))

/* Factors scaled by 2^15. */
enum { YR = 6966, YG = 23436, YB = 2366, UR = -3754, UG = -12630, UB = 16384, VR = 16384, VG = -14882, VB = -1502 };

BODY void luma_row(const uint8_t *p, uint8_t *y, int n)
{
    for (int x = 0; x < n; x++)
        y[x] = (uint8_t)((YB * p[4 * x] + YG * p[4 * x + 1] + YR * p[4 * x + 2] + 16384) >> 15);
}

static inline int clamp(int v)
{
    return v > 255 ? 255 : v;
}

/* Sums of four pixels: two more bits. `n` chroma samples. */
BODY void chroma_row(const uint8_t *p, const uint8_t *q, uint8_t *u, uint8_t *v, int n)
{
    for (int x = 0; x < n; x++) {
        int b = p[8 * x] + p[8 * x + 4] + q[8 * x] + q[8 * x + 4];
        int g = p[8 * x + 1] + p[8 * x + 5] + q[8 * x + 1] + q[8 * x + 5];
        int r = p[8 * x + 2] + p[8 * x + 6] + q[8 * x + 2] + q[8 * x + 6];
        int cu = (UB * b + UG * g + UR * r + (128 << 17) + (1 << 16)) >> 17;
        int cv = (VB * b + VG * g + VR * r + (128 << 17) + (1 << 16)) >> 17;
        u[x] = (uint8_t)clamp(cu);
        v[x] = (uint8_t)clamp(cv);
    }
}

VECTORIZED static void two_rows_c(const uint8_t *p, const uint8_t *q, uint8_t *y, uint8_t *y2, uint8_t *u, uint8_t *v,
    int n)
{
    luma_row(p, y, n);
    luma_row(q, y2, n);
    chroma_row(p, q, u, v, n / 2);
}

#ifdef HAVE_AVX2_PATH
/* The sums of four times two by two pixels, of 16 bits a colour. */
COLOR_INLINE __m256i squares(__m256i p, __m256i q)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i low = _mm256_add_epi16(_mm256_unpacklo_epi8(p, zero), _mm256_unpacklo_epi8(q, zero));
    __m256i high = _mm256_add_epi16(_mm256_unpackhi_epi8(p, zero), _mm256_unpackhi_epi8(q, zero));
    return _mm256_add_epi16(_mm256_unpacklo_epi64(low, high), _mm256_unpackhi_epi64(low, high));
}

/* Eight chroma samples of 32 bits from two times four sums. */
COLOR_INLINE __m256i chroma_of(__m256i a, __m256i b, int64_t factors)
{
    const __m256i k = _mm256_set1_epi64x(factors), add = _mm256_set1_epi32((128 << 17) + (1 << 16));
    __m256i sums = _mm256_hadd_epi32(_mm256_madd_epi16(a, k), _mm256_madd_epi16(b, k));
    return _mm256_srai_epi32(_mm256_add_epi32(_mm256_permute4x64_epi64(sums, 0xD8), add), 17);
}

/* 32 pixels of two rows. */
COLOR_INLINE void chroma_32(const uint8_t *p, const uint8_t *q, uint8_t *u, uint8_t *v)
{
    __m256i s[4];
    for (int i = 0; i < 4; i++)
        s[i] = squares(color_load(p + 32 * i), color_load(q + 32 * i));
    const int64_t ku = COLOR_FACTORS(UB, UG, UR), kv = COLOR_FACTORS(VB, VG, VR);
    color_store_bytes(u, color_join(chroma_of(s[0], s[1], ku), chroma_of(s[2], s[3], ku)));
    color_store_bytes(v, color_join(chroma_of(s[0], s[1], kv), chroma_of(s[2], s[3], kv)));
}

AVX2 VECTORIZED static void two_rows_avx2(const uint8_t *p, const uint8_t *q, uint8_t *y, uint8_t *y2, uint8_t *u,
    uint8_t *v, int n)
{
    const int64_t k = COLOR_FACTORS(YB, YG, YR);
    int x = 0;
    for (; x + 32 <= n; x += 32) {
        for (int i = x; i < x + 32; i += 16) {
            color_row16(p + 4 * i, y + i, k, 16384);
            color_row16(q + 4 * i, y2 + i, k, 16384);
        }
        chroma_32(p + 4 * x, q + 4 * x, u + x / 2, v + x / 2);
    }
    luma_row(p + 4 * x, y + x, n - x);
    luma_row(q + 4 * x, y2 + x, n - x);
    chroma_row(p + 4 * x, q + 4 * x, u + x / 2, v + x / 2, (n - x) / 2);
}
#endif

static void two_rows(const uint8_t *p, const uint8_t *q, uint8_t *y, uint8_t *y2, uint8_t *u, uint8_t *v, int n,
    bool plain)
{
#ifdef HAVE_AVX2_PATH
    if (!plain && __builtin_cpu_supports("avx2")) {
        two_rows_avx2(p, q, y, y2, u, v, n);
        return;
    }
#endif
    two_rows_c(p, q, y, y2, u, v, n);
}

/* The columns beyond the picture, and an odd last one. */
static void pad_columns(const struct yuv *o, int row, const uint8_t *p, const uint8_t *q, int width)
{
    uint8_t px[2][8];
    int from = width & ~1;
    const uint8_t *last[2] = {p + 4 * (width - 1), q + 4 * (width - 1)};
    for (int k = 0; k < 2; k++) {
        memcpy(px[k], last[k], 4);
        memcpy(px[k] + 4, last[k], 4);
    }
    uint8_t y[2][2], u, v;
    two_rows(px[0], px[1], y[0], y[1], &u, &v, 2, true);
    for (int k = 0; k < 2; k++)
        memset(o->y + (size_t)(row + k) * (size_t)o->width + from, y[k][0], (size_t)(o->width - from));
    memset(o->u + (size_t)row / 2 * (size_t)o->width / 2 + from / 2, u, (size_t)(o->width - from) / 2);
    memset(o->v + (size_t)row / 2 * (size_t)o->width / 2 + from / 2, v, (size_t)(o->width - from) / 2);
}

void yuv420_from_bgrx(const struct yuv *o, const uint8_t *px, size_t stride, int width, int height, bool plain)
{
    size_t w = (size_t)o->width;
    for (int row = 0; row < o->height; row += 2) {
        const uint8_t *p = px + (size_t)(row < height ? row : height - 1) * stride;
        const uint8_t *q = px + (size_t)(row + 1 < height ? row + 1 : height - 1) * stride;
        uint8_t *y = o->y + (size_t)row * w;
        two_rows(p, q, y, y + w, o->u + (size_t)row / 2 * (w / 2), o->v + (size_t)row / 2 * (w / 2), width & ~1, plain);
        if (o->width > (width & ~1))
            pad_columns(o, row, p, q, width);
    }
}
