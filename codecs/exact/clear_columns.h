/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inner loops of ClearCodec's encoder over many pixels: an AVX2 path and its plain C twin, equal in every result.
 */
#ifndef ORIEL_CODECS_EXACT_CLEAR_COLUMNS_H
#define ORIEL_CODECS_EXACT_CLEAR_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLUMNS_MAX 2048 /* as CLEAR_WIDTH_MAX */
#define COLUMN_SEED 0x243F6A8885A308D3u

/* Of each column of a band: a hash of its pixels and their number, and the rows on … off - 1 that are not the
 * background (0, 0: none). Two independent hashes of 32 bits make the 64: vector units multiply those. */
struct columns {
    uint64_t hash[COLUMNS_MAX];
    uint8_t on[COLUMNS_MAX], off[COLUMNS_MAX];
};
struct column_ops {
    /* At most COLUMNS_MAX columns of at most 255 rows. */
    void (*scan)(struct columns *c, const uint8_t *px, size_t stride, int width, int rows, uint32_t back);
    /* How many of the first n pixels are covered (0xFF; else 0) or, if `known`, of this colour? Up to the first that is
     * neither. */
    int (*residual_run)(const uint8_t *px, const uint8_t *covered, int n, uint32_t color, bool known);
    /* moving[x], of each of 1 … COLUMNS_MAX columns of at least one row: 0: it is of one colour, else 1. */
    void (*find_moving)(const uint8_t *px, size_t stride, int width, int rows, uint8_t *moving);
};
extern const struct column_ops column_ops_c;
const struct column_ops *column_ops_best(void);

#endif
