/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring of what the client remembers, found again by content: the encoder's view of ClearCodec's V-bar and short V-bar
 * storages (MS-RDPEGFX 3.3.8.1). Content is known by a 64-bit hash; two different bars of equal hash would draw a wrong
 * column, which among 32768 bars happens once in 10^14 lookups. */
#ifndef ORIEL_CODECS_EXACT_VBAR_H
#define ORIEL_CODECS_EXACT_VBAR_H

#include <stdint.h>

#define VBAR_FULL 32768  /* 3.3.8.1: V-bar storage */
#define VBAR_SHORT 16384 /* short V-bar storage */

struct vbar_ring {
    uint32_t size, cursor;
    uint64_t *keys;        /* 0: never filled */
    int32_t *next, *heads; /* chains by key; -1 ends */
};

int vbar_init(struct vbar_ring *r, uint32_t size); /* size: a power of two. 0 or -ENOMEM */
void vbar_finish(struct vbar_ring *r);
void vbar_reset(struct vbar_ring *r);
/* Index in the client's storage or -1. */
int32_t vbar_find(const struct vbar_ring *r, uint64_t key);
/* The client stores a bar at the cursor; both move on. */
void vbar_add(struct vbar_ring *r, uint64_t key);

static inline uint64_t vbar_mix(uint64_t h, uint32_t px)
{
    h = (h ^ px) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

#endif
