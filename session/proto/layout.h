/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What monitors amount to, for everybody who has some: their bounds, which is the primary, at what scale. Reads them as
 * they are; making a client's list legal is for whoever received it. Pure. */
#ifndef ORIEL_SESSION_PROTO_LAYOUT_H
#define ORIEL_SESSION_PROTO_LAYOUT_H

#include "session/proto/display.h"

struct layout_bounds {
    int64_t left, top, right, bottom; /* right and bottom are outside */
};

/* The smallest rectangle around all monitors (their union may have holes); none: all 0. Any int32 position and uint32
 * size will do. */
struct layout_bounds layout_bounds(const struct display_monitor *monitors, uint32_t n);
/* The first that says it is the primary; where none does, the first. NULL: there are none. */
const struct display_monitor *layout_primary(const struct display_monitor *monitors, uint32_t n);

/* Of a layout whose corner is 0,0: pixels of a picture that holds all of it. Without monitors: 0x0. */
void layout_size(const struct display_layout *l, uint32_t *width, uint32_t *height);
/* The scale that programs are told: the primary's, percent. 100 where it is not known. */
uint32_t layout_scale(const struct display_layout *l);

#endif
