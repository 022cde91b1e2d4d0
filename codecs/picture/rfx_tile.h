/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One 64x64 RemoteFX tile (MS-RDPRFX 3.1.8): colour transform, three-level wavelet, quantisation, RLGR. The framings
 * around it are progressive.h (graphics pipeline) and rfx_message.h (surface bits). */
#ifndef ORIEL_CODECS_PICTURE_RFX_TILE_H
#define ORIEL_CODECS_PICTURE_RFX_TILE_H

#include <stddef.h>
#include <stdint.h>

#define RFX_SIDE 64
/* No component is longer: 4096 coefficients of at most 4 bytes */
#define RFX_COMPONENT_BYTES 16384
#define RFX_TILE_BYTES (3 * RFX_COMPONENT_BYTES)

/* Steps as powers of two, 6 (finest) … 15, in TS_RFX_CODEC_QUANT order: LL3 LH3 HL3 HH3 LH2 HL2 HH2 LH1 HL1 HH1. */
struct rfx_quant {
    uint8_t v[10];
};
/* Scratch memory; the caller keeps one. */
struct rfx_scratch {
    int16_t plane[3][4096], temp[4096];
};

/* Encode the tile whose first pixel is `px`. Only the pixels x0 … x1 - 1, y0 … y1 - 1 of it are read; the others take
 * the nearest one's colour, which costs least. `entropy` is 1 or 3. `out` has RFX_TILE_BYTES; the components follow
 * each other, their lengths in len[Y, Cb, Cr]. */
void rfx_tile_encode(struct rfx_scratch *s, const uint8_t *px, size_t stride, int x0, int y0, int x1, int y1,
    const struct rfx_quant *luma, const struct rfx_quant *chroma, int entropy, uint8_t *out, size_t len[3]);

#endif
