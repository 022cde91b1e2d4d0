/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/pace.h"

#include <string.h>

#define WINDOW_BYTES_MIN 65536u       /* a link that was never measured may hold this much */
#define WINDOW_BYTES_MAX (8u << 20)   /* the peer's output queue has the same ceiling */
#define QUEUE_US 100000u              /* never more than 100 ms of link time waiting */
#define SILENCE_US 1000000u           /* a frame unacknowledged for this long no longer holds others back */
#define SAMPLE_BYTES 24576u           /* fewer bytes between acknowledgements do not measure a link */
#define STOPPED_US 4000000u           /* silent for so long after it used to answer: its channel is gone */
#define FLIGHT_MIN 3u                 /* frames in flight that every link may have */

void pace_init(struct pace *p, unsigned max_frame_rate)
{
    memset(p, 0, sizeof *p);
    max_frame_rate = max_frame_rate < 1 ? 1 : max_frame_rate > 144 ? 144 : max_frame_rate;
    p->interval_us = 1000000u / max_frame_rate;
}

void pace_reset(struct pace *p)
{
    p->head = p->count = 0;
    p->bytes = 0;
    p->suspended = p->deaf = false;
    p->acks_seen = false;
    p->next_us = 0;
    p->delivered_us = 0;
}

static void drop_oldest(struct pace *p)
{
    p->bytes -= p->flight[p->head].bytes;
    p->head = (p->head + 1) % PACE_FRAMES;
    p->count--;
}

void pace_clock(struct pace *p, uint64_t now_us)
{
    /* A frame that came a little late does not push the next one later. */
    uint64_t due = p->next_us + p->interval_us;
    p->next_us = p->next_us && now_us < due ? due : now_us + p->interval_us;
    if (p->next_us > now_us + p->interval_us)
        p->next_us = now_us + p->interval_us;
}

void pace_sent(struct pace *p, uint32_t id, size_t bytes, uint64_t now_us)
{
    if (id == 0)
        return;
    if (p->count == PACE_FRAMES)
        drop_oldest(p);
    unsigned at = (p->head + p->count) % PACE_FRAMES;
    p->flight[at] = (struct pace_frame){id, bytes, now_us, p->delivered, p->count ? p->delivered_us : now_us};
    p->count++;
    p->bytes += bytes;
}

/* How fast did bytes arrive since this frame left? Frames too small to fill the link say nothing about it, unless they are faster
 * than all before. */
static void measure(struct pace *p, const struct pace_frame *f, uint64_t now_us)
{
    uint64_t bytes = p->delivered - f->delivered, us = now_us - f->delivered_us;
    if (us < 500 || bytes < SAMPLE_BYTES)
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

void pace_link(struct pace *p, uint32_t rtt_us, uint32_t bytes_per_second, size_t queued)
{
    p->rtt_us = rtt_us;
    if (bytes_per_second)
        p->bytes_per_second = bytes_per_second;
    p->queued = queued;
}

/* What the link carries in a round trip and 100 ms. */
static size_t window(const struct pace *p)
{
    if (p->bytes_per_second == 0)
        return 4 * WINDOW_BYTES_MIN;
    uint64_t w = (uint64_t)p->bytes_per_second * (p->rtt_us + QUEUE_US) / 1000000u;
    return w < WINDOW_BYTES_MIN ? WINDOW_BYTES_MIN : w > WINDOW_BYTES_MAX ? WINDOW_BYTES_MAX : (size_t)w;
}

static size_t queue_limit(const struct pace *p)
{
    uint64_t q = (uint64_t)p->bytes_per_second * QUEUE_US / 1000000u;
    return q < WINDOW_BYTES_MIN / 2 ? WINDOW_BYTES_MIN / 2 : q > WINDOW_BYTES_MAX ? WINDOW_BYTES_MAX : (size_t)q;
}

static unsigned flight_limit(const struct pace *p)
{
    unsigned n = FLIGHT_MIN + (p->rtt_us + p->interval_us - 1) / p->interval_us;
    return n > PACE_FRAMES / 2 ? PACE_FRAMES / 2 : n;
}

static void forget_silent(struct pace *p, uint64_t now_us)
{
    while (p->count && now_us > p->flight[p->head].sent_us + SILENCE_US) {
        p->deaf = true;
        drop_oldest(p);
    }
}

int64_t pace_wait(struct pace *p, bool small, uint64_t now_us)
{
    forget_silent(p, now_us);
    if (p->next_us > now_us)
        return (int64_t)(p->next_us - now_us);
    unsigned scale = small ? 2 : 1;
    if (p->queued > scale * queue_limit(p))
        return 5000;
    if (p->suspended || p->deaf || p->count == 0)
        return 0;
    if (p->count < scale * flight_limit(p) && p->bytes < scale * window(p))
        return 0;
    return (int64_t)(p->flight[p->head].sent_us + SILENCE_US - now_us) + 1;
}

size_t pace_budget(const struct pace *p)
{
    size_t w = window(p), used = p->suspended || p->deaf ? p->queued : p->bytes;
    size_t left = used < w ? w - used : 0;
    return left < WINDOW_BYTES_MIN / 2 ? WINDOW_BYTES_MIN / 2 : left;
}

bool pace_stopped(const struct pace *p, uint64_t now_us)
{
    return p->acks_seen && p->deaf && !p->suspended && now_us > p->last_ack_us + STOPPED_US;
}
