/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monitor Layout PDU (MS-RDPBCGR 2.2.12.1). The library sends it in each activation, from its settings. */
#include "server/rdp/monitor_defs.h"
#include "server/rdp/rdp.h"

/* The desktop's, once there is one; before, in the first activation, what the client asked for as we understood it. */
static size_t present(const struct front *f, struct gfx_monitor out[GFX_MONITORS_MAX])
{
    const rdpSettings *s = f->client->context->settings;
    return monitor_defs(f->layout.nmonitors ? &f->layout : &f->facts.layout,
        freerdp_settings_get_uint32(s, FreeRDP_DesktopWidth), freerdp_settings_get_uint32(s, FreeRDP_DesktopHeight),
        out);
}

static BOOL on_adjust(freerdp_peer *c)
{
    struct front *f = front_of(c->context);
    f->nmonitors_told = present(f, f->monitors_told);
    for (size_t i = 0; i < f->nmonitors_told; i++) {
        const struct gfx_monitor *d = &f->monitors_told[i];
        rdpMonitor m = {.x = d->left,
            .y = d->top,
            .width = d->right - d->left + 1,
            .height = d->bottom - d->top + 1,
            .is_primary = d->primary};
        if (!freerdp_settings_set_pointer_array(c->context->settings, FreeRDP_MonitorDefArray, i, &m))
            return FALSE;
    }
    return freerdp_settings_set_uint32(c->context->settings, FreeRDP_MonitorCount, (UINT32)f->nmonitors_told);
}

bool rdp_monitors_differ(const struct front *f)
{
    struct gfx_monitor now[GFX_MONITORS_MAX] = {0};
    size_t n = present(f, now);
    bool same = n == f->nmonitors_told;
    for (size_t i = 0; same && i < n; i++) {
        const struct gfx_monitor *a = &now[i], *b = &f->monitors_told[i];
        same = a->left == b->left && a->top == b->top && a->right == b->right && a->bottom == b->bottom &&
            a->primary == b->primary;
    }
    return f->nmonitors_told && !same;
}

void rdp_monitors_init(struct front *f)
{
    f->client->AdjustMonitorsLayout = on_adjust;
}
