/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/disp_wire.h"

#include <errno.h>

#define PDU_LAYOUT 0x2u       /* 2.2.1.1 */
#define LAYOUT_BYTES 40u      /* 2.2.2.2.1: one monitor */
#define LAYOUT_BYTES_MAX 256u /* a later version may append fields, but not that many */
#define MONITORS_MAX 64u      /* no client has more; the rest of the range is abuse */
#define PRIMARY 0x1u

static struct display_monitor read_monitor(struct rd *r)
{
    struct display_monitor m = {0};
    m.primary = (rd_u32(r) & PRIMARY) != 0;
    m.x = (int32_t)rd_u32(r);
    m.y = (int32_t)rd_u32(r);
    m.width = rd_u32(r);
    m.height = rd_u32(r);
    m.phys_width = rd_u32(r);
    m.phys_height = rd_u32(r);
    m.orientation = rd_u32(r);
    m.scale = rd_u32(r);
    rd_skip(r, 4); /* DeviceScaleFactor: for phones */
    return m;
}

int disp_wire_layout(const uint8_t *data, size_t len, struct display_layout *l)
{
    struct rd r;
    rd_init(&r, data, len);
    uint32_t type = rd_u32(&r), size = rd_u32(&r);
    if (r.bad || size != len)
        return -EPROTO;
    if (type != PDU_LAYOUT)
        return -ENOENT;
    uint32_t each = rd_u32(&r), n = rd_u32(&r);
    if (r.bad || each < LAYOUT_BYTES || each > LAYOUT_BYTES_MAX || n > MONITORS_MAX)
        return -EPROTO;
    l->nmonitors = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct display_monitor m = read_monitor(&r);
        rd_skip(&r, each - LAYOUT_BYTES);
        if (l->nmonitors < DISPLAY_MONITORS_MAX)
            l->monitors[l->nmonitors++] = m;
    }
    return r.bad ? -EPROTO : 0;
}
