/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures as RemoteFX Progressive bitmap streams (MS-RDPEGFX 2.2.4.2) of simple tiles, in quality steps: a later step replaces a
 * tile by a finer one. Tiles lie on the surface's 64x64 grid; of each only its rectangle is drawn. */
#ifndef ORIEL_CODECS_PROGRESSIVE_H
#define ORIEL_CODECS_PROGRESSIVE_H

#include "codecs/compare.h"
#include "codecs/rfx_tile.h"
#include "common/wire.h"

enum picture_quality { PICTURE_MOVING, PICTURE_COARSE, PICTURE_FINE, PICTURE_QUALITIES };
#define PROGRESSIVE_TILES_MAX 256     /* a stream; larger areas take several */
#define PROGRESSIVE_BYTES(tiles) (128 + (size_t)(tiles) * (RFX_TILE_BYTES + 32))

struct progressive;
struct progressive *progressive_create(void); /* NULL: out of memory */
void progressive_destroy(struct progressive *p);
/* Append a stream that draws `boxes` (each within one tile of the grid, those of one tile together) of a surface's picture (`px` is the
 * surface's first pixel). Returns 0, -EINVAL, -EMSGSIZE (PROGRESSIVE_BYTES is always enough). */
int progressive_encode(struct progressive *p, const uint8_t *px, size_t stride, const struct box *boxes, int n,
                       enum picture_quality quality, struct wr *w);

/* The quantisation of a step, for other framings. */
const struct rfx_quant *picture_luma(enum picture_quality quality);
const struct rfx_quant *picture_chroma(enum picture_quality quality);

#endif
