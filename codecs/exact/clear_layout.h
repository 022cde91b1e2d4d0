/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where is the writing in a picture? Cuts along uniform rows and wide uniform columns until single lines of text are
 * left, so that a glyph's columns begin and end at the same place wherever its line stands: that makes the V-bar cache
 * hit. */
#ifndef ORIEL_CODECS_EXACT_CLEAR_LAYOUT_H
#define ORIEL_CODECS_EXACT_CLEAR_LAYOUT_H

#include "codecs/change/compare.h"
#include "codecs/exact/clear_columns.h"

#define LAYOUT_LEAVES_MAX 1024 /* beyond this what is left is not cut further */
/* MS-RDPEGFX 2.2.4.1.1.2.1.1: a V-bar has at most 52 pixels */
#define LAYOUT_BAND_ROWS 52
#define LAYOUT_WIDTH_MAX 2048

struct layout {
    struct box leaves[LAYOUT_LEAVES_MAX]; /* disjoint; none taller than LAYOUT_BAND_ROWS */
    int n;
    uint8_t moving[LAYOUT_WIDTH_MAX]; /* scratch: columns that are not uniform */
    const struct compare_ops *ops;
    const struct column_ops *columns_of;
    const uint8_t *px;
    size_t stride;
};

/* What no leaf covers are uniform rows and uniform pieces of columns. */
void layout_find(struct layout *l, const struct compare_ops *ops, const struct column_ops *columns_of,
    const uint8_t *px, size_t stride, int width, int height);

#endif
