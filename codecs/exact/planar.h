/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RDP 6.0 planar bitmaps (MS-RDPEGDI 2.2.2.5.1 and 3.1.9), lossless, without alpha: run-length coded planes where that
 * is smaller than raw ones. Used by RDPGFX_CODECID_PLANAR (top-down) and by 32 bpp bitmap updates (bottom-up). */
#ifndef ORIEL_CODECS_EXACT_PLANAR_H
#define ORIEL_CODECS_EXACT_PLANAR_H

#include "common/wire.h"

#define PLANAR_WIDTH_MAX 2048
#define PLANAR_BYTES(width, height) (2 + 3 * (size_t)(width) * (size_t)(height))

/* Append the bitmap of BGRX pixels to `w`. Needs at most PLANAR_BYTES of room. Returns 0, -EINVAL (too wide),
 * -EMSGSIZE. */
int planar_encode(struct wr *w, const uint8_t *px, size_t stride, int width, int height, bool bottom_up);

#endif
