/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pixel as pictures hold it: four bytes, B G R X, at any address. */
#ifndef ORIEL_CODECS_PIXEL_H
#define ORIEL_CODECS_PIXEL_H

#include <stdint.h>
#include <string.h>

static inline uint32_t pixel(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

#endif
