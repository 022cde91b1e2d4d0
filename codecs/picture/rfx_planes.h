/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pixels of a RemoteFX tile as quantised coefficients: colour transform, wavelet and quantisation
 * (MS-RDPRFX 3.1.8.1.3 to 3.1.8.1.5). */
#ifndef ORIEL_CODECS_PICTURE_RFX_PLANES_H
#define ORIEL_CODECS_PICTURE_RFX_PLANES_H

#include "codecs/picture/rfx_tile.h"

#include <stdbool.h>

/* The steps, in plain C and for processors with AVX2; both give the same numbers for all pixels. */
struct rfx_planes_ops {
    /* 64 pixels of BGRX as Y, Cb and Cr with five fractional bits */
    void (*color_row)(const uint8_t *px, int16_t *y, int16_t *cb, int16_t *cr);
    /* One level in place: HL, LH, HH, LL follow each other, of `half` x `half` each: 32, 16 or 8. `temp` has room for
     * four. */
    void (*wavelet)(int16_t *v, int16_t *temp, int half);
    /* Round `n` (a multiple of 16) values to steps of 2^(step - 1); `dead`: small values rather to zero, they cost most
     * and show least. */
    void (*quantize)(int16_t *v, int n, int step, int dead);
};

extern const struct rfx_planes_ops rfx_planes_avx2; /* where simd.h has HAVE_AVX2_PATH */

/* All 64x64 pixels from `px` on into s->plane; the lowest band as differences. `plain` forces the path that every
 * processor runs. */
void rfx_planes(struct rfx_scratch *s, const uint8_t *px, size_t stride, const struct rfx_quant *luma,
    const struct rfx_quant *chroma, bool plain);

#endif
