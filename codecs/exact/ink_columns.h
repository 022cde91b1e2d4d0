/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The columns of a line of writing, known by their ink alone: the same letter gives the same columns wherever in its
 * line the box around it begins. An AVX2 path and its plain C twin, equal in every result. */
#ifndef ORIEL_CODECS_EXACT_INK_COLUMNS_H
#define ORIEL_CODECS_EXACT_INK_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#define INK_COLUMNS_MAX 2048 /* as CLEAR_WIDTH_MAX */
#define INK_ROWS_MAX 64      /* what the cache can name */

/* Rows on … off - 1 of a column reach from its first to its last pixel that is not the ground (0, 0: it has none). The
 * hash is theirs; it tells most columns apart, and is no proof that two are equal. */
struct ink_columns {
    uint32_t hash[INK_COLUMNS_MAX];
    uint8_t on[INK_COLUMNS_MAX], off[INK_COLUMNS_MAX];
};
/* `width` 1 … INK_COLUMNS_MAX, `rows` 1 … INK_ROWS_MAX; `px` points at pixels of four bytes. */
typedef void (
    *ink_scan_fn)(struct ink_columns *c, const uint8_t *px, size_t stride, int width, int rows, uint32_t ground);
void ink_scan_c(struct ink_columns *c, const uint8_t *px, size_t stride, int width, int rows, uint32_t ground);
ink_scan_fn ink_scan_best(void);

#endif
