/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the next frame may leave and how large it may be. Frames and bytes that the client has not acknowledged are
 * counted against what the link carries. One per client, for all of its surfaces. */
#ifndef ORIEL_CODECS_ENGINE_PACE_H
#define ORIEL_CODECS_ENGINE_PACE_H

#include "codecs/engine/engine.h"

/* Unacknowledged frames that are remembered. Older ones count as acknowledged. */
#define PACE_FRAMES 64

#define PACE_FRAME_MAX (1u << 20) /* bytes of a frame, however fast the link is */

struct pace_frame {
    uint32_t id;
    bool part;
    size_t bytes;
    uint64_t sent_us, delivered, delivered_us;
};
#define PACE_SAMPLES 8
struct pace {
    struct pace_frame flight[PACE_FRAMES];
    unsigned head, count;
    unsigned parts; /* how many of them are of PACE_PART */
    size_t bytes;   /* sum over `flight` */
    bool acks_seen, suspended;
    /* No acknowledgement came for SILENCE_US. A client that used to acknowledge gets one frame in each SILENCE_US until
     * it acknowledges again. A client that never did is held back by the queue alone. */
    bool deaf;
    uint64_t last_ack_us;
    uint32_t rtt_us;           /* as told; 0 unknown */
    uint32_t bytes_per_second; /* as told, or measured from acknowledgements; 0 unknown */
    uint32_t at_least;         /* the link carries this or more */
    bool told;                 /* the rate is known from pace_link: acknowledgements are not measured */
    /* When the link will have sent everything it was given; as exact as the known rate is */
    uint64_t busy_until_us;
    uint64_t delivered, delivered_us; /* bytes acknowledged so far, and when the last of them were */
    uint32_t samples[PACE_SAMPLES];   /* measured delivery rates; the link carries the highest of them */
    unsigned nsamples;
    size_t waiting; /* bytes that have not reached the client's host */
    unsigned interval_us;
    uint64_t next_us;       /* when the frame rate's ceiling allows the next frame */
    uint64_t next_small_us; /* when it allows the next small update */
};
/* The link's rate in bytes a second. Where the link was never seen full, a lower bound. 0: nothing is known. */
static inline uint32_t pace_rate(const struct pace *p)
{
    return p->bytes_per_second ? p->bytes_per_second : p->at_least;
}

enum pace_kind {
    PACE_WHOLE,      /* everything that waited */
    PACE_CUT,        /* some of it: the budget was used up */
    PACE_SMALL,      /* only a few tiles */
    PACE_PART,       /* part of a picture that a later frame shows */
    PACE_REFINEMENT, /* only better quality, or cache work */
};

void pace_init(struct pace *p, unsigned max_frame_rate);
/* The client starts over: nothing is in flight. */
void pace_reset(struct pace *p);
/* A frame begins: the frame rate counts from here. */
void pace_clock(struct pace *p, enum pace_kind kind, uint64_t now_us);
/* A frame left; id 0 is never acknowledged. */
void pace_sent(struct pace *p, uint32_t id, size_t bytes, enum pace_kind kind, uint64_t now_us);
/* Unknown ids are ignored. */
void pace_ack(struct pace *p, uint32_t id, uint32_t queue_depth, uint64_t now_us);
void pace_link(struct pace *p, const struct engine_link_state *link);
/* 0: a frame may leave now. >0: ask again after so many microseconds. `small`: an update of a few tiles. It may
 * overtake large frames: it has a frame rate of its own, and may leave when the link is full already. */
int64_t pace_wait(struct pace *p, bool small, uint64_t now_us);
/* Microseconds until the next part of a film's picture should follow the one before. It follows just before the link
 * would be idle: until then small updates may go first. 0: now. */
int64_t pace_part_wait(const struct pace *p, uint64_t now_us);
/* The client used to acknowledge, and has stopped although frames wait for it. */
bool pace_stopped(const struct pace *p, uint64_t now_us);
/* How many bytes the next frame may have. The link is busy with them for some milliseconds: the frame after it waits no
 * longer. At least a floor that keeps the picture moving, at most PACE_FRAME_MAX. */
size_t pace_budget(const struct pace *p);

#endif
