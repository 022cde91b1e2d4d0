/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When to copy, and for whom.
 *
 *   quiet ──damage, small──▶ copied and sent at once ──▶ quiet
 *   quiet ──damage, large, or soon after other damage──▶ burst: wait for 2 ms without damage, 8 ms at most ──▶ sent ──▶ quiet
 * While no client can take a frame nothing is collected: the back end reports damage once and then stays silent. */
#include "session/agent/agent.h"
#include "session/display/damage.h"

static bool ready(const struct client *c)
{
    return c->open && !c->suppressed && !c->on_loan;
}

static bool any_ready(const struct agent *a)
{
    for (const struct client *c = a->clients; c; c = c->next)
        if (ready(c))
            return true;
    return false;
}

static void note_pending(struct client *c, uint64_t when_us)
{
    if (!c->pending_us)
        c->pending_us = when_us;
}

/* Returns the area of the damage collected. */
static uint64_t collect(struct agent *a)
{
    pixman_region32_t damage;
    pixman_region32_init(&damage);
    a->damage_waiting = false;
    uint64_t area = 0;
    if (a->ops->collect(a->backend, &damage) == 0 && pixman_region32_not_empty(&damage)) {
        area = damage_area(&damage);
        for (struct client *c = a->clients; c; c = c->next) {
            if (!c->open)
                continue;
            pixman_region32_union(&c->pending, &c->pending, &damage);
            note_pending(c, a->damage_us);
        }
    }
    pixman_region32_fini(&damage);
    return area;
}

/* Returns whether copies were asked for. `f` keeps the message until the copies are done. */
static bool copy_for(struct client *c, struct display_frame *f)
{
    uint32_t width, height, stride;
    struct agent *a = c->agent;
    a->ops->pixels_info(c->pixels, &width, &height, &stride);
    f->nrects = (uint32_t)damage_rects(&c->pending, width, height, f->rects, DISPLAY_RECTS_MAX);
    f->damaged_us = c->pending_us;
    pixman_region32_clear(&c->pending);
    c->pending_us = 0;
    if (f->nrects == 0)
        return false;
    a->ops->copy(a->backend, c->pixels, f->rects, f->nrects);
    return true;
}

static void send_frames(struct agent *a)
{
    static struct display_frame frames[CLIENTS_MAX]; /* 4 KiB each; one thread */
    struct client *for_whom[CLIENTS_MAX];
    size_t n = 0;
    for (struct client *c = a->clients; c && n < CLIENTS_MAX; c = c->next)
        if (ready(c) && pixman_region32_not_empty(&c->pending) && copy_for(c, &frames[n]))
            for_whom[n++] = c;
    if (n == 0 || a->ops->sync(a->backend) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct client *c = for_whom[i];
        frames[i].surface = 0;
        frames[i].frame = ++c->frame;
        c->on_loan = true;
        (void)link_send(c->link, &display_frame_def, &frames[i], NULL); /* a dead link is reported from the loop */
    }
}

static bool anything_pending(const struct agent *a)
{
    for (const struct client *c = a->clients; c; c = c->next)
        if (ready(c) && pixman_region32_not_empty(&c->pending))
            return true;
    return false;
}

static void start_burst(struct agent *a, uint64_t since_us)
{
    a->bursting = true;
    a->burst_us = since_us;
    agent_arm(a->frame_timer, FRAME_SILENCE_US);
}

static bool is_small(const struct agent *a, uint64_t area)
{
    uint32_t width, height;
    layout_size(&a->layout, &width, &height);
    return area <= (uint64_t)width * height / FRAME_SMALL_PART;
}

void frames_damaged(struct agent *a, uint64_t when_us)
{
    bool quiet = when_us - a->last_damage_us >= FRAME_QUIET_US;
    a->damage_waiting = true;
    a->damage_us = a->last_damage_us = when_us;
    if (a->bursting || !any_ready(a))
        return;
    uint64_t area = collect(a);
    if (quiet && is_small(a, area))
        send_frames(a);
    else if (anything_pending(a))
        start_burst(a, when_us);
}

void frames_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct agent *a = arg;
    (void)fd;
    (void)what;
    a->bursting = false;
    if (!a->backend || !any_ready(a))
        return;
    uint64_t now = agent_now_us(), waited = now - a->burst_us;
    bool silent = !a->damage_waiting;
    if (!silent)
        collect(a);
    if (silent || waited + FRAME_SILENCE_US > FRAME_WAIT_MAX_US) {
        send_frames(a);
        return;
    }
    a->bursting = true;
    agent_arm(a->frame_timer, FRAME_SILENCE_US);
}

void frames_step(struct agent *a)
{
    if (!a->backend || a->bursting || !any_ready(a))
        return;
    uint64_t since = a->damage_us;
    bool fresh = a->damage_waiting;
    if (fresh)
        collect(a);
    if (!anything_pending(a))
        return;
    if (!fresh || agent_now_us() - since >= FRAME_WAIT_MAX_US)
        send_frames(a);
    else
        start_burst(a, since);
}

void frames_invalidate(struct client *c, const struct display_rect *rects, size_t nrects)
{
    uint32_t width, height;
    layout_size(&c->agent->layout, &width, &height);
    if (nrects == 0)
        pixman_region32_union_rect(&c->pending, &c->pending, 0, 0, width, height);
    for (size_t i = 0; i < nrects; i++)
        if (rects[i].width && rects[i].height)
            pixman_region32_union_rect(&c->pending, &c->pending, rects[i].x, rects[i].y, rects[i].width, rects[i].height);
    note_pending(c, agent_now_us());
}
