/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When to copy, and for whom.
 *
 *   quiet ──damage, small, where no large picture came in parts lately──▶ copied and sent at once ──▶ quiet
 *   quiet ──any other damage, or soon after other damage──▶ burst ──silent long enough, or 8 ms old──▶ sent ──▶ quiet
 *
 * Silent long enough is learnt from the programs (silence.h): 0.3 ms where pictures come in one piece, up to 2 ms where
 * they come in several. A burst's copying runs inside that silence: it begins so early that it ends with it. What is
 * damaged after it was copied is copied again before it is sent, so a frame is one state of the screen whenever its
 * parts were copied. A burst copies early FRAME_COPIES_MAX times at most, for the X server copies in the time of the
 * program that draws. While no client can take a frame nothing is collected: the back end reports damage once and then
 * stays silent. */
#include "common/clock.h"
#include "common/loop.h"
#include "session/agent/agent.h"
#include "session/display/damage.h"
#include "session/proto/layout.h"

static bool any_ready(const struct agent *a)
{
    for (const struct client *c = a->clients; c; c = c->next)
        if (client_ready(c))
            return true;
    return false;
}

static void note_pending(struct client *c, uint64_t when_us)
{
    if (!c->pending_us)
        c->pending_us = when_us;
}

/* Returns the area of the damage collected. `when_us` says when it came. */
static uint64_t collect(struct agent *a, uint64_t when_us)
{
    pixman_region32_t damage;
    uint32_t width, height;
    pixman_region32_init(&damage);
    a->damage_waiting = false;
    uint64_t area = 0;
    if (a->ops->collect(a->backend, &damage) == 0 && pixman_region32_not_empty(&damage)) {
        area = damage_area(&damage);
        layout_size(&a->layout, &width, &height);
        silence_size(&a->silence, width, height);
        silence_damage(&a->silence, &damage, when_us);
        for (struct client *c = a->clients; c; c = c->next) {
            if (!c->open)
                continue;
            pixman_region32_union(&c->pending, &c->pending, &damage);
            copies_damaged(c, &damage);
            note_pending(c, a->damage_us);
        }
    }
    pixman_region32_fini(&damage);
    return area;
}

static size_t rects_of(const struct client *c, const pixman_region32_t *region, struct display_rect *rects)
{
    uint32_t width, height, stride;
    c->agent->ops->pixels_info(c->pixels, &width, &height, &stride);
    return damage_rects(region, width, height, rects, DISPLAY_RECTS_MAX);
}

static void send_frame(struct client *c)
{
    static struct display_frame f; /* 4 KiB; one thread */
    f = (struct display_frame){.frame = c->frame + 1, .damaged_us = c->pending_us};
    pixman_region32_subtract(&c->pending, &c->pending, &c->told);
    f.nrects = (uint32_t)rects_of(c, &c->pending, f.rects);
    bool told = c->ntold > 0;
    pixman_region32_clear(&c->pending);
    pixman_region32_clear(&c->told);
    c->ntold = 0;
    c->pending_us = 0;
    if (f.nrects == 0 && !told)
        return;
    c->frame++;
    c->on_loan = true;
    (void)link_send(c->link, &display_frame_def, &f, NULL); /* a dead link is reported from the loop */
}

static void send_frames(struct agent *a)
{
    if (copies_make(a, false) < 0)
        return;
    for (struct client *c = a->clients; c; c = c->next)
        if (client_ready(c) && pixman_region32_not_empty(&c->pending))
            send_frame(c);
    a->sent_us = clock_us();
}

static bool anything_pending(const struct agent *a)
{
    for (const struct client *c = a->clients; c; c = c->next)
        if (client_ready(c) && pixman_region32_not_empty(&c->pending))
            return true;
    return false;
}

/* When the burst's picture counts as whole, and when it leaves whole or not. */
static uint64_t whole_at(const struct agent *a)
{
    uint64_t silent = a->drawn_us + silence_wait_us(&a->silence), limit = a->burst_us + FRAME_WAIT_MAX_US;
    uint64_t next = a->sent_us + FRAME_APART_US;
    silent = silent > next ? silent : next;
    return silent < limit ? silent : limit;
}

static void wait_until(struct agent *a, uint64_t when_us)
{
    uint64_t now = clock_us();
    (void)loop_arm_us(a->frame_timer, when_us > now ? when_us - now : 0);
}

/* When to copy early: so that it is done when the silence is, and what is read in parts is read by then, too; but not
 * while the next part of the picture may still come. */
static uint64_t copy_at(const struct agent *a, uint64_t area, uint64_t whole)
{
    uint64_t copying = (area < COPY_PARTS_AREA ? area : 2 * area) * a->copy_us_per_mpx >> 20,
             part = a->drawn_us + silence_part_us(&a->silence);
    return whole - copying > part ? whole - copying : part;
}

/* What a burst does next: copy, or wait for the time to; then wait for the rest of the silence, and for the damage that
 * the answer to the copying may have brought: the loop hands that out before the timer. */
static void burst_step(struct agent *a)
{
    uint64_t area = copies_area(a), whole = whole_at(a), when = whole;
    if (area && a->burst_copies < FRAME_COPIES_MAX)
        when = copy_at(a, area, whole);
    if (when < whole && clock_us() >= when) {
        a->burst_copies++;
        (void)copies_make(a, true); /* a server that is gone is reported from the loop */
        when = whole;
    }
    wait_until(a, when < whole ? when : whole);
}

static void start_burst(struct agent *a, uint64_t since_us)
{
    a->bursting = true;
    a->burst_us = since_us;
    a->burst_copies = a->burst_collects = 0;
    burst_step(a);
}

static bool is_small(const struct agent *a, uint64_t area)
{
    uint32_t width, height;
    layout_size(&a->layout, &width, &height);
    return area <= (uint64_t)width * height / SILENCE_LARGE_PART;
}

static void burst_damaged(struct agent *a, uint64_t when_us)
{
    if (a->burst_collects == FRAME_COLLECTS_MAX)
        return; /* the timer takes it */
    a->burst_collects++;
    collect(a, when_us);
    burst_step(a);
}

void frames_damaged(struct agent *a, uint64_t when_us)
{
    bool quiet = when_us - a->last_damage_us >= FRAME_QUIET_US;
    a->damage_waiting = true;
    a->damage_us = a->last_damage_us = a->drawn_us = when_us;
    if (!any_ready(a))
        return;
    if (a->bursting) {
        burst_damaged(a, when_us);
        return;
    }
    uint64_t area = collect(a, when_us);
    if (quiet && is_small(a, area) && !silence_in_parts(&a->silence))
        send_frames(a);
    else if (anything_pending(a))
        start_burst(a, when_us);
}

void frames_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct agent *a = arg;
    if (!a->backend || !any_ready(a)) {
        a->bursting = false;
        return;
    }
    uint64_t now = clock_us();
    if (a->damage_waiting) { /* drawn since it was reported, nobody knows when */
        collect(a, now);
        a->drawn_us = now;
    }
    if (now >= whole_at(a)) {
        a->bursting = false;
        send_frames(a);
        return;
    }
    burst_step(a);
}

void frames_step(struct agent *a)
{
    if (!a->backend || a->bursting || !any_ready(a))
        return;
    uint64_t since = a->damage_us, now = clock_us();
    bool fresh = a->damage_waiting;
    if (fresh) {
        collect(a, since);
        a->drawn_us = now; /* the first of it came at `since`, the last nobody knows when */
    }
    if (!anything_pending(a))
        return;
    if (!fresh || now - since >= FRAME_WAIT_MAX_US)
        send_frames(a);
    else
        start_burst(a, since);
}

static void invalidate(struct client *c, const struct display_rect *r)
{
    pixman_region32_t region;
    pixman_region32_init_rect(&region, r->x, r->y, r->width, r->height);
    pixman_region32_union(&c->pending, &c->pending, &region);
    copies_damaged(c, &region);
    pixman_region32_fini(&region);
}

void frames_invalidate(struct client *c, const struct display_rect *rects, size_t nrects)
{
    uint32_t width, height;
    layout_size(&c->agent->layout, &width, &height);
    if (nrects == 0)
        invalidate(c, &(struct display_rect){.width = (uint16_t)width, .height = (uint16_t)height});
    for (size_t i = 0; i < nrects; i++)
        if (rects[i].width && rects[i].height)
            invalidate(c, &rects[i]);
    note_pending(c, clock_us());
}
