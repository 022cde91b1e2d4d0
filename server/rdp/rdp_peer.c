/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The `rdp` front end: one freerdp_peer, driven by our loop over our transport. */
#include "common/log.h"
#include "server/peer/tls.h"
#include "server/rdp/rdp.h"

#include <errno.h>
#include <freerdp/error.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One client's flood must leave the loop its timers; 64 mouse moves are half a frame's time */
#define PDUS_PER_TURN 64

/* ---- what the library calls ---- */
static BOOL on_capabilities(freerdp_peer *c)
{
    struct front *f = front_of(c->context);
    if (f->facts_known)
        return TRUE; /* a reactivation */
    rdp_facts(f);
    log_info("client", "name=%s software=%s monitors=%u keyboard=0x%x", f->facts.name, f->facts.software,
        f->facts.layout.nmonitors, f->facts.keyboard_layout);
    peer_client_info(f->peer, &f->info);
    credentials_wipe(&f->info);
    return TRUE;
}

static BOOL on_post_connect(freerdp_peer *c)
{
    return TRUE;
}

static BOOL on_activate(freerdp_peer *c)
{
    struct front *f = front_of(c->context);
    rdp_set_active(f, true);
    if (!f->connected) {
        f->connected = true;
        peer_client_connected(f->peer);
    }
    rdp_pointer_reset(f);
    rdp_info_logon(f);
    rdp_info_cookie(f);
    rdp_channels_open(f);
    rdp_desktop_try(f);
    return TRUE;
}

/* TLS mode: no credentials are known yet, and the library ignores the answer anyhow (freerdp_compat.c). */
static BOOL on_logon(freerdp_peer *c, const SEC_WINNT_AUTH_IDENTITY *id, BOOL automatic)
{
    return TRUE;
}

static BOOL on_channel_data(freerdp_peer *c, UINT16 id, const BYTE *data, size_t len, UINT32 flags, size_t total)
{
    return rdp_channels_receive(front_of(c->context), id, data, len, flags, total) == 0;
}

/* MS-RDPBCGR 2.2.11.2: inclusive rectangles. */
static BOOL on_refresh(rdpContext *c, BYTE count, const RECTANGLE_16 *areas)
{
    struct engine_rect r[UINT8_MAX];
    size_t n = 0;
    for (unsigned i = 0; i < count; i++)
        if (areas[i].right >= areas[i].left && areas[i].bottom >= areas[i].top)
            r[n++] = (struct engine_rect){areas[i].left, areas[i].top, (uint16_t)(areas[i].right - areas[i].left + 1),
                (uint16_t)(areas[i].bottom - areas[i].top + 1)};
    peer_client_refresh(front_of(c)->peer, r, n);
    return TRUE;
}

static BOOL on_suppress(rdpContext *c, BYTE allow, const RECTANGLE_16 *area)
{
    peer_client_suppress(front_of(c)->peer, allow == 0);
    return TRUE;
}

/* ---- what the transport calls ---- */
/* The library gave up: because the client left in order, or because of what it sent. */
static void on_given_up(struct front *f)
{
    transport_finish(f->tp, 0); /* the answer to a failed negotiation */
    if (transport_dead(f->tp))
        return; /* on_failed says it */
    if (f->shutdown_asked || compat_client_disconnected(f->client->context))
        peer_gone(f->peer, PEER_EXIT_OK, "client disconnected");
    else
        peer_gone(f->peer, PEER_EXIT_PROTOCOL, "protocol error");
}

static void on_readable(void *user)
{
    struct front *f = user;
    for (int i = 0; i < PDUS_PER_TURN && !f->peer->ended; i++) {
        f->got_pdu = false;
        if (!f->client->CheckFileDescriptor(f->client)) {
            on_given_up(f);
            return;
        }
        /* nothing more here: looking for it through the library would cost as many system calls as the PDU itself */
        if (!f->got_pdu || !transport_pending(f->tp))
            return;
    }
    transport_again(f->tp);
}

static void on_drained(void *user, enum traffic_class traffic)
{
    struct front *f = user;
    if (traffic == TRAFFIC_PICTURE)
        peer_client_drained(f->peer);
    rdp_services_room(f, traffic);
}

static void on_secured(void *user)
{
    char text[96];
    struct front *f = user;
    transport_describe(f->tp, text, sizeof text);
    log_debug("TLS", "suite=%s", text);
}

static void on_failed(void *user)
{
    struct front *f = user;
    peer_gone(f->peer, PEER_EXIT_OK, transport_why(f->tp));
}

/* ---- the table ---- */
static void destroy(struct front *f)
{
    if (!f)
        return;
    rdp_channels_finish(f);
    if (f->client) {
        if (f->client->context)
            freerdp_peer_context_free(f->client);
        freerdp_peer_free(f->client);
    }
    transport_destroy(f->tp);
    SSL_CTX_free(f->tls);
    credentials_wipe(&f->info);
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}

static bool init_client(struct front *f)
{
    f->client = freerdp_peer_new(-1);
    if (!f->client)
        return false;
    freerdp_peer *c = f->client;
    c->ContextSize = sizeof(struct front_context);
    if (!freerdp_peer_context_new(c))
        return false;
    ((struct front_context *)c->context)->front = f;
    c->Capabilities = on_capabilities;
    c->PostConnect = on_post_connect;
    c->Activate = on_activate;
    c->Logon = on_logon;
    c->ReceiveChannelData = on_channel_data;
    c->context->update->RefreshRect = on_refresh;
    c->context->update->SuppressOutput = on_suppress;
    c->context->update->autoCalculateBitmapData = TRUE;
    rdp_input_init(f);
    rdp_autodetect_init(f);
    rdp_monitors_init(f);
    return rdp_link_init(f);
}

static struct front *create(struct peer *p, int fd)
{
    const char *step = "memory";
    struct front *f = calloc(1, sizeof *f);
    if (!f)
        goto fail;
    f->peer = p;
    f->fd = -1;
    if (rdp_channels_init(f) < 0)
        goto fail;
    step = "library";
    if (compat_init_library() < 0)
        goto fail;
    step = "TLS";
    f->tls = tls_context_new(p->keys, p->config.tls_minimum);
    if (!f->tls)
        goto fail;
    f->fd = fd;
    return f;
fail:
    log_error("front end failed", "step=%s", step);
    destroy(f);
    return NULL;
}

static int inside(struct front *f)
{
    if (init_client(f) && rdp_settings_init(f, keys_client_chain(f->peer->keys)) && f->client->Initialize(f->client))
        return 0;
    log_error("front end failed", "step=%s", "peer");
    return -EIO;
}

static int start(struct front *f)
{
    static const struct transport_ops ops = {.readable = on_readable,
        .drained = on_drained,
        .secured = on_secured,
        .failed = on_failed};
    f->tp = transport_create(f->peer->base, f->fd, f->tls, &ops, f);
    if (!f->tp)
        return -ENOMEM;
    f->fd = -1;
    return 0;
}

static const struct client_facts *facts(const struct front *f)
{
    return &f->facts;
}

static void caps(const struct front *f, struct engine_caps *out)
{
    if (f->gfx.state == GFX_OPEN)
        *out = f->gfx.caps;
    else
        rdp_legacy_caps(f, out);
}

void rdp_desktop_try(struct front *f)
{
    if (!f->desktop_due || !f->active || f->gfx.state == GFX_OPENING)
        return;
    if (f->gfx.state == GFX_OPEN) {
        if (rdp_gfx_desktop(f) < 0)
            return;
    } else if (!rdp_legacy_desktop(f)) {
        return; /* on_activate comes back here */
    }
    f->desktop_due = false;
    peer_client_picture_ready(f->peer);
}

static void desktop(struct front *f, uint16_t width, uint16_t height, const struct display_layout *layout)
{
    f->width = width;
    f->height = height;
    f->layout = *layout;
    f->desktop_due = true;
    rdp_desktop_try(f);
}

static int frame(struct front *f, const struct gfx_frame *fr)
{
    if (!f->active)
        return -EAGAIN;
    bool measured = rdp_autodetect_before(f, fr->bytes);
    int r = f->gfx.state == GFX_OPEN ? rdp_gfx_frame(f, fr) : rdp_legacy_frame(f, fr);
    if (measured)
        rdp_autodetect_after(f);
    return r;
}

static bool room(const struct front *f, enum traffic_class traffic)
{
    return transport_room(f->tp, traffic);
}

static void link_state(struct front *f, struct engine_link_state *out)
{
    struct transport_link l;
    transport_link(f->tp, &l);
    *out = (struct engine_link_state){.rtt_us = l.rtt_us ? l.rtt_us : f->autodetect.rtt_us,
        .bytes_per_second = l.bytes_per_second,
        .at_least = l.lower_bound && l.bytes_per_second,
        .waiting = l.waiting};
    if (out->bytes_per_second == 0) /* the client's clock counts what arrives in a bunch as fast */
        out->bytes_per_second = f->autodetect.bytes_per_second;
}

/* Nothing overtakes anything before the login, nor while the client is being reactivated: from Deactivate All to Font
 * Map it takes only what belongs to that (MS-RDPBCGR 1.3.1.3). */
static void set_gate(struct front *f)
{
    transport_gate(f->tp, !f->granted ? TRAFFIC_IN_ORDER : f->active ? TRAFFIC_OPEN : TRAFFIC_SHUT);
}

void rdp_set_active(struct front *f, bool active)
{
    f->active = active;
    set_gate(f);
}

static void granted(struct front *f, const struct peer_verdict *v)
{
    f->granted = true;
    f->verdict = *v;
    set_gate(f);
    rdp_info_logon(f);
    rdp_channels_open(f);
}

static void cookie(struct front *f, const struct peer_cookie *c)
{
    if (c->nrandom != sizeof c->random)
        return;
    f->cookie = *c;
    f->cookie_due = true;
    rdp_info_cookie(f);
}

const struct front_end_ops front_end_rdp = {
    .name = "rdp",
    .create = create,
    .inside = inside,
    .start = start,
    .destroy = destroy,
    .facts = facts,
    .caps = caps,
    .desktop = desktop,
    .frame = frame,
    .cache_taken = rdp_gfx_cache_taken,
    .reopen = rdp_gfx_reopen,
    .room = room,
    .link = link_state,
    .cursor = rdp_pointer_shape,
    .pointer = rdp_pointer_move,
    .leds = rdp_info_leds,
    .granted = granted,
    .cookie = cookie,
    .service = &rdp_services,
    .heartbeat = rdp_info_heartbeat,
    .end = rdp_info_end,
};
