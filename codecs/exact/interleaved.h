/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interleaved run-length bitmaps of 16 or 24 bits (MS-RDPBCGR 2.2.9.1.1.3.1.2.4), bottom-up. */
#ifndef ORIEL_CODECS_EXACT_INTERLEAVED_H
#define ORIEL_CODECS_EXACT_INTERLEAVED_H

#include "common/wire.h"

#include <stdbool.h>

#define INTERLEAVED_PIXELS_MAX 4096 /* a 64x64 tile */

/* Append the bitmap; columns beyond `width` up to `padded` repeat the last. Compressed where that is smaller, else raw:
 * *compressed says which. Needs padded * height * bpp / 8 bytes of room. Returns 0, -EINVAL, -EMSGSIZE. */
int interleaved_encode(struct wr *w, const uint8_t *px, size_t stride, int width, int padded, int height, int bpp,
    bool *compressed);

#endif
