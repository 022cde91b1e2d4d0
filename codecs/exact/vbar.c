/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/vbar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int vbar_init(struct vbar_ring *r, uint32_t size)
{
    memset(r, 0, sizeof *r);
    r->size = size;
    r->keys = calloc(size, sizeof *r->keys);
    r->next = calloc(size, sizeof *r->next);
    r->heads = calloc(size, sizeof *r->heads);
    if (!r->keys || !r->next || !r->heads) {
        vbar_finish(r);
        return -ENOMEM;
    }
    vbar_reset(r);
    return 0;
}

void vbar_finish(struct vbar_ring *r)
{
    free(r->keys);
    free(r->next);
    free(r->heads);
    memset(r, 0, sizeof *r);
}

void vbar_reset(struct vbar_ring *r)
{
    memset(r->keys, 0, r->size * sizeof *r->keys);
    memset(r->heads, 0xFF, r->size * sizeof *r->heads);
    r->cursor = 0;
}

static uint32_t bucket(const struct vbar_ring *r, uint64_t key)
{
    return (uint32_t)(key >> 32) & (r->size - 1);
}

int32_t vbar_find(const struct vbar_ring *r, uint64_t key)
{
    int32_t i = r->heads[bucket(r, key)];
    while (i >= 0 && r->keys[i] != key)
        i = r->next[i];
    return i;
}

static void unlink_at(struct vbar_ring *r, uint32_t at)
{
    int32_t *link = &r->heads[bucket(r, r->keys[at])];
    while (*link >= 0 && *link != (int32_t)at)
        link = &r->next[*link];
    if (*link >= 0)
        *link = r->next[at];
}

void vbar_add(struct vbar_ring *r, uint64_t key)
{
    uint32_t at = r->cursor;
    if (r->keys[at])
        unlink_at(r, at);
    uint32_t b = bucket(r, key);
    r->keys[at] = key ? key : 1;
    r->next[at] = r->heads[b];
    r->heads[b] = (int32_t)at;
    r->cursor = (at + 1) & (r->size - 1);
}
