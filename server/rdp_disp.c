/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display control (MS-RDPEDISP): the client's window was resized, monitors came or went. */
#include "server/layout.h"
#include "server/rdp.h"

#include "common/log.h"

#include <errno.h>

#define CHANNEL "Microsoft::Windows::RDS::DisplayControl"
#define PDU_LAYOUT 0x2u     /* 2.2.1.1 */
#define PDU_CAPS 0x5u
#define LAYOUT_BYTES 40u    /* 2.2.2.2.1: one monitor */
#define PRIMARY 0x1u

static void on_opened(void *user)
{
    struct front *f = user;
    uint8_t pdu[20];
    struct wr w;
    wr_init(&w, pdu, sizeof pdu);
    wr_u32(&w, PDU_CAPS);
    wr_u32(&w, sizeof pdu);
    wr_u32(&w, DISPLAY_MONITORS_MAX);
    wr_u32(&w, (uint32_t)f->peer->config.display_max_width); /* the area's limit: monitors * A * B */
    wr_u32(&w, (uint32_t)f->peer->config.display_max_height);
    (void)dvc_send(f->disp, pdu, w.len);
}

static void on_closed(void *user) { ((struct front *)user)->disp = NULL; }

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

int rdp_disp_parse(const uint8_t *data, size_t len, struct display_layout *l)
{
    struct rd r;
    rd_init(&r, data, len);
    uint32_t type = rd_u32(&r), size = rd_u32(&r);
    if (r.bad || size != len)
        return -EPROTO;
    if (type != PDU_LAYOUT)
        return -ENOENT;
    uint32_t each = rd_u32(&r), n = rd_u32(&r);
    if (r.bad || each < LAYOUT_BYTES || each > 256 || n > 64)
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

static int on_message(void *user, const uint8_t *data, size_t len)
{
    struct front *f = user;
    struct display_layout l;
    int r = rdp_disp_parse(data, len, &l);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = layout_normalise(&l, (uint32_t)f->peer->config.display_max_width, (uint32_t)f->peer->config.display_max_height);
    if (r < 0) {
        log_info("monitor layout refused", "monitors=%u", l.nmonitors);
        return 0;
    }
    f->facts.layout = l;
    peer_client_layout(f->peer, &l);
    return 0;
}

void rdp_disp_open(struct front *f)
{
    static const struct dvc_ops ops = {.opened = on_opened, .closed = on_closed, .message = on_message};
    f->disp = dvc_open(f->dvc, CHANNEL, &ops, f);
}
