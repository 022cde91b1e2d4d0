/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures as RemoteFX Progressive bitmap streams (MS-RDPEGFX 2.2.4.2) of simple tiles, in quality steps: a later step
 * replaces a tile by a finer one. Tiles lie on the surface's 64x64 grid; of each only its rectangle is drawn.
 *
 * Why not first and upgrade passes (2.2.4.2.1.6): a first pass must cut magnitudes off for the upgrade to add their
 * lower bits, and decoders (libfreerdp 3.10) put nothing in their place, so that the picture seen first is 3 dB worse
 * for 13 % fewer bytes (measured: 40.1 dB at 0.45 bits a pixel where rounding has 43.3 at 0.52). What they would save
 * is at most the coarse step's bytes: 0.5 of 4.9 bits a pixel with grain. Coefficients would have to be kept, or a tile
 * that was copied be sent anew. The finest step (6 for all bands, decoders refuse less) is 45.5 dB on photographs, 43
 * where each colour has grain of its own: beyond that is exact. */
#ifndef ORIEL_CODECS_PICTURE_PROGRESSIVE_H
#define ORIEL_CODECS_PICTURE_PROGRESSIVE_H

#include "codecs/change/compare.h"
#include "codecs/picture/rfx_tile.h"
#include "common/wire.h"

enum picture_quality { PICTURE_MOVING, PICTURE_COARSE, PICTURE_FINE, PICTURE_QUALITIES };
#define PROGRESSIVE_TILES_MAX 256 /* a stream; larger areas take several */
#define PROGRESSIVE_BYTES(tiles) (128 + (size_t)(tiles) * (RFX_TILE_BYTES + 32))

struct progressive;
struct progressive *progressive_create(void); /* NULL: out of memory */
void progressive_destroy(struct progressive *p);
/* Append a stream that draws `boxes` (each within one tile of the grid, those of one tile together) of a surface's
 * picture (`px` is the surface's first pixel). Returns 0, -EINVAL, -EMSGSIZE (PROGRESSIVE_BYTES is always enough). */
int progressive_encode(struct progressive *p, const uint8_t *px, size_t stride, const struct box *boxes, int n,
    enum picture_quality quality, struct wr *w);

/* The quantisation of a step, for other framings. */
const struct rfx_quant *picture_luma(enum picture_quality quality);
const struct rfx_quant *picture_chroma(enum picture_quality quality);

#endif
