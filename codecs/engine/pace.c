/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/engine/pace.h"

#include <string.h>

#define UNKNOWN_BYTES 65536u /* a link that was never seen full may hold this much */
/* Less where deliveries were slow so far: four times what they were, but not under this */
#define UNKNOWN_BYTES_MIN 32768u
#define WINDOW_BYTES_MIN 16384u     /* and every link this much, acknowledged or not */
#define WINDOW_BYTES_MAX (2u << 20) /* the peer's output queue has room for more */
/* Never more than 100 ms of link time not acknowledged, the round trip apart */
#define QUEUE_US 100000u
/* A frame leaves when the link has no more than this before it */
#define AHEAD_US 8000u
#define AHEAD_SMALL_US 60000u
#define FRAME_US 15000u /* link time of one frame */
/* A picture's second part leaves so long before the link is done with the first, */
#define PART_AHEAD_US 3000u
/* And no later than this after it: the link may be faster than is known */
#define PART_WAIT_MAX_US 10000u
#define FRAME_BYTES_MIN 3072u /* about a tile of a photograph */
/* A client that owes an acknowledgement for so long is slow: a frame in so long is all it gets */
#define SILENCE_US 1000000u
/* Fewer bytes between acknowledgements do not measure a link */
#define SAMPLE_BYTES 24576u
/* Silent for so long after it used to answer: its channel is gone */
#define STOPPED_US 10000000u
#define FLIGHT_MIN 4u /* frames in flight that every link may have */
/* Of the ceiling's interval: who draws at the ceiling makes up for what once made it wait */
#define CATCH_UP_PERCENT 92u
#define EARLY_PERCENT 75u /* of the frame rate's interval, */
#define EARLY_US 12500u   /* but where few frames are wanted, few it is */
#define WAIT_MIN_US 1000
#define WAIT_MAX_US 20000

void pace_init(struct pace *p, unsigned max_frame_rate)
{
    memset(p, 0, sizeof *p);
    max_frame_rate = max_frame_rate < 1 ? 1 : max_frame_rate > 144 ? 144 : max_frame_rate;
    p->interval_us = 10000u * CATCH_UP_PERCENT / max_frame_rate;
}

void pace_reset(struct pace *p)
{
    p->head = p->count = p->parts = 0;
    p->bytes = 0;
    p->suspended = p->deaf = false;
    p->acks_seen = false;
    p->next_us = p->next_small_us = p->busy_until_us = 0;
    p->delivered_us = 0;
}

static void drop_oldest(struct pace *p)
{
    p->bytes -= p->flight[p->head].bytes;
    p->parts -= p->flight[p->head].part;
    p->head = (p->head + 1) % PACE_FRAMES;
    p->count--;
}

static unsigned early_us(const struct pace *p)
{
    unsigned part = p->interval_us * EARLY_PERCENT / 100;
    return part < EARLY_US ? part : EARLY_US;
}

/* The ceiling is one on the average: a frame may leave some time before its turn, which still comes before the next
 * one's. So who draws at the ceiling's own pace never waits for a clock that a late frame has set. One that was cut off
 * goes on as soon as the link allows. */
void pace_clock(struct pace *p, enum pace_kind kind, uint64_t now_us)
{
    if (kind == PACE_SMALL) {
        p->next_small_us = now_us + p->interval_us;
        return;
    }
    if (kind == PACE_PART)
        return;
    /* a refinement beside what moves at the ceiling's pace costs it no turn */
    unsigned turn = kind == PACE_REFINEMENT ? p->interval_us - early_us(p) : p->interval_us;
    p->next_us = kind == PACE_CUT ? now_us : (p->next_us > now_us ? p->next_us : now_us) + turn;
}

static void keep_busy(struct pace *p, size_t bytes, uint64_t now_us)
{
    uint64_t rate = pace_rate(p), us = rate ? (uint64_t)bytes * 1000000u / rate : 0;
    uint64_t from = p->busy_until_us > now_us ? p->busy_until_us : now_us;
    p->busy_until_us = from + us < now_us + PART_WAIT_MAX_US ? from + us : now_us + PART_WAIT_MAX_US;
}

void pace_sent(struct pace *p, uint32_t id, size_t bytes, enum pace_kind kind, uint64_t now_us)
{
    if (id == 0)
        return;
    if (p->count == PACE_FRAMES)
        drop_oldest(p);
    unsigned at = (p->head + p->count) % PACE_FRAMES;
    bool behind_others = p->count && p->delivered_us; /* then the link was busy since the last delivery */
    p->flight[at] = (struct pace_frame){id, kind == PACE_PART, bytes, now_us, p->delivered,
        behind_others ? p->delivered_us : now_us};
    keep_busy(p, bytes, now_us);
    p->count++;
    p->parts += kind == PACE_PART;
    p->bytes += bytes;
}

/* How fast did bytes arrive since this frame left? Frames too small to fill the link say nothing about it, unless they
 * are faster than all before. */
static void measure(struct pace *p, const struct pace_frame *f, uint64_t now_us)
{
    uint64_t bytes = p->delivered - f->delivered, us = now_us - f->delivered_us;
    if (p->told || us < 500 || bytes < SAMPLE_BYTES)
        return;
    uint64_t rate = bytes * 1000000u / us;
    p->samples[p->nsamples++ % PACE_SAMPLES] = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
    uint32_t best = 0;
    for (unsigned i = 0; i < PACE_SAMPLES; i++)
        best = p->samples[i] > best ? p->samples[i] : best;
    p->bytes_per_second = best;
}

void pace_ack(struct pace *p, uint32_t id, uint32_t queue_depth, uint64_t now_us)
{
    unsigned known = PACE_FRAMES;
    for (unsigned i = 0; i < p->count; i++)
        if (p->flight[(p->head + i) % PACE_FRAMES].id == id)
            known = i;
    if (known == PACE_FRAMES)
        return;
    p->acks_seen = true;
    p->deaf = false;
    p->last_ack_us = now_us;
    p->suspended = queue_depth == 0xFFFFFFFFu;
    struct pace_frame last = p->flight[(p->head + known) % PACE_FRAMES];
    for (unsigned i = 0; i <= known; i++) {
        p->delivered += p->flight[p->head].bytes;
        drop_oldest(p);
    }
    p->delivered_us = now_us;
    if (!p->suspended)
        measure(p, &last, now_us);
}

void pace_link(struct pace *p, const struct engine_link_state *link)
{
    p->rtt_us = link->rtt_us;
    p->waiting = link->waiting;
    p->told = link->bytes_per_second != 0;
    if (!p->told)
        return;
    p->bytes_per_second = link->at_least ? 0 : link->bytes_per_second;
    p->at_least = link->bytes_per_second;
}

/* What the link carries in so many microseconds, within [min, max]; of a link that nobody saw full, what is known of
 * it, but not less than `unknown`. */
static size_t link_bytes(const struct pace *p, uint64_t us, size_t min, size_t unknown, size_t max)
{
    uint64_t n = pace_rate(p) * us / 1000000u;
    size_t floor = p->bytes_per_second ? min : unknown;
    return n < floor ? floor : n > max ? max : (size_t)n;
}

/* How much of `most` to risk on a link that was never seen full: what it carried so far may be all that it can. */
static size_t unknown_bytes(const struct pace *p, uint64_t us, size_t most)
{
    uint64_t n = (uint64_t)p->at_least * us * 4 / 1000000u,
             least = most < UNKNOWN_BYTES ? UNKNOWN_BYTES_MIN / 2 : UNKNOWN_BYTES_MIN;
    return p->at_least == 0 || n > most ? most : n < least ? (size_t)least : (size_t)n;
}
/* More than that is no risk where what is known alone makes it a round trip's worth and the allowed queue. */
static size_t unknown_waiting(const struct pace *p)
{
    size_t n = unknown_bytes(p, 4 * AHEAD_US, UNKNOWN_BYTES),
           sure = (size_t)((uint64_t)p->at_least * (p->rtt_us + QUEUE_US) / 1000000u);
    return n == UNKNOWN_BYTES && sure > n ? sure : n;
}

/* Not acknowledged by the client, who has to decode it as well. */
static size_t window(const struct pace *p)
{
    return link_bytes(p, (uint64_t)p->rtt_us + QUEUE_US, WINDOW_BYTES_MIN, 4 * UNKNOWN_BYTES, WINDOW_BYTES_MAX);
}

/* On the way to the client's host. A full link holds a round trip's worth of it; the rest waits before it. */
static size_t waiting_limit(const struct pace *p, bool small)
{
    uint64_t ahead = small ? AHEAD_SMALL_US : AHEAD_US;
    return link_bytes(p, p->rtt_us + ahead, FRAME_BYTES_MIN, unknown_waiting(p), WINDOW_BYTES_MAX);
}

/* When will the link have sent that much? */
static int64_t time_for(const struct pace *p, size_t bytes)
{
    uint64_t rate = pace_rate(p);
    int64_t us = rate ? (int64_t)((uint64_t)bytes * 1000000u / rate) : WAIT_MAX_US;
    return us < WAIT_MIN_US ? WAIT_MIN_US : us > WAIT_MAX_US ? WAIT_MAX_US : us;
}

int64_t pace_part_wait(const struct pace *p, uint64_t now_us)
{
    return p->busy_until_us > now_us + PART_AHEAD_US ? (int64_t)(p->busy_until_us - PART_AHEAD_US - now_us) : 0;
}

static unsigned flight_limit(const struct pace *p)
{
    unsigned n = FLIGHT_MIN + (p->rtt_us + p->interval_us - 1) / p->interval_us;
    return n > PACE_FRAMES / 2 ? PACE_FRAMES / 2 : n;
}

/* Who never acknowledged anything does not know how: its frames are not waited for. A slow client's frames are
 * remembered, however late it is: an acknowledgement that nobody knows any more would not be one. */
static void notice_silence(struct pace *p, uint64_t now_us)
{
    while (p->count && now_us > p->flight[p->head].sent_us + SILENCE_US) {
        p->deaf = true;
        if (p->acks_seen)
            break;
        drop_oldest(p);
    }
}

/* While it is silent: from the last frame on. */
static int64_t silent_wait(const struct pace *p, uint64_t now_us)
{
    uint64_t next = p->flight[(p->head + p->count - 1) % PACE_FRAMES].sent_us + SILENCE_US;
    return next > now_us ? (int64_t)(next - now_us) : 0;
}

int64_t pace_wait(struct pace *p, bool small, uint64_t now_us)
{
    notice_silence(p, now_us);
    uint64_t clock = small ? p->next_small_us : p->next_us, early = small ? 0 : early_us(p);
    if (clock > now_us + early)
        return (int64_t)(clock - now_us - early);
    unsigned scale = small ? 2 : 1;
    size_t limit = waiting_limit(p, small);
    if (p->waiting > limit)
        return time_for(p, p->waiting - limit);
    if (p->suspended || p->count == 0)
        return 0;
    if (p->deaf)
        return p->acks_seen ? silent_wait(p, now_us) : 0;
    if (p->count - p->parts < scale * flight_limit(p) && p->bytes < scale * window(p))
        return 0;
    return (int64_t)(p->flight[p->head].sent_us + SILENCE_US - now_us) + 1;
}

size_t pace_budget(const struct pace *p)
{
    return link_bytes(p, FRAME_US, FRAME_BYTES_MIN, unknown_bytes(p, FRAME_US, UNKNOWN_BYTES / 2), PACE_FRAME_MAX);
}

bool pace_stopped(const struct pace *p, uint64_t now_us)
{
    return p->acks_seen && p->deaf && !p->suspended && now_us > p->last_ack_us + STOPPED_US;
}
