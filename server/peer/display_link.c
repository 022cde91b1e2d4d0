/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/display_link.h"

#include "common/link.h"
#include "common/log.h"
#include "common/loop.h"
#include "server/peer/peer.h"
#include "server/peer/shown.h"
#include "session/proto/layout.h"

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

/* A granted session without a drawer for so long will not come back: a restart takes 3 */
#define LOST_SECONDS 10
/* The surfaces of a layout follow it at once: what was is deleted in the frame that shows them */
#define SURFACES_US 20000

static int say(struct display_link *d, const struct wire_def *def, const void *msg)
{
    return d->link ? link_send(d->link, def, msg, NULL) : -EPIPE;
}

static void refuse(struct peer *p, const struct wire_def *def, const char *why, uint32_t surface)
{
    log_error("display refused", "message=%s reason=%s surface=%u", def->name, why, surface);
    display_link_detach(p);
}

static struct shown *find(const struct display_link *d, uint32_t surface)
{
    for (unsigned i = 0; i < d->nsurfaces; i++)
        if (d->surfaces[i]->is.surface == surface)
            return d->surfaces[i];
    return NULL;
}

static void remove_surface(struct peer *p, struct shown *s)
{
    struct display_link *d = &p->display;
    unsigned i = 0;
    while (d->surfaces[i] != s)
        i++;
    memmove(&d->surfaces[i], &d->surfaces[i + 1], (--d->nsurfaces - i) * sizeof d->surfaces[0]);
    shown_destroy(p, s);
}

/* ---- the layout ---- */

/* Returns the reason why `m` is no layout, or NULL. */
static const char *monitors_wrong(const struct display_link *d, const struct display_monitors *m)
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

/* Ask the client for it; peer_client_picture_ready follows. */
static void ask_desktop(struct peer *p)
{
    const struct display_monitors *m = &p->display.monitors;
    struct display_layout layout = {.nmonitors = m->nmonitors};
    memcpy(layout.monitors, m->monitors, sizeof layout.monitors);
    p->pump.ready = false;
    p->ops->desktop(p->front, (uint16_t)m->width, (uint16_t)m->height, &layout);
}

static void on_monitors(struct peer *p, const struct display_monitors *m)
{
    struct display_link *d = &p->display;
    const char *wrong = monitors_wrong(d, m);
    if (wrong) {
        refuse(p, &display_monitors_def, wrong, DISPLAY_NO_SURFACE);
        return;
    }
    d->monitors = *m;
    for (unsigned i = 0; i < d->nsurfaces; i++)
        shown_outdated(p, d->surfaces[i]);
    ask_desktop(p);
}

void peer_client_caps_changed(struct peer *p)
{
    p->pump.stale = true;
    if (p->display.monitors.serial)
        ask_desktop(p);
}

void peer_client_picture_ready(struct peer *p)
{
    struct display_link *d = &p->display;
    bool any = false;
    if (d->monitors.serial == 0)
        return;
    if (pump_open(p) < 0) {
        peer_end(p, END_SESSION_FAILED, "no memory for the picture");
        return;
    }
    for (unsigned i = 0; i < d->nsurfaces && !p->ended; i++) {
        shown_open(p, d->surfaces[i]);
        any |= d->nsurfaces && d->surfaces[i]->in_engine;
    }
    if (any)
        pump_run(p);
    else
        pump_run_in(p, SURFACES_US);
}

/* ---- surfaces ---- */

static uint64_t seen_area(const struct display_surface *s)
{
    return s->hidden ? 0 : (uint64_t)s->width * s->height;
}

/* The pixels of all surfaces of this layout, were this one as announced. */
static uint64_t all_areas(const struct display_link *d, const struct display_surface *with)
{
    uint64_t area = seen_area(with);
    for (unsigned i = 0; i < d->nsurfaces; i++)
        if (d->surfaces[i]->current && d->surfaces[i]->is.surface != with->surface)
            area += seen_area(&d->surfaces[i]->is);
    return area;
}

/* Returns the reason why `m` is no surface, or NULL. `s`: what it was so far, NULL nothing. */
static const char *surface_wrong(const struct display_link *d, const struct shown *s, const struct display_surface *m)
{
    uint64_t most = (uint64_t)d->monitors.width * d->monitors.height * DISPLAY_OUTPUTS_MAX;
    if (d->monitors.serial == 0 || m->layout != d->monitors.serial)
        return "not of this layout";
    if (m->kind == 0 || (s && m->kind != s->is.kind) || (m->kind == SURFACE_DESKTOP) != (m->surface == DISPLAY_DESKTOP))
        return "wrong kind";
    if (m->width == 0 || m->height == 0)
        return "empty";
    if (!s && d->nsurfaces == DISPLAY_SURFACES_MAX)
        return "too many surfaces";
    return all_areas(d, m) > most ? "too many pixels" : NULL;
}

static void on_surface(struct peer *p, const struct display_surface *m)
{
    struct display_link *d = &p->display;
    struct shown *s = find(d, m->surface);
    const char *wrong = surface_wrong(d, s, m);
    if (wrong)
        refuse(p, &display_surface_def, wrong, m->surface);
    else if (s)
        shown_change(p, s, m);
    else if ((s = shown_create(p, d->link, m)))
        d->surfaces[d->nsurfaces++] = s;
    else
        peer_end(p, END_SESSION_FAILED, "no memory for the picture");
}

/* What a surface that is announced got. Ends the link where it must not. */
static void on_surface_message(struct peer *p, const struct wire_def *def, const void *msg, const int *fds)
{
    const uint32_t *surface = msg; /* the first field of each of these messages */
    struct shown *s = find(&p->display, *surface);
    const char *wrong = NULL;
    if (!s)
        wrong = "unknown surface";
    else if (def == &display_buffer_def)
        wrong = shown_buffer(p, s, msg, fds[0]);
    else if (def == &display_copied_def)
        wrong = shown_copied(p, s, msg);
    else if (def == &display_frame_def)
        wrong = shown_frame(p, s, msg);
    else
        remove_surface(p, s);
    if (def == &display_buffer_def)
        close(fds[0]); /* a mapping keeps the memory */
    if (wrong)
        refuse(p, def, wrong, *surface);
    else if (def == &display_frame_def || def == &display_surface_gone_def)
        pump_run(p);
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct peer *p = user;
    if (def == &display_buffer_def || def == &display_copied_def || def == &display_frame_def ||
        def == &display_surface_gone_def) {
        on_surface_message(p, def, msg, fds);
    } else if (def == &display_monitors_def) {
        on_monitors(p, msg);
    } else if (def == &display_surface_def) {
        on_surface(p, msg);
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
        display_link_detach(p);
    }
}

static void on_closed(void *user, struct link *l, int err)
{
    struct peer *p = user;
    log_info("display link closed", "error=%s", strerror(-err));
    display_link_detach(p);
}

static void on_lost(evutil_socket_t fd, short what, void *arg)
{
    peer_end(arg, END_SESSION_FAILED, "The session's display is gone.");
}

static void on_input_due(evutil_socket_t fd, short what, void *arg)
{
    struct peer *p = arg;
    struct display_link *d = &p->display;
    if (d->input.nevents)
        (void)say(d, &display_input_def, &d->input);
    d->input.nevents = 0;
}

int display_link_init(struct peer *p)
{
    struct display_link *d = &p->display;
    d->lost = evtimer_new(p->base, on_lost, p);
    d->input_ev = event_new(p->base, -1, 0, on_input_due, p);
    return d->lost && d->input_ev ? 0 : -ENOMEM;
}

/* What is shown stays at the client until somebody else draws. */
static void drop_link(struct peer *p)
{
    struct display_link *d = &p->display;
    while (d->nsurfaces)
        remove_surface(p, d->surfaces[d->nsurfaces - 1]);
    d->monitors.serial = 0;
    link_destroy(d->link);
    d->link = NULL;
    d->input.nevents = 0;
}

void display_link_finish(struct peer *p)
{
    struct display_link *d = &p->display;
    drop_link(p);
    if (d->lost)
        event_free(d->lost);
    if (d->input_ev)
        event_free(d->input_ev);
}

void display_link_detach(struct peer *p)
{
    struct display_link *d = &p->display;
    drop_link(p);
    pump_pause(p);
    /* A session that is only starting has the monitor's patience; one that was seen comes back soon or never. */
    if (d->kind == DISPLAY_SESSION && p->login.state == LOGIN_GRANTED && !p->ended)
        (void)loop_arm_s(d->lost, LOST_SECONDS);
}

void display_link_facts(const struct client_facts *facts, struct display_open *o)
{
    *o = (struct display_open){.nmonitors = facts->layout.nmonitors,
        .keyboard_layout = facts->keyboard_layout,
        .keyboard_type = facts->keyboard_type,
        .keyboard_subtype = facts->keyboard_subtype};
    memcpy(o->monitors, facts->layout.monitors, sizeof o->monitors);
    memcpy(o->time_zone, facts->time_zone, sizeof o->time_zone);
}

static void say_suppressed(struct peer *p)
{
    struct display_suppress m = {.on = p->pump.suppressed};
    (void)say(&p->display, &display_suppress_def, &m);
}

void display_link_attach(struct peer *p, int fd, uint8_t kind)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    struct display_link *d = &p->display;
    display_link_detach(p);
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
    display_link_facts(p->ops->facts(p->front), &o);
    (void)say(d, &display_open_def, &o);
    if (p->pump.suppressed)
        say_suppressed(p);
}

void peer_client_drained(struct peer *p)
{
    if (p->pump.engine && engine_encoding(p->pump.engine))
        pump_run(p); /* what an encoder has ready makes room for the next frame */
    for (unsigned i = 0; i < p->display.nsurfaces; i++)
        shown_take(p, p->display.surfaces[i]);
    pump_run(p);
}

/* Its coordinates are the output's, and so are the desktop's. */
void peer_client_refresh(struct peer *p, const struct engine_rect *rects, size_t nrects)
{
    if (!p->pump.engine || !p->pump.ready)
        return;
    engine_refresh(p->pump.engine, DISPLAY_DESKTOP, rects, nrects);
    pump_run(p);
}

void peer_client_suppress(struct peer *p, bool on)
{
    if (p->pump.suppressed == on)
        return;
    p->pump.suppressed = on;
    if (p->pump.engine)
        engine_suppress(p->pump.engine, on);
    say_suppressed(p);
    pump_run(p); /* what nobody sees has a time, too, after which its memory is given back */
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
    struct display_link *d = &p->display;
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
