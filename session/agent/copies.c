/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the screen into the clients' buffers. A large copy for one client is made in parts, from the top: it reads each
 * while the display server is at the next. */
#include "common/clock.h"
#include "session/agent/agent.h"
#include "session/display/damage.h"

void copies_damaged(struct view *v, const pixman_region32_t *region)
{
    pixman_region32_union(&v->uncopied, &v->uncopied, (pixman_region32_t *)region);
    pixman_region32_subtract(&v->told, &v->told, (pixman_region32_t *)region);
}

uint64_t copies_area(const struct source *s)
{
    uint64_t area = 0;
    for (const struct view *v = s->views; v; v = v->next)
        if (view_ready(v))
            area += damage_area(&v->uncopied);
    return area;
}

static bool wants(const struct view *v)
{
    return view_ready(v) && pixman_region32_not_empty((pixman_region32_t *)&v->uncopied);
}

/* Ask for `region`, as at most `cap` rectangles. */
static void ask(struct view *v, const pixman_region32_t *region, size_t cap)
{
    static struct display_rect rects[DISPLAY_RECTS_MAX]; /* 4 KiB; one thread */
    const struct agent *a = v->source->agent;
    size_t n = damage_rects(region, v->width, v->height, rects, cap);
    a->ops->copy(a->backend, v->pixels, rects, n);
}

static int copy_whole(struct source *s)
{
    for (struct view *v = s->views; v; v = v->next)
        if (wants(v)) {
            ask(v, &v->uncopied, DISPLAY_RECTS_MAX);
            pixman_region32_clear(&v->uncopied);
        }
    const struct agent *a = s->agent;
    a->ops->mark(a->backend);
    return a->ops->wait(a->backend);
}

/* The one client that wants something, and that much of it that parts pay. */
static struct view *wants_parts(const struct source *s)
{
    struct view *one = NULL;
    for (struct view *v = s->views; v; v = v->next) {
        if (wants(v) && one)
            return NULL;
        if (wants(v))
            one = v;
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

static void tell(struct view *v, pixman_region32_t *part)
{
    struct display_copied m = {.surface = v->source->is.surface};
    m.nrects = (uint32_t)damage_rects(part, v->width, v->height, m.rects, DISPLAY_PART_RECTS_MAX);
    pixman_region32_union(&v->told, &v->told, part);
    v->ntold++;
    (void)link_send(v->client->link, &display_copied_def, &m, NULL); /* a dead link is reported from the loop */
}

static int copy_in_parts(struct source *s, struct view *v)
{
    const struct agent *a = s->agent;
    pixman_region32_t parts[DISPLAY_COPIED_MAX];
    unsigned n = split(&v->uncopied, parts), asked = 0;
    int r = 0;
    pixman_region32_clear(&v->uncopied);
    for (unsigned i = 0; i < n; i++) {
        for (; asked < n && asked < i + BACKEND_MARKS_MAX; asked++) {
            ask(v, &parts[asked], DISPLAY_PART_RECTS_MAX);
            a->ops->mark(a->backend);
        }
        int w = a->ops->wait(a->backend);
        r = r < 0 ? r : w;
        if (r == 0)
            tell(v, &parts[i]);
        pixman_region32_fini(&parts[i]);
    }
    return r;
}

int copies_make(struct source *s, bool in_parts)
{
    uint64_t area = copies_area(s), begun = clock_us();
    if (area == 0)
        return 0;
    struct view *v = in_parts ? wants_parts(s) : NULL;
    int r = v ? copy_in_parts(s, v) : copy_whole(s);
    uint64_t spent = clock_us() - begun;
    /* Half old, half new: one copy that waited for a busy server counts little */
    if (r == 0 && area >= FRAME_COPY_AREA)
        s->agent->copy_us_per_mpx = (s->agent->copy_us_per_mpx + (spent << 20) / area) / 2;
    return r;
}
