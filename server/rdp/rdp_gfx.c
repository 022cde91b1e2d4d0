/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The graphics pipeline channel (MS-RDPEGFX): capabilities, desktop size, frames, acknowledgements. */
#include "common/log.h"
#include "common/loop.h"
#include "server/rdp/monitor_defs.h"
#include "server/rdp/rdp.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#define CHANNEL "Microsoft::Windows::RDS::Graphics"
/* A client that takes longer to open the channel gets the older ways */
#define PATIENCE_SECONDS 3
/* This one can; where it is slow, the older ways would only be slower */
#define PATIENCE_AGAIN_SECONDS 20

static int send_counted(struct front *f, size_t *bytes)
{
    const struct gfx_message *m;
    size_t n;
    int r = gfx_wire_finish(f->gfx.wire, &m, &n);
    enum traffic_class before = transport_class(f->tp, TRAFFIC_PICTURE);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = dvc_send(f->gfx.channel, m[i].data, m[i].len);
        *bytes += m[i].len;
    }
    transport_class(f->tp, before);
    transport_flush(f->tp);
    return r;
}

static int send_all(struct front *f)
{
    size_t bytes = 0;
    return send_counted(f, &bytes);
}

static void close_channel(struct front *f)
{
    enum traffic_class before = transport_class(f->tp, TRAFFIC_PICTURE);
    dvc_close(f->gfx.channel);
    transport_class(f->tp, before);
    f->gfx.channel = NULL;
}

/* Without the pipeline from now on. */
static void give_up(struct front *f)
{
    if (f->gfx.state == GFX_CLOSED)
        return;
    f->gfx.state = GFX_CLOSED;
    (void)evtimer_del(f->gfx.patience);
    peer_client_picture_stop(f->peer);
    peer_client_caps_changed(f->peer);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;
    log_info("graphics channel not opened", "client=%s", f->facts.name);
    close_channel(f);
    give_up(f);
}

static void on_opened(void *user)
{
}

static void on_closed(void *user)
{
    struct front *f = user;
    log_info("graphics channel closed by the client", "client=%s", f->facts.name);
    f->gfx.channel = NULL;
    give_up(f);
}

static int on_caps(struct front *f)
{
    struct gfx_capset confirm;
    struct engine_caps caps = {.gfx = true, .max_command_bytes = 0};
    if (gfx_caps_choose(&f->gfx.in, &caps, &confirm) < 0) {
        log_info("no known graphics capability set", "client=%s", f->facts.name);
        on_patience(-1, 0, f);
        return 0;
    }
    /* A second advertisement starts over (MS-RDPEGFX 3.3.5.17): nothing that was sent counts any more. */
    f->gfx.caps = caps;
    f->gfx.state = GFX_OPEN;
    f->gfx.offered = false;
    (void)evtimer_del(f->gfx.patience);
    gfx_wire_restart(f->gfx.wire);
    gfx_wire_begin(f->gfx.wire);
    int r = gfx_wire_caps_confirm(f->gfx.wire, confirm.version, confirm.flags);
    r = r < 0 ? r : send_all(f);
    log_info("graphics channel open", "version=0x%x flags=0x%x", confirm.version, confirm.flags);
    peer_client_picture_stop(f->peer);
    peer_client_caps_changed(f->peer);
    return r;
}

int rdp_gfx_cache_taken(struct front *f, const uint16_t *slots, size_t n)
{
    if (f->gfx.state != GFX_OPEN)
        return -ENOTCONN;
    gfx_wire_begin(f->gfx.wire);
    int r = gfx_wire_cache_import_reply(f->gfx.wire, slots, n);
    return r < 0 ? r : send_all(f);
}

/* One offer an opening: another one would claim what the slots hold by then, and its answer could not be told from the
 * first's. */
static int on_cache_offer(struct front *f)
{
    if (f->gfx.offered)
        return -EPROTO;
    f->gfx.offered = true;
    peer_client_cache_offer(f->peer, f->gfx.in.offer.entries, f->gfx.in.offer.nentries);
    return 0;
}

static int on_message(void *user, const uint8_t *data, size_t len)
{
    struct front *f = user;
    struct gfx_in *in = &f->gfx.in;
    struct rd r;
    int ret;
    rd_init(&r, data, len);
    while ((ret = gfx_in_next(&r, in)) == 1) {
        if (in->type == GFX_IN_CAPS)
            ret = on_caps(f);
        else if (f->gfx.state != GFX_OPEN)
            ret = 0;
        else if (in->type == GFX_IN_ACK)
            peer_client_ack(f->peer, in->ack.frame_id, in->ack.queue_depth, in->ack.total_decoded);
        else if (in->type == GFX_IN_CACHE_OFFER)
            ret = on_cache_offer(f);
        if (ret < 0 || !f->gfx.channel)
            return ret < 0 ? ret : 0;
    }
    return ret;
}

static int open_channel(struct front *f, int patience_seconds)
{
    static const struct dvc_ops ops = {.opened = on_opened, .closed = on_closed, .message = on_message};
    enum traffic_class before = transport_class(f->tp, TRAFFIC_PICTURE);
    f->gfx.channel = dvc_open(f->dvc, CHANNEL, &ops, f);
    transport_class(f->tp, before);
    if (!f->gfx.channel)
        return -ENOMEM;
    f->gfx.state = GFX_OPENING;
    (void)loop_arm_s(f->gfx.patience, patience_seconds);
    return 0;
}

int rdp_gfx_open(struct front *f)
{
    if (!freerdp_settings_get_bool(f->client->context->settings, FreeRDP_SupportGraphicsPipeline))
        return -ENOTSUP;
    f->gfx.wire = gfx_wire_create(true);
    f->gfx.patience = evtimer_new(f->peer->base, on_patience, f);
    return f->gfx.wire && f->gfx.patience ? open_channel(f, PATIENCE_SECONDS) : -ENOMEM;
}

void rdp_gfx_reopen(struct front *f)
{
    if (f->gfx.state != GFX_OPEN)
        return;
    log_info("graphics channel is opened again", "client=%s", f->facts.name);
    close_channel(f);
    peer_client_picture_stop(f->peer);
    if (open_channel(f, PATIENCE_AGAIN_SECONDS) < 0)
        give_up(f);
}

void rdp_gfx_finish(struct front *f)
{
    gfx_wire_destroy(f->gfx.wire);
    f->gfx.wire = NULL;
    if (f->gfx.patience)
        event_free(f->gfx.patience);
    f->gfx.patience = NULL;
    f->gfx.state = GFX_CLOSED;
}

int rdp_gfx_desktop(struct front *f)
{
    struct gfx_monitor m[GFX_MONITORS_MAX];
    size_t n = monitor_defs(&f->layout, f->width, f->height, m);
    gfx_wire_begin(f->gfx.wire);
    int r = gfx_wire_reset_graphics(f->gfx.wire, f->width, f->height, m, n);
    return r < 0 ? r : send_all(f);
}

int rdp_gfx_frame(struct front *f, const struct gfx_frame *frame)
{
    gfx_wire_begin(f->gfx.wire);
    size_t bytes = 0;
    int r = gfx_wire_frame(f->gfx.wire, frame);
    r = r < 0 ? r : send_counted(f, &bytes);
    if (frame->background) /* bench/run.py counts these apart */
        log_debug("background picture", "bytes=%zu", bytes);
    return r;
}
