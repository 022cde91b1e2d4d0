/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel knows of a TCP connection. */
#ifndef ORIEL_SERVER_PEER_TCP_LINK_H
#define ORIEL_SERVER_PEER_TCP_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_link {
    uint32_t rtt_us, min_rtt_us; /* smoothed, and the least of late; 0 unknown */
    uint64_t acked;              /* bytes that reached the other end's kernel */
    uint64_t bytes_per_second;   /* how fast they did, lately; 0 unknown */
    bool app_limited;            /* it could have been faster: we had no more to send */
};
/* Returns 0, or negative errno where the descriptor is no TCP socket (the door's is not). */
int tcp_link_read(int fd, struct tcp_link *out);

#endif
