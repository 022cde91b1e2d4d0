/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/wire/zgfx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BULK_RDP8 = 0x04, BULK_COMPRESSED = 0x20 };
#define BUCKET_BITS 14
/* A cache line: who looks for a match waits for memory once, and as many positions as the window has */
#define BUCKET_WAYS 16
#define WINDOW_BITS 18
#define TAG_BITS (32 - WINDOW_BITS)
#define CHAIN_MAX 6                 /* candidates looked at */
#define SHORT_BYTES 1024            /* a key's echo: there the time does not count, */
#define SHORT_CHAIN_MAX BUCKET_WAYS /* but each byte comes with every key */
/* Bytes that are worked on while a bucket comes from memory */
#define AHEAD 16
#define MATCH_MIN 3
/* What is looked up: matches of three bytes alone are not found, and gain little */
#define HASH_BYTES 4
/* Points and pixels: what is the same in the next one may be three bytes only */
#define RECORD_BYTES 4
#define GOOD_MATCH 64 /* long enough not to look further */
/* Long enough not to try whether a longer one starts a byte later */
#define LAZY_MATCH 16
#define HISTORY_BYTES (2 * ZGFX_WINDOW)
#define POSITION_MAX 0x70000000u /* positions start over before they could wrap */

struct code {
    uint8_t bits;
    uint16_t value;
};
struct distance_code {
    uint32_t base;
    uint8_t bits;
    uint16_t prefix;
    uint8_t extra;
};

_Static_assert(ZGFX_WINDOW == 1u << WINDOW_BITS, "an entry names any position of the window");

/* Where four bytes were last, the latest first: of each the position's lowest bits, above them a tag of the bytes, so
 * that few others are looked at. An entry is a guess: what is there now decides. */
struct bucket {
    _Alignas(64) uint32_t entries[BUCKET_WAYS];
};

struct zgfx {
    uint8_t history[HISTORY_BYTES];
    struct bucket buckets[1u << BUCKET_BITS];
    uint32_t base; /* position of history[0] */
    uint32_t end;  /* position after the last byte */
    struct code literals[256];
};

/* 3.1.9.1.2, the code table: match distances and the literals that have codes of their own. */
static const struct distance_code distance_codes[] = {
    {0, 5, 17, 5},
    {32, 5, 18, 7},
    {160, 5, 19, 9},
    {672, 5, 20, 10},
    {1696, 5, 21, 12},
    {5792, 6, 44, 14},
    {22176, 6, 45, 15},
    {54944, 7, 92, 18},
    {317088, 7, 93, 20},
    {1365664, 8, 188, 20},
};
static const struct {
    uint8_t byte, bits;
    uint16_t value;
} literal_codes[] = {
    {0x00, 5, 24},
    {0x01, 5, 25},
    {0x02, 6, 52},
    {0x03, 6, 53},
    {0xFF, 6, 54},
    {0x04, 7, 110},
    {0x05, 7, 111},
    {0x06, 7, 112},
    {0x07, 7, 113},
    {0x08, 7, 114},
    {0x09, 7, 115},
    {0x0A, 7, 116},
    {0x0B, 7, 117},
    {0x3A, 7, 118},
    {0x3B, 7, 119},
    {0x3C, 7, 120},
    {0x3D, 7, 121},
    {0x3E, 7, 122},
    {0x3F, 7, 123},
    {0x40, 7, 124},
    {0x80, 7, 125},
    {0x0C, 8, 252},
    {0x38, 8, 253},
    {0x39, 8, 254},
    {0x66, 8, 255},
};

struct bits {
    uint8_t *p;
    size_t len, cap;
    uint64_t acc;
    unsigned n;
    bool full;
};

static void put(struct bits *b, uint32_t value, unsigned bits)
{
    b->acc = b->acc << bits | value;
    b->n += bits;
    while (b->n >= 8) {
        if (b->len == b->cap) {
            b->full = true;
            b->n = 0;
            return;
        }
        b->n -= 8;
        b->p[b->len++] = (uint8_t)(b->acc >> b->n);
    }
}

/* Fill the last byte up and say how many of its bits mean nothing. */
static void put_end(struct bits *b)
{
    unsigned unused = b->n ? 8 - b->n : 0;
    put(b, 0, unused);
    put(b, unused, 8);
}

static void put_match(struct bits *b, uint32_t distance, uint32_t len)
{
    size_t i = sizeof distance_codes / sizeof distance_codes[0];
    while (distance < distance_codes[--i].base)
        ;
    put(b, distance_codes[i].prefix, distance_codes[i].bits);
    put(b, distance - distance_codes[i].base, distance_codes[i].extra);
    if (len == MATCH_MIN) {
        put(b, 0, 1);
        return;
    }
    unsigned extra = 31 - (unsigned)__builtin_clz(len); /* 4 … 7: 2 */
    put(b, (1u << extra) - 2, extra);                   /* extra - 1 ones and a zero */
    put(b, len - (1u << extra), extra);
}

struct zgfx *zgfx_create(void)
{
    struct zgfx *z = aligned_alloc(_Alignof(struct zgfx), sizeof *z);
    if (!z)
        return NULL;
    memset(z, 0, sizeof *z);
    for (unsigned i = 0; i < 256; i++)
        z->literals[i] = (struct code){9, (uint16_t)i};
    for (size_t i = 0; i < sizeof literal_codes / sizeof literal_codes[0]; i++)
        z->literals[literal_codes[i].byte] = (struct code){literal_codes[i].bits, literal_codes[i].value};
    return z;
}

void zgfx_destroy(struct zgfx *z)
{
    free(z);
}

void zgfx_reset(struct zgfx *z)
{
    z->base = z->end = 0;
}

/* Append to the history, keeping at least the window before it. Returns the position of data[0]. */
static uint32_t remember(struct zgfx *z, const uint8_t *data, size_t len)
{
    if (z->end > POSITION_MAX)
        zgfx_reset(z);
    uint32_t used = z->end - z->base;
    if (used + len > HISTORY_BYTES) {
        uint32_t drop = used - ZGFX_WINDOW;
        memmove(z->history, z->history + drop, ZGFX_WINDOW);
        z->base += drop;
        used = ZGFX_WINDOW;
    }
    memcpy(z->history + used, data, len);
    uint32_t at = z->end;
    z->end += (uint32_t)len;
    return at;
}

static inline uint32_t bytes_at(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t hash_at(const uint8_t *p)
{
    return bytes_at(p) * 2654435761u;
}

static inline struct bucket *bucket_of(struct zgfx *z, uint32_t hash)
{
    return &z->buckets[hash >> (32 - BUCKET_BITS)];
}

static inline uint32_t tag_of(uint32_t hash)
{
    return hash >> (32 - BUCKET_BITS - TAG_BITS) & ((1u << TAG_BITS) - 1);
}

static inline void insert(struct zgfx *z, const uint8_t *p, uint32_t at)
{
    uint32_t hash = hash_at(p), older[BUCKET_WAYS - 1];
    struct bucket *b = bucket_of(z, hash);
    memcpy(older, b->entries, sizeof older);
    memcpy(b->entries + 1, older, sizeof older);
    b->entries[0] = tag_of(hash) << WINDOW_BITS | at % ZGFX_WINDOW;
}

/* The buckets up to `to` will be wanted soon; those before `from` are on their way. Returns the new `from`. */
static inline uint32_t expect(struct zgfx *z, uint32_t from, uint32_t to)
{
    to = to > z->end - HASH_BYTES ? z->end - HASH_BYTES : to;
    for (; from < to; from++)
        __builtin_prefetch(bucket_of(z, hash_at(z->history + (from - z->base))), 1);
    return from;
}

static inline uint32_t common_length(const uint8_t *a, const uint8_t *b, uint32_t max)
{
    uint32_t n = 0;
    while (n + 8 <= max) {
        uint64_t x, y;
        memcpy(&x, a + n, 8);
        memcpy(&y, b + n, 8);
        if (x != y)
            return n + (uint32_t)__builtin_ctzll(x ^ y) / 8;
        n += 8;
    }
    while (n < max && a[n] == b[n])
        n++;
    return n;
}

struct match {
    uint32_t distance, len;
};

/* A short match far away costs more than its literals. */
static inline bool worth(uint32_t len, uint32_t distance)
{
    return len > MATCH_MIN || (len == MATCH_MIN && distance < 22176);
}

/* The same bytes one record before. */
static struct match find_record(const struct zgfx *z, uint32_t at, uint32_t max)
{
    const uint8_t *p = z->history + (at - z->base);
    uint32_t known = at - z->base < ZGFX_WINDOW ? at - z->base : ZGFX_WINDOW;
    if (known < RECORD_BYTES || (bytes_at(p) ^ bytes_at(p - RECORD_BYTES)) << 8 != 0)
        return (struct match){0, MATCH_MIN - 1};
    return (struct match){RECORD_BYTES, common_length(p, p - RECORD_BYTES, max)};
}

/* The entries of a bucket with this tag, a bit each. */
static inline unsigned candidates(const struct bucket *b, uint32_t tag)
{
    unsigned m = 0;
    for (unsigned i = 0; i < BUCKET_WAYS; i++)
        m |= (unsigned)(b->entries[i] >> WINDOW_BITS == tag) << i;
    return m;
}

/* Better than `best`, anywhere in the window; `best`: there is none. */
static struct match find(struct zgfx *z, uint32_t at, uint32_t max, int chain, struct match best)
{
    const uint8_t *p = z->history + (at - z->base);
    uint32_t hash = hash_at(p), known = at - z->base;
    const struct bucket *b = bucket_of(z, hash);
    for (unsigned m = candidates(b, tag_of(hash)); m && chain > 0; m &= m - 1) {
        uint32_t distance = (at - b->entries[__builtin_ctz(m)]) % ZGFX_WINDOW;
        if (distance == 0 || distance > known)
            continue;
        const uint8_t *q = p - distance;
        chain--;
        if (q[best.len] != p[best.len])
            continue;
        uint32_t n = common_length(p, q, max);
        if (n > best.len && worth(n, distance)) {
            best = (struct match){distance, n};
            if (n >= GOOD_MATCH || n == max)
                break;
        }
    }
    return best;
}

static void insert_range(struct zgfx *z, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to && i + HASH_BYTES <= z->end; i++)
        insert(z, z->history + (i - z->base), i);
}

struct search {
    int chain;
    unsigned idle;       /* searches since the last that found something */
    uint32_t record_end; /* position after the last repeated part of a record */
};

/* Noise is searched with less and less effort. In a row of records (letters' positions) what repeats is found beside
 * it, and what comes after that is a coordinate that is nowhere else. */
static struct match search(struct zgfx *z, uint32_t at, uint32_t left, struct search *s)
{
    struct match record = find_record(z, at, left);
    if (s->chain == CHAIN_MAX && (record.distance || at == s->record_end)) {
        s->record_end = record.distance ? at + record.len : s->record_end;
        return record;
    }
    if (s->idle >= 32 && (at & (s->idle < 256 ? 3 : 15)) != 0) {
        s->idle++;
        return record;
    }
    struct match m = find(z, at, left, s->chain, record);
    s->idle = m.len > record.len ? 0 : s->idle + 1;
    return m;
}

/* Greedy, but one byte may be left behind for a longer match after it. */
static void compress(struct zgfx *z, uint32_t at, struct bits *b)
{
    struct match ahead = {0, 0};
    bool have = false;
    uint32_t expected = at;
    struct search s = {z->end - at <= SHORT_BYTES ? SHORT_CHAIN_MAX : CHAIN_MAX, 0, at - 1};
    while (at < z->end && !b->full) {
        const uint8_t *p = z->history + (at - z->base);
        uint32_t left = z->end - at;
        struct match m = {0, 0};
        expected = expect(z, expected, at + AHEAD);
        if (left > HASH_BYTES) {
            m = have ? ahead : search(z, at, left, &s);
            insert(z, p, at);
            have = false;
            if (m.distance && m.len < LAZY_MATCH && left > HASH_BYTES + 1) {
                ahead = search(z, at + 1, left - 1, &s);
                have = true;
            }
        }
        if (m.distance == 0 || (have && ahead.distance && ahead.len > m.len + 1)) {
            put(b, z->literals[*p].value, z->literals[*p].bits);
            at++;
            continue;
        }
        put_match(b, m.distance, m.len);
        expected = expect(z, expected, at + m.len);
        insert_range(z, at + 1, at + m.len);
        at += m.len;
        have = false;
    }
}

int zgfx_segment(struct zgfx *z, const uint8_t *data, size_t len, bool dense, struct wr *w)
{
    if (len < 1 || len > ZGFX_SEGMENT_BYTES)
        return -EINVAL;
    if (w->bad || w->cap - w->len < len + 1)
        return -EMSGSIZE;
    uint32_t at = remember(z, data, len);
    struct bits b = {.p = w->p + w->len + 1, .cap = len - 1, .full = dense || len < 16};
    if (!b.full) {
        compress(z, at, &b);
        put_end(&b);
    }
    if (b.full) {
        wr_u8(w, BULK_RDP8);
        wr_bytes(w, data, len);
        return 0;
    }
    wr_u8(w, BULK_RDP8 | BULK_COMPRESSED);
    (void)wr_reserve(w, b.len);
    return 0;
}
