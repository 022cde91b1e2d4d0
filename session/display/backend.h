/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A display back end: one running display server of a session, seen through the few operations the agent needs.
 * X11 today (backend_x11); a Wayland compositor of our own fits the same table. No type of the window system passes
 * here.
 *
 * Thread: the loop's. Calls may wait for one answer of the display server (0.1 ms when it is idle), never for a client.
 * Every slot of the table is mandatory. Coordinates are desktop pixels, pixels BGRX, top-down. Errors are negative
 * errno.
 */
#ifndef ORIEL_SESSION_DISPLAY_BACKEND_H
#define ORIEL_SESSION_DISPLAY_BACKEND_H

#include "session/proto/display.h"

#include <pixman.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct backend;        /* a back end's own object */
struct backend_pixels; /* one client's buffer of one surface, owned by its creator; see pixels_create */

/* Raised from the loop, never from inside a call of the table. All mandatory. `user` is backend_open's. */
struct backend_events {
    /* Something of this surface changed at `when_us` (CLOCK_MONOTONIC). Raised once; again only after `collect` took
     * the surface's damage. */
    void (*damaged)(void *user, uint32_t surface, uint64_t when_us);
    /* Surfaces came, went, moved, or have another size: `surfaces` tells what there is now. Not raised for what
     * set_layout did, nor together with `layout`. */
    void (*surfaces)(void *user);
    /* The pointer's shape changed; `c` is borrowed for the call. */
    void (*cursor)(void *user, const struct display_cursor *c);
    /* The pointer stands elsewhere than the last move put it: an application moved it. Noticed when pixels are copied.
     */
    void (*pointer)(void *user, int32_t x, int32_t y);
    /* INPUT_LOCK_* now in force, when they changed. */
    void (*leds)(void *user, uint8_t locks);
    /* Somebody in the session changed size or monitors; surfaces may have changed with them. */
    void (*layout)(void *user);
    /* The display server is gone. The owner closes the back end, now or later. */
    void (*died)(void *user);
};

/* What a keyboard layout is called in XKB. All strings static; "" means none. */
struct backend_keymap {
    const char *model;   /* "pc105" */
    const char *layout;  /* "de", or two: "ru,us" */
    const char *variant; /* "nodeadkeys"; for two layouts "phonetic," */
    const char *options; /* "lv3:ralt_switch" */
};

/* The largest desktop that may be asked for */
struct backend_limits {
    uint32_t max_width, max_height;
};

/* The one that is worked on, and the next: so the display server is never idle */
#define BACKEND_MARKS_MAX 2

struct backend_ops {
    const char *name;
    /* Connect to the display server that the environment names. `why` gets a sentence for people on failure. */
    int (*open)(struct event_base *base, const struct backend_events *ev, void *user,
        const struct backend_limits *limits, struct backend **out, char *why, size_t why_cap);
    void (*close)(struct backend *b);
    /* Make `want` real (already normalised: union's corner 0,0; see session/agent/layout.h). What the server cannot do
     * is left out; `real` says what is in force afterwards, also on failure. */
    int (*set_layout)(struct backend *b, const struct display_layout *want, struct display_layout *real);
    /* The layout in force, when somebody else changed it. */
    int (*get_layout)(struct backend *b, struct display_layout *real);
    /* Tell programs the scale, percent. */
    int (*set_scale)(struct backend *b, uint32_t percent);
    /* The surfaces that there are now, at most `cap` (DISPLAY_SURFACES_MAX); `layout` is not filled in. What clients
     * get first when not all fit comes first. Ids of the display's choice, see display.h; one may be used again after
     * the owner of the back end has seen that it is gone. Returns how many. */
    size_t (*surfaces)(struct backend *b, struct display_surface *out, size_t cap);
    /* Add the surface's damage of now to `damage`, in its own coordinates, and take it: whatever is drawn later raises
     * `damaged` again. -ENOENT: it is gone. */
    int (*collect)(struct backend *b, uint32_t surface, pixman_region32_t *damage);
    /* A buffer of the surface's present size. It is sealed, so nobody who gets its descriptor can write or resize it.
     * Freed by pixels_destroy; the memory lives on while the receiver maps it. -ENOENT: the surface is gone. */
    int (*pixels_create)(struct backend *b, uint32_t surface, struct backend_pixels **out);
    void (*pixels_destroy)(struct backend *b, struct backend_pixels *p);
    /* What to put into display_buffer. The descriptor stays the buffer's. */
    int (*pixels_info)(const struct backend_pixels *p, uint32_t *width, uint32_t *height, uint32_t *stride);
    /* Ask for these rectangles of the surface to be copied to the same place of `p`. Clipped to the buffer. Nothing is
     * copied of a surface that is gone, or smaller by now. */
    void (*copy)(struct backend *b, struct backend_pixels *p, const struct display_rect *rects, size_t nrects);
    /* Ask to be told when the copies asked for so far are done: the display server sets to work, and may do more before
     * it tells. At most BACKEND_MARKS_MAX may be waited for at a time. */
    void (*mark)(struct backend *b);
    /* Wait for the oldest of them. */
    int (*wait)(struct backend *b);
    /* Input. Key codes are evdev's (linux/input-event-codes.h), buttons X11's. The
     * server must not repeat keys by itself: clients do. */
    void (*key)(struct backend *b, uint32_t code, bool down);
    void (*unicode)(struct backend *b, uint32_t code_point);
    void (*move)(struct backend *b, int32_t x, int32_t y);
    void (*button)(struct backend *b, uint32_t button, bool down);
    void (*set_locks)(struct backend *b, uint8_t locks);
    void (*input_done)(struct backend *b); /* a batch of input is complete: hand it to the server */
    int (*set_keymap)(struct backend *b, const struct backend_keymap *k);
    /* Show a picture in front of everything until it is clicked or `seconds` went by. `fd`: a memfd of stride * height
     * bytes, read in the call, not kept. */
    int (*notice)(struct backend *b, int fd, uint32_t width, uint32_t height, uint32_t stride, unsigned seconds);
};
extern const struct backend_ops backend_x11;

/* Whether every slot is there (common/slots.h): 0 or -EINVAL, with a line in the log. */
int backend_ops_check(const struct backend_ops *ops);
int backend_events_check(const struct backend_events *ev);

#endif
