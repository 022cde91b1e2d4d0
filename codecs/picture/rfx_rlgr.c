/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/picture/rfx_rlgr.h"

#include <endian.h>
#include <string.h>

/* The adaptation's constants, 3.1.8.1.7.1. */
enum { KP_MAX = 80, LSGR = 3, UP_GR = 4, DN_GR = 6, UQ_GR = 3, DQ_GR = 3 };

struct coder {
    uint8_t *p, *end;
    uint64_t acc;
    unsigned n;
    int k, kp, krp;
};

/* At most 32 bits at once. */
static inline void put(struct coder *c, uint32_t value, unsigned bits)
{
    c->acc = c->acc << bits | value;
    c->n += bits;
    if (c->n < 32)
        return;
    c->n -= 32;
    uint32_t word = htobe32((uint32_t)(c->acc >> c->n));
    if (c->end - c->p >= 4) {
        memcpy(c->p, &word, 4);
        c->p += 4;
    }
}

/* The last byte is filled up with zeros. */
static void finish(struct coder *c)
{
    put(c, 0, (8 - c->n % 8) % 8);
    for (; c->n; c->n -= 8)
        if (c->p < c->end)
            *c->p++ = (uint8_t)(c->acc >> (c->n - 8));
}

static void put_ones(struct coder *c, uint32_t n)
{
    for (; n > 16; n -= 16)
        put(c, 0xFFFF, 16);
    put(c, (1u << n) - 1, n);
}

static inline int adapt(int *param, int by)
{
    *param += by;
    *param = *param > KP_MAX ? KP_MAX : *param < 0 ? 0 : *param;
    return *param >> LSGR;
}

static void put_gr(struct coder *c, uint32_t value)
{
    int kr = c->krp >> LSGR;
    uint32_t high = value >> kr;
    if (high < 16) {
        uint32_t ones = ((1u << high) - 1) << 1;
        put(c, ones << kr | (value & ((1u << kr) - 1)), high + 1 + (unsigned)kr);
    } else {
        put_ones(c, high);
        put(c, value & ((1u << kr) - 1), 1 + (unsigned)kr);
    }
    if (high == 0)
        adapt(&c->krp, -2);
    else if (high > 1)
        adapt(&c->krp, (int)(high > KP_MAX ? KP_MAX : high));
}

static int zeros_from(const int16_t *v, int i, int n)
{
    int start = i;
    uint64_t four;
    while (i + 4 <= n && (memcpy(&four, v + i, 8), four == 0))
        i += 4;
    while (i < n && v[i] == 0)
        i++;
    return i - start;
}

/* A run of zeros and the value after it. A run that reaches the end is followed by a value that has no place any more.
 */
static int put_run(struct coder *c, const int16_t *v, int i, int n)
{
    int zeros = zeros_from(v, i, n), value = i + zeros < n ? v[i + zeros] : 1;
    i += zeros + 1;
    while (zeros >= 1 << c->k) {
        put(c, 0, 1);
        zeros -= 1 << c->k;
        c->k = adapt(&c->kp, UP_GR);
    }
    put(c, 1, 1);
    put(c, (uint32_t)zeros, (unsigned)c->k);
    put(c, value < 0, 1);
    put_gr(c, (uint32_t)(value < 0 ? -value : value) - 1);
    c->k = adapt(&c->kp, -DN_GR);
    return i;
}

static inline uint32_t magnitude_sign(int v)
{
    return (uint32_t)(v >= 0 ? 2 * v : -2 * v - 1);
}

static int put_one(struct coder *c, const int16_t *v, int i)
{
    uint32_t m = magnitude_sign(v[i]);
    put_gr(c, m);
    c->k = adapt(&c->kp, m ? -DQ_GR : UQ_GR);
    return i + 1;
}

static int put_two(struct coder *c, const int16_t *v, int i, int n)
{
    uint32_t a = magnitude_sign(v[i]), b = i + 1 < n ? magnitude_sign(v[i + 1]) : 0;
    put_gr(c, a + b);
    if (a + b)
        put(c, a, 32 - (unsigned)__builtin_clz(a + b));
    if (a && b)
        c->k = adapt(&c->kp, -2 * DQ_GR);
    else if (!a && !b)
        c->k = adapt(&c->kp, 2 * UQ_GR);
    return i + 2;
}

size_t rlgr_encode(const int16_t *v, int n, int entropy, uint8_t *out, size_t cap)
{
    struct coder c = {.p = out, .end = out + cap, .k = 1, .kp = 1 << LSGR, .krp = 1 << LSGR};
    for (int i = 0; i < n;)
        i = c.k ? put_run(&c, v, i, n) : entropy == 1 ? put_one(&c, v, i) : put_two(&c, v, i, n);
    finish(&c);
    return (size_t)(c.p - out);
}
