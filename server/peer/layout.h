/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monitor layouts from clients: hostile until they went through here. Pure. */
#ifndef ORIEL_SERVER_PEER_LAYOUT_H
#define ORIEL_SERVER_PEER_LAYOUT_H

#include "session/proto/display.h"

/* Move the union's corner to 0,0, see to exactly one primary, drop empty monitors, put scale and orientation in range.
 * Returns 0, or -EINVAL (no monitor left, or the union larger than max_width x max_height); *l is then undefined. */
int client_layout_normalise(struct display_layout *l, uint32_t max_width, uint32_t max_height);

#endif
