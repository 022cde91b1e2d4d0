/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client front end: takes graphics commands, sends input. `rdp` implements it; `web` will, behind the same table.
 *
 * Thread: the loop's. The front end calls peer_client_* (server/peer/peer.h) for what the client does; those calls may
 * call back into the table, but never destroy the front end.
 */
#ifndef ORIEL_SERVER_PEER_FRONT_END_H
#define ORIEL_SERVER_PEER_FRONT_END_H

#include "codecs/engine/engine.h"
#include "server/peer/services.h"
#include "server/peer/traffic.h"
#include "session/proto/display.h"
#include "session/proto/peer.h"

struct peer;
struct front; /* the front end's own */

/* What the client told of itself before the login; lives as long as the front end. */
struct client_facts {
    char name[CLIENT_NAME_BYTES];
    char software[64];            /* build and platform, for the log */
    struct display_layout layout; /* normalised: 1 … DISPLAY_MONITORS_MAX monitors, the union's corner at 0,0 */
    uint32_t keyboard_layout, keyboard_type, keyboard_subtype;
    char time_zone[64]; /* IANA or "" */
};

/* What a front end does with granted services (server/peer/services.h). All mandatory. */
struct front_end_services {
    /* The client may have it from now on. Its link is paused; services_want reads it. A service that this front end
     * does not know is closed with services_close. */
    void (*granted)(struct front *f, const struct granted_service *g);
    /* A message of the session's process, which is hostile; never before services_want. Returns 0, or negative errno:
     * the service is to end. */
    int (*message)(struct front *f, const struct granted_service *g, const struct wire_def *def, const void *msg);
    /* Its link is closed: take back what the client was shown of it. Another `granted` may follow. */
    void (*gone)(struct front *f, const struct granted_service *g);
};

struct front_end_ops {
    const char *name;
    /* Everything that reads files happens here: libraries are initialised, the client's stream is not yet touched. The
     * process has one thread and must keep it. NULL: failed, logged. Mandatory. */
    struct front *(*create)(struct peer *p, int fd);
    /* What may start threads, and reads no file: the process has an empty root and no rights, but no filter yet. 0 or
     * negative errno, logged. Mandatory. */
    int (*inside)(struct front *f);
    /* Start serving the client: the sandbox is closed now. 0 or negative errno. Mandatory. */
    int (*start)(struct front *f);
    /* Mandatory; NULL-safe. */
    void (*destroy)(struct front *f);
    /* Mandatory. */
    const struct client_facts *(*facts)(const struct front *f);
    /* The way of sending pictures that is open now. Mandatory. */
    void (*caps)(const struct front *f, struct engine_caps *out);
    /* Make the client's desktop this size; peer_client_picture_ready() follows, maybe at once, maybe much later. Called
     * for each layout of the drawer, and for nothing else that it does. Mandatory. */
    void (*desktop)(struct front *f, uint16_t width, uint16_t height, const struct display_layout *layout);
    /* One frame. 0, or negative errno: the client is lost. Mandatory. */
    int (*frame)(struct front *f, const struct gfx_frame *frame);
    /* May more of this class be sent? Where not, the front end says when: of pictures with peer_client_drained(). And
     * what is known of the way to the client. Mandatory. */
    bool (*room)(const struct front *f, enum traffic_class traffic);
    void (*link)(struct front *f, struct engine_link_state *out);
    /* What was taken of an offer (peer_client_cache_offer): the first `n` entries, in these slots. Absent: clients
     * offer nothing. */
    int (*cache_taken)(struct front *f, const uint16_t *slots, size_t n);
    /* The client has stopped acknowledging frames, or does not have what it was to have: its way of taking pictures is
     * broken, open it anew; desktop() and peer_client_picture_ready() follow as at the start. Absent: there is nothing
     * to open. */
    void (*reopen)(struct front *f);
    /* A window is announced, was moved, hidden or shown again, as its display_surface says; in this order it is told
     * before its pixels come. Absent: this client has no windows, only the desktop is shown. */
    void (*surface)(struct front *f, const struct display_surface *s);
    /* A window is gone; the next frame deletes its pictures, where it had any. Absent: this client has no windows. */
    void (*surface_gone)(struct front *f, uint32_t surface);
    /* Pointer shape, pointer position, keyboard lights. Mandatory. */
    void (*cursor)(struct front *f, const struct display_cursor *c);
    void (*pointer)(struct front *f, int32_t x, int32_t y);
    void (*leds)(struct front *f, uint8_t locks);
    /* The monitor said START or ATTACH: channels may be opened from now on and never before. Mandatory. */
    void (*granted)(struct front *f, const struct peer_verdict *v);
    /* A fresh reconnect cookie. Absent: this client cannot have one. */
    void (*cookie)(struct front *f, const struct peer_cookie *c);
    /* NULL: the client's protocol has none beside the display. */
    const struct front_end_services *service;
    /* Nothing was sent for the configured time: show the client that we live. Absent: not needed. */
    void (*heartbeat)(struct front *f, unsigned period);
    /* Tell the client why, and close in order. Called at most once, destroy follows. Mandatory. */
    void (*end)(struct front *f, enum end_cause cause, const char *text);
};
extern const struct front_end_ops front_end_rdp;

/* Whether every mandatory slot is there (common/slots.h): 0 or -EINVAL, with a line in the log. */
int front_end_check(const struct front_end_ops *ops);

#endif
