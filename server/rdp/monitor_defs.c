/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/monitor_defs.h"

#include "session/proto/layout.h"

/* A desktop has at most 32,766 pixels each way (MS-RDPBCGR 2.2.1.3.6). Whoever drew the layout may be hostile: what is
 * farther out ends here, where nobody's arithmetic overflows. */
#define FARTHEST 32767

static int32_t fit(int64_t v)
{
    return (int32_t)(v < -FARTHEST ? -FARTHEST : v > FARTHEST ? FARTHEST : v);
}

size_t monitor_defs(const struct display_layout *l, uint32_t width, uint32_t height,
    struct gfx_monitor out[GFX_MONITORS_MAX])
{
    const struct display_monitor whole = {.width = width, .height = height};
    uint32_t n = l->nmonitors < GFX_MONITORS_MAX ? l->nmonitors : GFX_MONITORS_MAX;
    const struct display_monitor *all = n ? l->monitors : &whole;
    n = n ? n : 1;
    const struct display_monitor *primary = layout_primary(all, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct display_monitor *m = &all[i];
        int64_t left = (int64_t)m->x - primary->x, top = (int64_t)m->y - primary->y;
        out[i] = (struct gfx_monitor){.left = fit(left),
            .top = fit(top),
            .right = fit(left + m->width - 1), /* inclusive */
            .bottom = fit(top + m->height - 1),
            .primary = m == primary};
    }
    return n;
}
