/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An area sent without loss: a fill where it has one colour, else the smallest exact codec that the client takes. */
#include "codecs/engine/state.h"
#include "codecs/exact/interleaved.h"
#include "codecs/exact/planar.h"
#include "codecs/picture/classify.h"
#include "codecs/pixel.h"

#include <string.h>

/* In smaller areas a residual costs the client next to nothing */
#define GROUND_PIXELS_MIN 8192
/* Letter by letter a page is drawn sooner, but with more bytes: a line or two are not worth them */
#define LETTERS_PIXELS_MIN 49152
#define LEAF_PIXELS 4096 /* so many at the least for each command of its own, */
#define FLAT_PIXELS 512  /* and for each rectangle of a fill */

static void add_fill(struct engine *e, const struct surface *s, struct box a, uint32_t color)
{
    struct engine_rect r = box_rect(&a);
    struct gfx_command *c = frame_last(&e->frame);
    if (!c || c->type != GFX_FILL || c->surface != s->id || c->color != color || c->nrects >= ENGINE_RECTS_MAX) {
        c = frame_add(&e->frame, GFX_FILL);
        if (!c)
            return;
        c->surface = s->id;
        c->color = color;
    }
    frame_add_rects(&e->frame, &r, 1);
}

static bool send_fill(struct engine *e, struct surface *s, struct box a)
{
    const uint8_t *px = surface_cur(s, a.x0, a.y0);
    if (!e->ops->uniform(px, s->stride, a.x1 - a.x0, a.y1 - a.y0))
        return false;
    add_fill(e, s, a, pixel(px));
    return true;
}

typedef int (*encode_fn)(struct engine *, const uint8_t *px, size_t stride, int width, int height, struct wr *w);

static int as_planar(struct engine *e, const uint8_t *px, size_t stride, int width, int height, struct wr *w)
{
    return planar_encode(w, px, stride, width, height, false);
}

static int as_clear(struct engine *e, const uint8_t *px, size_t stride, int width, int height, struct wr *w)
{
    return clear_encode(e->clear, px, stride, width, height, w);
}

static int as_bands(struct engine *e, const uint8_t *px, size_t stride, int width, int height, struct wr *w)
{
    return clear_encode_bands(e->clear, px, stride, width, height, w);
}

static void send_as(struct engine *e, const struct surface *s, struct box a, uint16_t codec, encode_fn encode)
{
    int width = a.x1 - a.x0, height = a.y1 - a.y0;
    struct gfx_command *c = frame_add(&e->frame, GFX_WIRE);
    struct wr w;
    if (!c ||
        !frame_writer(&e->frame, &w,
            codec == GFX_CODEC_PLANAR ? PLANAR_BYTES(width, height) : CLEAR_BYTES(width, height)))
        return;
    c->surface = s->id;
    c->codec = codec;
    c->rect = box_rect(&a);
    if (encode(e, surface_cur(s, a.x0, a.y0), s->stride, width, height, &w) < 0)
        e->frame.failed = true;
    frame_commit(&e->frame, &w);
}

void exact_bands(struct engine *e, const struct surface *s, struct box area)
{
    send_as(e, s, area, GFX_CODEC_CLEARCODEC, as_bands);
}

static struct box moved(struct box b, const struct box *by)
{
    return (struct box){b.x0 + by->x0, b.y0 + by->y0, b.x1 + by->x0, b.y1 + by->y0};
}

/* Is it the colour along the upper edge of a line? There, few letters are. */
static bool stands_on(const struct surface *s, const struct box *leaf, uint32_t color)
{
    enum { SAMPLES = 16 };
    int n = 0, width = leaf->x1 - leaf->x0;
    for (int i = 0; i < SAMPLES; i++)
        n += pixel(surface_cur(s, leaf->x0 + width * i / SAMPLES, leaf->y0)) == color;
    return n > SAMPLES / 2;
}

/* A page's line is writing on a colour of its own, mostly that of all: letters are placed on it. */
static void send_line(struct engine *e, const struct surface *s, struct box line, uint32_t filled)
{
    uint32_t ground = filled;
    if (!stands_on(s, &line, filled))
        ground = clear_ground(surface_cur(s, 0, 0), s->stride, line);
    if (ground != filled)
        add_fill(e, s, line, ground);
    plan_line(e, s, line, ground);
}

/* Writing on a colour, and on rectangles of others: these as fills, the writing over them. */
static bool send_on_ground(struct engine *e, const struct surface *s, struct box a)
{
    int width = a.x1 - a.x0, height = a.y1 - a.y0, pixels = width * height;
    bool page = pixels >= LETTERS_PIXELS_MIN || e->glyphs->in_page;
    struct box leaves[EXACT_PIXELS_MAX / LEAF_PIXELS];
    struct clear_parts parts;
    if (pixels < GROUND_PIXELS_MIN || pixels > EXACT_PIXELS_MAX ||
        clear_find_parts(e->clear, surface_cur(s, a.x0, a.y0), s->stride, width, height,
            page ? pixels / FLAT_PIXELS : 0, pixels / LEAF_PIXELS, &parts) < 0)
        return false;
    e->glyphs->in_page = page;
    add_fill(e, s, a, parts.ground);
    for (int i = 0; i < parts.nflats; i++)
        add_fill(e, s, moved(parts.flats[i].box, &a), parts.flats[i].color);
    /* The encoder's own until it is used again */
    memcpy(leaves, parts.leaves, (size_t)parts.nleaves * sizeof *leaves);
    for (int i = 0; i < parts.nleaves; i++) {
        struct box leaf = moved(leaves[i], &a);
        if (page)
            send_line(e, s, leaf, parts.ground);
        else
            exact_bands(e, s, leaf);
    }
    return true;
}

/* Where a title stands over a page they are each on a colour of their own, cut at the tiles' edge between them or near
 * it. */
static void send_gfx(struct engine *e, struct surface *s, struct box a)
{
    int middle = (a.y0 / TILE + a.y1 / TILE + 1) / 2 * TILE;
    if (e->config.caps.planar && is_picture(s, a)) {
        send_as(e, s, a, GFX_CODEC_PLANAR, as_planar);
    } else if (send_on_ground(e, s, a)) {
        return;
    } else if (middle > a.y0 && middle < a.y1 && (a.x1 - a.x0) * (a.y1 - a.y0) >= 2 * GROUND_PIXELS_MIN) {
        send_gfx(e, s, (struct box){a.x0, a.y0, a.x1, middle});
        send_gfx(e, s, (struct box){a.x0, middle, a.x1, a.y1});
    } else {
        send_as(e, s, a, GFX_CODEC_CLEARCODEC, as_clear);
    }
}

static struct gfx_command *add_old(struct engine *e, const struct surface *s, struct box a, uint16_t codec,
    struct wr *w, size_t max)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_WIRE);
    if (!c || !frame_writer(&e->frame, w, max))
        return NULL;
    c->surface = s->id;
    c->codec = codec;
    c->rect = box_rect(&a);
    c->rect.x = (uint16_t)(c->rect.x + s->x);
    c->rect.y = (uint16_t)(c->rect.y + s->y);
    c->width = c->rect.width;
    c->height = c->rect.height;
    return c;
}

static void send_bitmap(struct engine *e, struct surface *s, struct box a)
{
    int width = a.x1 - a.x0, height = a.y1 - a.y0, bpp = e->config.caps.bitmap_bpp, padded = (width + 3) & ~3;
    const uint8_t *px = surface_cur(s, a.x0, a.y0);
    struct wr w;
    struct gfx_command *c = add_old(e, s, a, GFX_CODEC_BITMAP, &w, PLANAR_BYTES(padded, height));
    if (!c)
        return;
    c->bpp = (uint8_t)bpp;
    c->compressed = true;
    c->width = (uint16_t)(bpp == 32 ? width : padded);
    int rc = bpp == 32 ? planar_encode(&w, px, s->stride, width, height, true)
                       : interleaved_encode(&w, px, s->stride, width, padded, height, bpp, &c->compressed);
    if (rc < 0)
        e->frame.failed = true;
    frame_commit(&e->frame, &w);
}

/* A picture as RemoteFX, for the older client that takes it; what is too long for its updates goes exactly. */
static bool send_rfx(struct engine *e, struct surface *s, int tile, struct box a)
{
    struct wr w;
    if (!e->config.caps.rfx_surface_bits || !is_picture(s, a))
        return false;
    if (!add_old(e, s, a, GFX_CODEC_RFX_BITS, &w, RFX_MESSAGE_BYTES))
        return true;
    bool headed = e->rfx->headed;
    int rc = rfx_message(e->rfx, surface_cur(s, a.x0, a.y0), s->stride, a.x1 - a.x0, a.y1 - a.y0, PICTURE_COARSE,
        e->config.caps.rfx_entropy == 3 ? 3 : 1, s->x + s->width, s->y + s->height, &w);
    if (rc < 0 || (e->config.caps.max_command_bytes && w.len > e->config.caps.max_command_bytes)) {
        e->rfx->headed = headed;
        frame_drop(&e->frame);
        return false;
    }
    frame_commit(&e->frame, &w);
    surface_settle(s, a);
    surface_set_lossy(s, tile, a, PICTURE_COARSE);
    return true;
}

void plan_legacy(struct engine *e, struct surface *s, int tile, struct box area)
{
    if (!send_rfx(e, s, tile, area))
        exact_send(e, s, area);
}

void exact_send(struct engine *e, struct surface *s, struct box area)
{
    if (!e->config.caps.gfx)
        send_bitmap(e, s, area);
    else if (!send_fill(e, s, area))
        send_gfx(e, s, area);
    surface_settle_later(s, area);
}
