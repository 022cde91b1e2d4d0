/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/layout.h"

#define SCALE_DEFAULT 100

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct layout_bounds layout_bounds(const struct display_monitor *monitors, uint32_t n)
{
    if (n == 0)
        return (struct layout_bounds){0};
    struct layout_bounds b = {INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
    for (uint32_t i = 0; i < n; i++) {
        const struct display_monitor *m = &monitors[i];
        b.left = least(b.left, m->x);
        b.top = least(b.top, m->y);
        b.right = most(b.right, (int64_t)m->x + m->width);
        b.bottom = most(b.bottom, (int64_t)m->y + m->height);
    }
    return b;
}

const struct display_monitor *layout_primary(const struct display_monitor *monitors, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (monitors[i].primary)
            return &monitors[i];
    return n ? monitors : NULL;
}

void layout_size(const struct display_layout *l, uint32_t *width, uint32_t *height)
{
    struct layout_bounds b = layout_bounds(l->monitors, l->nmonitors);
    *width = (uint32_t)b.right;
    *height = (uint32_t)b.bottom;
}

uint32_t layout_scale(const struct display_layout *l)
{
    const struct display_monitor *m = layout_primary(l->monitors, l->nmonitors);
    return m && m->scale ? m->scale : SCALE_DEFAULT;
}
