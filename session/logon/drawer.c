/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/drawer.h"

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/slots.h"
#include "session/logon/canvas.h"
#include "session/proto/layout.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct drawer {
    const struct drawer_ops *ops;
    void *user;
    struct link *link;
    struct event *flush;
    struct canvas canvas;
    bool opened, ready, on_loan, suppressed, over;
    uint32_t frame;
    uint32_t layout; /* display_monitors.serial */
    struct area damage[DRAWER_DAMAGE_MAX];
    unsigned ndamage;
    uint64_t damaged_us;
};

/* ---- monitors ---- */

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

#define DEFAULT_WIDTH 1024
#define DEFAULT_HEIGHT 768
#define MONITOR_MIN 64 /* smaller than any real screen; keeps arithmetic on sizes sane */

uint32_t drawer_normalise(const struct display_monitor *in, uint32_t n, struct display_monitor *out, int *width,
    int *height)
{
    uint32_t m = 0;
    n = n < DISPLAY_MONITORS_MAX ? n : DISPLAY_MONITORS_MAX;
    struct layout_bounds b = layout_bounds(in, n);
    for (uint32_t i = 0; i < n; i++) {
        struct display_monitor *o = &out[m];
        int64_t x = in[i].x - b.left, y = in[i].y - b.top;
        if (x > DRAWER_WIDTH_MAX - MONITOR_MIN || y > DRAWER_HEIGHT_MAX - MONITOR_MIN)
            continue;
        *o = in[i];
        o->x = (int32_t)x;
        o->y = (int32_t)y;
        o->width = (uint32_t)clamp(in[i].width, MONITOR_MIN, DRAWER_WIDTH_MAX - x);
        o->height = (uint32_t)clamp(in[i].height, MONITOR_MIN, DRAWER_HEIGHT_MAX - y);
        m++;
    }
    if (m == 0)
        out[m++] = (struct display_monitor){.width = DEFAULT_WIDTH, .height = DEFAULT_HEIGHT, .primary = 1};
    b = layout_bounds(out, m);
    *width = (int)b.right;
    *height = (int)b.bottom;
    return m;
}

/* ---- damage: disjoint rectangles ---- */

static bool meets(struct area a, struct area b)
{
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

static struct area join(struct area a, struct area b)
{
    int x = a.x < b.x ? a.x : b.x, y = a.y < b.y ? a.y : b.y;
    int r = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w, d = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;
    return (struct area){x, y, r - x, d - y};
}

static struct area clip_area(const struct drawer *d, struct area b)
{
    int64_t r = clamp((int64_t)b.x + b.w, 0, d->canvas.width), bottom = clamp((int64_t)b.y + b.h, 0, d->canvas.height);
    int64_t x = clamp(b.x, 0, d->canvas.width), y = clamp(b.y, 0, d->canvas.height);
    return (struct area){(int)x, (int)y, (int)(r > x ? r - x : 0), (int)(bottom > y ? bottom - y : 0)};
}

static void add_damage(struct drawer *d, struct area b)
{
    for (unsigned i = 0; i < d->ndamage;) {
        if (meets(d->damage[i], b) || d->ndamage == DRAWER_DAMAGE_MAX) {
            b = join(b, d->damage[i]);
            d->damage[i] = d->damage[--d->ndamage];
            i = 0;
        } else {
            i++;
        }
    }
    d->damage[d->ndamage++] = b;
}

static void wake(struct drawer *d)
{
    bool can = d->ready && d->canvas.surface && !d->on_loan && !d->suppressed && !d->over;
    if (can && d->ndamage)
        event_active(d->flush, EV_TIMEOUT, 0);
}

void drawer_damage(struct drawer *d, struct area b)
{
    b = clip_area(d, b);
    if (b.w == 0 || b.h == 0)
        return;
    if (d->ndamage == 0)
        d->damaged_us = clock_us();
    add_damage(d, b);
    wake(d);
}

static void damage_all(struct drawer *d)
{
    drawer_damage(d, (struct area){0, 0, (int)d->canvas.width, (int)d->canvas.height});
}

void drawer_ready(struct drawer *d)
{
    d->ready = true;
    wake(d);
}

static void paint(struct drawer *d, struct area b)
{
    cairo_t *cr = cairo_create(d->canvas.surface);
    cairo_rectangle(cr, b.x, b.y, b.w, b.h);
    cairo_clip(cr);
    d->ops->paint(d->user, cr);
    cairo_destroy(cr);
}

/* Runs once the loop has handled all input at hand: many changes, one frame. */
static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    struct drawer *d = arg;
    struct display_frame f = {.surface = DISPLAY_DESKTOP, .frame = d->frame + 1, .damaged_us = d->damaged_us};
    if (d->on_loan || d->suppressed || d->over || !d->canvas.surface)
        return;
    for (unsigned i = 0; i < d->ndamage; i++) {
        struct area b = d->damage[i];
        paint(d, b);
        f.rects[f.nrects++] = (struct display_rect){(uint16_t)b.x, (uint16_t)b.y, (uint16_t)b.w, (uint16_t)b.h};
    }
    d->ndamage = 0;
    if (f.nrects == 0)
        return;
    cairo_surface_flush(d->canvas.surface);
    d->frame++;
    d->on_loan = true;
    (void)link_send(d->link, &display_frame_def, &f, NULL);
}

/* ---- messages ---- */

static void end(struct drawer *d, int err)
{
    if (d->over)
        return;
    d->over = true;
    d->ops->closed(d->user, err);
}

/* All of it is one desktop. */
static void announce(struct drawer *d)
{
    struct display_surface s = {.surface = DISPLAY_DESKTOP,
        .layout = d->layout,
        .kind = SURFACE_DESKTOP,
        .owner = DISPLAY_NO_SURFACE,
        .width = d->canvas.width,
        .height = d->canvas.height};
    struct display_buffer b = {.surface = DISPLAY_DESKTOP, .stride = d->canvas.stride};
    (void)link_send(d->link, &display_surface_def, &s, NULL);
    (void)link_send(d->link, &display_buffer_def, &b, &d->canvas.fd);
}

static void set_layout(struct drawer *d, const struct display_monitor *monitors, uint32_t n)
{
    struct display_monitors m = {.serial = d->layout + 1};
    struct canvas fresh;
    int w, h;
    m.nmonitors = drawer_normalise(monitors, n, m.monitors, &w, &h);
    int r = canvas_init(&fresh, (uint32_t)w, (uint32_t)h);
    if (r < 0) {
        log_error("no memory for the picture", "width=%d height=%d error=%s", w, h, strerror(-r));
        end(d, r);
        return;
    }
    canvas_finish(&d->canvas);
    d->canvas = fresh;
    d->on_loan = false;
    d->ndamage = 0;
    d->layout = m.serial;
    m.width = fresh.width;
    m.height = fresh.height;
    (void)link_send(d->link, &display_monitors_def, &m, NULL);
    announce(d);
    d->ops->layout(d->user, m.monitors, m.nmonitors);
    damage_all(d);
}

static void on_open(struct drawer *d, const struct display_open *m)
{
    d->opened = true;
    d->ops->keyboard(d->user, m->keyboard_layout, m->keyboard_type, m->keyboard_subtype);
    set_layout(d, m->monitors, m->nmonitors);
}

static void on_input(struct drawer *d, const struct display_input *m)
{
    for (uint32_t i = 0; i < m->nevents && !d->over; i++)
        d->ops->event(d->user, &m->events[i]);
}

static void on_frame_done(struct drawer *d, const struct display_frame_done *m)
{
    if (m->surface != DISPLAY_DESKTOP || m->frame != d->frame)
        return; /* of a buffer that is gone */
    d->on_loan = false;
    wake(d);
}

static void on_refresh(struct drawer *d, const struct display_refresh *m)
{
    bool mine = m->surface == DISPLAY_DESKTOP;
    if (mine && m->nrects == 0)
        damage_all(d);
    for (uint32_t i = 0; mine && i < m->nrects; i++)
        drawer_damage(d, (struct area){m->rects[i].x, m->rects[i].y, m->rects[i].width, m->rects[i].height});
}

static void on_suppress(struct drawer *d, const struct display_suppress *m)
{
    d->suppressed = m->on;
    if (!m->on)
        damage_all(d);
}

static void dispatch(struct drawer *d, const struct wire_def *def, void *msg)
{
    const struct display_keyboard *k = msg;
    if (def == &display_layout_def)
        set_layout(d, ((struct display_layout *)msg)->monitors, ((struct display_layout *)msg)->nmonitors);
    else if (def == &display_input_def)
        on_input(d, msg);
    else if (def == &display_frame_done_def)
        on_frame_done(d, msg);
    else if (def == &display_refresh_def)
        on_refresh(d, msg);
    else if (def == &display_suppress_def)
        on_suppress(d, msg);
    else if (def == &display_keyboard_def)
        d->ops->keyboard(d->user, k->keyboard_layout, k->keyboard_type, k->keyboard_subtype);
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct drawer *d = user;
    bool is_open = def == &display_open_def;
    if (d->over)
        return;
    if (is_open == d->opened) {
        log_warning("display link out of order", "message=%s", def->name);
        end(d, -EPROTO);
    } else if (is_open) {
        on_open(d, msg);
    } else {
        dispatch(d, def, msg);
    }
    explicit_bzero(msg, def->size); /* keystrokes */
}

static void on_closed(void *user, struct link *l, int err)
{
    end(user, err);
}

static const struct link_ops ops = {.message = on_message, .closed = on_closed};

/* ---- life ---- */

struct drawer *drawer_create(struct event_base *base, int fd, const struct drawer_ops *o, void *user)
{
    static const struct slot must[] = {SLOT(drawer_ops, layout), SLOT(drawer_ops, keyboard), SLOT(drawer_ops, event),
        SLOT(drawer_ops, paint), SLOT(drawer_ops, closed)};
    bool whole = SLOTS_CHECK("drawer", o, must) == 0;
    struct drawer *d = whole ? calloc(1, sizeof *d) : NULL;
    if (!d)
        goto no_memory;
    d->ops = o;
    d->user = user;
    d->canvas.fd = -1;
    d->flush = event_new(base, -1, 0, on_flush, d);
    if (!d->flush)
        goto no_flush;
    d->link = link_create(base, fd, &display_to_drawer, &ops, d, LINK_QUEUE_DEFAULT);
    if (!d->link)
        goto no_link;
    return d;
no_link:
    event_free(d->flush);
no_flush:
    free(d);
no_memory:
    close(fd);
    return NULL;
}

void drawer_destroy(struct drawer *d)
{
    if (!d)
        return;
    link_destroy(d->link);
    event_free(d->flush);
    canvas_finish(&d->canvas);
    free(d);
}

void drawer_cursor(struct drawer *d, const struct display_cursor *c)
{
    if (!d->over)
        (void)link_send(d->link, &display_cursor_def, c, NULL);
}

void drawer_leds(struct drawer *d, uint8_t locks)
{
    struct display_leds m = {locks};
    if (!d->over)
        (void)link_send(d->link, &display_leds_def, &m, NULL);
}
