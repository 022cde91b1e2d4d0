/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's bitmap cache as we filled it: content hash to slot. Clients do not enforce the limits of MS-RDPEGFX 3.3.1.4 (100 MB and
 * 25600 slots, or 16 MB and 4096), so they are counted here.
 */
#ifndef ORIEL_CODECS_CACHE_H
#define ORIEL_CODECS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_SLOTS 25600
#define CACHE_SLOTS_SMALL 4096
#define CACHE_BYTES ((size_t)100 << 20)
#define CACHE_BYTES_SMALL ((size_t)16 << 20)

struct cache {
    unsigned limit;                   /* slots 1 … limit */
    size_t bytes_limit, bytes;
    struct { uint64_t key; uint32_t bytes; int32_t next; bool warm; } *slots; /* key 0: empty */
    int32_t *heads;
    unsigned hand;                    /* where the search for a victim goes on */
    unsigned filled;                  /* slots ever used: those above are empty */
};

int cache_init(struct cache *c, bool small); /* 0 or -ENOMEM */
void cache_finish(struct cache *c);
/* The client's cache is empty again. */
void cache_reset(struct cache *c);
/* The slot, or 0. */
uint16_t cache_find(struct cache *c, uint64_t key);
/* The slot, in use until now, is evicted. */
void cache_forget(struct cache *c, uint16_t slot);
/* Is there room without evicting anything? */
bool cache_fits(const struct cache *c, uint32_t bytes);
/* A slot for new content of `bytes`. Slots that must be evicted first come one by one in *evict (call again while it returns 0 and
 * *evict is not 0). Returns the slot, 0: evict that one and ask again, or nothing fits. */
uint16_t cache_room(struct cache *c, uint64_t key, uint32_t bytes, uint16_t *evict);

#endif
