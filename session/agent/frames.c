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

static bool any_ready(const struct source *s)
{
    for (const struct view *v = s->views; v; v = v->next)
        if (view_ready(v))
            return true;
    return false;
}

static void note_pending(struct view *v, uint64_t when_us)
{
    if (!v->pending_us)
        v->pending_us = when_us;
}

/* Returns the area of the damage collected. `when_us` says when it came. */
static uint64_t collect(struct source *s, uint64_t when_us)
{
    pixman_region32_t damage;
    struct agent *a = s->agent;
    pixman_region32_init(&damage);
    s->damage_waiting = false;
    uint64_t area = 0;
    if (a->ops->collect(a->backend, s->is.surface, &damage) == 0 && pixman_region32_not_empty(&damage)) {
        area = damage_area(&damage);
        silence_size(&s->silence, s->is.width, s->is.height);
        silence_damage(&s->silence, &damage, when_us);
        for (struct view *v = s->views; v; v = v->next) {
            if (!v->pixels)
                continue;
            pixman_region32_union(&v->pending, &v->pending, &damage);
            copies_damaged(v, &damage);
            note_pending(v, s->damage_us);
        }
    }
    pixman_region32_fini(&damage);
    return area;
}

static size_t rects_of(const struct view *v, const pixman_region32_t *region, struct display_rect *rects)
{
    return damage_rects(region, v->width, v->height, rects, DISPLAY_RECTS_MAX);
}

static void send_frame(struct view *v)
{
    static struct display_frame f; /* 4 KiB; one thread */
    f = (struct display_frame){.surface = v->source->is.surface, .frame = v->frame + 1, .damaged_us = v->pending_us};
    pixman_region32_subtract(&v->pending, &v->pending, &v->told);
    f.nrects = (uint32_t)rects_of(v, &v->pending, f.rects);
    bool told = v->ntold > 0;
    pixman_region32_clear(&v->pending);
    pixman_region32_clear(&v->told);
    v->ntold = 0;
    v->pending_us = 0;
    if (f.nrects == 0 && !told)
        return;
    v->frame++;
    v->on_loan = true;
    (void)link_send(v->client->link, &display_frame_def, &f, NULL); /* a dead link is reported from the loop */
}

static void send_frames(struct source *s)
{
    if (copies_make(s, false) < 0)
        return;
    for (struct view *v = s->views; v; v = v->next)
        if (view_ready(v) && pixman_region32_not_empty(&v->pending))
            send_frame(v);
    s->sent_us = clock_us();
}

static bool anything_pending(const struct source *s)
{
    for (const struct view *v = s->views; v; v = v->next)
        if (view_ready(v) && pixman_region32_not_empty(&v->pending))
            return true;
    return false;
}

/* When the burst's picture counts as whole, and when it leaves whole or not. */
static uint64_t whole_at(const struct source *s)
{
    uint64_t silent = s->drawn_us + silence_wait_us(&s->silence), limit = s->burst_us + FRAME_WAIT_MAX_US;
    uint64_t next = s->sent_us + FRAME_APART_US;
    silent = silent > next ? silent : next;
    return silent < limit ? silent : limit;
}

static void wait_until(struct source *s, uint64_t when_us)
{
    uint64_t now = clock_us();
    (void)loop_arm_us(s->frame_timer, when_us > now ? when_us - now : 0);
}

/* When to copy early: so that it is done when the silence is, and what is read in parts is read by then, too; but not
 * while the next part of the picture may still come. */
static uint64_t copy_at(const struct source *s, uint64_t area, uint64_t whole)
{
    uint64_t copying = (area < COPY_PARTS_AREA ? area : 2 * area) * s->agent->copy_us_per_mpx >> 20,
             part = s->drawn_us + silence_part_us(&s->silence);
    return whole - copying > part ? whole - copying : part;
}

/* What a burst does next: copy, or wait for the time to; then wait for the rest of the silence, and for the damage that
 * the answer to the copying may have brought: the loop hands that out before the timer. */
static void burst_step(struct source *s)
{
    uint64_t area = copies_area(s), whole = whole_at(s), when = whole;
    if (area && s->burst_copies < FRAME_COPIES_MAX)
        when = copy_at(s, area, whole);
    if (when < whole && clock_us() >= when) {
        s->burst_copies++;
        (void)copies_make(s, true); /* a server that is gone is reported from the loop */
        when = whole;
    }
    wait_until(s, when < whole ? when : whole);
}

static void start_burst(struct source *s, uint64_t since_us)
{
    s->bursting = true;
    s->burst_us = since_us;
    s->burst_copies = s->burst_collects = 0;
    burst_step(s);
}

static bool is_small(const struct source *s, uint64_t area)
{
    return area <= (uint64_t)s->is.width * s->is.height / SILENCE_LARGE_PART;
}

static void burst_damaged(struct source *s, uint64_t when_us)
{
    if (s->burst_collects == FRAME_COLLECTS_MAX)
        return; /* the timer takes it */
    s->burst_collects++;
    collect(s, when_us);
    burst_step(s);
}

void frames_damaged(struct source *s, uint64_t when_us)
{
    bool quiet = when_us - s->last_damage_us >= FRAME_QUIET_US;
    s->damage_waiting = true;
    s->damage_us = s->last_damage_us = s->drawn_us = when_us;
    if (!any_ready(s))
        return;
    if (s->bursting) {
        burst_damaged(s, when_us);
        return;
    }
    uint64_t area = collect(s, when_us);
    if (quiet && is_small(s, area) && !silence_in_parts(&s->silence))
        send_frames(s);
    else if (anything_pending(s))
        start_burst(s, when_us);
}

void frames_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct source *s = arg;
    if (!any_ready(s)) {
        s->bursting = false;
        return;
    }
    uint64_t now = clock_us();
    if (s->damage_waiting) { /* drawn since it was reported, nobody knows when */
        collect(s, now);
        s->drawn_us = now;
    }
    if (now >= whole_at(s)) {
        s->bursting = false;
        send_frames(s);
        return;
    }
    burst_step(s);
}

void frames_step(struct source *s)
{
    if (s->bursting || !any_ready(s))
        return;
    uint64_t since = s->damage_us, now = clock_us();
    bool fresh = s->damage_waiting;
    if (fresh) {
        collect(s, since);
        s->drawn_us = now; /* the first of it came at `since`, the last nobody knows when */
    }
    if (!anything_pending(s))
        return;
    if (!fresh || now - since >= FRAME_WAIT_MAX_US)
        send_frames(s);
    else
        start_burst(s, since);
}

void frames_step_all(struct agent *a)
{
    for (struct source *s = a->sources; s; s = s->next)
        frames_step(s);
}
