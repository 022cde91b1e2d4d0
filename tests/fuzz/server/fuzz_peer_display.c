/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hostile drawer against the peer's end of the display link. Input: records of
 *   u8 what (0 a datagram, 1 a datagram with a sealed buffer, 2 the client), u8 length, bytes
 * A datagram is sent as it is, headers and all; the buffer's length in 64 bytes is the record's first. Whatever comes:
 * no surface is in the engine without a buffer, of no other layout, and more than the ceilings are never held. */
#include "common/link.h"
#include "common/log.h"
#include "server/peer/peer.h"
#include "server/peer/shown.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

struct front {
    bool stopped;
    uint32_t last;
};

static struct peer peer;
static struct front client;

static const struct client_facts *facts(const struct front *f)
{
    static const struct client_facts it = {.name = "fuzz",
        .layout = {.nmonitors = 1, .monitors = {{.width = 640, .height = 480, .primary = 1}}}};
    return &it;
}
static void caps(const struct front *f, struct engine_caps *out)
{
    *out =
        (struct engine_caps){.gfx = true, .progressive = true, .clear_codec = true, .planar = true, .remotefx = true};
}
static void desktop(struct front *f, uint16_t width, uint16_t height, const struct display_layout *layout)
{
    MUST(layout->nmonitors > 0 && width && height);
    if (!f->stopped)
        peer_client_picture_ready(&peer);
}
static int frame(struct front *f, const struct gfx_frame *fr)
{
    f->last = fr->frame_id;
    return 0;
}
static bool room(const struct front *f, enum traffic_class traffic)
{
    return !f->stopped;
}
static void link_state(struct front *f, struct engine_link_state *out)
{
}
static void surface(struct front *f, const struct display_surface *s)
{
    MUST(s->kind == SURFACE_WINDOW && s->width && s->height);
}
static void surface_gone(struct front *f, uint32_t id)
{
}
static void cursor(struct front *f, const struct display_cursor *c)
{
}
static void pointer(struct front *f, int32_t x, int32_t y)
{
}
static void leds(struct front *f, uint8_t locks)
{
}
static void end(struct front *f, enum end_cause cause, const char *text)
{
}

static const struct front_end_ops ops = {.name = "fuzz",
    .facts = facts,
    .caps = caps,
    .desktop = desktop,
    .frame = frame,
    .room = room,
    .link = link_state,
    .surface = surface,
    .surface_gone = surface_gone,
    .cursor = cursor,
    .pointer = pointer,
    .leds = leds,
    .end = end};

static void look(void)
{
    const struct display_link *d = &peer.display;
    uint64_t area = 0, most = (uint64_t)d->monitors.width * d->monitors.height * DISPLAY_OUTPUTS_MAX;
    MUST(d->nsurfaces <= DISPLAY_SURFACES_MAX);
    for (unsigned i = 0; i < d->nsurfaces; i++) {
        const struct shown *s = d->surfaces[i];
        MUST(!s->in_engine || (s->px && s->current && !s->is.hidden && s->is.layout == d->monitors.serial));
        MUST(!s->px || s->size >= (size_t)s->is.width * s->is.height * 4);
        MUST(s->nheld <= sizeof s->held / sizeof s->held[0] && s->nparts <= DISPLAY_COPIED_MAX);
        area += s->current && !s->is.hidden ? (uint64_t)s->is.width * s->is.height : 0;
        for (unsigned k = 0; k < i; k++)
            MUST(d->surfaces[k]->is.surface != s->is.surface);
    }
    MUST(area <= most || !d->link);
}

static void send_buffer(int drawer, const uint8_t *p, size_t n)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    MUST(fd >= 0 && ftruncate(fd, n ? p[0] * 64 : 0) == 0);
    MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) == 0);
    if (n)
        (void)wire_send_raw(drawer, p + 1, n - 1, &fd, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

static void act(uint8_t what)
{
    struct engine_rect r = {what, what, 40, 40};
    switch (what & 7) {
    case 0:
    case 1:
        client.stopped = what & 1;
        break;
    case 2:
        peer_client_drained(&peer);
        break;
    case 3:
        peer_client_picture_stop(&peer);
        break;
    case 4:
        peer_client_picture_ready(&peer);
        break;
    case 5:
        peer_client_caps_changed(&peer);
        break;
    case 6:
        peer_client_suppress(&peer, what & 8);
        break;
    default:
        peer_client_refresh(&peer, &r, 1);
        peer_client_ack(&peer, client.last, 0, 1);
    }
}

static void turn(void)
{
    event_base_loop(peer.base, EVLOOP_NONBLOCK);
    look();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int sv[2];
    struct rd r;
    log_init("fuzz", 0);
    client = (struct front){.stopped = false};
    peer = (struct peer){.base = event_base_new(), .ops = &ops, .front = &client};
    config_defaults(&peer.config);
    MUST(peer.base && link_pair(sv) == 0 && display_link_init(&peer) == 0);
    MUST(pump_init(&peer, peer_client_drained) == 0);
    display_link_attach(&peer, sv[0], DISPLAY_SESSION);
    rd_init(&r, data, size);
    while (r.left && !r.bad) {
        uint8_t what = rd_u8(&r) % 3;
        size_t n = rd_u8(&r);
        n = n < r.left ? n : r.left;
        const uint8_t *p = rd_bytes(&r, n);
        if (p && what == 0)
            (void)wire_send_raw(sv[1], p, n, NULL, 0, MSG_DONTWAIT | MSG_NOSIGNAL);
        else if (p && what == 1)
            send_buffer(sv[1], p, n);
        else if (p && n)
            act(p[0]);
        turn();
    }
    display_link_finish(&peer);
    pump_finish(&peer);
    event_base_free(peer.base);
    close(sv[1]);
    return 0;
}
