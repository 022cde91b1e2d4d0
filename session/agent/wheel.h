/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wheel deltas to X11's clicks of buttons 4 (up), 5 (down), 6 (left) and 7 (right). */
#ifndef ORIEL_SESSION_AGENT_WHEEL_H
#define ORIEL_SESSION_AGENT_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_NOTCH 120
#define WHEEL_CLICKS_MAX 16 /* of one event: RDP's largest delta is 255, so more is not a wheel */

/* What has not made a click yet: vertical, horizontal. Zero it first */
struct wheel {
    int32_t rest[2];
};

/* Add a delta (positive: up or right). Returns how often to click, and the button. A change of direction drops the
 * rest. */
unsigned wheel_add(struct wheel *w, int32_t delta, bool horizontal, uint32_t *button);

#endif
