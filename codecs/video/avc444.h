/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Full colour by H.264: MS-RDPEGFX 3.3.8.3.3, the second version of AVC444. A picture in 4:4:4 is two in 4:2:0: the
 * first is what AVC420 would have, the second holds the chroma that the first left out. */
#ifndef ORIEL_CODECS_VIDEO_AVC444_H
#define ORIEL_CODECS_VIDEO_AVC444_H

#include "codecs/video/yuv.h"

/* The second picture, of the same size as the first (multiples of 16); beyond `width` x `height` the last column and
 * row repeat. `plain` as in yuv.h. */
void avc444_chroma_from_bgrx(const struct yuv *out, const uint8_t *px, size_t stride, int width, int height,
    bool plain);

/* What 4:2:0 alone would lose: mean squared error of U and V in each pixel, estimated from a sixty-fourth of the
 * pixels. */
unsigned avc444_loss(const uint8_t *px, size_t stride, int width, int height);

#endif
