/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One source for one client: what it is told, its buffer, what it has not seen. */
#include "common/clock.h"
#include "session/agent/agent.h"

#include <stdlib.h>

struct view *view_create(struct client *c, struct source *s)
{
    struct view *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    *v = (struct view){.client = c, .source = s, .next = s->views, .sibling = c->views};
    pixman_region32_init(&v->pending);
    pixman_region32_init(&v->uncopied);
    pixman_region32_init(&v->told);
    s->views = v;
    c->views = v;
    return v;
}

/* What was told counts no longer: the front end forgot it. */
static void forget_told(struct view *v)
{
    pixman_region32_clear(&v->told);
    v->ntold = 0;
}

static void drop_buffer(struct view *v)
{
    const struct agent *a = v->client->agent;
    a->ops->pixels_destroy(a->backend, v->pixels);
    v->pixels = NULL;
    v->on_loan = false;
    v->pending_us = 0;
    pixman_region32_clear(&v->pending);
    pixman_region32_clear(&v->uncopied);
    forget_told(v);
}

void view_destroy(struct view *v)
{
    struct view **at = &v->source->views;
    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    for (at = &v->client->views; *at != v;)
        at = &(*at)->sibling;
    *at = v->sibling;
    drop_buffer(v);
    pixman_region32_fini(&v->pending);
    pixman_region32_fini(&v->uncopied);
    pixman_region32_fini(&v->told);
    free(v);
}

static void send_buffer(struct view *v)
{
    const struct agent *a = v->client->agent;
    struct display_buffer m = {.surface = v->source->is.surface};
    int r = a->ops->pixels_create(a->backend, v->source->is.surface, &v->pixels);
    if (r == -ENOENT)
        return; /* it is gone, which `surfaces` is about to tell */
    if (r < 0 || ++v->client->unanswered > CLIENT_BUFFERS_MAX) {
        v->client->failed = r < 0 ? "no buffer" : "too slow";
        return;
    }
    int fd = a->ops->pixels_info(v->pixels, &v->width, &v->height, &m.stride);
    (void)link_send(v->client->link, &display_buffer_def, &m, &fd);
    view_invalidate(v, NULL, 0);
}

void view_announce(struct view *v)
{
    struct display_surface m = v->source->is;
    m.layout = v->client->agent->layout_serial;
    bool seen = !m.hidden && !v->client->suppressed;
    if (!seen || v->width != m.width || v->height != m.height)
        drop_buffer(v);
    if (v->layout != m.layout)
        forget_told(v);
    v->layout = m.layout;
    (void)link_send(v->client->link, &display_surface_def, &m, NULL);
    if (seen && !v->pixels)
        send_buffer(v);
}

struct view *view_find(struct client *c, uint32_t surface)
{
    struct view *v = c->views;
    while (v && v->source->is.surface != surface)
        v = v->sibling;
    return v;
}

static void invalidate(struct view *v, unsigned x, unsigned y, unsigned width, unsigned height)
{
    pixman_region32_t region;
    pixman_region32_init_rect(&region, (int)x, (int)y, width, height);
    pixman_region32_union(&v->pending, &v->pending, &region);
    copies_damaged(v, &region);
    pixman_region32_fini(&region);
}

void view_invalidate(struct view *v, const struct display_rect *rects, size_t nrects)
{
    if (!v->pixels)
        return; /* all of it comes with the next buffer */
    if (nrects == 0)
        invalidate(v, 0, 0, v->width, v->height);
    for (size_t i = 0; i < nrects; i++)
        if (rects[i].width && rects[i].height)
            invalidate(v, rects[i].x, rects[i].y, rects[i].width, rects[i].height);
    if (!v->pending_us)
        v->pending_us = clock_us();
}
