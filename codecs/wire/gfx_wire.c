/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/wire/gfx_wire.h"

#include "codecs/wire/zgfx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { /* RDPGFX_CMDID_*, MS-RDPEGFX 2.2.1.5 */
    CMD_WIRE_1 = 0x01,
    CMD_WIRE_2 = 0x02,
    CMD_DELETE_CONTEXT = 0x03,
    CMD_FILL = 0x04,
    CMD_COPY = 0x05,
    CMD_TO_CACHE = 0x06,
    CMD_FROM_CACHE = 0x07,
    CMD_EVICT = 0x08,
    CMD_CREATE = 0x09,
    CMD_DELETE = 0x0A,
    CMD_START = 0x0B,
    CMD_END = 0x0C,
    CMD_RESET = 0x0E,
    CMD_MAP = 0x0F,
    CMD_CACHE_REPLY = 0x11,
    CMD_CAPS_CONFIRM = 0x13,
    CMD_MAP_WINDOW = 0x15,
};
#define PIXEL_XRGB 0x20
#define HEADER_BYTES 8
#define RESET_PDU_BYTES 340
#define SEGMENT_BYTES ZGFX_SEGMENT_BYTES
#define SEGMENTED_SINGLE 0xE0
#define SEGMENTED_MULTIPART 0xE1
#define BULK_RDP8 0x04
/* An 8K picture raw is 133 MB; beyond this something is wrong */
#define OUT_BYTES_MAX ((size_t)256 << 20)

struct buffer {
    uint8_t *data;
    size_t len, cap;
};

struct gfx_wire {
    struct zgfx *zgfx;  /* NULL: nothing is compressed */
    struct buffer pdus; /* whole PDUs of the message being filled */
    size_t dense;       /* bytes among them that compression cannot shrink */
    struct buffer out;  /* finished messages, one after the other */
    struct {
        size_t at, len;
    } place[GFX_MESSAGES_MAX];
    struct gfx_message messages[GFX_MESSAGES_MAX];
    size_t nmessages;
};

static int room(struct buffer *b, size_t more)
{
    if (more > OUT_BYTES_MAX - b->len)
        return -ENOMEM;
    if (b->len + more <= b->cap)
        return 0;
    size_t cap = b->cap ? b->cap : 65536;
    while (cap < b->len + more)
        cap *= 2;
    uint8_t *p = realloc(b->data, cap);
    if (!p)
        return -ENOMEM;
    b->data = p;
    b->cap = cap;
    return 0;
}

struct gfx_wire *gfx_wire_create(bool compress)
{
    struct gfx_wire *w = calloc(1, sizeof *w);
    if (w && compress && !(w->zgfx = zgfx_create())) {
        free(w);
        return NULL;
    }
    return w;
}

void gfx_wire_destroy(struct gfx_wire *w)
{
    if (!w)
        return;
    zgfx_destroy(w->zgfx);
    free(w->pdus.data);
    free(w->out.data);
    free(w);
}

void gfx_wire_restart(struct gfx_wire *w)
{
    if (w->zgfx)
        zgfx_reset(w->zgfx);
    gfx_wire_begin(w);
}

void gfx_wire_begin(struct gfx_wire *w)
{
    w->pdus.len = w->out.len = w->dense = 0;
    w->nmessages = 0;
}

static void segment(struct gfx_wire *w, struct wr *o, const uint8_t *data, size_t len)
{
    if (w->zgfx) {
        if (zgfx_segment(w->zgfx, data, len, w->dense > w->pdus.len / 2, o) < 0)
            o->bad = true;
        return;
    }
    wr_u8(o, BULK_RDP8);
    wr_bytes(o, data, len);
}

static void multipart(struct gfx_wire *w, struct wr *o, const uint8_t *data, size_t len)
{
    wr_u8(o, SEGMENTED_MULTIPART);
    wr_u16(o, (uint16_t)((len + SEGMENT_BYTES - 1) / SEGMENT_BYTES));
    wr_u32(o, (uint32_t)len);
    for (size_t at = 0; at < len; at += SEGMENT_BYTES) {
        size_t n = len - at < SEGMENT_BYTES ? len - at : SEGMENT_BYTES, start = o->len;
        uint8_t *size = wr_reserve(o, 4);
        segment(w, o, data + at, n);
        struct wr s;
        wr_init(&s, size, size ? 4 : 0);
        wr_u32(&s, (uint32_t)(o->len - start - 4));
    }
}

static int close_message(struct gfx_wire *w)
{
    if (w->pdus.len == 0)
        return 0;
    size_t segments = w->pdus.len / SEGMENT_BYTES + 1;
    if (w->nmessages == GFX_MESSAGES_MAX || room(&w->out, w->pdus.len + 7 + 5 * segments) < 0)
        return -ENOMEM;
    struct wr o;
    wr_init(&o, w->out.data + w->out.len, w->out.cap - w->out.len);
    if (w->pdus.len <= SEGMENT_BYTES) {
        wr_u8(&o, SEGMENTED_SINGLE);
        segment(w, &o, w->pdus.data, w->pdus.len);
    } else {
        multipart(w, &o, w->pdus.data, w->pdus.len);
    }
    if (o.bad)
        return -ENOMEM;
    w->place[w->nmessages].at = w->out.len;
    w->place[w->nmessages++].len = o.len;
    w->out.len += o.len;
    w->pdus.len = w->dense = 0;
    return 0;
}

int gfx_wire_finish(struct gfx_wire *w, const struct gfx_message **messages, size_t *n)
{
    int rc = close_message(w);
    for (size_t i = 0; i < w->nmessages; i++)
        w->messages[i] = (struct gfx_message){w->out.data + w->place[i].at, w->place[i].len};
    *messages = w->messages;
    *n = w->nmessages;
    return rc;
}

/* Open a PDU of exactly `body` bytes. */
static int open_pdu(struct gfx_wire *w, struct wr *o, uint16_t id, size_t body)
{
    int rc = 0;
    if (w->pdus.len && w->pdus.len + HEADER_BYTES + body > GFX_MESSAGE_BYTES)
        rc = close_message(w);
    if (rc == 0)
        rc = room(&w->pdus, HEADER_BYTES + body);
    if (rc < 0)
        return rc;
    wr_init(o, w->pdus.data + w->pdus.len, HEADER_BYTES + body);
    wr_u16(o, id);
    wr_u16(o, 0);
    wr_u32(o, (uint32_t)(HEADER_BYTES + body));
    return 0;
}

static int close_pdu(struct gfx_wire *w, const struct wr *o)
{
    if (o->bad || o->len != o->cap)
        return -EINVAL;
    w->pdus.len += o->len;
    return 0;
}

static void put_rect(struct wr *o, const struct engine_rect *r)
{
    wr_u16(o, r->x);
    wr_u16(o, r->y);
    wr_u16(o, (uint16_t)(r->x + r->width));
    wr_u16(o, (uint16_t)(r->y + r->height));
}

static void put_points(struct wr *o, const struct gfx_command *c)
{
    wr_u16(o, c->nrects);
    for (size_t i = 0; i < c->nrects; i++) {
        wr_u16(o, c->rects[i].x);
        wr_u16(o, c->rects[i].y);
    }
}

int gfx_wire_caps_confirm(struct gfx_wire *w, uint32_t version, uint32_t flags)
{
    struct wr o;
    /* version 10.1 carries sixteen reserved bytes where the others have their flags */
    size_t len = version == 0x000A0100 ? 16 : 4;
    int rc = open_pdu(w, &o, CMD_CAPS_CONFIRM, 8 + len);
    if (rc < 0)
        return rc;
    wr_u32(&o, version);
    wr_u32(&o, (uint32_t)len);
    if (len == 4)
        wr_u32(&o, flags);
    else
        memset(wr_reserve(&o, len), 0, len);
    return close_pdu(w, &o);
}

int gfx_wire_reset_graphics(struct gfx_wire *w, uint32_t width, uint32_t height, const struct gfx_monitor *monitors,
    size_t n)
{
    struct wr o;
    if (n > GFX_MONITORS_MAX)
        return -EINVAL;
    int rc = open_pdu(w, &o, CMD_RESET, RESET_PDU_BYTES - HEADER_BYTES);
    if (rc < 0)
        return rc;
    wr_u32(&o, width);
    wr_u32(&o, height);
    wr_u32(&o, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        wr_u32(&o, (uint32_t)monitors[i].left);
        wr_u32(&o, (uint32_t)monitors[i].top);
        wr_u32(&o, (uint32_t)monitors[i].right);
        wr_u32(&o, (uint32_t)monitors[i].bottom);
        wr_u32(&o, monitors[i].primary ? 1 : 0);
    }
    size_t pad = o.cap - o.len;
    memset(wr_reserve(&o, pad), 0, pad);
    return close_pdu(w, &o);
}

int gfx_wire_cache_import_reply(struct gfx_wire *w, const uint16_t *slots, size_t n)
{
    struct wr o;
    if (n > GFX_CACHE_OFFER_MAX)
        return -EINVAL;
    int rc = open_pdu(w, &o, CMD_CACHE_REPLY, 2 + 2 * n);
    if (rc < 0)
        return rc;
    wr_u16(&o, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u16(&o, slots[i]);
    return close_pdu(w, &o);
}

/* Entropy-coded data and noise do not shrink: trying costs time only. */
static bool is_dense(const struct gfx_command *c)
{
    switch (c->codec) {
    case GFX_CODEC_AVC420:
    case GFX_CODEC_AVC444:
    case GFX_CODEC_AVC444V2:
        return c->len > 1024;
    case GFX_CODEC_CAPROGRESSIVE: /* the heads of its tiles shrink */
        return c->len > 8192;
    case GFX_CODEC_PLANAR:
        return c->len > 2u * c->rect.width * c->rect.height;
    default:
        return false;
    }
}

static int put_wire(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    bool dense = is_dense(c), second = c->codec == GFX_CODEC_CAPROGRESSIVE;
    if (c->codec > 0xFF)
        return -EINVAL;
    int rc = 0;
    /* what shrinks and what does not go in messages of their own */
    if ((dense && w->dense == 0 && w->pdus.len > 512) || (!dense && w->dense > 0))
        rc = close_message(w);
    if (rc == 0)
        rc = open_pdu(w, &o, second ? CMD_WIRE_2 : CMD_WIRE_1, (second ? 13 : 17) + c->len);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface);
    wr_u16(&o, c->codec);
    if (second)
        wr_u32(&o, c->codec_context);
    wr_u8(&o, PIXEL_XRGB);
    if (!second)
        put_rect(&o, &c->rect);
    wr_u32(&o, (uint32_t)c->len);
    wr_bytes(&o, c->data, c->len);
    if (dense)
        w->dense += c->len;
    return close_pdu(w, &o);
}

static int put_fill(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_FILL, 8 + 8 * (size_t)c->nrects);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface);
    wr_u32(&o, c->color | 0xFF000000u);
    wr_u16(&o, c->nrects);
    for (size_t i = 0; i < c->nrects; i++)
        put_rect(&o, &c->rects[i]);
    return close_pdu(w, &o);
}

static int put_copy(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_COPY, 14 + 4 * (size_t)c->nrects);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface_from);
    wr_u16(&o, c->surface);
    put_rect(&o, &c->rect);
    put_points(&o, c);
    return close_pdu(w, &o);
}

static int put_to_cache(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_TO_CACHE, 20);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface);
    wr_u64(&o, c->cache_key);
    wr_u16(&o, c->cache_slot);
    put_rect(&o, &c->rect);
    return close_pdu(w, &o);
}

static int put_from_cache(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_FROM_CACHE, 6 + 4 * (size_t)c->nrects);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->cache_slot);
    wr_u16(&o, c->surface);
    put_points(&o, c);
    return close_pdu(w, &o);
}

static int put_create(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_CREATE, 7);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface);
    wr_u16(&o, c->width);
    wr_u16(&o, c->height);
    wr_u8(&o, PIXEL_XRGB);
    return close_pdu(w, &o);
}

static int put_map(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_MAP, 12);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface);
    wr_u16(&o, 0);
    wr_u32(&o, c->rect.x);
    wr_u32(&o, c->rect.y);
    return close_pdu(w, &o);
}

/* 2.2.2.20: the part of the surface that the window shows is all of it. */
static int put_map_window(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_MAP_WINDOW, 18);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface);
    wr_u64(&o, c->window);
    wr_u32(&o, c->width);
    wr_u32(&o, c->height);
    return close_pdu(w, &o);
}

static int put_start(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_START, 8);
    if (rc < 0)
        return rc;
    wr_u32(&o, 0);
    wr_u32(&o, c->frame_id);
    return close_pdu(w, &o);
}

static int put_end(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_END, 4);
    if (rc < 0)
        return rc;
    wr_u32(&o, c->frame_id);
    return close_pdu(w, &o);
}

static int put_delete(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_DELETE, 2);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface);
    return close_pdu(w, &o);
}

static int put_evict(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_EVICT, 2);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->cache_slot);
    return close_pdu(w, &o);
}

static int put_delete_context(struct gfx_wire *w, const struct gfx_command *c)
{
    struct wr o;
    int rc = open_pdu(w, &o, CMD_DELETE_CONTEXT, 6);
    if (rc < 0)
        return rc;
    wr_u16(&o, c->surface);
    wr_u32(&o, c->codec_context);
    return close_pdu(w, &o);
}

typedef int (*put_fn)(struct gfx_wire *, const struct gfx_command *);
static const put_fn puts_by_type[] = {
    [GFX_START_FRAME] = put_start,
    [GFX_END_FRAME] = put_end,
    [GFX_CREATE_SURFACE] = put_create,
    [GFX_DELETE_SURFACE] = put_delete,
    [GFX_MAP_SURFACE] = put_map,
    [GFX_MAP_WINDOW] = put_map_window,
    [GFX_WIRE] = put_wire,
    [GFX_FILL] = put_fill,
    [GFX_COPY] = put_copy,
    [GFX_TO_CACHE] = put_to_cache,
    [GFX_FROM_CACHE] = put_from_cache,
    [GFX_EVICT] = put_evict,
    [GFX_DELETE_CONTEXT] = put_delete_context,
};

int gfx_wire_frame(struct gfx_wire *w, const struct gfx_frame *frame)
{
    for (size_t i = 0; i < frame->ncommands; i++) {
        const struct gfx_command *c = &frame->commands[i];
        if ((size_t)c->type >= sizeof puts_by_type / sizeof puts_by_type[0])
            return -EINVAL;
        int rc = puts_by_type[c->type](w, c);
        if (rc < 0)
            return rc;
    }
    return 0;
}
