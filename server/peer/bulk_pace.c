/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/bulk_pace.h"

#define ROUND_MIN_US 10000u /* acknowledgements come in bunches */
#define ROUND_MAX 4u        /* after so many of them without a look there was no bulk, and nothing can be said */
#define GROWING_ROUNDS 2u   /* what is sent more in one round arrives in the next */
/* So near the client's host may acknowledge one packet 40 ms late, but not several: less on its way would be all that a
 * link of 100 Mbit/s ever carries */
#define NEAR_US 5000u
#define WAIT_MIN_US 1000u
#define WAIT_MAX_US 20000u

static uint64_t rate_of(const struct bulk_pace *p)
{
    uint64_t best = 0;
    for (unsigned i = 0; i < BULK_ROUNDS; i++)
        best = p->rates[i] > best ? p->rates[i] : best;
    return best;
}

static uint64_t believed(const struct bulk_pace *p, const struct bulk_look *l)
{
    uint64_t rate = rate_of(p);
    return l->at_most && l->at_most < rate ? l->at_most : rate;
}

static void end_round(struct bulk_pace *p, uint64_t rate)
{
    uint64_t before = rate_of(p);
    p->growing = rate > before + before / 8 ? GROWING_ROUNDS : p->growing ? p->growing - 1 : 0;
    p->rates[p->nrates++ % BULK_ROUNDS] = rate;
}

static void count(struct bulk_pace *p, const struct bulk_look *l)
{
    uint64_t us = l->now_us - p->round_us, least = l->rtt_us > ROUND_MIN_US ? l->rtt_us : ROUND_MIN_US;
    if (us < least)
        return;
    if (us < least * ROUND_MAX)
        end_round(p, (l->acked - p->round_acked) * 1000000u / us);
    p->round_us = l->now_us;
    p->round_acked = l->acked;
}

static size_t slice_of(uint64_t rate)
{
    uint64_t n = rate * BULK_SLICE_US / 1000000u;
    return n < BULK_SLICE_MIN ? BULK_SLICE_MIN : n > BULK_SLICE_MAX ? BULK_SLICE_MAX : (size_t)n;
}

size_t bulk_pace_slice(const struct bulk_pace *p)
{
    return slice_of(rate_of(p));
}

static uint64_t limit_of(const struct bulk_pace *p, const struct bulk_look *l)
{
    uint64_t rate = believed(p, l);
    uint64_t held = rate * l->rtt_us / 1000000u;
    if (l->rtt_us < NEAR_US && held < BULK_SLICE_MAX)
        held = BULK_SLICE_MAX;
    return held + slice_of(rate) + (p->growing ? held / 4 : 0);
}

size_t bulk_pace_room(struct bulk_pace *p, const struct bulk_look *l)
{
    count(p, l);
    uint64_t limit = limit_of(p, l), slice = bulk_pace_slice(p);
    uint64_t room = limit > l->on_way ? limit - l->on_way : 0;
    if (room < BULK_SLICE_MIN &&
        l->on_way > limit - slice) /* the link has work: a chunk would be more than the slice */
        return 0;
    return room < slice ? (size_t)room : (size_t)slice;
}

uint64_t bulk_pace_wait(const struct bulk_pace *p, const struct bulk_look *l)
{
    if (l->rtt_us < NEAR_US)
        return WAIT_MIN_US;
    uint64_t rate = believed(p, l), limit = limit_of(p, l);
    uint64_t over = l->on_way + BULK_SLICE_MIN > limit ? l->on_way + BULK_SLICE_MIN - limit : 0;
    uint64_t us = rate ? over * 1000000u / rate : WAIT_MAX_US;
    return us < WAIT_MIN_US ? WAIT_MIN_US : us > WAIT_MAX_US ? WAIT_MAX_US : us;
}
