/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much the way to the client carries, from what the kernel tells of deliveries. Pure: time comes in.
 *
 * A connection that sends a few kilobytes at a time is never seen at its link's speed: what the kernel measures is a
 * burst in a round trip, and after a loss less. So a faster delivery counts at once, and a slower one only while more
 * waits than the link would hold at the speed that is believed: then it is the link that holds it up. */
#ifndef ORIEL_SERVER_PEER_LINK_RATE_H
#define ORIEL_SERVER_PEER_LINK_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_rate {
    bool full; /* the link was seen full: what is believed is all that it carries */
    /* The fastest deliveries of this span of pressed time and of the one before, bytes a second */
    uint64_t best[2];
    uint64_t pressed_us;             /* how much of this span is over */
    uint64_t looked_us;              /* when it was looked at last, */
    bool pressed;                    /* and was more waiting then than the link would hold? */
    uint64_t full_rate, rounds_best; /* the search for `full`: a full link gets no faster, three round trips long */
    uint64_t round_us;
    unsigned rounds;
};
struct link_look {
    uint64_t now_us;
    uint64_t bytes_per_second; /* the last delivery; 0 unknown */
    bool app_limited;          /* it could have been faster: there was no more to send */
    uint32_t rtt_us;           /* the least of late */
    size_t waiting;            /* bytes written and not acknowledged by the client's kernel */
};

/* All zero is a link of which nothing is known. Returns bytes a second, 0: unknown. */
uint64_t link_rate_look(struct link_rate *r, const struct link_look *l);

#endif
