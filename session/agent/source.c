/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The surfaces that the display has, and which of them clients see. */
#include "common/clock.h"
#include "session/agent/agent.h"
#include "session/proto/layout.h"

#include <stdlib.h>

struct source *source_find(struct agent *a, uint32_t id)
{
    struct source *s = a->sources;
    while (s && s->is.surface != id)
        s = s->next;
    return s;
}

static struct source *create(struct agent *a, const struct display_surface *is)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->agent = a;
    s->is = *is;
    s->fresh = true;
    s->damage_waiting = true; /* the back end may have told before anybody knew the surface */
    s->damage_us = clock_us() - FRAME_WAIT_MAX_US;
    s->frame_timer = evtimer_new(a->base, frames_on_timer, s);
    if (s->frame_timer)
        return s;
    free(s);
    return NULL;
}

/* Not in the agent's list any more. */
static void destroy(struct source *s)
{
    struct display_surface_gone m = {.surface = s->is.surface};
    while (s->views) {
        (void)link_send(s->views->client->link, &display_surface_gone_def, &m, NULL);
        view_destroy(s->views);
    }
    event_free(s->frame_timer);
    free(s);
}

void sources_destroy(struct agent *a)
{
    for (struct source *s; (s = a->sources);) {
        a->sources = s->next;
        destroy(s);
    }
}

/* ---- what there is now ---- */

static bool is_sane(const struct display_surface *s)
{
    return s->surface <= DISPLAY_SURFACE_ID_MAX && s->width && s->height && s->width <= DISPLAY_SIDE_MAX &&
        s->height <= DISPLAY_SIDE_MAX;
}

/* Take this source out of `list`. */
static struct source *take(struct source **list, uint32_t id, uint8_t kind)
{
    for (; *list; list = &(*list)->next)
        if ((*list)->is.surface == id && (*list)->is.kind == kind) {
            struct source *s = *list;
            *list = s->next;
            return s;
        }
    return NULL;
}

static uint64_t seen_area(const struct display_surface *s)
{
    return s->hidden ? 0 : (uint64_t)s->width * s->height;
}

/* The output's size: the desktop's, or where there is none what the monitors cover. */
static void output_size(const struct agent *a, const struct display_surface *list, size_t n, uint32_t *width,
    uint32_t *height)
{
    layout_size(&a->layout, width, height);
    for (size_t i = 0; i < n; i++)
        if (list[i].kind == SURFACE_DESKTOP) {
            *width = list[i].width;
            *height = list[i].height;
        }
}

/* Hide what is more than clients have to take, the last ones first. */
static void keep_ceilings(struct display_surface *list, size_t n, uint32_t width, uint32_t height)
{
    uint64_t left = (uint64_t)width * height * DISPLAY_OUTPUTS_MAX;
    for (size_t i = 0; i < n; i++) {
        uint64_t area = seen_area(&list[i]);
        list[i].hidden |= area > left;
        left -= area > left ? 0 : area;
    }
}

/* What there is now, made sane. */
static size_t ask(const struct agent *a, struct display_surface list[DISPLAY_SURFACES_MAX], uint32_t *width,
    uint32_t *height)
{
    size_t n = a->ops->surfaces(a->backend, list, DISPLAY_SURFACES_MAX), kept = 0;
    for (size_t i = 0; i < n; i++)
        if (is_sane(&list[i]))
            list[kept++] = list[i];
    for (size_t i = 0; i < kept; i++)
        if (list[i].scale == 0)
            list[i].scale = layout_scale(&a->layout);
    output_size(a, list, kept, width, height);
    keep_ceilings(list, kept, *width, *height);
    return kept;
}

static bool same(const struct display_surface *a, const struct display_surface *b)
{
    return a->hidden == b->hidden && a->owner == b->owner && a->x == b->x && a->y == b->y && a->width == b->width &&
        a->height == b->height && a->scale == b->scale;
}

static void show_new(struct source *s)
{
    for (struct client *c = s->agent->clients; c; c = c->next) {
        struct view *v = c->open ? view_create(c, s) : NULL;
        if (v)
            view_announce(v);
        else if (c->open)
            c->failed = "no memory";
    }
}

static void show(struct source *s, bool layout)
{
    bool changed = layout || !same(&s->is, &s->will_be);
    s->is = s->will_be;
    if (s->fresh)
        show_new(s);
    else if (changed)
        for (struct view *v = s->views; v; v = v->next)
            view_announce(v);
    s->fresh = false;
}

/* The list of sources becomes `list`. Returns those that are not in it. */
static struct source *take_over(struct agent *a, const struct display_surface *list, size_t n)
{
    struct source *old = a->sources, **end = &a->sources;
    for (size_t i = 0; i < n; i++) {
        struct source *s = take(&old, list[i].surface, list[i].kind);
        if (!s)
            s = create(a, &list[i]);
        if (!s)
            continue; /* no memory: not shown */
        s->will_be = list[i];
        *end = s;
        end = &s->next;
    }
    *end = NULL;
    return old;
}

static void tell_layout(struct agent *a)
{
    a->layout_serial += a->layout_serial == UINT32_MAX ? 2 : 1;
    for (struct client *c = a->clients; c; c = c->next)
        if (c->open)
            client_send_layout(c);
}

void sources_renew(struct agent *a, bool layout)
{
    static struct display_surface list[DISPLAY_SURFACES_MAX]; /* 3 KiB; one thread */
    uint32_t width, height;
    size_t n = ask(a, list, &width, &height);
    for (struct source *s, *gone = take_over(a, list, n); (s = gone);) {
        gone = s->next;
        destroy(s);
    }
    layout |= width != a->output_width || height != a->output_height;
    a->output_width = width;
    a->output_height = height;
    if (layout)
        tell_layout(a);
    /* What gives pixels back comes first, so that the ceilings hold at every moment. */
    for (int growing = 0; growing < 2; growing++)
        for (struct source *s = a->sources; s; s = s->next) {
            bool grows = s->fresh || seen_area(&s->will_be) > seen_area(&s->is);
            if (grows == growing)
                show(s, layout);
        }
    clients_reap(a);
}
