/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drawing end of a display link (session/proto/display.h) for a picture that this process paints itself: buffers,
 * damage, one frame on loan at a time. The front end is taken for hostile: monitors are clamped, anything out of order
 * ends the link. Thread: the loop's. */
#ifndef ORIEL_SESSION_LOGON_DRAWER_H
#define ORIEL_SESSION_LOGON_DRAWER_H

#include "session/logon/page.h"
#include "session/proto/display.h"

#include <cairo.h>
#include <stdint.h>

struct event_base;
struct drawer;

/* display.max_width and max_height as they come: 512 MiB of pixels is the most we hold */
#define DRAWER_WIDTH_MAX 16384
#define DRAWER_HEIGHT_MAX 8192
#define DRAWER_DAMAGE_MAX 32 /* rectangles that wait; more become one */

struct drawer_ops { /* all mandatory */
    /* The desktop has this layout now, its corner at 0,0; everything will be painted anew. */
    void (*layout)(void *user, const struct display_monitor *monitors, uint32_t n);
    void (*keyboard)(void *user, uint32_t klid, uint32_t type, uint32_t subtype);
    void (*event)(void *user, const struct display_event *ev);
    /* Paint everything inside the clip. Only called when there is something to paint. */
    void (*paint)(void *user, cairo_t *cr);
    /* The link is over (-EPIPE: the front end went away). The drawer draws no more; destroy it when convenient. */
    void (*closed)(void *user, int err);
};

/* Takes `fd` over, also when it fails (NULL). */
struct drawer *drawer_create(struct event_base *base, int fd, const struct drawer_ops *ops, void *user);
void drawer_destroy(struct drawer *d);
void drawer_damage(struct drawer *d, struct area b);
/* Nothing is painted before this was called once. */
void drawer_ready(struct drawer *d);
void drawer_cursor(struct drawer *d, const struct display_cursor *c);
void drawer_leds(struct drawer *d, uint8_t locks);

/* Bring a client's monitors into the form that drawer_ops.layout gets: at least one, none empty, corner at 0,0, within
 * the largest desktop. Returns the count; fills the desktop's size. */
uint32_t drawer_normalise(const struct display_monitor *in, uint32_t n, struct display_monitor *out, int *width,
    int *height);

#endif
