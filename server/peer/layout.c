/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/layout.h"

#include "session/proto/layout.h"

#include <errno.h>

static void drop_empty(struct display_layout *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->nmonitors; i++) {
        const struct display_monitor *m = &l->monitors[i];
        if (m->width && m->height && m->width <= DISPLAY_SIDE_MAX && m->height <= DISPLAY_SIDE_MAX)
            l->monitors[n++] = *m;
    }
    l->nmonitors = n;
}

static void one_primary(struct display_layout *l)
{
    const struct display_monitor *primary = layout_primary(l->monitors, l->nmonitors);
    for (uint32_t i = 0; i < l->nmonitors; i++)
        l->monitors[i].primary = &l->monitors[i] == primary;
}

static void tidy(struct display_monitor *m)
{
    if (m->scale && (m->scale < 100 || m->scale > 500))
        m->scale = 0;
    if (m->orientation != 90 && m->orientation != 180 && m->orientation != 270)
        m->orientation = 0;
    /* MS-RDPEDISP 2.2.2.2.1: outside 10 … 10000 mm both are to be ignored */
    if (m->phys_width < 10 || m->phys_width > 10000 || m->phys_height < 10 || m->phys_height > 10000)
        m->phys_width = m->phys_height = 0;
}

int client_layout_normalise(struct display_layout *l, uint32_t max_width, uint32_t max_height)
{
    if (l->nmonitors > DISPLAY_MONITORS_MAX)
        l->nmonitors = DISPLAY_MONITORS_MAX;
    drop_empty(l);
    if (l->nmonitors == 0)
        return -EINVAL;
    struct layout_bounds b = layout_bounds(l->monitors, l->nmonitors);
    if (b.right - b.left > max_width || b.bottom - b.top > max_height)
        return -EINVAL;
    for (uint32_t i = 0; i < l->nmonitors; i++) {
        l->monitors[i].x = (int32_t)(l->monitors[i].x - b.left);
        l->monitors[i].y = (int32_t)(l->monitors[i].y - b.top);
        tidy(&l->monitors[i]);
    }
    one_primary(l);
    return 0;
}
