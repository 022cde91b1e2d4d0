/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end's side of session/proto/display.h. The drawer is oriel-agent or oriel-logon; what it sends is treated
 * as hostile. */
#include "common/link.h"
#include "common/log.h"
#include "common/loop.h"
#include "server/peer/peer.h"
#include "session/proto/layout.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define SEALS_NEEDED (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)
/* A granted session without a drawer for so long will not come back: a restart takes 3 */
#define LOST_SECONDS 10

static void unmap(struct display_front *d)
{
    if (d->px)
        munmap((void *)d->px, d->size);
    d->px = NULL;
    d->size = 0;
    d->on_loan = false;
}

static int say(struct display_front *d, const struct wire_def *def, const void *msg)
{
    return d->link ? link_send(d->link, def, msg, NULL) : -EPIPE;
}

static void refuse(struct peer *p, const char *what, const char *why, uint32_t surface)
{
    log_error("display refused", "message=%s reason=%s surface=%u", what, why, surface);
    display_front_detach(p);
}

/* Returns the reason why `m` is no layout, or NULL. */
static const char *monitors_wrong(const struct display_front *d, const struct display_monitors *m)
{
    if (m->serial == 0 || m->serial == d->monitors.serial)
        return "the serial is no new one";
    if (m->nmonitors == 0)
        return "no monitors";
    for (uint32_t i = 0; i < m->nmonitors; i++) {
        const struct display_monitor *o = &m->monitors[i];
        if (!o->width || !o->height || o->x < 0 || o->y < 0 || (int64_t)o->x + o->width > m->width ||
            (int64_t)o->y + o->height > m->height)
            return "a monitor that is not within the output";
    }
    return NULL;
}

static void on_monitors(struct peer *p, const struct display_monitors *m)
{
    struct display_front *d = &p->display;
    const char *wrong = monitors_wrong(d, m);
    if (wrong) {
        refuse(p, "display_monitors", wrong, DISPLAY_DESKTOP);
        return;
    }
    d->monitors = *m;
    display_front_return(p);
    picture_forget_parts(p);
    picture_layout(p);
}

/* Returns the reason why `s` is no surface, or NULL. */
static const char *surface_wrong(const struct display_front *d, const struct display_surface *s)
{
    if (s->surface != DISPLAY_DESKTOP || s->kind != SURFACE_DESKTOP)
        return "unknown kind of surface";
    if (d->monitors.serial == 0 || s->layout != d->monitors.serial)
        return "not of this layout";
    if (s->width == 0 || s->height == 0)
        return "empty";
    return NULL;
}

static void on_surface(struct peer *p, const struct display_surface *s)
{
    struct display_front *d = &p->display;
    const char *wrong = surface_wrong(d, s);
    if (wrong) {
        refuse(p, "display_surface", wrong, s->surface);
        return;
    }
    if (s->hidden || s->width != d->surface.width || s->height != d->surface.height) {
        unmap(d);
        picture_forget_parts(p);
    }
    d->surface = *s;
    if (d->px)
        picture_buffer(p);
}

/* Returns the reason why `b` with this descriptor is no buffer, or NULL. */
static const char *buffer_wrong(const struct display_front *d, const struct display_buffer *b, int fd, size_t *size)
{
    struct stat st;
    if (d->surface.kind == 0 || b->surface != DISPLAY_DESKTOP || d->surface.hidden)
        return "unknown surface";
    if (b->stride / 4 < d->surface.width || b->stride % 4)
        return "impossible size";
    *size = (size_t)b->stride * d->surface.height;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size < *size)
        return "too small";
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED)
        return "not sealed";
    return NULL;
}

static void on_buffer(struct peer *p, const struct display_buffer *b, int fd)
{
    struct display_front *d = &p->display;
    size_t size = 0;
    const char *wrong = buffer_wrong(d, b, fd, &size);
    unmap(d);
    picture_forget_parts(p);
    void *px = wrong ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (px == MAP_FAILED)
        refuse(p, "display_buffer", wrong ? wrong : strerror(errno), b->surface);
    close(fd); /* the mapping keeps the memory */
    if (px == MAP_FAILED)
        return;
    d->px = px;
    d->size = size;
    d->stride = b->stride;
    picture_buffer(p);
}

static const char *outside(const struct display_front *d, const struct display_rect *rects, size_t nrects)
{
    for (size_t i = 0; i < nrects; i++)
        if ((uint32_t)rects[i].x + rects[i].width > d->surface.width ||
            (uint32_t)rects[i].y + rects[i].height > d->surface.height)
            return "a rectangle that is not within the surface";
    return NULL;
}

static void on_gone(struct peer *p, const struct display_surface_gone *m)
{
    struct display_front *d = &p->display;
    if (d->surface.kind == 0 || m->surface != DISPLAY_DESKTOP) {
        refuse(p, "display_surface_gone", "unknown surface", m->surface);
        return;
    }
    unmap(d);
    picture_forget_parts(p);
    d->surface = (struct display_surface){.kind = 0};
}

static void on_frame(struct peer *p, const struct display_frame *f)
{
    struct display_front *d = &p->display;
    const char *wrong = !d->px || f->surface != DISPLAY_DESKTOP ? "no buffer"
        : d->on_loan                                            ? "another one is on loan"
                                                                : outside(d, f->rects, f->nrects);
    if (wrong) {
        refuse(p, "display_frame", wrong, f->surface);
        return;
    }
    d->on_loan = true;
    d->loan = f->frame;
    if (d->surface.layout == d->monitors.serial)
        picture_frame(p, f->rects, f->nrects);
    else
        display_front_return(p);
}

static void on_copied(struct peer *p, const struct display_copied *m)
{
    struct display_front *d = &p->display;
    const char *wrong = !d->px || m->surface != DISPLAY_DESKTOP ? "no buffer"
        : d->on_loan                                            ? "a frame is on loan"
                                                                : outside(d, m->rects, m->nrects);
    if (!wrong && d->surface.layout == d->monitors.serial && !picture_copied(p, m->rects, m->nrects))
        wrong = "too many parts";
    if (wrong)
        refuse(p, "display_copied", wrong, m->surface);
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct peer *p = user;
    if (def == &display_monitors_def) {
        on_monitors(p, msg);
    } else if (def == &display_surface_def) {
        on_surface(p, msg);
    } else if (def == &display_surface_gone_def) {
        on_gone(p, msg);
    } else if (def == &display_buffer_def) {
        on_buffer(p, msg, fds[0]);
    } else if (def == &display_frame_def) {
        on_frame(p, msg);
    } else if (def == &display_copied_def) {
        on_copied(p, msg);
    } else if (def == &display_cursor_def) {
        p->sent++;
        p->ops->cursor(p->front, msg);
    } else if (def == &display_pointer_def) {
        struct display_pointer *m = msg;
        p->ops->pointer(p->front, m->x, m->y);
    } else if (def == &display_leds_def) {
        p->ops->leds(p->front, ((struct display_leds *)msg)->locks);
    } else if (def == &display_end_def) {
        log_info("display ended", "reason=%u", ((struct display_end *)msg)->reason);
        display_front_detach(p);
    }
}

static void on_closed(void *user, struct link *l, int err)
{
    struct peer *p = user;
    log_info("display link closed", "error=%s", strerror(-err));
    display_front_detach(p);
}

static void on_lost(evutil_socket_t fd, short what, void *arg)
{
    peer_end(arg, END_SESSION_FAILED, "The session's display is gone.");
}

static void on_input_due(evutil_socket_t fd, short what, void *arg)
{
    struct peer *p = arg;
    struct display_front *d = &p->display;
    if (d->input.nevents)
        (void)say(d, &display_input_def, &d->input);
    d->input.nevents = 0;
}

int display_front_init(struct peer *p)
{
    struct display_front *d = &p->display;
    d->lost = evtimer_new(p->base, on_lost, p);
    d->input_ev = event_new(p->base, -1, 0, on_input_due, p);
    return d->lost && d->input_ev ? 0 : -ENOMEM;
}

void display_front_finish(struct peer *p)
{
    struct display_front *d = &p->display;
    unmap(d);
    link_destroy(d->link);
    d->link = NULL;
    if (d->lost)
        event_free(d->lost);
    if (d->input_ev)
        event_free(d->input_ev);
}

void display_front_detach(struct peer *p)
{
    struct display_front *d = &p->display;
    unmap(d);
    d->surface = (struct display_surface){.kind = 0};
    d->monitors.serial = 0;
    link_destroy(d->link);
    d->link = NULL;
    d->input.nevents = 0;
    picture_forget_parts(p);
    picture_pause(p);
    /* A session that is only starting has the monitor's patience; one that was seen comes back soon or never. */
    if (d->kind == DISPLAY_SESSION && p->login.state == LOGIN_GRANTED && !p->ended)
        (void)loop_arm_s(d->lost, LOST_SECONDS);
}

void display_front_facts(const struct client_facts *facts, struct display_open *o)
{
    *o = (struct display_open){.nmonitors = facts->layout.nmonitors,
        .keyboard_layout = facts->keyboard_layout,
        .keyboard_type = facts->keyboard_type,
        .keyboard_subtype = facts->keyboard_subtype};
    memcpy(o->monitors, facts->layout.monitors, sizeof o->monitors);
    memcpy(o->time_zone, facts->time_zone, sizeof o->time_zone);
}

void display_front_attach(struct peer *p, int fd, uint8_t kind)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    struct display_front *d = &p->display;
    display_front_detach(p);
    (void)evtimer_del(d->lost);
    d->link = link_create(p->base, fd, &display_to_front, &ops, p, LINK_QUEUE_DEFAULT);
    if (!d->link) {
        close(fd);
        peer_end(p, END_SESSION_FAILED, "no memory for the display");
        return;
    }
    d->kind = kind;
    d->input.nevents = 0;
    struct display_open o;
    display_front_facts(p->ops->facts(p->front), &o);
    (void)say(d, &display_open_def, &o);
    if (p->picture.suppressed)
        display_front_suppress(p, true);
}

void display_front_return(struct peer *p)
{
    struct display_front *d = &p->display;
    if (!d->on_loan)
        return;
    d->on_loan = false;
    struct display_frame_done m = {.surface = DISPLAY_DESKTOP, .frame = d->loan};
    (void)say(d, &display_frame_done_def, &m);
}

void display_front_refresh(struct peer *p, const struct engine_rect *rects, size_t nrects)
{
    struct display_refresh m = {.surface = DISPLAY_DESKTOP};
    if (nrects <= DISPLAY_RECTS_MAX)
        for (size_t i = 0; i < nrects; i++)
            m.rects[m.nrects++] = (struct display_rect){rects[i].x, rects[i].y, rects[i].width, rects[i].height};
    (void)say(&p->display, &display_refresh_def, &m);
}

void display_front_suppress(struct peer *p, bool on)
{
    struct display_suppress m = {.on = on};
    (void)say(&p->display, &display_suppress_def, &m);
}

/* Moves in a row are one move: the pointer's way between two frames is of no interest to anyone. */
static bool merge_move(struct display_input *in, const struct display_event *e)
{
    if (e->type != INPUT_MOVE || in->nevents == 0 || in->events[in->nevents - 1].type != INPUT_MOVE)
        return false;
    in->events[in->nevents - 1] = *e;
    return true;
}

void peer_client_input(struct peer *p, const struct display_event *e)
{
    struct display_front *d = &p->display;
    if (!d->link || merge_move(&d->input, e))
        return;
    if (d->input.nevents == DISPLAY_INPUTS_MAX)
        on_input_due(-1, 0, p);
    d->input.events[d->input.nevents++] = *e;
    event_active(d->input_ev, EV_TIMEOUT, 0);
}

void peer_client_layout(struct peer *p, const struct display_layout *l)
{
    const struct display_monitor *primary = layout_primary(l->monitors, l->nmonitors);
    struct peer_status s = {.nmonitors = l->nmonitors, .scale = primary ? primary->scale : 0};
    layout_size(l, &s.width, &s.height);
    (void)say(&p->display, &display_layout_def, l);
    if (p->login.link && p->login.state == LOGIN_GRANTED)
        (void)link_send(p->login.link, &peer_status_def, &s, NULL);
}
