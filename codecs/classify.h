/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of content is it? From pixels alone; the planner adds history.
 *
 * Picture: few neighbours are equal and many colours occur. Writing on plain ground has most neighbours equal; a gradient has none
 * equal but, line for line, the same few colours, and stays exact, because writing may stand on it.
 */
#ifndef ORIEL_CODECS_CLASSIFY_H
#define ORIEL_CODECS_CLASSIFY_H

#include "codecs/surface.h"

bool is_picture(const struct surface *s, struct box a);
/* The part of `a` that is a picture: all of it, or one box in it where a picture ends inside. False: none is. */
bool picture_part(const struct surface *s, struct box a, struct box *part);

#endif
