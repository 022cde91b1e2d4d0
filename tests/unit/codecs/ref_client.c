/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ref_client.h"

#include "ref_planar.h"

#include <freerdp/codec/clear.h>
#include <freerdp/codec/color.h>
#include <freerdp/codec/h264.h>
#include <freerdp/codec/interleaved.h>
#include <freerdp/codec/progressive.h>
#include <freerdp/codec/region.h>
#include <freerdp/codec/rfx.h>
#include <freerdp/codec/zgfx.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SURFACES 65536
#define SLOTS 25601
#define FORMAT PIXEL_FORMAT_BGRX32

struct slot {
    uint8_t *px;
    uint16_t w, h;
};
struct ref_client {
    char error[200];
    ZGFX_CONTEXT *zgfx;
    CLEAR_CONTEXT *clear;
    BITMAP_PLANAR_CONTEXT *planar;
    unsigned planar_w, planar_h; /* its size: newer libraries refuse larger bitmaps */
    BITMAP_INTERLEAVED_CONTEXT *interleaved;
    PROGRESSIVE_CONTEXT *progressive;
    RFX_CONTEXT *rfx;
    struct ref_surface *surfaces;
    struct slot slots[SLOTS];
    size_t cache_bytes, cache_limit;
    unsigned slot_limit;
    uint32_t last_frame;
    bool in_frame;
    size_t lc[3];
};

static int fail(struct ref_client *c, const char *what)
{
    snprintf(c->error, sizeof c->error, "%s", what);
    return -1;
}

struct ref_client *ref_client_create(bool small_cache)
{
    struct ref_client *c = calloc(1, sizeof *c);
    c->surfaces = calloc(SURFACES, sizeof *c->surfaces);
    c->zgfx = zgfx_context_new(FALSE);
    c->clear = clear_context_new(FALSE);
    c->planar_w = c->planar_h = 64;
    c->planar = freerdp_bitmap_planar_context_new(0, c->planar_w, c->planar_h);
    c->interleaved = bitmap_interleaved_context_new(FALSE);
    c->progressive = progressive_context_new_ex(FALSE, THREADING_FLAGS_DISABLE_THREADS);
    c->rfx = rfx_context_new_ex(FALSE, THREADING_FLAGS_DISABLE_THREADS);
    c->cache_limit = (size_t)(small_cache ? 16 : 100) << 20;
    c->slot_limit = small_cache ? 4096 : 25600;
    return c;
}

static void drop_surface(struct ref_client *c, uint16_t id)
{
    struct ref_surface *s = &c->surfaces[id];
    free(s->px);
    h264_context_free(s->h264);
    progressive_delete_surface_context(c->progressive, id);
    memset(s, 0, sizeof *s);
}

void ref_client_destroy(struct ref_client *c)
{
    if (!c)
        return;
    for (int i = 0; i < SURFACES; i++)
        if (c->surfaces[i].live)
            drop_surface(c, (uint16_t)i);
    for (int i = 0; i < SLOTS; i++)
        free(c->slots[i].px);
    free(c->surfaces);
    zgfx_context_free(c->zgfx);
    clear_context_free(c->clear);
    freerdp_bitmap_planar_context_free(c->planar);
    bitmap_interleaved_context_free(c->interleaved);
    progressive_context_free(c->progressive);
    rfx_context_free(c->rfx);
    free(c);
}

const char *ref_client_error(const struct ref_client *c)
{
    return c->error;
}
size_t ref_client_avc444(const struct ref_client *c, int lc)
{
    return c->lc[lc];
}
uint32_t ref_client_last_frame(const struct ref_client *c)
{
    return c->last_frame;
}

size_t ref_client_surfaces(const struct ref_client *c)
{
    size_t n = 0;
    for (int i = 0; i < SURFACES; i++)
        n += c->surfaces[i].live;
    return n;
}

const struct ref_surface *ref_client_surface(const struct ref_client *c, uint16_t id)
{
    return c->surfaces[id].live ? &c->surfaces[id] : NULL;
}

static void white(struct ref_surface *s)
{
    memset(s->px, 0xFF, s->stride * s->height);
}

static int create(struct ref_client *c, uint16_t id, uint16_t w, uint16_t h)
{
    struct ref_surface *s = &c->surfaces[id];
    if (s->live)
        return fail(c, "surface created twice");
    if (!w || !h)
        return fail(c, "surface without size");
    /* libfreerdp's decoders want aligned rows and some room after the picture */
    s->stride = ((size_t)w * 4 + 63) & ~(size_t)63;
    s->px = calloc(s->stride, (size_t)h + 64);
    s->width = w;
    s->height = h;
    s->live = true;
    white(s);
    return 0;
}

static bool inside(const struct ref_surface *s, unsigned l, unsigned t, unsigned r, unsigned b)
{
    return s->live && l < r && t < b && r <= s->width && b <= s->height;
}

static void blit(uint8_t *dst, size_t ds, const uint8_t *src, size_t ss, unsigned w, unsigned h)
{
    for (unsigned y = 0; y < h; y++)
        memmove(dst + y * ds, src + y * ss, (size_t)w * 4);
}

static uint8_t *at(const struct ref_surface *s, unsigned x, unsigned y)
{
    return s->px + y * s->stride + (size_t)x * 4;
}

struct avc {
    RECTANGLE_16 rects[64];
    uint32_t n;
    const uint8_t *data;
    uint32_t len;
};

/* RDPGFX_AVC420_BITMAP_STREAM: the metablock, and as data what follows. */
static int read_avc(struct ref_client *c, const struct ref_surface *s, const uint8_t *data, uint32_t len,
    struct avc *out)
{
    struct rd r;
    rd_init(&r, data, len);
    out->n = rd_u32(&r);
    if (out->n > 64)
        return fail(c, "avc: too many rectangles");
    for (uint32_t i = 0; i < out->n; i++) {
        RECTANGLE_16 *k = &out->rects[i];
        *k = (RECTANGLE_16){rd_u16(&r), rd_u16(&r), 0, 0};
        k->right = rd_u16(&r);
        k->bottom = rd_u16(&r);
        if (!inside(s, k->left, k->top, k->right, k->bottom))
            return fail(c, "avc: rectangle outside");
    }
    rd_skip(&r, 2 * (size_t)out->n);
    out->data = r.p;
    out->len = (uint32_t)r.left;
    return r.bad ? fail(c, "avc: short") : 0;
}

static H264_CONTEXT *decoder(struct ref_surface *s)
{
    if (!s->h264) {
        s->h264 = h264_context_new(FALSE);
        h264_context_reset(s->h264, s->width, s->height);
    }
    return s->h264;
}

static int do_avc420(struct ref_client *c, struct ref_surface *s, const uint8_t *data, uint32_t len)
{
    struct avc a;
    if (read_avc(c, s, data, len, &a) < 0)
        return -1;
    if (avc420_decompress(decoder(s), a.data, a.len, s->px, FORMAT, (uint32_t)s->stride, s->width, s->height, a.rects,
            a.n) < 0)
        return fail(c, "avc420_decompress");
    return 0;
}

static int do_avc444(struct ref_client *c, struct ref_surface *s, const uint8_t *data, uint32_t len)
{
    struct avc a, b = {.n = 0};
    struct rd r;
    rd_init(&r, data, len);
    uint32_t word = rd_u32(&r), lc = word >> 30, size = word & 0x3FFFFFFF;
    if (r.bad || lc == 3 || (lc == 0 && size > r.left) || (lc == 2 && size != 0))
        return fail(c, "avc444: head");
    c->lc[lc]++;
    uint32_t first = lc == 0 ? size : (uint32_t)r.left;
    if (read_avc(c, s, r.p, first, &a) < 0 ||
        (lc == 0 && read_avc(c, s, r.p + first, (uint32_t)r.left - first, &b) < 0))
        return -1;
    if (avc444_decompress(decoder(s), (uint8_t)lc, a.rects, a.n, a.data, a.len, b.rects, b.n, b.data, b.len, s->px,
            FORMAT, (uint32_t)s->stride, s->width, s->height, RDPGFX_CODECID_AVC444v2) < 0)
        return fail(c, "avc444_decompress");
    return 0;
}

static int do_planar(struct ref_client *c, struct ref_surface *s, const uint8_t *data, size_t len, unsigned w,
    unsigned h, struct engine_rect to, bool flip)
{
    if (w > c->planar_w || h > c->planar_h) {
        c->planar_w = w > c->planar_w ? w : c->planar_w;
        c->planar_h = h > c->planar_h ? h : c->planar_h;
        if (!freerdp_bitmap_planar_context_reset(c->planar, c->planar_w, c->planar_h))
            return fail(c, "planar: memory");
    }
    return ref_planar(c->planar, data, (uint32_t)len, w, h, s->px, FORMAT, (uint32_t)s->stride, to.x, to.y, to.width,
               to.height, flip)
        ? 0
        : fail(c, "planar bitmap");
}

static int do_wire1(struct ref_client *c, struct rd *r)
{
    struct ref_surface *s = &c->surfaces[rd_u16(r)];
    uint16_t codec = rd_u16(r);
    uint8_t format = rd_u8(r);
    unsigned left = rd_u16(r), top = rd_u16(r), right = rd_u16(r), bottom = rd_u16(r);
    uint32_t len = rd_u32(r);
    const uint8_t *data = rd_bytes(r, len);
    if (!data || format != 0x20)
        return fail(c, "wire1: malformed");
    if (!inside(s, left, top, right, bottom))
        return fail(c, "wire1: outside the surface");
    unsigned w = right - left, h = bottom - top;
    switch (codec) {
    case GFX_CODEC_UNCOMPRESSED:
        if (len != w * h * 4)
            return fail(c, "uncompressed: length");
        blit(at(s, left, top), s->stride, data, (size_t)w * 4, w, h);
        return 0;
    case GFX_CODEC_PLANAR:
        return do_planar(c, s, data, len, w, h,
            (struct engine_rect){(uint16_t)left, (uint16_t)top, (uint16_t)w, (uint16_t)h}, false);
    case GFX_CODEC_CLEARCODEC:
        return clear_decompress(c->clear, data, len, w, h, s->px, FORMAT, (uint32_t)s->stride, left, top, s->width,
                   s->height, NULL) >= 0
            ? 0
            : fail(c, "clear_decompress");
    case GFX_CODEC_AVC420:
        return do_avc420(c, s, data, len);
    case GFX_CODEC_AVC444V2:
        return do_avc444(c, s, data, len);
    default:
        return fail(c, "wire1: codec");
    }
}

static int do_wire2(struct ref_client *c, struct rd *r)
{
    uint16_t id = rd_u16(r), codec = rd_u16(r);
    struct ref_surface *s = &c->surfaces[id];
    rd_skip(r, 5);
    uint32_t len = rd_u32(r);
    const uint8_t *data = rd_bytes(r, len);
    if (!data || codec != GFX_CODEC_CAPROGRESSIVE || !s->live)
        return fail(c, "wire2: malformed");
    REGION16 region;
    region16_init(&region);
    progressive_create_surface_context(c->progressive, id, s->width, s->height);
    int rc = progressive_decompress(c->progressive, data, len, s->px, FORMAT, (uint32_t)s->stride, 0, 0, &region, id,
        c->last_frame + 1);
    region16_uninit(&region);
    return rc < 0 ? fail(c, "progressive_decompress") : 0;
}

static int do_fill(struct ref_client *c, struct rd *r)
{
    struct ref_surface *s = &c->surfaces[rd_u16(r)];
    uint32_t color = rd_u32(r);
    for (unsigned n = rd_u16(r); n && !r->bad; n--) {
        unsigned left = rd_u16(r), top = rd_u16(r), right = rd_u16(r), bottom = rd_u16(r);
        if (!inside(s, left, top, right, bottom))
            return fail(c, "fill: outside");
        for (unsigned y = top; y < bottom; y++)
            for (unsigned x = left; x < right; x++)
                memcpy(at(s, x, y), &color, 4);
    }
    return 0;
}

static int do_copy(struct ref_client *c, struct rd *r)
{
    struct ref_surface *from = &c->surfaces[rd_u16(r)], *to = &c->surfaces[rd_u16(r)];
    unsigned left = rd_u16(r), top = rd_u16(r), right = rd_u16(r), bottom = rd_u16(r);
    if (!inside(from, left, top, right, bottom))
        return fail(c, "copy: source outside");
    unsigned w = right - left, h = bottom - top;
    uint8_t *tmp = malloc((size_t)w * 4 * h);
    for (unsigned n = rd_u16(r); n && !r->bad; n--) {
        unsigned x = rd_u16(r), y = rd_u16(r);
        if (!inside(to, x, y, x + w, y + h)) {
            free(tmp);
            return fail(c, "copy: destination outside");
        }
        blit(tmp, (size_t)w * 4, at(from, left, top), from->stride, w, h);
        blit(at(to, x, y), to->stride, tmp, (size_t)w * 4, w, h);
    }
    free(tmp);
    return 0;
}

static void drop_slot(struct ref_client *c, struct slot *s)
{
    c->cache_bytes -= (size_t)s->w * s->h * 4;
    free(s->px);
    memset(s, 0, sizeof *s);
}

static int do_to_cache(struct ref_client *c, struct rd *r)
{
    struct ref_surface *s = &c->surfaces[rd_u16(r)];
    rd_u64(r);
    unsigned slot = rd_u16(r), left = rd_u16(r), top = rd_u16(r), right = rd_u16(r), bottom = rd_u16(r);
    if (slot < 1 || slot > c->slot_limit || !inside(s, left, top, right, bottom))
        return fail(c, "to cache: slot or place");
    struct slot *k = &c->slots[slot];
    drop_slot(c, k);
    k->w = (uint16_t)(right - left);
    k->h = (uint16_t)(bottom - top);
    k->px = malloc((size_t)k->w * k->h * 4);
    blit(k->px, (size_t)k->w * 4, at(s, left, top), s->stride, k->w, k->h);
    c->cache_bytes += (size_t)k->w * k->h * 4;
    return c->cache_bytes > c->cache_limit ? fail(c, "to cache: over the limit") : 0;
}

static int do_from_cache(struct ref_client *c, struct rd *r)
{
    unsigned slot = rd_u16(r);
    struct ref_surface *s = &c->surfaces[rd_u16(r)];
    if (slot < 1 || slot > c->slot_limit || !c->slots[slot].px)
        return fail(c, "from cache: empty slot");
    struct slot *k = &c->slots[slot];
    for (unsigned n = rd_u16(r); n && !r->bad; n--) {
        unsigned x = rd_u16(r), y = rd_u16(r);
        if (!inside(s, x, y, x + k->w, y + k->h))
            return fail(c, "from cache: outside");
        blit(at(s, x, y), s->stride, k->px, (size_t)k->w * 4, k->w, k->h);
    }
    return 0;
}

static int do_evict(struct ref_client *c, struct rd *r)
{
    unsigned slot = rd_u16(r);
    if (slot < 1 || slot > c->slot_limit)
        return fail(c, "evict: slot");
    drop_slot(c, &c->slots[slot]);
    return 0;
}

static int do_delete(struct ref_client *c, struct rd *r)
{
    uint16_t id = rd_u16(r);
    if (!c->surfaces[id].live)
        return fail(c, "delete: no such surface");
    drop_surface(c, id);
    return 0;
}

static int do_reset(struct ref_client *c, struct rd *r, size_t len)
{
    rd_skip(r, r->left);
    for (int i = 0; i < SURFACES; i++)
        if (c->surfaces[i].live)
            white(&c->surfaces[i]);
    return len == 340 ? 0 : fail(c, "reset: length");
}

static int do_frame(struct ref_client *c, struct rd *r, bool start)
{
    if (start)
        rd_u32(r);
    uint32_t id = rd_u32(r);
    if (c->in_frame == start)
        return fail(c, "frame: nesting");
    c->in_frame = start;
    if (!start)
        c->last_frame = id;
    return 0;
}

static int do_create(struct ref_client *c, struct rd *r)
{
    uint16_t id = rd_u16(r), w = rd_u16(r), h = rd_u16(r);
    return rd_u8(r) == 0x20 ? create(c, id, w, h) : fail(c, "create: format");
}

/* The surface, if it may be mapped: it has no map that this one would change. */
static struct ref_surface *mapping(struct ref_client *c, uint16_t id, enum ref_map map)
{
    struct ref_surface *s = &c->surfaces[id];
    if (!s->live || s->map != REF_UNMAPPED) {
        fail(c, s->live ? "map: mapped twice" : "map: no such surface");
        return NULL;
    }
    s->map = map;
    return s;
}

static int do_map(struct ref_client *c, struct rd *r)
{
    struct ref_surface *s = mapping(c, rd_u16(r), REF_OUTPUT);
    if (!s)
        return -1;
    rd_skip(r, 2);
    s->x = rd_u32(r);
    s->y = rd_u32(r);
    return 0;
}

static int do_map_window(struct ref_client *c, struct rd *r)
{
    struct ref_surface *s = mapping(c, rd_u16(r), REF_WINDOW);
    if (!s)
        return -1;
    s->window = rd_u64(r);
    uint32_t width = rd_u32(r), height = rd_u32(r);
    return width == s->width && height == s->height ? 0 : fail(c, "map: not all of the surface");
}

static int do_pdu(struct ref_client *c, uint16_t id, struct rd *r, size_t len)
{
    switch (id) {
    case 0x01:
        return do_wire1(c, r);
    case 0x02:
        return do_wire2(c, r);
    case 0x04:
        return do_fill(c, r);
    case 0x05:
        return do_copy(c, r);
    case 0x06:
        return do_to_cache(c, r);
    case 0x07:
        return do_from_cache(c, r);
    case 0x08:
        return do_evict(c, r);
    case 0x09:
        return do_create(c, r);
    case 0x0A:
        return do_delete(c, r);
    case 0x0B:
        return do_frame(c, r, true);
    case 0x0C:
        return do_frame(c, r, false);
    case 0x0E:
        return do_reset(c, r, len);
    case 0x0F:
        return do_map(c, r);
    case 0x15:
        return do_map_window(c, r);
    case 0x11:
    case 0x13:
        rd_skip(r, r->left);
        return 0;
    case 0x03:
        rd_skip(r, 6);
        return 0;
    default:
        return fail(c, "unknown PDU");
    }
}

static int run_pdus(struct ref_client *c, const uint8_t *data, size_t len)
{
    struct rd r;
    rd_init(&r, data, len);
    while (r.left) {
        uint16_t id = rd_u16(&r);
        rd_skip(&r, 2);
        uint32_t n = rd_u32(&r);
        const uint8_t *body = n >= 8 ? rd_bytes(&r, n - 8) : NULL;
        if (!body)
            return fail(c, "PDU length");
        struct rd b;
        rd_init(&b, body, n - 8);
        if (do_pdu(c, id, &b, n) < 0)
            return -1;
        if (b.bad || b.left)
            return fail(c, "PDU too short or too long");
    }
    return 0;
}

int ref_client_message(struct ref_client *c, const uint8_t *data, size_t len)
{
    BYTE *out = NULL;
    UINT32 n = 0;
    if (zgfx_decompress(c->zgfx, data, (UINT32)len, &out, &n, 0) < 0)
        return fail(c, "zgfx_decompress");
    int rc = run_pdus(c, out, n);
    free(out);
    return rc;
}

int ref_client_screen(struct ref_client *c, uint16_t width, uint16_t height)
{
    return create(c, 0, width, height);
}

static int do_bitmap(struct ref_client *c, struct ref_surface *s, const struct gfx_command *k)
{
    uint32_t bytes = k->bpp / 8u,
             format = k->bpp == 16 ? PIXEL_FORMAT_RGB16
        : k->bpp == 24             ? PIXEL_FORMAT_BGR24
                                   : FORMAT;
    if (k->compressed && k->bpp == 32)
        return do_planar(c, s, k->data, k->len, k->width, k->height, k->rect, true);
    if (k->compressed)
        return interleaved_decompress(c->interleaved, k->data, (uint32_t)k->len, k->width, k->height, k->bpp, s->px,
                   FORMAT, (uint32_t)s->stride, k->rect.x, k->rect.y, k->rect.width, k->rect.height, NULL)
            ? 0
            : fail(c, "interleaved bitmap");
    if (k->len != (size_t)k->width * k->height * bytes || k->width % 4)
        return fail(c, "raw bitmap: length");
    return freerdp_image_copy(s->px, FORMAT, (uint32_t)s->stride, k->rect.x, k->rect.y, k->rect.width, k->rect.height,
               k->data, format, k->width * bytes, 0, 0, NULL, FREERDP_FLIP_VERTICAL)
        ? 0
        : fail(c, "raw bitmap");
}

int ref_client_old(struct ref_client *c, const struct gfx_command *k)
{
    struct ref_surface *s = &c->surfaces[0];
    if (k->type != GFX_WIRE || !inside(s, k->rect.x, k->rect.y, k->rect.x + k->rect.width, k->rect.y + k->rect.height))
        return fail(c, "old way: command");
    if (k->codec == GFX_CODEC_BITMAP)
        return do_bitmap(c, s, k);
    if (k->codec != GFX_CODEC_RFX_BITS)
        return fail(c, "old way: codec");
    REGION16 region;
    region16_init(&region);
    rfx_context_set_pixel_format(c->rfx, FORMAT);
    BOOL ok = rfx_process_message(c->rfx, k->data, (uint32_t)k->len, k->rect.x, k->rect.y, s->px, FORMAT,
        (uint32_t)s->stride, s->height, &region);
    region16_uninit(&region);
    return ok ? 0 : fail(c, "rfx_process_message");
}

size_t ref_surface_wrong(const struct ref_surface *s, const uint8_t *px, size_t stride)
{
    size_t wrong = 0;
    for (unsigned y = 0; y < s->height; y++)
        for (unsigned x = 0; x < s->width; x++)
            wrong += memcmp(at(s, x, y), px + y * stride + 4 * x, 3) != 0;
    return wrong;
}

double ref_surface_psnr(const struct ref_surface *s, const uint8_t *px, size_t stride, int x0, int y0, int w, int h)
{
    double sum = 0;
    for (int y = y0; y < y0 + h; y++)
        for (int x = x0; x < x0 + w; x++)
            for (int k = 0; k < 3; k++) {
                double d =
                    (double)at(s, (unsigned)x, (unsigned)y)[k] - px[(size_t)y * stride + 4 * (size_t)x + (size_t)k];
                sum += d * d;
            }
    sum /= 3.0 * w * h;
    return sum < 1e-9 ? 99.0 : 10 * log10(255.0 * 255.0 / sum);
}
