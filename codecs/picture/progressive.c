/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/picture/progressive.h"

#include <errno.h>
#include <stdlib.h>

enum { /* block types, 2.2.4.2.1 */
    WBT_SYNC = 0xCCC0,
    WBT_FRAME_BEGIN = 0xCCC1,
    WBT_FRAME_END = 0xCCC2,
    WBT_CONTEXT = 0xCCC3,
    WBT_REGION = 0xCCC4,
    WBT_TILE_SIMPLE = 0xCCC5,
};

struct progressive {
    uint32_t frame;
    struct rfx_scratch scratch;
    uint8_t data[RFX_TILE_BYTES];
};

/* Measured on photographs with grain: moving about 35 dB, coarse about 38, fine over 45. */
static const struct rfx_quant luma[PICTURE_QUALITIES] = {
    {{6, 7, 7, 8, 8, 8, 9, 10, 10, 11}},
    {{6, 7, 7, 7, 8, 8, 8, 9, 9, 10}},
    {{6, 6, 6, 6, 6, 6, 6, 6, 6, 6}},
};
static const struct rfx_quant chroma[PICTURE_QUALITIES] = {
    {{7, 8, 8, 9, 9, 9, 10, 11, 11, 12}},
    {{6, 7, 7, 8, 8, 8, 9, 10, 10, 11}},
    {{6, 6, 6, 6, 6, 6, 6, 6, 6, 7}},
};

const struct rfx_quant *picture_luma(enum picture_quality quality)
{
    return &luma[quality];
}

const struct rfx_quant *picture_chroma(enum picture_quality quality)
{
    return &chroma[quality];
}

struct progressive *progressive_create(void)
{
    return calloc(1, sizeof(struct progressive));
}

void progressive_destroy(struct progressive *p)
{
    free(p);
}

static void block(struct wr *w, uint16_t type, uint32_t len)
{
    wr_u16(w, type);
    wr_u32(w, len);
}

static void put_u32_at(uint8_t *at, size_t v)
{
    struct wr w;
    wr_init(&w, at, at ? 4 : 0);
    wr_u32(&w, (uint32_t)v);
}

/* RFX_COMPONENT_CODEC_QUANT, 2.2.4.2.1.5.2: LL3 HL3, LH3 HH3, HL2 LH2, HH2 HL1, LH1 HH1, low nibble first. */
static void put_quant(struct wr *w, const struct rfx_quant *q)
{
    static const uint8_t order[10] = {0, 2, 1, 3, 5, 4, 6, 8, 7, 9};
    for (int i = 0; i < 10; i += 2)
        wr_u8(w, (uint8_t)(q->v[order[i]] | q->v[order[i + 1]] << 4));
}

static void put_tile(struct progressive *p, const uint8_t *px, size_t stride, const struct box *b,
    enum picture_quality quality, struct wr *w)
{
    int tx = b->x0 / RFX_SIDE, ty = b->y0 / RFX_SIDE, left = tx * RFX_SIDE, top = ty * RFX_SIDE;
    size_t len[3];
    rfx_tile_encode(&p->scratch, px + (size_t)top * stride + (size_t)left * 4, stride, b->x0 - left, b->y0 - top,
        b->x1 - left, b->y1 - top, &luma[quality], &chroma[quality], 1, p->data, len);
    block(w, WBT_TILE_SIMPLE, (uint32_t)(22 + len[0] + len[1] + len[2]));
    wr_u8(w, 0); /* quantisation indices: luma, and one for both chroma */
    wr_u8(w, 1);
    wr_u8(w, 1);
    wr_u16(w, (uint16_t)tx);
    wr_u16(w, (uint16_t)ty);
    wr_u8(w, 0);
    for (int i = 0; i < 3; i++)
        wr_u16(w, (uint16_t)len[i]);
    wr_u16(w, 0);
    wr_bytes(w, p->data, len[0] + len[1] + len[2]);
}

static void put_head(struct progressive *p, struct wr *w)
{
    block(w, WBT_SYNC, 12);
    wr_u32(w, 0xCACCACCA);
    wr_u16(w, 0x0100);
    block(w, WBT_CONTEXT, 10);
    wr_u8(w, 0);
    wr_u16(w, RFX_SIDE);
    wr_u8(w, 0);
    block(w, WBT_FRAME_BEGIN, 12);
    wr_u32(w, p->frame++);
    wr_u16(w, 1);
}

static void put_boxes(struct wr *w, const struct box *boxes, int n)
{
    for (int i = 0; i < n; i++) {
        wr_u16(w, (uint16_t)boxes[i].x0);
        wr_u16(w, (uint16_t)boxes[i].y0);
        wr_u16(w, (uint16_t)(boxes[i].x1 - boxes[i].x0));
        wr_u16(w, (uint16_t)(boxes[i].y1 - boxes[i].y0));
    }
}

static bool same_tile(const struct box *a, const struct box *b)
{
    return a->x0 / RFX_SIDE == b->x0 / RFX_SIDE && a->y0 / RFX_SIDE == b->y0 / RFX_SIDE;
}

static uint16_t put_tiles(struct progressive *p, const uint8_t *px, size_t stride, const struct box *boxes, int n,
    enum picture_quality quality, struct wr *w)
{
    uint16_t tiles = 0;
    for (int i = 0; i < n; tiles++) {
        struct box all = boxes[i++];
        while (i < n && same_tile(&all, &boxes[i]))
            box_add(&all, &boxes[i++]);
        put_tile(p, px, stride, &all, quality, w);
    }
    return tiles;
}

int progressive_encode(struct progressive *p, const uint8_t *px, size_t stride, const struct box *boxes, int n,
    enum picture_quality quality, struct wr *w)
{
    if (n < 1 || n > PROGRESSIVE_TILES_MAX || quality >= PICTURE_QUALITIES)
        return -EINVAL;
    put_head(p, w);
    size_t region = w->len;
    wr_u16(w, WBT_REGION);
    uint8_t *region_len = wr_reserve(w, 4);
    wr_u8(w, RFX_SIDE);
    wr_u16(w, (uint16_t)n);
    wr_u8(w, 2);
    wr_u8(w, 0);
    wr_u8(w, 0);
    uint8_t *count = wr_reserve(w, 2), *tiles_len = wr_reserve(w, 4);
    put_boxes(w, boxes, n);
    put_quant(w, &luma[quality]);
    put_quant(w, &chroma[quality]);
    size_t start = w->len;
    uint16_t tiles = put_tiles(p, px, stride, boxes, n, quality, w);
    if (w->bad)
        return -EMSGSIZE;
    count[0] = (uint8_t)tiles;
    count[1] = (uint8_t)(tiles >> 8);
    put_u32_at(tiles_len, w->len - start);
    put_u32_at(region_len, w->len - region);
    block(w, WBT_FRAME_END, 6);
    return w->bad ? -EMSGSIZE : 0;
}
