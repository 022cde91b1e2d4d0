/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the client's bitmap cache holds: which slot has which content, found by a key of the content. Clients do not
 * enforce the limits of MS-RDPEGFX 3.3.1.4 (100 MB and 25600 slots, or 16 MB and 4096), so they are counted here.
 *
 * A client may keep its cache between sessions and share it among servers. So a key must not tell what the content is:
 * without the salt nobody can compute a content's key, or guess it from other keys.
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
/* Room that storing tiles leaves free. Glyphs of a page are stored there while it is drawn, and nothing has to be
 * evicted in its middle. */
#define CACHE_SPARE_SLOTS 512
#define CACHE_SPARE_BYTES ((size_t)512 << 10)

/* A hash of a block's content. The key of each quality is made from it. */
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
    unsigned hand;   /* where the next search for a slot to evict begins */
    unsigned filled; /* the highest slot ever used: those above are empty */
    int32_t emptied; /* the first of the empty slots up to there, chained by `next`; 0: none */
    unsigned used;
    struct hash_key content; /* hashes pixels; from the salt */
    uint64_t naming[2];      /* makes keys of hashes; from the salt */
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
/* This slot, which is in use, is empty from now on. The caller tells the client (GFX_EVICT). */
void cache_forget(struct cache *c, uint16_t slot);
/* Is there room for `bytes` without evicting anything? */
bool cache_fits(const struct cache *c, uint32_t bytes);
/* Is there room for `bytes`, and is CACHE_SPARE_* still free beside it? */
bool cache_fits_well(const struct cache *c, uint32_t bytes);
/* Evict a slot that was not used for long, to make room for `bytes`; one may not be enough. Returns the slot; 0: all
 * are empty. */
uint16_t cache_evict(struct cache *c, uint32_t bytes);
/* Take a slot for new content of `bytes`. Returns the slot. 0 with *evict set: that slot was evicted to make room, call
 * again. 0 with *evict 0: the content is larger than the cache. */
uint16_t cache_room(struct cache *c, uint64_t key, uint32_t bytes, uint16_t *evict);

#endif
