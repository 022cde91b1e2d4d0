/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/picture/rfx_tile.h"

#include "codecs/picture/rfx_planes.h"
#include "codecs/picture/rfx_rlgr.h"

#include <string.h>

static void pad(uint8_t *out, const uint8_t *px, size_t stride, int x0, int y0, int x1, int y1)
{
    for (int y = 0; y < RFX_SIDE; y++) {
        const uint8_t *row = px + (size_t)(y < y0 ? y0 : y < y1 ? y : y1 - 1) * stride;
        uint8_t *o = out + y * RFX_SIDE * 4;
        for (int x = 0; x < x0; x++)
            memcpy(o + 4 * x, row + 4 * x0, 4);
        memcpy(o + 4 * x0, row + 4 * x0, (size_t)(x1 - x0) * 4);
        for (int x = x1; x < RFX_SIDE; x++)
            memcpy(o + 4 * x, row + 4 * (x1 - 1), 4);
    }
}

void rfx_tile_encode(struct rfx_scratch *s, const uint8_t *px, size_t stride, int x0, int y0, int x1, int y1,
    const struct rfx_quant *luma, const struct rfx_quant *chroma, int entropy, uint8_t *out, size_t len[3])
{
    if (x0 || y0 || x1 < RFX_SIDE || y1 < RFX_SIDE) {
        uint8_t padded[RFX_SIDE * RFX_SIDE * 4];
        pad(padded, px, stride, x0, y0, x1, y1);
        rfx_planes(s, padded, RFX_SIDE * 4, luma, chroma, false);
    } else {
        rfx_planes(s, px, stride, luma, chroma, false);
    }
    for (int i = 0; i < 3; i++) {
        len[i] = rlgr_encode(s->plane[i], 4096, entropy, out, RFX_COMPONENT_BYTES);
        out += len[i];
    }
}
