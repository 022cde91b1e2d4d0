/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures for clients without the graphics pipeline, and for everyone before the login: bitmap updates and RemoteFX
 * surface bits. */
#include "server/rdp/rdp.h"

#include <errno.h>
#include <freerdp/codec/rfx.h>
#include <string.h>

#define UPDATE_SLACK 256 /* headers of one update beside its data */
/* Fast path without fragments: one PDU of 15 bits' length (MS-RDPBCGR 2.2.9.1.2) */
#define FRAGMENT_SAFE 0x3f80u

static uint32_t largest_update(const rdpSettings *s)
{
    uint32_t n = freerdp_settings_get_uint32(s, FreeRDP_MultifragMaxRequestSize);
    return (n < FRAGMENT_SAFE ? FRAGMENT_SAFE : n) - UPDATE_SLACK;
}

void rdp_legacy_caps(const struct front *f, struct engine_caps *out)
{
    const rdpSettings *s = f->client->context->settings;
    uint32_t depth = freerdp_settings_get_uint32(s, FreeRDP_ColorDepth);
    *out = (struct engine_caps){.bitmap_bpp = depth == 15 ? 16
            : depth < 16                                  ? 16
                                                          : (uint8_t)depth,
        .max_command_bytes = largest_update(s)};
    /* RemoteFX only after the login: before it one simple way has to do. */
    out->rfx_surface_bits = f->granted && freerdp_settings_get_bool(s, FreeRDP_RemoteFxCodec) &&
        freerdp_settings_get_bool(s, FreeRDP_SurfaceCommandsEnabled) &&
        freerdp_settings_get_uint32(s, FreeRDP_RemoteFxCodecId) != 0 && depth == 32;
    out->rfx_entropy = freerdp_settings_get_uint32(s, FreeRDP_RemoteFxRlgrMode) == RLGR3 ? 3 : 1;
}

static int send_bitmap(struct front *f, const struct gfx_command *c)
{
    rdpContext *ctx = f->client->context;
    BITMAP_DATA b = {.destLeft = c->rect.x,
        .destTop = c->rect.y,
        .destRight = c->rect.x + c->rect.width - 1u,
        .destBottom = c->rect.y + c->rect.height - 1u,
        .width = c->width,
        .height = c->height,
        .bitsPerPixel = c->bpp,
        .bitmapLength = (UINT32)c->len,
        .cbScanWidth = c->width * ((c->bpp + 7u) / 8u),
        .cbUncompressedSize = c->width * c->height * ((c->bpp + 7u) / 8u),
        .bitmapDataStream = (BYTE *)c->data,
        .compressed = c->compressed};
    BITMAP_UPDATE u = {.number = 1, .rectangles = &b, .skipCompression = TRUE};
    return ctx->update->BitmapUpdate(ctx, &u) ? 0 : -EIO;
}

static int send_rfx(struct front *f, const struct gfx_command *c)
{
    rdpContext *ctx = f->client->context;
    SURFACE_BITS_COMMAND s = {.cmdType = CMDTYPE_STREAM_SURFACE_BITS,
        .destLeft = c->rect.x,
        .destTop = c->rect.y,
        .destRight = (UINT32)c->rect.x + c->rect.width,
        .destBottom = (UINT32)c->rect.y + c->rect.height,
        .skipCompression = TRUE};
    s.bmp.bpp = 32;
    s.bmp.codecID = (UINT16)freerdp_settings_get_uint32(ctx->settings, FreeRDP_RemoteFxCodecId);
    s.bmp.width = c->rect.width;
    s.bmp.height = c->rect.height;
    s.bmp.bitmapDataLength = (UINT32)c->len;
    s.bmp.bitmapData = (BYTE *)c->data;
    return ctx->update->SurfaceBits(ctx, &s) ? 0 : -EIO;
}

int rdp_legacy_frame(struct front *f, const struct gfx_frame *frame)
{
    int r = 0;
    enum traffic_class before = transport_class(f->tp, TRAFFIC_PICTURE);
    for (size_t i = 0; i < frame->ncommands && r == 0; i++) {
        const struct gfx_command *c = &frame->commands[i];
        if (c->type != GFX_WIRE)
            continue;
        if (c->codec == GFX_CODEC_BITMAP)
            r = send_bitmap(f, c);
        else if (c->codec == GFX_CODEC_RFX_BITS)
            r = send_rfx(f, c);
    }
    transport_class(f->tp, before);
    transport_flush(f->tp);
    return r;
}

bool rdp_legacy_desktop(struct front *f)
{
    rdpContext *ctx = f->client->context;
    rdpSettings *s = ctx->settings;
    bool other_size = freerdp_settings_get_uint32(s, FreeRDP_DesktopWidth) != f->width ||
        freerdp_settings_get_uint32(s, FreeRDP_DesktopHeight) != f->height;
    if (!other_size && !rdp_monitors_differ(f))
        return true;
    if (!freerdp_settings_get_bool(s, FreeRDP_DesktopResize))
        return true; /* it cannot follow: it shows what fits */
    (void)freerdp_settings_set_uint32(s, FreeRDP_DesktopWidth, f->width);
    (void)freerdp_settings_set_uint32(s, FreeRDP_DesktopHeight, f->height);
    rdp_set_active(f, false);
    peer_client_picture_stop(f->peer);
    (void)ctx->update->DesktopResize(ctx);
    return false;
}
