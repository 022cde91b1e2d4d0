/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monitor layouts from outside, made sane. */
#ifndef ORIEL_SESSION_AGENT_LAYOUT_H
#define ORIEL_SESSION_AGENT_LAYOUT_H

#include "session/proto/display.h"

#include <stdbool.h>

#define LAYOUT_SIDE_MIN 64 /* X servers start there */

/* Make any list of monitors a legal layout: sizes from LAYOUT_SIDE_MIN up, the union's corner at 0,0, within max_width
 * x max_height, exactly one primary, millimetres and scale filled in. Monitors that cannot be kept fall away; when none
 * is left it is one of 1024x768 (or the maximum). Never fails. */
void layout_normalise(const struct display_monitor *monitors, uint32_t n, uint32_t max_width, uint32_t max_height,
    struct display_layout *out);
/* Same geometry, primary and scale? */
bool layout_equal(const struct display_layout *a, const struct display_layout *b);
/* Move a point to the nearest one that lies on a monitor. */
void layout_clamp_point(const struct display_layout *l, int32_t *x, int32_t *y);

#endif
