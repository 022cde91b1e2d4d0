/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing as pieces that come again: what stands between blank columns of a line is mostly a letter, and a client that has it in its bitmap cache
 * draws it in a fraction of the time that it takes to decode it. */
#ifndef ORIEL_CODECS_GLYPHS_H
#define ORIEL_CODECS_GLYPHS_H

#include "codecs/clear_columns.h"
#include "codecs/compare.h"

#define GLYPH_SIDE 64                 /* pixels, either way: a block that the cache can name */
#define GLYPHS_OF_LINE (COLUMNS_MAX / 2)
#define GLYPHS_SEEN 8192u             /* remembered while they are counted: some pages' worth */
#define GLYPHS_RECUR 2                /* seen so often it is worth a slot: what comes twice mostly comes again */
#define GLYPHS_MAX 4096               /* placed together */
#define GLYPHS_NEW_MAX 512            /* kept together */

struct glyph { uint16_t slot, x, y; };
struct new_glyph { struct box box; uint64_t key; uint16_t slot; }; /* slot 0: one must be made free first */
struct glyphs {
    const struct column_ops *ops;
    struct columns columns;           /* of the line that is being looked at */
    struct { uint32_t key; uint8_t times; } seen[GLYPHS_SEEN]; /* by key; who comes later takes the place */
    struct glyph placed[GLYPHS_MAX];
    struct new_glyph fresh[GLYPHS_NEW_MAX];
    int nplaced, nfresh;
};

/* NULL: out of memory. */
struct glyphs *glyphs_create(void);
void glyphs_destroy(struct glyphs *g);
/* The pieces of a line on `ground`, from left to right, each as tight as its pixels, relative to the line. At most GLYPHS_OF_LINE; `width` up to
 * COLUMNS_MAX, `rows` up to GLYPH_SIDE. */
int glyphs_cut(struct glyphs *g, const uint8_t *px, size_t stride, int width, int rows, uint32_t ground, struct box *out);
/* One more of this key. Returns whether it comes often enough to be kept. */
bool glyphs_count(struct glyphs *g, uint64_t key);
/* Those placed of one slot after each other. */
void glyphs_sort(struct glyphs *g);

#endif
