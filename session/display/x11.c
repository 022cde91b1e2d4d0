/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connection, event dispatch and the table of the X11 back end. */
#include "session/display/x11.h"

#include "common/clock.h"
#include "common/log.h"
#include "session/display/x11_conn.h"
#include "session/display/x11_keys.h"
#include "session/display/x11_notice.h"
#include "session/display/x11_settings.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xcb/shm.h>
#include <xcb/xcbext.h>
#include <xcb/xtest.h>

/* A server answers within milliseconds, a starved one within this; the leader's limit may come before */
#define CLOSE_WAIT_US 2000000

static void on_damage(struct backend *b)
{
    if (b->told_damage)
        return;
    b->told_damage = true;
    b->events->damaged(b->user, DISPLAY_DESKTOP, clock_us());
}

/* Screen changes of our own are known before their event comes: only another size or monitor set is news. */
static void on_screen_change(struct backend *b, const xcb_randr_screen_change_notify_event_t *e)
{
    bool turned = e->rotation & (XCB_RANDR_ROTATION_ROTATE_90 | XCB_RANDR_ROTATION_ROTATE_270);
    uint32_t w = turned ? e->height : e->width, h = turned ? e->width : e->height;
    if (w == b->width && h == b->height)
        return;
    xcb_get_geometry_reply_t *g = xcb_get_geometry_reply(b->c, xcb_get_geometry(b->c, b->root), NULL);
    x11_replied(b);
    if (!g)
        return;
    bool news = g->width != b->width || g->height != b->height;
    b->width = g->width;
    b->height = g->height;
    free(g);
    if (news)
        b->events->layout(b->user);
}

static void dispatch(struct backend *b, xcb_generic_event_t *e)
{
    uint8_t type = e->response_type & 0x7f;
    if (type == 0) {
        const xcb_generic_error_t *err = (const xcb_generic_error_t *)e;
        log_debug("X error", "code=%u major=%u minor=%u", err->error_code, err->major_code, err->minor_code);
    } else if (type == b->damage_event + XCB_DAMAGE_NOTIFY) {
        on_damage(b);
    } else if (type == b->xfixes_event + XCB_XFIXES_CURSOR_NOTIFY) {
        x11_cursor_report(b);
    } else if (type == b->randr_event + XCB_RANDR_SCREEN_CHANGE_NOTIFY) {
        on_screen_change(b, (const xcb_randr_screen_change_notify_event_t *)e);
    } else if (type == b->xkb_event || type == XCB_MAPPING_NOTIFY) {
        x11_keys_event(b, e);
    } else if (!x11_settings_event(b, e)) {
        x11_notice_event(b, e);
    }
}

/* The next event. Flushing reads what has come meanwhile, so the queue is looked at once more. */
static xcb_generic_event_t *next_event(struct backend *b)
{
    xcb_generic_event_t *e = xcb_poll_for_event(b->c);
    if (e)
        return e;
    xcb_flush(b->c);
    return xcb_poll_for_queued_event(b->c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct backend *b = arg;
    if (!b->reported) {
        b->reported = true;
        x11_cursor_report(b);
        x11_keys_report(b);
    }
    xcb_generic_event_t *e;
    while ((e = next_event(b))) {
        dispatch(b, e);
        free(e);
    }
    if (b->pointer_moved) {
        b->pointer_moved = false;
        b->events->pointer(b->user, b->pointer_x, b->pointer_y);
    }
    if (!b->dead && xcb_connection_has_error(b->c)) {
        b->dead = true;
        event_del(b->readable);
        b->events->died(b->user);
    }
}

static int say(char *why, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int say(char *why, size_t cap, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, cap, fmt, ap);
    va_end(ap);
    return -ENOSYS;
}

static int need_extension(struct backend *b, xcb_extension_t *ext, uint8_t *first_event, char *why, size_t cap)
{
    const xcb_query_extension_reply_t *r = xcb_get_extension_data(b->c, ext);
    if (!r || !r->present)
        return say(why, cap, "the X server lacks the extension %s", ext->name);
    if (first_event)
        *first_event = r->first_event;
    return 0;
}

static int negotiate(struct backend *b, char *why, size_t cap)
{
    uint8_t *none = NULL;
    if (need_extension(b, &xcb_damage_id, &b->damage_event, why, cap) < 0 ||
        need_extension(b, &xcb_xfixes_id, &b->xfixes_event, why, cap) < 0 ||
        need_extension(b, &xcb_randr_id, &b->randr_event, why, cap) < 0 ||
        need_extension(b, &xcb_shm_id, none, why, cap) < 0 || need_extension(b, &xcb_test_id, none, why, cap) < 0)
        return -ENOSYS;
    free(xcb_damage_query_version_reply(b->c, xcb_damage_query_version(b->c, 1, 1), NULL));
    free(xcb_xfixes_query_version_reply(b->c, xcb_xfixes_query_version(b->c, 5, 0), NULL));
    free(xcb_randr_query_version_reply(b->c, xcb_randr_query_version(b->c, 1, 5), NULL));
    xcb_shm_query_version_reply_t *shm = xcb_shm_query_version_reply(b->c, xcb_shm_query_version(b->c), NULL);
    bool fds = shm && shm->shared_pixmaps && (shm->major_version > 1 || shm->minor_version >= 2);
    free(shm);
    if (!fds)
        return say(why, cap, "the X server does not share pixmaps by descriptor (MIT-SHM 1.2)");
    if (b->screen->root_depth != 24)
        return say(why, cap, "the X server's depth is %u, not 24", b->screen->root_depth);
    return 0;
}

static void create_resources(struct backend *b)
{
    b->damage = xcb_generate_id(b->c);
    xcb_damage_create(b->c, b->damage, b->root, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    b->region = xcb_generate_id(b->c);
    xcb_xfixes_create_region(b->c, b->region, 0, NULL);
    b->gc = xcb_generate_id(b->c);
    uint32_t values[] = {XCB_SUBWINDOW_MODE_INCLUDE_INFERIORS, 0};
    xcb_create_gc(b->c, b->gc, b->root, XCB_GC_SUBWINDOW_MODE | XCB_GC_GRAPHICS_EXPOSURES, values);
    xcb_xfixes_select_cursor_input(b->c, b->root, XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR);
    xcb_randr_select_input(b->c, b->root, XCB_RANDR_NOTIFY_MASK_SCREEN_CHANGE);
}

/* A server that finds the connection closed while it has something to say throws away what it has not done yet: also
 * the releases of what a client held down. So the end waits for the server, but not for one that hangs. */
static void await_last_requests(struct backend *b)
{
    unsigned sequence = xcb_get_input_focus(b->c).sequence;
    uint64_t end = clock_us() + CLOSE_WAIT_US, now;
    void *reply = NULL;
    xcb_generic_error_t *error = NULL;
    xcb_flush(b->c);
    while (!xcb_connection_has_error(b->c) && !xcb_poll_for_reply(b->c, sequence, &reply, &error) &&
        (now = clock_us()) < end) {
        struct pollfd p = {xcb_get_file_descriptor(b->c), POLLIN, 0};
        (void)poll(&p, 1, (int)((end - now) / 1000) + 1);
    }
    free(reply);
    free(error);
}

static void x11_close(struct backend *b)
{
    if (!b)
        return;
    x11_notice_destroy(b);
    x11_settings_destroy(b);
    x11_keys_destroy(b);
    if (b->readable)
        event_free(b->readable);
    if (b->c) {
        await_last_requests(b);
        xcb_disconnect(b->c);
    }
    free(b);
}

static int x11_open(struct event_base *base, const struct backend_events *ev, void *user,
    const struct backend_limits *limits, struct backend **out, char *why, size_t cap)
{
    struct backend *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    *b = (struct backend){.base = base, .events = ev, .user = user, .limits = *limits};
    int r = x11_connect(&b->c, why, cap);
    if (r < 0)
        goto fail;
    b->screen = xcb_setup_roots_iterator(xcb_get_setup(b->c)).data;
    b->root = b->screen->root;
    b->width = b->screen->width_in_pixels;
    b->height = b->screen->height_in_pixels;
    r = negotiate(b, why, cap);
    if (r < 0)
        goto fail;
    create_resources(b);
    r = x11_keys_create(b, why, cap);
    if (r < 0)
        goto fail;
    x11_release_all(b);
    x11_mark(b);
    (void)x11_wait(b); /* where the pointer is now is nobody's doing */
    b->pointer_moved = false;
    r = -ENOMEM;
    b->readable = event_new(base, xcb_get_file_descriptor(b->c), EV_READ | EV_PERSIST, on_readable, b);
    if (!b->readable || event_add(b->readable, NULL) < 0) {
        say(why, cap, "out of memory");
        goto fail;
    }
    x11_replied(b);
    *out = b;
    return 0;
fail:
    x11_close(b);
    return r;
}

static void x11_input_done(struct backend *b)
{
    x11_flush(b);
}

const struct backend_ops backend_x11 = {
    .name = "x11",
    .open = x11_open,
    .close = x11_close,
    .set_layout = x11_set_layout,
    .get_layout = x11_get_layout,
    .set_scale = x11_settings_scale,
    .surfaces = x11_surfaces,
    .collect = x11_collect,
    .pixels_create = x11_pixels_create,
    .pixels_destroy = x11_pixels_destroy,
    .pixels_info = x11_pixels_info,
    .copy = x11_copy,
    .mark = x11_mark,
    .wait = x11_wait,
    .key = x11_key,
    .unicode = x11_unicode,
    .move = x11_move,
    .button = x11_button,
    .set_locks = x11_set_locks,
    .input_done = x11_input_done,
    .set_keymap = x11_set_keymap,
    .notice = x11_notice_show,
};
