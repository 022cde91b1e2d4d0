/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual channels. None exists for the client before the monitor granted the login: what it sends until then is
 * dropped. */
#include "common/log.h"
#include "server/rdp/rdp.h"

#include <errno.h>
#include <freerdp/channels/drdynvc.h>
#include <freerdp/channels/wtsvc.h>
#include <string.h>

/* A static message of drdynvc carries one PDU of 1600 bytes; generous to clients that do not cut */
#define DYNAMIC_CEILING 16384

/* ---- drdynvc ---- */
static int send_dynamic(void *user, const uint8_t *data, size_t len)
{
    struct front *f = user;
    return svc_send(f->dynamic, data, len);
}

static void dynamic_opened(void *user, struct svc_channel *c)
{
    struct front *f = user;
    f->dynamic = c;
    f->dvc = dvc_create(send_dynamic, f);
    if (!f->dvc || dvc_start(f->dvc) < 0) {
        log_error("dynamic channels failed", "step=%s", f->dvc ? "start" : "memory");
        return;
    }
    (void)rdp_gfx_open(f);
    rdp_disp_open(f);
    rdp_services_open(f);
}

static int dynamic_message(void *user, const uint8_t *data, size_t len)
{
    struct front *f = user;
    return f->dvc ? dvc_receive(f->dvc, data, len) : 0;
}

static void dynamic_closed(void *user)
{
    struct front *f = user;
    rdp_services_close(f);
    rdp_gfx_finish(f);
    dvc_destroy(f->dvc);
    f->dvc = NULL;
    f->dynamic = NULL;
}

/* ---- all static channels ---- */
static const struct svc_def channels[] = {
    {.name = DRDYNVC_SVC_CHANNEL_NAME,
        .ceiling = DYNAMIC_CEILING,
        .opened = dynamic_opened,
        .message = dynamic_message,
        .closed = dynamic_closed},
};
#define CHANNELS (sizeof channels / sizeof channels[0])

static int send_chunk(void *user, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total)
{
    struct front *f = user;
    return f->client->SendChannelPacket(f->client, id, total, flags, data, len) ? 0 : -EIO;
}

int rdp_channels_init(struct front *f)
{
    f->svc = svc_create(channels, CHANNELS, send_chunk, f);
    return f->svc ? 0 : -ENOMEM;
}

void rdp_channels_open(struct front *f)
{
    if (!f->granted || !f->active || f->channels_open)
        return;
    f->channels_open = true; /* all that it named are joined: the library lets no client come so far otherwise */
    for (size_t i = 0; i < CHANNELS; i++) {
        const char *name = channels[i].name;
        uint16_t id = WTSChannelGetId(f->client, name);
        if (!id || svc_open(f->svc, i, id) < 0)
            log_info("client has no such channel", "channel=%s client=%s", name, f->facts.name);
    }
}

void rdp_channels_finish(struct front *f)
{
    if (!f->svc)
        return;
    struct svc_dropped d = svc_dropped(f->svc);
    if (d.chunks)
        log_debug("data of unserved channels dropped", "chunks=%llu bytes=%llu", (unsigned long long)d.chunks,
            (unsigned long long)d.bytes);
    svc_destroy(f->svc);
    f->svc = NULL;
}

int rdp_channels_receive(struct front *f, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total)
{
    int r = svc_receive(f->svc, id, data, len, flags, total);
    if (r < 0) {
        const struct svc_def *def = svc_at(f->svc, id);
        const char *why = svc_why(f->svc);
        log_warning("channel data refused", "channel=%s why=%s", def ? def->name : "?", why[0] ? why : strerror(-r));
    }
    return r;
}
