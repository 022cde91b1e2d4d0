/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Damage regions as the rectangles of a display_frame. */
#ifndef ORIEL_SESSION_DISPLAY_DAMAGE_H
#define ORIEL_SESSION_DISPLAY_DAMAGE_H

#include "session/proto/display.h"

#include <pixman.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Write `damage`, clipped to width x height, as disjoint rectangles. More than `cap` of them are merged row by row (a
 * row of rectangles becomes one), then row with row, so the result may cover more than the damage, never less. Returns
 * their number. */
size_t damage_rects(const pixman_region32_t *damage, uint32_t width, uint32_t height, struct display_rect *out,
    size_t cap);
/* Pixels in the region. */
uint64_t damage_area(const pixman_region32_t *damage);

#endif
