/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much bulk the link takes without making others wait: as much as it delivers in a round trip, and a slice. Pure:
 * time comes in.
 *
 * What the kernel tells of deliveries is not enough here. It keeps the fastest of them for as long as the sender holds
 * itself back, and that may have been a burst: bulk would fill a router's queue by it for ever. So deliveries are
 * counted here, too, over whole round trips. That finds a faster link as well, since a slice more than the link is
 * believed to hold is always on its way, and while that makes it faster, a quarter more. */
#ifndef ORIEL_SERVER_PEER_BULK_PACE_H
#define ORIEL_SERVER_PEER_BULK_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A slice is 10 ms of the link, and all that a key's echo waits for; it holds one chunk at least, and is one record at
 * most. */
#define BULK_SLICE_US 10000u
#define BULK_SLICE_MIN 1600u
#define BULK_SLICE_MAX 16384u
#define BULK_ROUNDS 8 /* a link that got slower is believed after so many round trips */

struct bulk_look {
    uint64_t now_us;
    uint64_t acked;   /* bytes that arrived since the stream began */
    size_t on_way;    /* bytes that are in the kernel or on their way, whatever their class */
    uint32_t rtt_us;  /* the least of late; 0 unknown */
    uint64_t at_most; /* bytes a second: the fastest delivery that the kernel saw; 0 unknown */
};
/* All zero is a link of which nothing is known. */
struct bulk_pace {
    uint64_t rates[BULK_ROUNDS]; /* bytes a second, of the last rounds */
    unsigned nrates;
    unsigned growing;               /* one of the last rounds was faster than all before: the link may carry far more */
    uint64_t round_us, round_acked; /* the present round's begin; 0: none began */
};

/* Look before bulk is sent. Returns how many bytes may leave now, at most a slice; 0: the link is full. */
size_t bulk_pace_room(struct bulk_pace *p, const struct bulk_look *l);
size_t bulk_pace_slice(const struct bulk_pace *p);
/* Where there is no room: when to look again, in microseconds. */
uint64_t bulk_pace_wait(const struct bulk_pace *p, const struct bulk_look *l);

#endif
