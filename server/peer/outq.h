/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A queue of bytes on their way out: one contiguous buffer, appended at the end, consumed at the start. */
#ifndef ORIEL_SERVER_PEER_OUTQ_H
#define ORIEL_SERVER_PEER_OUTQ_H

#include <stddef.h>
#include <stdint.h>

struct outq {
    uint8_t *buf;
    size_t start, len, cap; /* the bytes are buf[start … start + len) */
    size_t max;             /* ceiling of len */
};

/* Allocates nothing. */
void outq_init(struct outq *q, size_t max);
/* Frees and wipes. */
void outq_finish(struct outq *q);
/* Returns 0, -ENOBUFS (over the ceiling, nothing was added), -ENOMEM. */
int outq_add(struct outq *q, const void *data, size_t len);
/* The bytes at the front; valid until the next call. */
static inline const uint8_t *outq_front(const struct outq *q)
{
    return q->buf + q->start;
}
/* Write over the first `len` bytes (at most what is there). */
void outq_set_front(struct outq *q, const void *data, size_t len);
/* Drop `len` bytes at the front (at most what is there). A large empty buffer goes back to the system. */
void outq_drop(struct outq *q, size_t len);

#endif
