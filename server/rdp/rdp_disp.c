/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display control (MS-RDPEDISP): the client's window was resized, monitors came or went. */
#include "common/log.h"
#include "server/peer/layout.h"
#include "server/rdp/disp_wire.h"
#include "server/rdp/rdp.h"

#include <errno.h>

#define CHANNEL "Microsoft::Windows::RDS::DisplayControl"
#define PDU_CAPS 0x5u /* 2.2.1.1 */

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
    enum traffic_class before = transport_class(f->tp, TRAFFIC_CONTROL);
    (void)dvc_send(f->disp, pdu, w.len);
    transport_class(f->tp, before);
}

static void on_closed(void *user)
{
    ((struct front *)user)->disp = NULL;
}

static int on_message(void *user, const uint8_t *data, size_t len)
{
    struct front *f = user;
    struct display_layout l;
    int r = disp_wire_layout(data, len, &l);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = client_layout_normalise(&l, (uint32_t)f->peer->config.display_max_width,
        (uint32_t)f->peer->config.display_max_height);
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
    enum traffic_class before = transport_class(f->tp, TRAFFIC_CONTROL);
    f->disp = dvc_open(f->dvc, CHANNEL, &ops, f);
    transport_class(f->tp, before);
}
