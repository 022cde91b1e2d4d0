/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing as pieces that come again: what stands between blank columns of a line is a letter, or some that touch, which
 * are told apart where one that is known begins. A client that has a piece in its bitmap cache draws it in a fraction
 * of the time that it takes to decode it. */
#ifndef ORIEL_CODECS_EXACT_GLYPHS_H
#define ORIEL_CODECS_EXACT_GLYPHS_H

#include "codecs/change/compare.h"
#include "codecs/exact/ink_columns.h"

#include <stdbool.h>

#define GLYPH_SIDE INK_ROWS_MAX /* pixels, either way: a block that the cache can name */
/* Columns by which one is looked for inside a piece: fewer are a stem that many have */
#define GLYPH_HEAD 3
#define GLYPHS_OF_LINE INK_COLUMNS_MAX
#define GLYPHS_SEEN 8192u   /* remembered while they are counted: some pages' worth */
#define GLYPHS_KNOWN 16384u /* names, as many as a small cache has slots */
#define GLYPHS_HEADS 4096u
/* Seen so often it is worth a slot: what comes twice mostly comes again */
#define GLYPHS_RECUR 2
/* The same where its parts are known already: it saves a position */
#define GLYPHS_OFTEN 4
#define GLYPHS_MAX 6144    /* placed together */
#define GLYPHS_SLOTS 32768 /* more than any cache has */
#define GLYPHS_NEW_MAX 512 /* kept together */

/* next: of the same slot, + 1; 0: the last */
struct glyph {
    uint16_t slot, x, y, next;
};
/* Slot 0: one must be made free first */
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
    /* This and the next two by name; who comes later takes the place */
    struct {
        uint32_t name;
        uint8_t times;
    } seen[GLYPHS_SEEN];
    uint32_t known[GLYPHS_KNOWN];
    /* Bit w - 1: something known of w columns begins so */
    struct {
        uint32_t name;
        uint64_t widths;
    } heads[GLYPHS_HEADS];
    struct glyph placed[GLYPHS_MAX];
    /* Of each slot in its order of appearance; by slot, + 1; 0: none is placed */
    uint16_t first[GLYPHS_MAX], last[GLYPHS_SLOTS];
    struct new_glyph fresh[GLYPHS_NEW_MAX];
    int nplaced, nslots, nfresh;
    /* Some of this frame is drawn letter by letter: so are the lines that are left of it */
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
/* Columns x0 … x1 - 1, none of them blank, as tight as their pixels. */
struct box glyphs_box(const struct glyphs *g, int x0, int x1);
/* A name for `width` columns (1 … GLYPH_SIDE) from x on, none of them blank: by their ink, wherever in the line's
 * height it is. Equal names are a guess, not a proof. */
uint64_t glyphs_name(const struct glyphs *g, int x, int width);
/* One more of this name. Returns how many, GLYPHS_OFTEN for that and more. */
int glyphs_count(struct glyphs *g, uint64_t name);
/* What was kept is known from here on, until another name takes its place. */
void glyphs_learn(struct glyphs *g, int x, int width);
bool glyphs_knows(const struct glyphs *g, uint64_t name);
/* How wide may something known be that begins at x and ends at `end` or before? Bit w - 1 for each width. */
uint64_t glyphs_widths(const struct glyphs *g, int x, int end);
/* One more is to be drawn from `slot`; there is room for it. Those of a slot are a chain, from placed[first[i]] on. */
void glyphs_place(struct glyphs *g, uint16_t slot, int x, int y);
/* All are drawn. */
void glyphs_drop(struct glyphs *g);

#endif
