/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An area sent without loss: a fill where it has one colour, else the smallest exact codec that the client takes. */
#include "codecs/classify.h"
#include "codecs/planar.h"
#include "codecs/state.h"

#include <string.h>

static uint32_t pixel(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static bool send_fill(struct engine *e, struct surface *s, struct box a)
{
    const uint8_t *px = surface_cur(s, a.x0, a.y0);
    if (!e->ops->uniform(px, s->stride, a.x1 - a.x0, a.y1 - a.y0))
        return false;
    struct engine_rect r = box_rect(&a);
    struct gfx_command *c = e->frame.ncommands ? &e->frame.commands[e->frame.ncommands - 1] : NULL;
    if (!c || c->type != GFX_FILL || c->surface != s->id || c->color != pixel(px) || c->nrects >= ENGINE_RECTS_MAX) {
        c = frame_add(&e->frame, GFX_FILL);
        if (!c)
            return true;
        c->surface = s->id;
        c->color = pixel(px);
    }
    frame_add_rects(&e->frame, &r, 1);
    return true;
}

static void send_gfx(struct engine *e, struct surface *s, struct box a)
{
    int width = a.x1 - a.x0, height = a.y1 - a.y0;
    bool planar = e->config.caps.planar && is_picture(s, a);
    struct gfx_command *c = frame_add(&e->frame, GFX_WIRE);
    struct wr w;
    if (!c || !frame_writer(&e->frame, &w, planar ? PLANAR_BYTES(width, height) : CLEAR_BYTES(width, height)))
        return;
    c->surface = s->id;
    c->codec = planar ? GFX_CODEC_PLANAR : GFX_CODEC_CLEARCODEC;
    c->rect = box_rect(&a);
    int rc = planar ? planar_encode(&w, surface_cur(s, a.x0, a.y0), s->stride, width, height, false)
                    : clear_encode(e->clear, surface_cur(s, a.x0, a.y0), s->stride, width, height, &w);
    if (rc < 0)
        e->frame.failed = true;
    frame_commit(&e->frame, &w);
}

static void put_rgb565(struct wr *w, const uint8_t *p)
{
    wr_u16(w, (uint16_t)((p[2] >> 3) << 11 | (p[1] >> 2) << 5 | p[0] >> 3));
}

/* Raw rows, bottom-up, the width padded so that a row fills whole words. */
static void put_raw_bitmap(struct wr *w, const struct surface *s, struct box a, int padded, int bpp)
{
    for (int y = a.y1 - 1; y >= a.y0; y--) {
        for (int x = a.x0; x < a.x0 + padded; x++) {
            const uint8_t *p = surface_cur(s, x < a.x1 ? x : a.x1 - 1, y);
            if (bpp == 16)
                put_rgb565(w, p);
            else
                wr_bytes(w, p, 3);
        }
    }
}

static void send_bitmap(struct engine *e, struct surface *s, struct box a)
{
    int width = a.x1 - a.x0, height = a.y1 - a.y0, bpp = e->config.caps.bitmap_bpp;
    int padded = (width + 3) & ~3;
    struct gfx_command *c = frame_add(&e->frame, GFX_WIRE);
    struct wr w;
    if (!c || !frame_writer(&e->frame, &w, PLANAR_BYTES(padded, height)))
        return;
    c->surface = s->id;
    c->codec = GFX_CODEC_BITMAP;
    c->rect = box_rect(&a);
    c->rect.x = (uint16_t)(c->rect.x + s->x);
    c->rect.y = (uint16_t)(c->rect.y + s->y);
    c->bpp = (uint8_t)bpp;
    c->compressed = bpp == 32;
    c->width = (uint16_t)(bpp == 32 ? width : padded);
    c->height = (uint16_t)height;
    if (bpp == 32)
        planar_encode(&w, surface_cur(s, a.x0, a.y0), s->stride, width, height, true);
    else
        put_raw_bitmap(&w, s, a, padded, bpp);
    frame_commit(&e->frame, &w);
}

void exact_send(struct engine *e, struct surface *s, struct box area)
{
    if (!e->config.caps.gfx)
        send_bitmap(e, s, area);
    else if (!send_fill(e, s, area))
        send_gfx(e, s, area);
    surface_settle(s, area);
}
