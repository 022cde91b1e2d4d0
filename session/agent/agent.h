/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-agent: one session's display for any number of clients. Runs as the session's user.
 *
 *   agent   the program: the leader's link, the back end, layout, keyboard, idle time     agent.c
 *   source  one surface of the display: its damage, and when that is sent                 source.c, frames.c
 *   client  one attachment: its link, its role, what it holds down                        client.c, input.c
 *   view    one source for one client: the buffer, what the client has not seen, the loan view.c, copies.c
 *
 * Nothing that one client does or leaves undone is waited for, and a frame of one source waits for no other source.
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

/* A live front end answers each buffer with at least one message. So many unanswered ones are a front end that does not
 * read, and each holds a descriptor and memory. */
#define CLIENT_BUFFERS_MAX 256

struct agent;
struct client;
struct view;

/* One surface of the display. */
struct source {
    struct source *next;
    struct agent *agent;
    struct display_surface is;      /* as the back end told; `hidden` also where the ceilings leave no room */
    struct display_surface will_be; /* while sources_renew is at work */
    bool fresh;                     /* it was not announced yet */
    struct view *views;             /* one of each client that is open */

    /* frames.c */
    bool damage_waiting; /* the back end has damage that was not collected */
    bool bursting;       /* the timer runs: waiting for silence */
    uint64_t damage_us, last_damage_us, burst_us;
    uint64_t sent_us;  /* the last frame, to whomever */
    uint64_t drawn_us; /* the silence counts from here: nothing known was drawn later */
    unsigned burst_collects, burst_copies;
    struct silence silence;
    struct event *frame_timer;
};

/* One source for one client.
 *   announced ──source visible, client not suppressed──▶ with buffer ──hidden, another size──▶ announced
 * on_loan means the frame `frame` is at the front end and `pixels` must not be written. */
struct view {
    struct view *next;    /* of the same source */
    struct view *sibling; /* of the same client */
    struct client *client;
    struct source *source;
    uint32_t layout; /* under which it was announced; 0: it was not */
    bool on_loan;
    uint32_t frame;
    uint32_t width, height;        /* of `pixels` */
    struct backend_pixels *pixels; /* NULL: no buffer */
    pixman_region32_t pending;     /* damage this client has not seen */
    /* The part of `pending` that changed since it was copied to `pixels`, or never was */
    pixman_region32_t uncopied;
    /* The part of `pending` that display_copied told of, and that did not change since */
    pixman_region32_t told;
    unsigned ntold;      /* messages since the last frame */
    uint64_t pending_us; /* when the first of it came; 0: none */
};

/* One attachment.
 *   link up, not open ──display_open──▶ open (has views) ──link closed, agent_drop, broken rule──▶ freed */
struct client {
    struct client *next;
    struct agent *agent;
    struct link *link;
    uint32_t id;
    uint8_t role; /* enum client_role */
    bool open, suppressed;
    bool cursor_stale;   /* the last shape was not sent: too much is queued */
    const char *failed;  /* why it is to be removed by clients_reap; NULL: it is not */
    unsigned unanswered; /* buffers sent since it last said something */
    struct view *views;
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
    struct backend *backend;              /* NULL before agent_start */
    struct display_layout layout;         /* in force */
    uint32_t layout_serial;               /* of `layout`; never 0 */
    struct display_layout asked_layout;   /* last asked for and tried: asking again for it changes nothing */
    uint32_t output_width, output_height; /* the desktop's size, or where there is none what the monitors cover */
    struct source *sources;               /* in the back end's order */
    struct client *clients;
    uint32_t keyboard_layout, keyboard_type, keyboard_subtype; /* in force */
    bool keyboard_known;
    uint64_t copy_us_per_mpx; /* how long the display server takes to copy 2^20 pixels, measured */

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
/* Remove those that failed. Not inside a loop over clients or views. */
void clients_reap(struct agent *a);
/* Tell it the layout that is in force, and the leader its size. */
void client_send_layout(struct client *c);
void client_send_cursor(struct client *c);

/* input.c */
void input_handle(struct client *c, const struct display_input *in);
void input_release_all(struct client *c);

/* source.c */
/* Ask the back end what surfaces there are, and tell the clients what is new. `layout`: it is another one, too. */
void sources_renew(struct agent *a, bool layout);
void sources_destroy(struct agent *a);
struct source *source_find(struct agent *a, uint32_t id);

/* view.c */
/* NULL: out of memory. */
struct view *view_create(struct client *c, struct source *s);
void view_destroy(struct view *v);
/* Tell the client what the source is now, and give it a buffer, or take it back, as that needs. Where there can be none
 * the client has failed. */
void view_announce(struct view *v);
struct view *view_find(struct client *c, uint32_t surface);
/* Show these rectangles again; none: everything. Clipped to the source. */
void view_invalidate(struct view *v, const struct display_rect *rects, size_t nrects);

/* Takes frames: there is a buffer, somebody looks, and none is on loan. */
static inline bool view_ready(const struct view *v)
{
    return v->pixels && !v->client->suppressed && !v->on_loan;
}

/* copies.c */
/* Pixels that are to be copied before frames can leave. */
uint64_t copies_area(const struct source *s);
/* Copy what is damaged into the buffers that are not on loan, and wait until it is done. `in_parts`: a large one may be
 * made in parts. Then programs may draw between them, and their damage has to be looked for before the frame leaves. */
int copies_make(struct source *s, bool in_parts);
/* What was damaged in `region` is to be copied, and told, anew. */
void copies_damaged(struct view *v, const pixman_region32_t *region);

/* frames.c */
void frames_damaged(struct source *s, uint64_t when_us);
/* A view may have become ready, or got something to show. */
void frames_step(struct source *s);
void frames_step_all(struct agent *a);
void frames_on_timer(evutil_socket_t fd, short what, void *source);

#endif
