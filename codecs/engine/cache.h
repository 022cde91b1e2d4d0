/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's bitmap cache as we filled it: a key of the content to slot. Clients do not enforce the limits of
 * MS-RDPEGFX 3.3.1.4 (100 MB and 25600 slots, or 16 MB and 4096), so they are counted here.
 *
 * A client may keep its cache over sessions, and for every server that its user visits. Keys are therefore secret
 * functions of the content: of the salt, a content's key can neither be computed nor, from other contents' keys, be
 * guessed.
 */
#ifndef ORIEL_CODECS_ENGINE_CACHE_H
#define ORIEL_CODECS_ENGINE_CACHE_H

#include "codecs/change/compare.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_SLOTS 25600
#define CACHE_SLOTS_SMALL 4096
#define CACHE_BYTES ((size_t)100 << 20)
#define CACHE_BYTES_SMALL ((size_t)16 << 20)

#define CACHE_SALT_BYTES 16
/* Kept free by what can wait, so that letters of a page find room while it is drawn: taking some back first is for its
 * end. */
#define CACHE_SPARE_SLOTS 512
#define CACHE_SPARE_BYTES ((size_t)512 << 10)

/* What a picture is called: made once for it, a key of each quality from it. */
struct cache_name {
    uint64_t hash[2], size;
};

struct cache_slot {
    uint64_t key; /* 0: empty */
    uint32_t bytes;
    int32_t next;
    bool warm;
};
struct cache {
    unsigned limit; /* slots 1 … limit */
    size_t bytes_limit, bytes;
    struct cache_slot *slots;
    int32_t *heads;
    unsigned hand;   /* where the search for a victim goes on */
    unsigned filled; /* slots ever used: those above are empty, */
    int32_t emptied; /* and so are these, chained by `next`; 0: none */
    unsigned used;
    struct hash_key content; /* both from the salt */
    uint64_t naming[2];
};

/* 0 or -ENOMEM. */
int cache_init(struct cache *c, bool small, const uint8_t salt[CACHE_SALT_BYTES]);
void cache_finish(struct cache *c);
/* The client's cache is empty again. */
void cache_reset(struct cache *c);
/* The block has at most 64x64 pixels. */
struct cache_name cache_name(const struct cache *c, const struct compare_ops *ops, const uint8_t *px, size_t stride,
    int width, int height);
/* Never 0. An approximation has another key than the exact picture. */
uint64_t cache_key(const struct cache *c, const struct cache_name *name, uint8_t quality);
/* The slot, or 0. */
uint16_t cache_find(struct cache *c, uint64_t key);
/* The slot, in use until now, is evicted. */
void cache_forget(struct cache *c, uint16_t slot);
/* Is there room without evicting anything? */
bool cache_fits(const struct cache *c, uint32_t bytes);
/* The same, and as much as is kept free beside it? */
bool cache_fits_well(const struct cache *c, uint32_t bytes);
/* A slot that was not used for long is evicted to make room for `bytes`, of which more may be needed. Returns it, 0:
 * all are empty. */
uint16_t cache_evict(struct cache *c, uint32_t bytes);
/* A slot for new content of `bytes`. Slots that must be evicted first come one by one in *evict (call again while it
 * returns 0 and *evict is not 0). Returns the slot, 0: evict that one and ask again, or nothing fits. */
uint16_t cache_room(struct cache *c, uint64_t key, uint32_t bytes, uint16_t *evict);

#endif
