/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/agent/wheel.h"

unsigned wheel_add(struct wheel *w, int32_t delta, bool horizontal, uint32_t *button)
{
    int32_t *rest = &w->rest[horizontal], limit = WHEEL_NOTCH * WHEEL_CLICKS_MAX;
    delta = delta > limit ? limit : delta < -limit ? -limit : delta;
    if ((delta > 0) != (*rest > 0))
        *rest = 0;
    *rest += delta;
    int32_t clicks = *rest / WHEEL_NOTCH;
    *rest -= clicks * WHEEL_NOTCH;
    bool positive = clicks > 0;
    *button = horizontal ? (positive ? 7 : 6) : (positive ? 4 : 5);
    return (unsigned)(positive ? clicks : -clicks);
}
