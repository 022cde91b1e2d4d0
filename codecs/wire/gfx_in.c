/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client says on the graphics channel: MS-RDPEGFX 2.2.2.13, 2.2.2.16, 2.2.2.18, 2.2.2.21, and capability
 * sets 2.2.3. */
#include "codecs/wire/gfx_wire.h"

#include <errno.h>
#include <string.h>

enum { CMD_FRAME_ACK = 0x0D, CMD_CACHE_OFFER = 0x10, CMD_CAPS_ADVERTISE = 0x12, CMD_QOE_ACK = 0x16 };
enum {
    CAP_THIN_CLIENT = 0x01,
    CAP_SMALL_CACHE = 0x02,
    CAP_AVC420_ENABLED = 0x10,
    CAP_AVC_DISABLED = 0x20,
};
enum { CAPS_8 = 0x00080004, CAPS_81 = 0x00080105, CAPS_10 = 0x000A0002, CAPS_101 = 0x000A0100 };

/* Ascending. 10.6's first published number (0x000A0601) is what some builds send. */
static const uint32_t known_versions[] = {CAPS_8, CAPS_81, CAPS_10, CAPS_101, 0x000A0200, 0x000A0301, 0x000A0400,
    0x000A0502, 0x000A0600, 0x000A0601, 0x000A0701};

static int parse_caps(struct rd *r, struct gfx_in *in)
{
    uint16_t n = rd_u16(r);
    if (n > GFX_CAPSETS_MAX)
        return -EPROTO;
    for (uint16_t i = 0; i < n; i++) {
        struct gfx_capset *s = &in->caps.sets[i];
        s->version = rd_u32(r);
        uint32_t len = rd_u32(r);
        const uint8_t *data = rd_bytes(r, len);
        if (!data)
            return -EPROTO;
        struct rd body;
        rd_init(&body, data, len);
        s->flags = len >= 4 ? rd_u32(&body) : 0;
        if (s->version == CAPS_101)
            s->flags = 0; /* sixteen reserved bytes, no flags */
    }
    in->caps.nsets = n;
    in->type = GFX_IN_CAPS;
    return 1;
}

static int parse_offer(struct rd *r, struct gfx_in *in)
{
    uint16_t n = rd_u16(r);
    if (n > GFX_CACHE_OFFER_MAX)
        return -EPROTO;
    for (uint16_t i = 0; i < n; i++) {
        in->offer.entries[i].key = rd_u64(r);
        in->offer.entries[i].bytes = rd_u32(r);
    }
    in->offer.nentries = n;
    in->type = GFX_IN_CACHE_OFFER;
    return 1;
}

static int parse_body(uint16_t id, struct rd *r, struct gfx_in *in)
{
    switch (id) {
    case CMD_CAPS_ADVERTISE:
        return parse_caps(r, in);
    case CMD_CACHE_OFFER:
        return parse_offer(r, in);
    case CMD_FRAME_ACK:
        in->ack.queue_depth = rd_u32(r);
        in->ack.frame_id = rd_u32(r);
        in->ack.total_decoded = rd_u32(r);
        in->type = GFX_IN_ACK;
        return 1;
    case CMD_QOE_ACK:
        in->qoe.frame_id = rd_u32(r);
        in->qoe.timestamp = rd_u32(r);
        in->qoe.diff_se = rd_u16(r);
        in->qoe.diff_edr = rd_u16(r);
        in->type = GFX_IN_QOE;
        return 1;
    default:
        in->type = GFX_IN_UNKNOWN;
        return 1;
    }
}

int gfx_in_next(struct rd *r, struct gfx_in *in)
{
    if (r->left == 0 && !r->bad)
        return 0;
    uint16_t id = rd_u16(r);
    rd_skip(r, 2);
    uint32_t len = rd_u32(r);
    if (r->bad || len < 8)
        return -EPROTO;
    const uint8_t *data = rd_bytes(r, len - 8);
    if (!data)
        return -EPROTO;
    struct rd body;
    rd_init(&body, data, len - 8);
    int rc = parse_body(id, &body, in);
    return body.bad ? -EPROTO : rc;
}

static int version_rank(uint32_t version)
{
    for (size_t i = 0; i < sizeof known_versions / sizeof known_versions[0]; i++)
        if (known_versions[i] == version)
            return (int)i;
    return -1;
}

int gfx_caps_choose(const struct gfx_in *in, struct engine_caps *caps, struct gfx_capset *confirm)
{
    int best = -1;
    for (size_t i = 0; i < in->caps.nsets; i++) {
        int rank = version_rank(in->caps.sets[i].version);
        if (rank > best) {
            best = rank;
            *confirm = in->caps.sets[i];
        }
    }
    if (best < 0)
        return -ENOENT;
    bool ten = confirm->version >= CAPS_10;
    caps->gfx = true;
    caps->thin_client = confirm->flags & CAP_THIN_CLIENT && !ten;
    caps->small_cache = (confirm->flags & CAP_SMALL_CACHE) != 0 || caps->thin_client;
    caps->avc444 = ten && !(confirm->flags & CAP_AVC_DISABLED);
    caps->avc420 = caps->avc444 || (confirm->version == CAPS_81 && confirm->flags & CAP_AVC420_ENABLED);
    caps->clear_codec = caps->remotefx = true;
    caps->progressive = caps->planar = !caps->thin_client;
    return 0;
}
