/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resources are read by every toolkit when a program starts. XSETTINGS (freedesktop.org, version 0.5) reaches running
 * GTK programs, too; desktops bring a manager of their own that gives up when it finds another one, so ours waits until
 * none came. */
#include "session/display/x11_settings.h"

#include "common/loop.h"
#include "common/wire.h"
#include "session/display/x11_conn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCES_MAX 65536 /* RESOURCE_MANAGER strings are a few KiB */
#define MANAGER_WAIT_S 30   /* slow desktops have their settings daemon up by then */
#define CURSOR_SIZE 24      /* at 100 percent, as Xcursor's themes are drawn */

struct x11_settings {
    struct backend *b;
    uint32_t percent, serial;
    xcb_window_t window; /* 0: not the manager */
    xcb_atom_t selection, property;
    struct event *timer;
};

static const char *const our_keys[] = {"Xft.dpi:", "Xcursor.size:"};

static bool is_ours(const char *line, size_t len)
{
    for (size_t i = 0; i < sizeof our_keys / sizeof our_keys[0]; i++)
        if (len >= strlen(our_keys[i]) && memcmp(line, our_keys[i], strlen(our_keys[i])) == 0)
            return true;
    return false;
}

/* Copy the resource lines of others, then ours. Returns the length. */
static size_t edit_resources(const char *old, size_t len, uint32_t percent, char *out, size_t cap)
{
    struct wr w;
    char ours[64];
    wr_init(&w, out, cap);
    while (len) {
        const char *end = memchr(old, '\n', len);
        size_t line = end ? (size_t)(end - old) + 1 : len;
        if (!is_ours(old, line)) {
            wr_bytes(&w, old, line);
            if (!end)
                wr_u8(&w, '\n');
        }
        old += line;
        len -= line;
    }
    int n = snprintf(ours, sizeof ours, "%s\t%u\n%s\t%u\n", our_keys[0], 96 * percent / 100, our_keys[1],
        CURSOR_SIZE * percent / 100);
    wr_bytes(&w, ours, (size_t)n);
    return w.bad ? 0 : w.len;
}

/* The grab keeps others, such as xrdb, from writing between our reading and writing: one of the two would be lost. */
static int set_resources(struct backend *b, uint32_t percent)
{
    xcb_grab_server(b->c);
    xcb_get_property_cookie_t cookie =
        xcb_get_property(b->c, 0, b->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 0, RESOURCES_MAX / 4);
    xcb_get_property_reply_t *r = xcb_get_property_reply(b->c, cookie, NULL);
    x11_replied(b);
    size_t len = r ? (size_t)xcb_get_property_value_length(r) : 0, cap = len + 128;
    char *text = malloc(cap);
    size_t n = text ? edit_resources(r ? xcb_get_property_value(r) : "", len, percent, text, cap) : 0;
    if (n)
        xcb_change_property(b->c, XCB_PROP_MODE_REPLACE, b->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 8,
            (uint32_t)n, text);
    xcb_ungrab_server(b->c);
    xcb_flush(b->c); /* nobody waits longer than that */
    free(text);
    free(r);
    return n ? 0 : -ENOMEM;
}

/* ---- XSETTINGS ---- */

static void put_integer(struct wr *w, uint32_t serial, const char *name, uint32_t value)
{
    static const uint8_t zeros[3];
    size_t n = strlen(name);
    wr_u8(w, 0); /* an integer */
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)n);
    wr_bytes(w, name, n);
    wr_bytes(w, zeros, (4 - n % 4) % 4);
    wr_u32(w, serial);
    wr_u32(w, value);
}

static void publish(struct x11_settings *s)
{
    uint8_t data[256];
    struct wr w;
    uint32_t window_scale = s->percent / 100, dpi = 96 * s->percent / 100 * 1024; /* XSETTINGS counts 1/1024 dpi */
    wr_init(&w, data, sizeof data);
    wr_u32(&w, XCB_IMAGE_ORDER_LSB_FIRST); /* one byte and three of padding */
    wr_u32(&w, ++s->serial);
    wr_u32(&w, 4);
    put_integer(&w, s->serial, "Xft/DPI", dpi);
    put_integer(&w, s->serial, "Gdk/UnscaledDPI", dpi / window_scale);
    put_integer(&w, s->serial, "Gdk/WindowScalingFactor", window_scale);
    put_integer(&w, s->serial, "Gtk/CursorThemeSize", CURSOR_SIZE * s->percent / 100);
    if (!w.bad)
        xcb_change_property(s->b->c, XCB_PROP_MODE_REPLACE, s->window, s->property, s->property, 8, (uint32_t)w.len,
            data);
}

static bool somebody_owns(struct x11_settings *s)
{
    xcb_get_selection_owner_reply_t *r =
        xcb_get_selection_owner_reply(s->b->c, xcb_get_selection_owner(s->b->c, s->selection), NULL);
    x11_replied(s->b);
    bool owned = !r || r->owner;
    free(r);
    return owned;
}

static void announce(struct x11_settings *s)
{
    xcb_client_message_event_t e = {.response_type = XCB_CLIENT_MESSAGE,
        .format = 32,
        .window = s->b->root,
        .type = x11_atom(s->b, "MANAGER")};
    e.data.data32[1] = s->selection;
    e.data.data32[2] = s->window;
    xcb_send_event(s->b->c, 0, s->b->root, XCB_EVENT_MASK_STRUCTURE_NOTIFY, (const char *)&e);
}

static void become_manager(struct x11_settings *s)
{
    struct backend *b = s->b;
    s->selection = x11_atom(b, "_XSETTINGS_S0");
    s->property = x11_atom(b, "_XSETTINGS_SETTINGS");
    if (!s->selection || !s->property || somebody_owns(s))
        return;
    s->window = xcb_generate_id(b->c);
    xcb_create_window(b->c, 0, s->window, b->root, -1, -1, 1, 1, 0, XCB_WINDOW_CLASS_INPUT_ONLY, XCB_COPY_FROM_PARENT,
        0, NULL);
    publish(s);
    xcb_set_selection_owner(b->c, s->window, s->selection, XCB_CURRENT_TIME);
    announce(s);
    x11_flush(b);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct x11_settings *s = arg;
    if (!s->b->dead && !s->window)
        become_manager(s);
}

static struct x11_settings *settings_of(struct backend *b)
{
    if (!b->settings && (b->settings = calloc(1, sizeof *b->settings))) {
        b->settings->b = b;
        b->settings->timer = evtimer_new(b->base, on_timer, b->settings);
    }
    return b->settings;
}

int x11_settings_scale(struct backend *b, uint32_t percent)
{
    struct x11_settings *s = settings_of(b);
    int r = set_resources(b, percent);
    if (!s || !s->timer)
        return -ENOMEM;
    bool changed = s->percent && s->percent != percent;
    s->percent = percent;
    if (s->window) {
        publish(s);
    } else if (changed || percent != 100) {
        (void)loop_arm_s(s->timer, MANAGER_WAIT_S);
    }
    x11_flush(b);
    return r;
}

bool x11_settings_event(struct backend *b, const xcb_generic_event_t *e)
{
    struct x11_settings *s = b->settings;
    const xcb_selection_clear_event_t *clear = (const xcb_selection_clear_event_t *)e;
    if (!s || !s->window || (e->response_type & 0x7f) != XCB_SELECTION_CLEAR || clear->owner != s->window)
        return false;
    xcb_destroy_window(b->c, s->window); /* another manager took over: it knows better */
    s->window = 0;
    x11_flush(b);
    return true;
}

void x11_settings_destroy(struct backend *b)
{
    if (!b->settings)
        return;
    if (b->settings->timer)
        event_free(b->settings->timer);
    free(b->settings);
    b->settings = NULL;
}
