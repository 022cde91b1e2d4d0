/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-agent: one session's display for any number of clients. Runs as the session's user.
 *
 * The agent owns one back end (session/display/backend.h) and a list of clients. A client is a link of the display
 * protocol with its own buffer and its own pending damage; nothing that one client does or leaves undone is waited for.
 * Private header of session/agent/.
 */
#ifndef ORIEL_SESSION_AGENT_AGENT_H
#define ORIEL_SESSION_AGENT_AGENT_H

#include "common/config.h"
#include "common/link.h"
#include "session/agent/layout.h"
#include "session/agent/scancode.h"
#include "session/agent/silence.h"
#include "session/agent/wheel.h"
#include "session/display/backend.h"
#include "session/proto/leader.h"

#include <event2/event.h>
#include <pixman.h>

/* Frame timing in µs; how long a picture must be quiet is learnt (silence.h). */
#define FRAME_WAIT_MAX_US 8000 /* never wait longer than this after the first damage */
/* Damage after such a pause is a first change, and leaves at once when it is small */
#define FRAME_QUIET_US 8000
/* Frames of a burst are so far apart: more than 250 a second cost everybody and show nothing */
#define FRAME_APART_US 4000
/* Of one burst as it is reported; what comes then is looked at when the timer ends */
#define FRAME_COLLECTS_MAX 8
/* Early ones of one burst: more would slow down the program that draws */
#define FRAME_COPIES_MAX 2
#define FRAME_COPY_AREA 65536 /* copies of fewer pixels say nothing about how long copying takes */
#define FRAME_COPY_US 1000    /* for 2^20 pixels, before the first was measured */
/* From so many pixels on a client reads the first part while the next is copied, */
#define COPY_PARTS_AREA 524288
/* A third of a millisecond: smaller ones would cost more in waking up than they gain */
#define COPY_PART_AREA 393216
#define COPY_PART_ROWS 64 /* parts end where the front end's tiles do */
/* Layout changes that come faster are gathered: dragging a window's corner sends dozens */
#define LAYOUT_PAUSE_US 50000

struct agent;

/* One attachment.
 *   link up, not open ──display_open──▶ open (pixels set) ──link closed, agent_drop, broken rule──▶ freed
 * pixels is NULL until open; on_loan means the frame `frame` is at the front end and `pixels` must not be written. */
struct client {
    struct client *next;
    struct agent *agent;
    struct link *link;
    uint32_t id;
    uint8_t role; /* enum client_role */
    bool open, suppressed, on_loan;
    bool cursor_stale; /* the last shape was not sent: too much is queued */
    uint32_t frame;
    struct backend_pixels *pixels;
    pixman_region32_t pending; /* damage this client has not seen */
    /* The part of `pending` that changed since it was copied to `pixels`, or never was */
    pixman_region32_t uncopied;
    /* The part of `pending` that display_copied told of, and that did not change since */
    pixman_region32_t told;
    unsigned ntold;      /* messages since the last frame */
    uint64_t pending_us; /* when the first of it came; 0: none */
    /* control clients only: what it holds down */
    struct scancode_state scancodes;
    struct wheel wheel;
    uint8_t keys[32]; /* bit per evdev code 0 … 255 */
    uint16_t buttons; /* bit per button number */
};

struct agent {
    struct event_base *base;
    struct config config;
    struct link *leader;
    const struct backend_ops *ops;
    struct backend *backend;            /* NULL before agent_start */
    struct display_layout layout;       /* in force */
    uint32_t layout_serial;             /* of `layout`; never 0 once there is one */
    struct display_layout asked_layout; /* last asked for and tried: asking again for it changes nothing */
    struct client *clients;
    uint32_t keyboard_layout, keyboard_type, keyboard_subtype; /* in force */
    bool keyboard_known;

    /* frames.c */
    bool damage_waiting; /* the back end has damage that was not collected */
    bool bursting;       /* the timer runs: waiting for silence */
    uint64_t damage_us, last_damage_us, burst_us;
    uint64_t sent_us;  /* the last frame, to whomever */
    uint64_t drawn_us; /* the silence counts from here: nothing known was drawn later */
    unsigned burst_collects, burst_copies;
    uint64_t copy_us_per_mpx; /* how long the display server takes to copy 2^20 pixels, measured */
    struct silence silence;
    struct event *frame_timer;

    /* layout changes that came too fast */
    struct display_layout next_layout;
    uint64_t layout_us;
    struct event *layout_timer; /* pending while next_layout waits */

    uint32_t idle_seconds;
    uint64_t input_us;
    struct event *idle_timer;

    struct display_cursor cursor; /* as last reported, for clients that come later */
    bool cursor_known;
    uint8_t locks;
    bool locks_known;
    bool ending;
    int exit_code;
};

/* Set up the agent and its link to the leader (taken over on success). On failure call agent_finish all the same. */
int agent_init(struct agent *a, const struct config *config, const struct backend_ops *backend, int leader_fd);
void agent_finish(struct agent *a);
/* End the program with this code; clients are told `reason` first. */
void agent_end(struct agent *a, int code, enum display_end_reason reason);
/* Take a layout from a control client: at once, or gathered with those that follow soon. */
void agent_want_layout(struct agent *a, const struct display_monitor *monitors, uint32_t n, bool at_once);
void agent_set_keyboard(struct agent *a, uint32_t layout, uint32_t type, uint32_t subtype);
/* A control client did something: the idle clock starts over. */
void agent_note_input(struct agent *a);

/* client.c */
int client_add(struct agent *a, uint32_t id, uint8_t role, int fd);
struct client *client_find(struct agent *a, uint32_t id);
/* Release what it holds, tell it `reason` if its link still works, free it. */
void client_remove(struct client *c, enum display_end_reason reason);
void client_remove_all(struct agent *a, enum display_end_reason reason);
/* Give it a buffer of the present size and everything to draw. A client for whom that fails is removed: do not use it
 * after. */
void client_new_buffer(struct client *c);
void client_send_cursor(struct client *c);

/* input.c */
void input_handle(struct client *c, const struct display_input *in);
void input_release_all(struct client *c);

/* copies.c */
/* Pixels that are to be copied before frames can leave. */
uint64_t copies_area(const struct agent *a);
/* Copy what is damaged into the buffers that are not on loan, and wait until it is done. `in_parts`: a large one may be
 * made in parts. Then programs may draw between them, and their damage has to be looked for before the frame leaves. */
int copies_make(struct agent *a, bool in_parts);
/* What was damaged in `region` is to be copied, and told, anew. */
void copies_damaged(struct client *c, const pixman_region32_t *region);

/* Takes frames: open, not suppressed, and none is on loan. */
static inline bool client_ready(const struct client *c)
{
    return c->open && !c->suppressed && !c->on_loan;
}

/* frames.c */
void frames_damaged(struct agent *a, uint64_t when_us);
/* A client may have become ready, or got something to show. */
void frames_step(struct agent *a);
void frames_invalidate(struct client *c, const struct display_rect *rects, size_t nrects); /* none: everything */
void frames_on_timer(evutil_socket_t fd, short what, void *agent);

#endif
