/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the screen into the clients' buffers. A large copy for one client is made in parts, from the top: it reads each
 * while the display server is at the next. */
#include "common/clock.h"
#include "session/agent/agent.h"
#include "session/display/damage.h"

void copies_damaged(struct client *c, const pixman_region32_t *region)
{
    pixman_region32_union(&c->uncopied, &c->uncopied, (pixman_region32_t *)region);
    pixman_region32_subtract(&c->told, &c->told, (pixman_region32_t *)region);
}

uint64_t copies_area(const struct agent *a)
{
    uint64_t area = 0;
    for (const struct client *c = a->clients; c; c = c->next)
        if (client_ready(c))
            area += damage_area(&c->uncopied);
    return area;
}

static bool wants(const struct client *c)
{
    return client_ready(c) && pixman_region32_not_empty((pixman_region32_t *)&c->uncopied);
}

/* Ask for `region`, as at most `cap` rectangles. */
static void ask(struct client *c, const pixman_region32_t *region, size_t cap)
{
    static struct display_rect rects[DISPLAY_RECTS_MAX]; /* 4 KiB; one thread */
    uint32_t width, height, stride;
    struct agent *a = c->agent;
    a->ops->pixels_info(c->pixels, &width, &height, &stride);
    size_t n = damage_rects(region, width, height, rects, cap);
    a->ops->copy(a->backend, c->pixels, rects, n);
}

static int copy_whole(struct agent *a)
{
    for (struct client *c = a->clients; c; c = c->next)
        if (wants(c)) {
            ask(c, &c->uncopied, DISPLAY_RECTS_MAX);
            pixman_region32_clear(&c->uncopied);
        }
    a->ops->mark(a->backend);
    return a->ops->wait(a->backend);
}

/* The one client that wants something, and that much of it that parts pay. */
static struct client *wants_parts(const struct agent *a)
{
    struct client *one = NULL;
    for (struct client *c = a->clients; c; c = c->next) {
        if (wants(c) && one)
            return NULL;
        if (wants(c))
            one = c;
    }
    return one && one->ntold == 0 && damage_area(&one->uncopied) >= COPY_PARTS_AREA ? one : NULL;
}

/* Cut into initialised regions of whole rows. Returns how many. */
static unsigned split(const pixman_region32_t *what, pixman_region32_t parts[DISPLAY_COPIED_MAX])
{
    const pixman_box32_t *e = pixman_region32_extents((pixman_region32_t *)what);
    uint64_t share = damage_area(what) / DISPLAY_COPIED_MAX, least = share > COPY_PART_AREA ? share : COPY_PART_AREA;
    unsigned n = 0;
    for (int top = e->y1, bottom = top; bottom < e->y2; top = bottom) {
        pixman_region32_t *part = &parts[n++];
        pixman_region32_init(part);
        do {
            bottom = n == DISPLAY_COPIED_MAX ? e->y2 : (bottom / COPY_PART_ROWS + 1) * COPY_PART_ROWS;
            pixman_region32_intersect_rect(part, (pixman_region32_t *)what, e->x1, top, (unsigned)(e->x2 - e->x1),
                (unsigned)(bottom - top));
        } while (bottom < e->y2 && damage_area(part) < least);
    }
    return n;
}

static void tell(struct client *c, pixman_region32_t *part)
{
    uint32_t width, height, stride;
    struct display_copied m = {.nrects = 0};
    c->agent->ops->pixels_info(c->pixels, &width, &height, &stride);
    m.nrects = (uint32_t)damage_rects(part, width, height, m.rects, DISPLAY_PART_RECTS_MAX);
    pixman_region32_union(&c->told, &c->told, part);
    c->ntold++;
    (void)link_send(c->link, &display_copied_def, &m, NULL); /* a dead link is reported from the loop */
}

static int copy_in_parts(struct agent *a, struct client *c)
{
    pixman_region32_t parts[DISPLAY_COPIED_MAX];
    unsigned n = split(&c->uncopied, parts), asked = 0;
    int r = 0;
    pixman_region32_clear(&c->uncopied);
    for (unsigned i = 0; i < n; i++) {
        for (; asked < n && asked < i + BACKEND_MARKS_MAX; asked++) {
            ask(c, &parts[asked], DISPLAY_PART_RECTS_MAX);
            a->ops->mark(a->backend);
        }
        int w = a->ops->wait(a->backend);
        r = r < 0 ? r : w;
        if (r == 0)
            tell(c, &parts[i]);
        pixman_region32_fini(&parts[i]);
    }
    return r;
}

int copies_make(struct agent *a, bool in_parts)
{
    uint64_t area = copies_area(a), begun = clock_us();
    if (area == 0)
        return 0;
    struct client *c = in_parts ? wants_parts(a) : NULL;
    int r = c ? copy_in_parts(a, c) : copy_whole(a);
    uint64_t spent = clock_us() - begun;
    /* Half old, half new: one copy that waited for a busy server counts little */
    if (r == 0 && area >= FRAME_COPY_AREA)
        a->copy_us_per_mpx = (a->copy_us_per_mpx + (spent << 20) / area) / 2;
    return r;
}
