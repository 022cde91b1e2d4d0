/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/shown.h"

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "server/peer/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define SEALS_NEEDED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)

static uint16_t id_of(const struct shown *s)
{
    return (uint16_t)s->is.surface;
}

/* ---- the loan, and what of it waits ---- */

static void release(struct peer *p, struct shown *s)
{
    if (s->holds)
        pump_release(p);
    s->holds = false;
}

static void forget_parts(struct peer *p, struct shown *s)
{
    release(p, s);
    s->nheld = 0;
    s->nparts = 0;
    s->parts_taken = false;
}

static void give_back(struct shown *s)
{
    if (!s->on_loan)
        return;
    s->on_loan = false;
    struct display_frame_done m = {.surface = s->is.surface, .frame = s->loan};
    (void)link_send(s->link, &display_frame_done_def, &m, NULL); /* a dead link is reported from the loop */
}

static void hold(struct shown *s, const struct display_rect *rects, size_t nrects)
{
    for (size_t i = 0; i < nrects; i++)
        s->held[s->nheld++] = (struct engine_rect){rects[i].x, rects[i].y, rects[i].width, rects[i].height};
}

/* The parts of a frame changed when the first of them did. */
static int damage(struct peer *p, struct shown *s, const struct engine_rect *rects, size_t nrects)
{
    uint64_t when = s->parts_taken ? s->parts_us : clock_us();
    return engine_damage(p->pump.engine, id_of(s), s->px, s->stride, rects, nrects, when);
}

/* ---- the engine ---- */

/* A front end without windows shows the desktop only. */
static bool can_be_shown(const struct peer *p, const struct shown *s)
{
    return s->is.kind == SURFACE_DESKTOP || p->ops->surface;
}

static void leave_engine(struct peer *p, struct shown *s)
{
    if (s->in_engine && p->pump.engine)
        engine_surface_destroy(p->pump.engine, id_of(s));
    s->in_engine = false;
}

static bool enter_engine(struct peer *p, struct shown *s)
{
    engine_surface_destroy(p->pump.engine, id_of(s));
    int r = engine_surface_create(p->pump.engine, id_of(s), (uint16_t)s->is.width, (uint16_t)s->is.height, 0, 0);
    s->in_engine = r == 0;
    if (r < 0)
        peer_end(p, END_SESSION_FAILED, "no memory for the picture");
    return r == 0;
}

static bool is_due(const struct peer *p, const struct shown *s)
{
    return p->pump.ready && s->current && s->px && can_be_shown(p, s);
}

/* While a frame is on loan the buffer stands still and is complete; else ask for everything again. */
static void fetch_all(struct peer *p, struct shown *s)
{
    struct engine_rect all = {0, 0, (uint16_t)s->is.width, (uint16_t)s->is.height};
    struct display_refresh m = {.surface = s->is.surface};
    forget_parts(p, s);
    if (s->on_loan)
        (void)damage(p, s, &all, 1);
    else
        (void)link_send(s->link, &display_refresh_def, &m, NULL);
    give_back(s);
}

void shown_open(struct peer *p, struct shown *s)
{
    if (is_due(p, s) && enter_engine(p, s))
        fetch_all(p, s);
}

void shown_take(struct peer *p, struct shown *s)
{
    if (!s->on_loan || !s->in_engine || !pump_has_room(p) || !engine_takes(p->pump.engine, id_of(s), s->held, s->nheld))
        return;
    int changed = damage(p, s, s->held, s->nheld);
    forget_parts(p, s);
    give_back(s);
    if (changed < 0)
        log_error("frame refused", "surface=%u error=%s", s->is.surface, strerror(-changed));
}

/* ---- life ---- */

static void unmap(struct peer *p, struct shown *s)
{
    leave_engine(p, s);
    forget_parts(p, s);
    if (s->px)
        munmap((void *)s->px, s->size);
    s->px = NULL;
    s->size = 0;
    s->on_loan = false;
}

static void tell_front(struct peer *p, const struct shown *s)
{
    if (s->is.kind == SURFACE_WINDOW && p->ops->surface)
        p->ops->surface(p->front, &s->is);
}

struct shown *shown_create(struct peer *p, struct link *link, const struct display_surface *is)
{
    struct shown *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->link = link;
    s->is = *is;
    s->current = true;
    tell_front(p, s);
    return s;
}

void shown_destroy(struct peer *p, struct shown *s)
{
    unmap(p, s);
    if (s->is.kind == SURFACE_WINDOW && p->ops->surface_gone)
        p->ops->surface_gone(p->front, s->is.surface);
    free(s);
}

void shown_change(struct peer *p, struct shown *s, const struct display_surface *is)
{
    if (is->hidden || is->width != s->is.width || is->height != s->is.height)
        unmap(p, s);
    s->is = *is;
    s->current = true;
    tell_front(p, s);
    if (!s->in_engine)
        shown_open(p, s);
}

void shown_outdated(struct peer *p, struct shown *s)
{
    leave_engine(p, s);
    forget_parts(p, s);
    give_back(s);
    s->current = false;
}

/* ---- what the drawer sends ---- */

static const char *buffer_wrong(const struct shown *s, uint32_t stride, int fd, size_t *size)
{
    struct stat st;
    if (s->is.hidden)
        return "the surface is hidden";
    if (stride / 4 < s->is.width || stride % 4)
        return "impossible stride";
    *size = (size_t)stride * s->is.height;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size < *size)
        return "too small";
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
        return "not sealed";
    return NULL;
}

const char *shown_buffer(struct peer *p, struct shown *s, const struct display_buffer *b, int fd)
{
    size_t size = 0;
    const char *wrong = buffer_wrong(s, b->stride, fd, &size);
    if (wrong)
        return wrong;
    unmap(p, s);
    void *px = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (px == MAP_FAILED)
        return strerror(errno);
    s->px = px;
    s->size = size;
    s->stride = b->stride;
    if (is_due(p, s))
        (void)enter_engine(p, s); /* the frames to come cover all of it */
    return NULL;
}

static const char *turn_wrong(const struct shown *s, const struct display_rect *rects, size_t nrects)
{
    if (!s->px)
        return "no buffer";
    if (s->on_loan)
        return "a frame is on loan";
    for (size_t i = 0; i < nrects; i++)
        if ((uint32_t)rects[i].x + rects[i].width > s->is.width ||
            (uint32_t)rects[i].y + rects[i].height > s->is.height)
            return "a rectangle that is not within the surface";
    return NULL;
}

/* All parts of a frame are taken early, or none: what is shown is one state of the surface. */
static void first_part(struct peer *p, struct shown *s)
{
    s->parts_taken = s->in_engine && pump_has_room(p) && !engine_encoding(p->pump.engine);
    s->parts_us = clock_us();
    s->holds = s->parts_taken;
    if (s->holds)
        pump_hold(p, s->parts_us);
}

const char *shown_copied(struct peer *p, struct shown *s, const struct display_copied *m)
{
    const char *wrong = turn_wrong(s, m->rects, m->nrects);
    if (!wrong && s->nparts == DISPLAY_COPIED_MAX)
        wrong = "too many parts";
    if (wrong)
        return wrong;
    if (s->nparts++ == 0)
        first_part(p, s);
    hold(s, m->rects, m->nrects);
    if (!s->parts_taken || !s->in_engine || !p->pump.ready)
        return NULL;
    (void)damage(p, s, s->held, s->nheld);
    s->nheld = 0;
    pump_run_in(p, PARTS_US);
    return NULL;
}

const char *shown_frame(struct peer *p, struct shown *s, const struct display_frame *f)
{
    const char *wrong = turn_wrong(s, f->rects, f->nrects);
    if (wrong)
        return wrong;
    s->on_loan = true;
    s->loan = f->frame;
    release(p, s);
    if (!s->current || !can_be_shown(p, s)) {
        forget_parts(p, s);
        give_back(s);
        return NULL;
    }
    hold(s, f->rects, f->nrects);
    shown_take(p, s);
    return NULL;
}
