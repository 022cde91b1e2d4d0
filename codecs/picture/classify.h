/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of content is it? From pixels alone; the planner adds history.
 *
 * Told apart in cells of 16x16 pixels, once for every content of a tile. A picture's cell has few equal neighbours, no
 * colour that stands out (writing on plain ground has one, however dense), and either many colours or values that go up
 * and down along a row, as grain does. A gradient has none equal but, line for line, the same few colours in order, and
 * stays exact: writing may stand on it.
 */
#ifndef ORIEL_CODECS_PICTURE_CLASSIFY_H
#define ORIEL_CODECS_PICTURE_CLASSIFY_H

#include "codecs/change/surface.h"

/* Is most of `a` a picture? */
bool is_picture(const struct surface *s, struct box a);
/* The part of `a` (within one tile) that is a picture: all of it, or one box in it where a picture ends inside. False:
 * none is. */
bool picture_part(const struct surface *s, struct box a, struct box *part);
/* Take those of its outermost lines away that belong to something flat beside the picture, at most a cell's width on
 * each side. */
void picture_trim(const struct surface *s, struct box *part);
/* Is any cell of the tile a picture? */
bool tile_has_picture(const struct surface *s, int tile);

#endif
