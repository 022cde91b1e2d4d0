/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much may be in flight: frames and bytes that the client has not acknowledged, against what the link carries. */
#ifndef ORIEL_CODECS_PACE_H
#define ORIEL_CODECS_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_FRAMES 64                /* remembered unacknowledged frames; older ones count as acknowledged */

struct pace_frame { uint32_t id; size_t bytes; uint64_t sent_us, delivered, delivered_us; };
#define PACE_SAMPLES 8
struct pace {
    struct pace_frame flight[PACE_FRAMES];
    unsigned head, count;
    size_t bytes;                     /* sum over flight */
    bool acks_seen, suspended;
    bool deaf;                        /* no acknowledgement for SILENCE: only the queue holds frames back until one comes */
    uint64_t last_ack_us;
    uint32_t rtt_us, bytes_per_second; /* as told, or measured from acknowledgements; 0 unknown */
    uint64_t delivered, delivered_us; /* bytes acknowledged so far, and when the last were */
    uint32_t samples[PACE_SAMPLES];   /* delivery rates; the best of them is what the link carries */
    unsigned nsamples;
    size_t queued;
    unsigned interval_us;
    uint64_t next_us;                 /* no frame before: the frame rate's ceiling */
};

void pace_init(struct pace *p, unsigned max_frame_rate);
/* The client starts over: nothing is in flight. */
void pace_reset(struct pace *p);
/* A frame was begun: the frame rate counts from here. */
void pace_clock(struct pace *p, uint64_t now_us);
/* A frame left; id 0 is never acknowledged. */
void pace_sent(struct pace *p, uint32_t id, size_t bytes, uint64_t now_us);
/* Unknown ids are ignored. */
void pace_ack(struct pace *p, uint32_t id, uint32_t queue_depth, uint64_t now_us);
void pace_link(struct pace *p, uint32_t rtt_us, uint32_t bytes_per_second, size_t queued);
/* 0: a frame may leave now; >0: ask again after so many microseconds; -1: wait for an acknowledgement. `small`: an update of a few
 * tiles, which may overtake what large frames wait for. */
int64_t pace_wait(struct pace *p, bool small, uint64_t now_us);
/* Did acknowledgements that used to come stop, with frames waiting for one? */
bool pace_stopped(const struct pace *p, uint64_t now_us);
/* How many bytes may the next frame have? Never less than a floor that keeps the picture moving. */
size_t pace_budget(const struct pace *p);

#endif
