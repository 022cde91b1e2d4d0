/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much may be in flight: frames and bytes that the client has not acknowledged, against what the link carries. */
#ifndef ORIEL_CODECS_ENGINE_PACE_H
#define ORIEL_CODECS_ENGINE_PACE_H

#include "codecs/engine/engine.h"

/* Remembered unacknowledged frames; older ones count as acknowledged */
#define PACE_FRAMES 64

#define PACE_FRAME_MAX (1u << 20) /* a frame's bytes, whatever the link */

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
    unsigned parts; /* so many of them are parts: nobody sees a picture more for them */
    size_t bytes;   /* sum over flight */
    bool acks_seen, suspended;
    /* No acknowledgement for SILENCE. Who used to acknowledge gets a frame now and then until it does; who never did
     * is held back by the queue alone */
    bool deaf;
    uint64_t last_ack_us;
    uint32_t rtt_us;           /* as told; 0 unknown */
    uint32_t bytes_per_second; /* as told, or measured from acknowledgements; 0 unknown */
    uint32_t at_least;         /* the link carries this or more */
    bool told;                 /* acknowledgements need not be measured */
    /* When the link will have sent what it was given, as far as its speed is known */
    uint64_t busy_until_us;
    uint64_t delivered, delivered_us; /* bytes acknowledged so far, and when the last were */
    uint32_t samples[PACE_SAMPLES];   /* delivery rates; the best of them is what the link carries */
    unsigned nsamples;
    size_t waiting; /* bytes that have not reached the client's host */
    unsigned interval_us;
    uint64_t next_us;       /* whose turn it is, by the frame rate's ceiling */
    uint64_t next_small_us; /* no small update before */
};
/* Bytes a second that the link carries, or, where nobody has seen it full, carries at least; 0: nothing is known. */
static inline uint32_t pace_rate(const struct pace *p)
{
    return p->bytes_per_second ? p->bytes_per_second : p->at_least;
}

/* What a frame was: all that was to be sent, cut off by its budget, only a small update, only what a later frame will
 * show, or only what makes better, or keeps, what is shown. */
enum pace_kind { PACE_WHOLE, PACE_CUT, PACE_SMALL, PACE_PART, PACE_REFINEMENT };

void pace_init(struct pace *p, unsigned max_frame_rate);
/* The client starts over: nothing is in flight. */
void pace_reset(struct pace *p);
/* A frame was begun: the frame rate counts from here. */
void pace_clock(struct pace *p, enum pace_kind kind, uint64_t now_us);
/* A frame left; id 0 is never acknowledged. */
void pace_sent(struct pace *p, uint32_t id, size_t bytes, enum pace_kind kind, uint64_t now_us);
/* Unknown ids are ignored. */
void pace_ack(struct pace *p, uint32_t id, uint32_t queue_depth, uint64_t now_us);
void pace_link(struct pace *p, const struct engine_link_state *link);
/* 0: a frame may leave now; >0: ask again after so many microseconds. `small`: an update of a few tiles, which may
 * overtake what large frames wait for: its clock is its own, and it may go where the link is full already. */
int64_t pace_wait(struct pace *p, bool small, uint64_t now_us);
/* Microseconds until the second part of a film's picture should follow the first: so late that the link just does not
 * wait for it, and what is to be shown at once may go before it. 0: now. */
int64_t pace_part_wait(const struct pace *p, uint64_t now_us);
/* Did acknowledgements that used to come stop, with frames waiting for one? */
bool pace_stopped(const struct pace *p, uint64_t now_us);
/* How many bytes may the next frame have? So many that the link is busy with it for some milliseconds: what comes next
 * waits for no longer. Never less than a floor that keeps the picture moving, never more than PACE_FRAME_MAX. */
size_t pace_budget(const struct pace *p);

#endif
