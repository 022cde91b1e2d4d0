/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pointer shapes (MS-RDPBCGR 2.2.9.1.1.4), through the client's cache. */
#include "server/rdp/rdp.h"

#include <freerdp/pointer.h>
#include <stdlib.h>
#include <string.h>

void rdp_pointer_reset(struct front *f)
{
    struct pointer_cache *p = &f->pointer;
    unsigned n = freerdp_settings_get_uint32(f->client->context->settings, FreeRDP_PointerCacheSize);
    p->slots = n > POINTER_SLOTS_MAX ? POINTER_SLOTS_MAX : n;
    memset(p->used, 0, sizeof p->used);
    if (p->have)
        rdp_pointer_shape(f, &p->shape);
}

/* The slot that holds `serial`, or the one to overwrite: free, else longest unused. */
static unsigned find_slot(struct pointer_cache *p, uint32_t serial, bool *hit)
{
    unsigned best = 0;
    *hit = false;
    for (unsigned i = 0; i < p->slots; i++) {
        if (p->used[i] && p->serial[i] == serial) {
            *hit = true;
            return i;
        }
        if (p->used[best] && (!p->used[i] || p->touched[i] < p->touched[best]))
            best = i;
    }
    return best;
}

/* The drawer's premultiplied BGRA, top-down, to RDP's straight BGRA, bottom-up; and the AND mask for clients that
 * ignore alpha. */
static void convert(const struct display_cursor *c, uint8_t *xor_mask, uint8_t *and_mask, size_t and_stride)
{
    for (unsigned y = 0; y < c->height; y++) {
        const uint8_t *in = c->pixels + (size_t)(c->height - 1 - y) * c->width * 4;
        for (unsigned x = 0; x < c->width; x++, in += 4, xor_mask += 4) {
            unsigned a = in[3];
            for (int k = 0; k < 3; k++) {
                unsigned v = a ? (in[k] * 255u + a / 2) / a : 0;
                xor_mask[k] = (uint8_t)(v > 255 ? 255 : v);
            }
            xor_mask[3] = (uint8_t)a;
            if (a == 0)
                and_mask[y * and_stride + x / 8] |= (uint8_t)(0x80 >> x % 8);
        }
    }
}

static void send_shape(struct front *f, const struct display_cursor *c, unsigned slot)
{
    static uint8_t xor_mask[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE * 4],
        and_mask[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE / 8];
    rdpContext *ctx = f->client->context;
    size_t stride = ((size_t)c->width + 15) / 16 * 2; /* padded to 16 bits, 2.2.9.1.1.4.4 */
    memset(and_mask, 0, sizeof and_mask);
    convert(c, xor_mask, and_mask, stride);
    POINTER_NEW_UPDATE u = {.xorBpp = 32,
        .colorPtrAttr = {.cacheIndex = (UINT16)slot,
            .hotSpotX = c->hot_x,
            .hotSpotY = c->hot_y,
            .width = c->width,
            .height = c->height,
            .lengthAndMask = (UINT16)(stride * c->height),
            .lengthXorMask = (UINT16)(c->width * c->height * 4u),
            .xorMaskData = xor_mask,
            .andMaskData = and_mask}};
    (void)ctx->update->pointer->PointerNew(ctx, &u);
}

static void send_system(struct front *f, uint32_t type)
{
    rdpContext *ctx = f->client->context;
    POINTER_SYSTEM_UPDATE u = {.type = type};
    (void)ctx->update->pointer->PointerSystem(ctx, &u);
}

static unsigned largest_side(const struct front *f)
{
    /* Without the large-pointer capability 32 pixels are the limit; the length field of a new pointer ends at 64 KiB
     * anyhow. */
    uint32_t large = freerdp_settings_get_uint32(f->client->context->settings, FreeRDP_LargePointerFlag);
    return large & LARGE_POINTER_FLAG_96x96 ? DISPLAY_CURSOR_SIDE : 32;
}

/* Larger than the client can show: the part around the hot spot. */
static void crop(struct display_cursor *c, unsigned side)
{
    unsigned w = c->width > side ? side : c->width, h = c->height > side ? side : c->height;
    unsigned left = c->hot_x > w / 2 ? c->hot_x - w / 2 : 0, top = c->hot_y > h / 2 ? c->hot_y - h / 2 : 0;
    left = left + w > c->width ? c->width - w : left;
    top = top + h > c->height ? c->height - h : top;
    for (unsigned y = 0; y < h; y++)
        memmove(c->pixels + (size_t)y * w * 4, c->pixels + ((size_t)(y + top) * c->width + left) * 4, (size_t)w * 4);
    c->hot_x = (uint16_t)(c->hot_x - left);
    c->hot_y = (uint16_t)(c->hot_y - top);
    c->width = (uint16_t)w;
    c->height = (uint16_t)h;
}

static void show_shape(struct front *f)
{
    struct pointer_cache *p = &f->pointer;
    struct display_cursor *s = &p->shape;
    if (s->width == 0 || s->height == 0) {
        send_system(f, SYSPTR_NULL);
        return;
    }
    if (s->nbytes != (uint32_t)s->width * s->height * 4 || p->slots == 0) {
        send_system(f, SYSPTR_DEFAULT);
        return;
    }
    unsigned side = largest_side(f);
    if (s->width > side || s->height > side) {
        crop(s, side);
        s->nbytes = (uint32_t)s->width * s->height * 4;
    }
    s->hot_x = s->hot_x >= s->width ? (uint16_t)(s->width - 1) : s->hot_x;
    s->hot_y = s->hot_y >= s->height ? (uint16_t)(s->height - 1) : s->hot_y;
    bool hit;
    unsigned slot = find_slot(p, s->serial, &hit);
    p->touched[slot] = ++p->clock;
    if (hit) {
        rdpContext *ctx = f->client->context;
        POINTER_CACHED_UPDATE u = {.cacheIndex = slot};
        (void)ctx->update->pointer->PointerCached(ctx, &u);
        return;
    }
    p->used[slot] = true;
    p->serial[slot] = s->serial;
    send_shape(f, s, slot);
}

void rdp_pointer_shape(struct front *f, const struct display_cursor *c)
{
    struct pointer_cache *p = &f->pointer;
    if (c != &p->shape)
        p->shape = *c;
    p->have = true;
    if (!f->active)
        return;
    enum traffic_class before = transport_class(f->tp, TRAFFIC_CONTROL);
    show_shape(f);
    transport_class(f->tp, before);
}

void rdp_pointer_move(struct front *f, int32_t x, int32_t y)
{
    rdpContext *ctx = f->client->context;
    if (!f->active || x < 0 || y < 0 || x > UINT16_MAX || y > UINT16_MAX)
        return;
    f->x = x;
    f->y = y;
    POINTER_POSITION_UPDATE u = {.xPos = (UINT32)x, .yPos = (UINT32)y};
    enum traffic_class before = transport_class(f->tp, TRAFFIC_CONTROL);
    (void)ctx->update->pointer->PointerPosition(ctx, &u);
    transport_class(f->tp, before);
}
