/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/engine/cache.h"

#include "codecs/engine/siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADS 32768
#define FRACTION 8 /* of what is to be stored: shorter entries are little */

enum { FOR_CONTENT, FOR_NAMING }; /* what a value derived from the salt is for */

static uint64_t derive(const uint64_t salt[2], uint64_t purpose, uint64_t number)
{
    const uint64_t words[] = {purpose, number};
    return siphash(salt, words, 2);
}

static void set_salt(struct cache *c, const uint8_t bytes[CACHE_SALT_BYTES])
{
    uint64_t salt[2];
    memcpy(salt, bytes, sizeof salt);
    for (size_t i = 0; i < sizeof c->content.words / 8; i++) {
        uint64_t v = derive(salt, FOR_CONTENT, i);
        c->content.words[2 * i] = (uint32_t)v;
        c->content.words[2 * i + 1] = (uint32_t)(v >> 32);
    }
    c->naming[0] = derive(salt, FOR_NAMING, 0);
    c->naming[1] = derive(salt, FOR_NAMING, 1);
}

int cache_init(struct cache *c, bool small, const uint8_t salt[CACHE_SALT_BYTES])
{
    memset(c, 0, sizeof *c);
    set_salt(c, salt);
    c->limit = small ? CACHE_SLOTS_SMALL : CACHE_SLOTS;
    c->bytes_limit = small ? CACHE_BYTES_SMALL : CACHE_BYTES;
    c->slots = calloc(c->limit + 1, sizeof *c->slots);
    c->heads = calloc(HEADS, sizeof *c->heads);
    if (!c->slots || !c->heads) {
        cache_finish(c);
        return -ENOMEM;
    }
    cache_reset(c);
    return 0;
}

void cache_finish(struct cache *c)
{
    free(c->slots);
    free(c->heads);
    memset(c, 0, sizeof *c);
}

void cache_reset(struct cache *c)
{
    memset(c->slots, 0, (c->limit + 1) * sizeof *c->slots);
    memset(c->heads, 0, HEADS * sizeof *c->heads); /* slot 0 does not exist: it ends a chain */
    c->bytes = 0;
    c->filled = 0;
    c->emptied = 0;
    c->used = 0;
    c->hand = 1;
}

struct cache_name cache_name(const struct cache *c, const struct compare_ops *ops, const uint8_t *px, size_t stride,
    int width, int height)
{
    struct cache_name n = {.size = (uint64_t)width << 16 | (uint64_t)height};
    ops->hash(&c->content, px, stride, width, height, n.hash);
    return n;
}

uint64_t cache_key(const struct cache *c, const struct cache_name *name, uint8_t quality)
{
    const uint64_t words[] = {name->hash[0], name->hash[1], name->size << 8 | quality};
    uint64_t key = siphash(c->naming, words, 3);
    return key ? key : 1;
}

uint16_t cache_find(struct cache *c, uint64_t key)
{
    int32_t i = c->heads[key % HEADS];
    while (i && c->slots[i].key != key)
        i = c->slots[i].next;
    if (i)
        c->slots[i].warm = true;
    return (uint16_t)i;
}

void cache_forget(struct cache *c, uint16_t slot)
{
    int32_t *link = &c->heads[c->slots[slot].key % HEADS];
    while (*link && *link != slot)
        link = &c->slots[*link].next;
    if (*link)
        *link = c->slots[slot].next;
    c->bytes -= c->slots[slot].bytes;
    memset(&c->slots[slot], 0, sizeof c->slots[slot]);
    c->slots[slot].next = c->emptied;
    c->emptied = slot;
    c->used--;
}

/* The clock: what was used since the hand came by last gets another round. Nothing shorter than `least`. */
static uint16_t victim(struct cache *c, uint32_t least)
{
    for (unsigned i = 0; i < 2 * c->filled; i++) {
        unsigned at = c->hand;
        c->hand = c->hand >= c->filled ? 1 : c->hand + 1;
        if (c->slots[at].key == 0 || c->slots[at].bytes < least)
            continue;
        if (!c->slots[at].warm)
            return (uint16_t)at;
        c->slots[at].warm = false;
    }
    return 0;
}

static uint16_t empty_slot(struct cache *c)
{
    int32_t slot = c->emptied;
    if (slot == 0)
        return c->filled < c->limit ? (uint16_t)++c->filled : 0;
    c->emptied = c->slots[slot].next;
    return (uint16_t)slot;
}

bool cache_fits(const struct cache *c, uint32_t bytes)
{
    return c->used < c->limit && bytes <= c->bytes_limit - c->bytes;
}

bool cache_fits_well(const struct cache *c, uint32_t bytes)
{
    return c->used + CACHE_SPARE_SLOTS < c->limit && bytes + CACHE_SPARE_BYTES <= c->bytes_limit - c->bytes;
}

/* What frees next to nothing stays: of forty letters or one tile the letters are worth more. */
uint16_t cache_evict(struct cache *c, uint32_t bytes)
{
    uint16_t slot = victim(c, bytes / FRACTION);
    slot = slot ? slot : victim(c, 0);
    if (slot)
        cache_forget(c, slot);
    return slot;
}

uint16_t cache_room(struct cache *c, uint64_t key, uint32_t bytes, uint16_t *evict)
{
    *evict = 0;
    if (bytes > c->bytes_limit)
        return 0;
    uint16_t slot = c->bytes + bytes <= c->bytes_limit ? empty_slot(c) : 0;
    if (slot == 0) {
        *evict = cache_evict(c, bytes);
        return 0;
    }
    c->slots[slot].key = key;
    c->slots[slot].bytes = bytes;
    c->slots[slot].next = c->heads[key % HEADS];
    c->heads[key % HEADS] = slot;
    c->bytes += bytes;
    c->used++;
    return slot;
}
