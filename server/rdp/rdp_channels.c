/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual channels. None exists for the client before the monitor granted the login: what it sends until then is
 * dropped. */
#include "common/log.h"
#include "server/rdp/rdp.h"

#include <errno.h>
#include <freerdp/channels/drdynvc.h>
#include <freerdp/channels/wtsvc.h>

static int send_pdu(void *user, const uint8_t *data, size_t len)
{
    struct front *f = user;
    return f->client->SendChannelData(f->client, f->dvc_id, data, len) ? 0 : -EIO;
}

void rdp_channels_open(struct front *f)
{
    if (!f->granted || !f->active || f->dvc)
        return;
    f->dvc_id = WTSChannelGetId(f->client, DRDYNVC_SVC_CHANNEL_NAME);
    if (!f->dvc_id) {
        log_info("no dynamic channels", "client=%s", f->facts.name);
        return;
    }
    f->dvc = dvc_create(send_pdu, f);
    if (!f->dvc || dvc_start(f->dvc) < 0) {
        log_error("dynamic channels failed", "step=%s", f->dvc ? "start" : "memory");
        return;
    }
    (void)rdp_gfx_open(f);
    rdp_disp_open(f);
}

void rdp_channels_finish(struct front *f)
{
    rdp_gfx_finish(f);
    dvc_destroy(f->dvc);
    f->dvc = NULL;
}

int rdp_channels_receive(struct front *f, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total)
{
    if (!f->dvc || id != f->dvc_id)
        return 0;
    return dvc_receive(f->dvc, data, len, flags, total);
}
