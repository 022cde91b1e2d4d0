/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/outq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An empty queue keeps this much: a frame of ordinary size does not allocate */
#define OUTQ_KEEP (256 * 1024)
#define OUTQ_FIRST 16384

void outq_init(struct outq *q, size_t max)
{
    *q = (struct outq){.max = max};
}

void outq_finish(struct outq *q)
{
    if (q->buf)
        explicit_bzero(q->buf, q->cap);
    free(q->buf);
    *q = (struct outq){.max = q->max};
}

static int outq_grow(struct outq *q, size_t need)
{
    size_t cap = q->cap ? q->cap : OUTQ_FIRST;
    while (cap < need)
        cap *= 2;
    uint8_t *p = realloc(q->buf, cap);
    if (!p)
        return -ENOMEM;
    q->buf = p;
    q->cap = cap;
    return 0;
}

int outq_add(struct outq *q, const void *data, size_t len)
{
    if (len > q->max - q->len)
        return -ENOBUFS;
    if (len == 0)
        return 0;
    if (q->start && q->start + q->len + len > q->cap) {
        memmove(q->buf, q->buf + q->start, q->len);
        q->start = 0;
    }
    if (q->len + len > q->cap) {
        int r = outq_grow(q, q->len + len);
        if (r < 0)
            return r;
    }
    memcpy(q->buf + q->start + q->len, data, len);
    q->len += len;
    return 0;
}

void outq_set_front(struct outq *q, const void *data, size_t len)
{
    memcpy(q->buf + q->start, data, len < q->len ? len : q->len);
}

void outq_drop(struct outq *q, size_t len)
{
    if (len > q->len)
        len = q->len;
    q->start += len;
    q->len -= len;
    if (q->len)
        return;
    q->start = 0;
    if (q->cap > OUTQ_KEEP) {
        free(q->buf);
        q->buf = NULL;
        q->cap = 0;
    }
}
