/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/link_rate.h"

#define SPAN_US 1000000u /* pressed for so long, twice: the link got slower */
#define GAP_US 50000u    /* from one look to the next no more than this counts as pressed */
#define FULL_ROUNDS 3u
#define FULL_BYTES 24576u /* no fewer fill a link: what a film or a person typing has on its way */

static uint64_t believed(const struct link_rate *r)
{
    return r->best[0] > r->best[1] ? r->best[0] : r->best[1];
}

/* Is more waiting than is on its way at `rate`? */
static bool is_pressed(const struct link_look *l, uint64_t rate)
{
    return l->rtt_us && l->waiting > rate * l->rtt_us / 1000000u;
}

/* Time passes only while the link is pressed. */
static void pass_time(struct link_rate *r, const struct link_look *l)
{
    uint64_t gap = l->now_us - r->looked_us;
    bool pressed = is_pressed(l, believed(r));
    if (r->pressed && pressed)
        r->pressed_us += gap < GAP_US ? gap : GAP_US;
    r->pressed = pressed;
    r->looked_us = l->now_us;
    if (r->pressed_us < SPAN_US)
        return;
    r->pressed_us = 0;
    r->best[1] = r->best[0];
    r->best[0] = 0;
}

/* What was delivered faster before was a burst that the link had gathered. */
static void found(struct link_rate *r)
{
    r->full = true;
    r->best[0] = r->rounds_best;
    r->best[1] = 0;
}

static void look_for_full(struct link_rate *r, const struct link_look *l)
{
    uint64_t rate = l->bytes_per_second;
    if (r->full || l->app_limited || l->waiting < FULL_BYTES || !is_pressed(l, rate) ||
        l->now_us - r->round_us < l->rtt_us)
        return;
    r->round_us = l->now_us;
    if (rate > r->full_rate + r->full_rate / 4) {
        r->full_rate = r->rounds_best = rate;
        r->rounds = 0;
        return;
    }
    r->rounds_best = rate > r->rounds_best ? rate : r->rounds_best;
    if (++r->rounds >= FULL_ROUNDS)
        found(r);
}

uint64_t link_rate_look(struct link_rate *r, const struct link_look *l)
{
    pass_time(r, l);
    if (l->bytes_per_second > r->best[0])
        r->best[0] = l->bytes_per_second;
    if (l->bytes_per_second)
        look_for_full(r, l);
    return believed(r);
}
