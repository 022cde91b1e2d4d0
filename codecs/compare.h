/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact comparison of pixel blocks: an AVX2 path and its plain C twin, chosen once when an engine is made.
 *
 * Pixels are 4 bytes, B G R X. Everything inside codecs/ keeps X = 0xFF, so that plain equality is equality of what is seen.
 * Strides are in bytes. All functions: any width and height, any alignment, no reads outside the block.
 */
#ifndef ORIEL_CODECS_COMPARE_H
#define ORIEL_CODECS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half-open: pixels x0 … x1 - 1. Empty when x0 >= x1. */
struct box { int x0, y0, x1, y1; };

struct compare_ops {
    const char *name;
    /* Copy `src` over `dst` with X set to 0xFF. Returns false when nothing differed; else *changed is the smallest box, relative
     * to the block, that holds every pixel that did. `src` may be shared memory that changes meanwhile: what was compared is what
     * was copied. */
    bool (*absorb)(uint8_t *dst, size_t dst_stride, const uint8_t *src, size_t src_stride, int width, int height,
                   struct box *changed);
    /* The same comparison without copying; both blocks have X = 0xFF. */
    bool (*diff)(const uint8_t *a, size_t a_stride, const uint8_t *b, size_t b_stride, int width, int height,
                 struct box *changed);
    /* Equal pictures? Stops at the first difference. */
    bool (*equal)(const uint8_t *a, size_t a_stride, const uint8_t *b, size_t b_stride, int width, int height);
    /* Are all pixels equal to the first? */
    bool (*uniform)(const uint8_t *px, size_t stride, int width, int height);
};

extern const struct compare_ops compare_c;
/* The fastest that this processor runs. */
const struct compare_ops *compare_best(void);

static inline bool box_empty(const struct box *b)
{
    return b->x0 >= b->x1 || b->y0 >= b->y1;
}

static inline void box_add(struct box *b, const struct box *a)
{
    if (box_empty(a))
        return;
    if (box_empty(b)) {
        *b = *a;
        return;
    }
    b->x0 = a->x0 < b->x0 ? a->x0 : b->x0;
    b->y0 = a->y0 < b->y0 ? a->y0 : b->y0;
    b->x1 = a->x1 > b->x1 ? a->x1 : b->x1;
    b->y1 = a->y1 > b->y1 ? a->y1 : b->y1;
}

static inline struct box box_intersect(struct box a, const struct box *b)
{
    a.x0 = a.x0 > b->x0 ? a.x0 : b->x0;
    a.y0 = a.y0 > b->y0 ? a.y0 : b->y0;
    a.x1 = a.x1 < b->x1 ? a.x1 : b->x1;
    a.y1 = a.y1 < b->y1 ? a.y1 : b->y1;
    return a;
}

#endif
