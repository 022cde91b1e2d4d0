/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Run-length Golomb-Rice coding of coefficients, MS-RDPRFX 3.1.8.1.7. */
#ifndef ORIEL_CODECS_PICTURE_RFX_RLGR_H
#define ORIEL_CODECS_PICTURE_RFX_RLGR_H

#include <stddef.h>
#include <stdint.h>

/* `entropy`: 1 (RLGR1) or 3 (RLGR3). `n` even. Returns the bytes written; what does not fit `cap` is lost, and then the
 * result is cap. */
size_t rlgr_encode(const int16_t *v, int n, int entropy, uint8_t *out, size_t cap);

#endif
