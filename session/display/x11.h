/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The X11 back end's own object, shared by its files. Private to session/display/x11*.c. */
#ifndef ORIEL_SESSION_DISPLAY_X11_H
#define ORIEL_SESSION_DISPLAY_X11_H

#include "session/display/backend.h"

#include <xcb/damage.h>
#include <xcb/randr.h>
#include <xcb/xcb.h>
#include <xcb/xfixes.h>

struct event;
struct x11_keys;     /* x11_keys.c: keymap, locks, Unicode ring */
struct x11_settings; /* x11_settings.c: DPI and XSETTINGS */
struct x11_notice;   /* x11_notice.c: pictures in front of everything */

struct backend {
    xcb_connection_t *c;
    xcb_screen_t *screen;
    xcb_window_t root;
    struct event_base *base;
    struct event *readable;
    const struct backend_events *events;
    void *user;
    struct backend_limits limits;
    bool dead;                                                  /* the server is gone, `died` was raised */
    uint8_t damage_event, randr_event, xfixes_event, xkb_event; /* first event numbers */
    uint32_t width, height;                                     /* the root window's size as this client knows it */

    xcb_damage_damage_t damage;
    xcb_xfixes_region_t region;
    xcb_gcontext_t gc;
    bool told_damage; /* `damaged` was raised and not collected */

    struct {
        xcb_query_pointer_cookie_t cookie;
        uint64_t sent_us;
    } marks[BACKEND_MARKS_MAX]; /* oldest first */
    unsigned nmarks;

    bool reported;                /* the first cursor and leds were raised */
    bool pointer_moved;           /* by an application: to be reported from the loop */
    int32_t pointer_x, pointer_y; /* where the last move (or report) left the pointer */
    struct x11_keys *keys;
    struct x11_settings *settings;
    struct x11_notice *notice;
};

/* x11_connect.c: connect to the server that DISPLAY names. On failure *out may still be set (disconnect it), `why` says
 * more. */
int x11_connect(xcb_connection_t **out, char *why, size_t cap);

/* x11_pixels.c */
size_t x11_surfaces(struct backend *b, struct display_surface *out, size_t cap);
int x11_collect(struct backend *b, uint32_t surface, pixman_region32_t *damage);
int x11_pixels_create(struct backend *b, uint32_t surface, struct backend_pixels **out);
void x11_pixels_destroy(struct backend *b, struct backend_pixels *p);
int x11_pixels_info(const struct backend_pixels *p, uint32_t *width, uint32_t *height, uint32_t *stride);
void x11_copy(struct backend *b, struct backend_pixels *p, const struct display_rect *rects, size_t nrects);
void x11_mark(struct backend *b);
int x11_wait(struct backend *b);

/* x11_layout.c */
int x11_set_layout(struct backend *b, const struct display_layout *want, struct display_layout *real);
int x11_get_layout(struct backend *b, struct display_layout *real);

/* x11_input.c */
void x11_key(struct backend *b, uint32_t code, bool down);
void x11_keycode(struct backend *b, uint8_t keycode, bool down);
void x11_move(struct backend *b, int32_t x, int32_t y);
void x11_button(struct backend *b, uint32_t button, bool down);
void x11_release_all(struct backend *b);
void x11_cursor_report(struct backend *b);

#endif
