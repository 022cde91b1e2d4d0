/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/picture/rfx_message.h"

#include <errno.h>

enum {
    WBT_SYNC = 0xCCC0,
    WBT_CODEC_VERSIONS = 0xCCC1,
    WBT_CHANNELS = 0xCCC2,
    WBT_CONTEXT = 0xCCC3,
    WBT_FRAME_BEGIN = 0xCCC4,
    WBT_FRAME_END = 0xCCC5,
    WBT_REGION = 0xCCC6,
    WBT_EXTENSION = 0xCCC7,
    CBT_REGION = 0xCAC1,
    CBT_TILESET = 0xCAC2,
    CBT_TILE = 0xCAC3,
};
enum { CODEC_ID = 1, CHANNEL_ID = 0, CONTEXT_CHANNEL = 0xFF };

static void block(struct wr *w, uint16_t type, uint32_t len)
{
    wr_u16(w, type);
    wr_u32(w, len);
}

static void channel_block(struct wr *w, uint16_t type, uint32_t len, uint8_t channel)
{
    block(w, type, len);
    wr_u8(w, CODEC_ID);
    wr_u8(w, channel);
}

static void put_headers(struct wr *w, int entropy, int width, int height)
{
    block(w, WBT_SYNC, 12);
    wr_u32(w, 0xCACCACCA);
    wr_u16(w, 0x0100);
    channel_block(w, WBT_CONTEXT, 13, CONTEXT_CHANNEL);
    wr_u8(w, 0);
    wr_u16(w, RFX_SIDE);
    /* video mode, ICT, 5/3 wavelet, entropy coder, scalar quantisation */
    wr_u16(w, (uint16_t)(1 << 3 | 1 << 5 | (entropy == 1 ? 1 : 4) << 9 | 1 << 13));
    block(w, WBT_CODEC_VERSIONS, 10);
    wr_u8(w, 1);
    wr_u8(w, CODEC_ID);
    wr_u16(w, 0x0100);
    block(w, WBT_CHANNELS, 12);
    wr_u8(w, 1);
    wr_u8(w, CHANNEL_ID);
    wr_u16(w, (uint16_t)width);
    wr_u16(w, (uint16_t)height);
}

static void put_region(struct rfx_stream *s, struct wr *w, int width, int height)
{
    channel_block(w, WBT_FRAME_BEGIN, 14, CHANNEL_ID);
    wr_u32(w, s->frame++);
    wr_u16(w, 1);
    channel_block(w, WBT_REGION, 15 + 8, CHANNEL_ID);
    wr_u8(w, 1);
    wr_u16(w, 1);
    wr_u16(w, 0);
    wr_u16(w, 0);
    wr_u16(w, (uint16_t)width);
    wr_u16(w, (uint16_t)height);
    wr_u16(w, CBT_REGION);
    wr_u16(w, 1);
}

static void put_quant(struct wr *w, const struct rfx_quant *q)
{
    for (int i = 0; i < 10; i += 2)
        wr_u8(w, (uint8_t)(q->v[i] | q->v[i + 1] << 4));
}

static void put_tileset(struct rfx_stream *s, enum picture_quality quality, int entropy, const size_t len[3],
    struct wr *w)
{
    uint32_t tile = (uint32_t)(19 + len[0] + len[1] + len[2]);
    channel_block(w, WBT_EXTENSION, 22 + 10 + tile, CHANNEL_ID);
    wr_u16(w, CBT_TILESET);
    wr_u16(w, 0);
    wr_u16(w, (uint16_t)(1 | 1 << 4 | 1 << 6 | (entropy == 1 ? 1 : 4) << 10 | 1 << 14));
    wr_u8(w, 2);
    wr_u8(w, RFX_SIDE);
    wr_u16(w, 1);
    wr_u32(w, tile);
    put_quant(w, picture_luma(quality));
    put_quant(w, picture_chroma(quality));
    block(w, CBT_TILE, tile);
    wr_u8(w, 0);
    wr_u8(w, 1);
    wr_u8(w, 1);
    wr_u16(w, 0);
    wr_u16(w, 0);
    for (int i = 0; i < 3; i++)
        wr_u16(w, (uint16_t)len[i]);
    wr_bytes(w, s->data, len[0] + len[1] + len[2]);
}

int rfx_message(struct rfx_stream *s, const uint8_t *px, size_t stride, int width, int height,
    enum picture_quality quality, int entropy, int screen_width, int screen_height, struct wr *w)
{
    size_t len[3];
    rfx_tile_encode(&s->scratch, px, stride, 0, 0, width, height, picture_luma(quality), picture_chroma(quality),
        entropy, s->data, len);
    if (!s->headed)
        put_headers(w, entropy, screen_width, screen_height);
    s->headed = true;
    put_region(s, w, width, height);
    put_tileset(s, quality, entropy, len, w);
    channel_block(w, WBT_FRAME_END, 8, CHANNEL_ID);
    return w->bad ? -EMSGSIZE : 0;
}
