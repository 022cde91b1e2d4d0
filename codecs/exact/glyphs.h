/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text as glyphs that recur. A line is cut at its blank columns. Each piece is a letter or several that touch; those
 * are cut where a known glyph begins. A client draws a glyph from its bitmap cache in a fraction of the time that
 * decoding takes. */
#ifndef ORIEL_CODECS_EXACT_GLYPHS_H
#define ORIEL_CODECS_EXACT_GLYPHS_H

#include "codecs/change/compare.h"
#include "codecs/exact/ink_columns.h"

#include <stdbool.h>

#define GLYPH_SIDE INK_ROWS_MAX /* most pixels, in width and in height: the largest block that the cache names */
/* A glyph inside a piece is found by its first columns. Fewer than these are a stem that many glyphs share. */
#define GLYPH_HEAD 3
#define GLYPHS_OF_LINE INK_COLUMNS_MAX
#define GLYPHS_SEEN 8192u   /* names remembered while they are counted: a few pages' worth */
#define GLYPHS_KNOWN 16384u /* names of cached glyphs: four times the slots of a small cache */
#define GLYPHS_HEADS 4096u
/* Seen so often, a piece gets a cache slot: what came twice mostly comes again */
#define GLYPHS_RECUR 2
/* Seen so often, a piece gets a slot although its parts have some: it is drawn by one position instead of several */
#define GLYPHS_OFTEN 4
#define GLYPHS_MAX 6144    /* placed before they are drawn */
#define GLYPHS_SLOTS 32768 /* more than any cache has */
#define GLYPHS_NEW_MAX 512 /* new ones before they are stored */

/* A glyph to draw at x, y. `next`: index + 1 of the next one from the same slot; 0: it is the last. */
struct glyph {
    uint16_t slot, x, y, next;
};
/* A glyph to store. Slot 0: a slot must be freed first. */
struct new_glyph {
    struct box box;
    uint64_t key;
    uint16_t slot;
};
struct glyphs {
    ink_scan_fn scan;
    struct ink_columns columns;         /* of the line that is being looked at */
    uint64_t sums[INK_COLUMNS_MAX + 1]; /* over the columns before each */
    uint64_t powers[GLYPH_SIDE + 1], power_sums[GLYPH_SIDE + 1];
    /* `seen`, `known` and `heads` are hash tables without chains: a later name replaces an earlier one */
    struct {
        uint32_t name;
        uint8_t times;
    } seen[GLYPHS_SEEN];
    uint32_t known[GLYPHS_KNOWN];
    /* Bit w - 1: a known glyph of w columns begins with these columns */
    struct {
        uint32_t name;
        uint64_t widths;
    } heads[GLYPHS_HEADS];
    struct glyph placed[GLYPHS_MAX];
    /* `first`: index in `placed` of each slot's first glyph, in the order in which slots appear. `last`: by slot, index
     * + 1 of its last glyph; 0: none is placed. */
    uint16_t first[GLYPHS_MAX], last[GLYPHS_SLOTS];
    struct new_glyph fresh[GLYPHS_NEW_MAX];
    int nplaced, nslots, nfresh;
    /* Part of this frame is drawn glyph by glyph: the rest of its lines are, too */
    bool in_page;
};

/* NULL: out of memory. */
struct glyphs *glyphs_create(void);
void glyphs_destroy(struct glyphs *g);
/* Look at a line on `ground`: the pieces between its blank columns, from left to right, each as tight as its pixels,
 * relative to the line. At most GLYPHS_OF_LINE; `width` up to INK_COLUMNS_MAX, `rows` up to GLYPH_SIDE. What follows is
 * about this line. */
int glyphs_cut(struct glyphs *g, const uint8_t *px, size_t stride, int width, int rows, uint32_t ground,
    struct box *out);
/* The bounding box of the ink in columns x0 … x1 - 1, none of them blank. */
struct box glyphs_box(const struct glyphs *g, int x0, int x1);
/* A hash of the ink in `width` columns (1 … GLYPH_SIDE) from x on, none of them blank. It does not depend on how high
 * in the line the ink is. Equal names do not prove equal pixels. */
uint64_t glyphs_name(const struct glyphs *g, int x, int width);
/* Count one more of this name. Returns how many there were, GLYPHS_OFTEN at most. */
int glyphs_count(struct glyphs *g, uint64_t name);
/* These columns were cached: they are known from here on, until another name takes their place. */
void glyphs_learn(struct glyphs *g, int x, int width);
bool glyphs_knows(const struct glyphs *g, uint64_t name);
/* The widths of known glyphs that may begin at x and end at `end` or before: bit w - 1 for width w. */
uint64_t glyphs_widths(const struct glyphs *g, int x, int end);
/* Note that `slot` is to be drawn at x, y. There must be room. Glyphs of one slot form a chain from placed[first[i]]
 * on. */
void glyphs_place(struct glyphs *g, uint16_t slot, int x, int y);
/* All noted glyphs were drawn: forget them. */
void glyphs_drop(struct glyphs *g);

#endif
