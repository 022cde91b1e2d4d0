/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact comparison of pixel blocks: an AVX2 path and its plain C twin, chosen once when an engine is made.
 *
 * Pixels are 4 bytes, B G R X. Everything inside codecs/ keeps X = 0xFF, so that plain equality is equality of what is
 * seen. Strides are in bytes. All functions: any width and height, any alignment, no reads outside the block.
 */
#ifndef ORIEL_CODECS_CHANGE_COMPARE_H
#define ORIEL_CODECS_CHANGE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half-open: pixels x0 … x1 - 1. Empty when x0 >= x1. */
struct box {
    int x0, y0, x1, y1;
};

/* How a block of at most 64x64 pixels looks, by cells of 16x16, four to a row of cells whatever the block's width. */
#define TEXTURE_CELL 16
#define TEXTURE_ROW_STEP 2 /* every second row tells as much in half the time */
#define TEXTURE_STEEP 24
struct texture {
    uint16_t equal[16]; /* pixels like the one on their left */
    /* Pixels further than TEXTURE_STEEP from the one on their left, in some channel */
    uint16_t steep[16];
    /* Pixels brighter or darker than both neighbours in their row, in some channel */
    uint16_t turns[16];
};

/* What keys a hash: uniformly random words, secret. One a pixel of a block of 64x64; the second half of a hash uses
 * them shifted. */
#define HASH_SIDE 64
#define HASH_SHIFT 8
struct hash_key {
    _Alignas(32) uint32_t words[HASH_SIDE * HASH_SIDE + HASH_SHIFT];
};

struct compare_ops {
    const char *name;
    /* Copy `src` over `dst` with X set to 0xFF. Returns false when nothing differed; else *changed is the smallest box,
     * relative to the block, that holds every pixel that did. `src` may be shared memory that changes meanwhile: what
     * was compared is what was copied. */
    bool (*absorb)(uint8_t *dst, size_t dst_stride, const uint8_t *src, size_t src_stride, int width, int height,
        struct box *changed);
    /* Copy a line of `src` over `dst` in the same way, whatever that had. Returns whether it is what was `expected`,
     * which may not overlap `dst`. */
    bool (*follow)(uint8_t *dst, const uint8_t *src, const uint8_t *expected, int width);
    /* The comparison without copying; both blocks have X = 0xFF. */
    bool (*diff)(const uint8_t *a, size_t a_stride, const uint8_t *b, size_t b_stride, int width, int height,
        struct box *changed);
    /* Equal pictures? Stops at the first difference. */
    bool (*equal)(const uint8_t *a, size_t a_stride, const uint8_t *b, size_t b_stride, int width, int height);
    /* Are all pixels equal to the first? */
    bool (*uniform)(const uint8_t *px, size_t stride, int width, int height);
    /* 128 bits of the content of a block of at most 64x64 pixels. For any two blocks of equal size that differ, at most
     * one key in 2^64 gives equal hashes: who does not know the key cannot draw two that do. The hash itself must stay
     * secret: it is linear in the key. */
    void (*hash)(const struct hash_key *key, const uint8_t *px, size_t stride, int width, int height, uint64_t out[2]);
    /* A block's first column has no left neighbour, its last no right one: both count as neither. */
    void (*texture)(const uint8_t *px, size_t stride, int width, int height, struct texture *t);
    /* Would `texture` count at least so many percent of the pixels looked at as equal, in every cell? Of what is, it
     * looks at half. */
    bool (*is_calm)(const uint8_t *px, size_t stride, int width, int height, int percent);
};

extern const struct compare_ops compare_c;
/* The fastest that this processor runs. */
const struct compare_ops *compare_best(void);

static inline bool box_empty(const struct box *b)
{
    return b->x0 >= b->x1 || b->y0 >= b->y1;
}

/* Is all of `b` in `of`? */
static inline bool box_inside(const struct box *b, const struct box *of)
{
    return b->x0 >= of->x0 && b->x1 <= of->x1 && b->y0 >= of->y0 && b->y1 <= of->y1;
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
