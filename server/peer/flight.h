/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose the bytes are that are on their way: written to the stream, and not acknowledged by the client's host. Pure. */
#ifndef ORIEL_SERVER_PEER_FLIGHT_H
#define ORIEL_SERVER_PEER_FLIGHT_H

#include "server/peer/traffic.h"

#include <stddef.h>
#include <stdint.h>

/* Records of one class in a row are one run. A link of 1 Gbit/s and 100 ms holds 800 records, a third of which may be
 * of other classes than the one before. */
#define FLIGHT_RUNS 256

struct flight_run {
    uint64_t end; /* the stream's offset after it */
    enum traffic_class traffic;
};
/* All zero is a stream on which nothing was written. */
struct flight {
    struct flight_run runs[FLIGHT_RUNS];
    unsigned head, count;
    uint64_t written, acked;       /* offsets in the stream */
    size_t bytes[TRAFFIC_CLASSES]; /* between the two */
};

/* So many bytes more were written. Where there are too many runs, the oldest counts as the next one's. */
void flight_written(struct flight *f, enum traffic_class traffic, size_t bytes);
/* All before this offset arrived; one that was told already, or lies behind what was written, changes nothing more. */
void flight_acked(struct flight *f, uint64_t offset);
static inline size_t flight_total(const struct flight *f)
{
    return (size_t)(f->written - f->acked);
}

#endif
