/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "surfaces_rig.h"

#include "codecs/wire/gfx_wire.h"
#include "common/link.h"
#include "common/log.h"
#include "ref_client.h"
#include "server/peer/shown.h"
#include "session/agent/agent.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_SECONDS 60

struct front {
    struct gfx_wire *wire;
    struct ref_client *client;
    struct event *ack;
    uint32_t acked, frames;
    unsigned resets, told, gone;
    bool stopped, films;
};

static struct {
    struct rig_options options;
    struct event_base *base;
    struct event *tick;
    struct agent agent;
    struct peer peer;
    struct front front;
    struct front_end_ops ops;
    int leader, drawer; /* the test's ends */
    int log, stderr_before;
    uint32_t clients;
} rig;

/* ---- the client ---- */

static void show(struct front *f)
{
    const struct gfx_message *m;
    size_t n;
    assert_int_equal(gfx_wire_finish(f->wire, &m, &n), 0);
    for (size_t i = 0; i < n; i++)
        if (ref_client_message(f->client, m[i].data, m[i].len) < 0)
            fail_msg("the client would close: %s", ref_client_error(f->client));
}

static void on_ack(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;
    uint32_t last = ref_client_last_frame(f->client);
    if (f->stopped || f->acked == last)
        return;
    f->acked = last;
    peer_client_ack(&rig.peer, last, 0, ++f->frames);
}

static int front_frame(struct front *f, const struct gfx_frame *frame)
{
    gfx_wire_begin(f->wire);
    int r = gfx_wire_frame(f->wire, frame);
    if (r < 0)
        return r;
    show(f);
    event_active(f->ack, EV_TIMEOUT, 0);
    return 0;
}

static void front_desktop(struct front *f, uint16_t width, uint16_t height, const struct display_layout *layout)
{
    struct gfx_monitor m[GFX_MONITORS_MAX];
    for (uint32_t i = 0; i < layout->nmonitors; i++) {
        const struct display_monitor *d = &layout->monitors[i];
        m[i] =
            (struct gfx_monitor){d->x, d->y, d->x + (int32_t)d->width - 1, d->y + (int32_t)d->height - 1, d->primary};
    }
    f->resets++;
    gfx_wire_begin(f->wire);
    assert_int_equal(gfx_wire_reset_graphics(f->wire, width, height, m, layout->nmonitors), 0);
    show(f);
    peer_client_picture_ready(&rig.peer);
}

static const struct client_facts *front_facts(const struct front *f)
{
    static const struct client_facts facts = {.name = "rig",
        .layout = {.nmonitors = 1,
            .monitors = {{.width = RIG_WIDTH, .height = RIG_HEIGHT, .scale = 100, .primary = 1}}}};
    return &facts;
}

static void front_caps(const struct front *f, struct engine_caps *out)
{
    *out = (struct engine_caps){.gfx = true,
        .progressive = true,
        .clear_codec = true,
        .planar = true,
        .remotefx = true,
        .avc420 = f->films};
}

static bool front_room(const struct front *f, enum traffic_class traffic)
{
    return !f->stopped;
}
static void front_link(struct front *f, struct engine_link_state *out)
{
}
static void front_surface(struct front *f, const struct display_surface *s)
{
    f->told++;
}
static void front_gone(struct front *f, uint32_t surface)
{
    f->gone++;
}
static void front_cursor(struct front *f, const struct display_cursor *c)
{
}
static void front_pointer(struct front *f, int32_t x, int32_t y)
{
}
static void front_leds(struct front *f, uint8_t locks)
{
}
static void front_end(struct front *f, enum end_cause cause, const char *text)
{
}

static const struct front_end_ops front_ops = {.name = "rig",
    .facts = front_facts,
    .caps = front_caps,
    .desktop = front_desktop,
    .frame = front_frame,
    .room = front_room,
    .link = front_link,
    .surface = front_surface,
    .surface_gone = front_gone,
    .cursor = front_cursor,
    .pointer = front_pointer,
    .leds = front_leds,
    .end = front_end};

/* ---- the rig ---- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
}

static void attach(void)
{
    int sv[2];
    assert_int_equal(link_pair(sv), 0);
    if (rig.options.played) {
        if (rig.drawer >= 0)
            close(rig.drawer);
        rig.drawer = sv[1];
    } else {
        struct agent_client m = {.client = ++rig.clients, .role = ROLE_CONTROL};
        assert_int_equal(wire_send(rig.leader, &agent_client_def, &m, &sv[1]), 0);
        close(sv[1]);
    }
    display_link_attach(&rig.peer, sv[0], DISPLAY_SESSION);
}

static void start_agent(const struct config *config)
{
    struct agent_start start = {
        .open = {.nmonitors = 1, .monitors = {{.width = RIG_WIDTH, .height = RIG_HEIGHT, .primary = 1}}}};
    int sv[2];
    assert_int_equal(link_pair(sv), 0);
    drawn_desktop(rig.options.desktop);
    assert_int_equal(agent_init(&rig.agent, config, &backend_drawn, sv[1]), 0);
    rig.leader = sv[0];
    rig.base = rig.agent.base;
    assert_int_equal(wire_send(rig.leader, &agent_start_def, &start, NULL), 0);
}

static void begin_log(void)
{
    rig.log = memfd_create("log", MFD_CLOEXEC);
    rig.stderr_before = dup(2);
    assert_true(rig.log >= 0 && rig.stderr_before >= 0 && dup2(rig.log, 2) == 2);
    log_init("rig", LOG_LEVEL_INFO);
}

static void end_log(void)
{
    (void)dup2(rig.stderr_before, 2);
    close(rig.stderr_before);
    close(rig.log);
}

const char *rig_log(void)
{
    static char text[65536];
    off_t end = lseek(rig.log, 0, SEEK_CUR);
    off_t from = end > (off_t)sizeof text - 1 ? end - (off_t)sizeof text + 1 : 0;
    ssize_t n = pread(rig.log, text, (size_t)(end - from), from);
    text[n > 0 ? n : 0] = 0;
    assert_int_equal(ftruncate(rig.log, 0), 0);
    (void)lseek(rig.log, 0, SEEK_SET);
    return text;
}

void rig_open(struct rig_options o)
{
    static struct config config;
    memset(&rig, 0, sizeof rig);
    rig.options = o;
    rig.leader = rig.drawer = -1;
    config_defaults(&config);
    if (o.played)
        begin_log();
    if (o.played)
        rig.base = event_base_new();
    else
        start_agent(&config);
    static const struct timeval tick = {0, 10000};
    rig.tick = event_new(rig.base, -1, EV_PERSIST, on_tick, NULL);
    event_add(rig.tick, &tick);
    rig.front = (struct front){.wire = gfx_wire_create(true), .client = ref_client_create(false), .films = o.films};
    rig.front.ack = event_new(rig.base, -1, 0, on_ack, &rig.front);
    rig.ops = front_ops;
    if (o.no_windows)
        rig.ops.surface = NULL;
    rig.peer = (struct peer){.base = rig.base,
        .config = config,
        .ops = &rig.ops,
        .front = &rig.front,
        .login = {.state = LOGIN_GRANTED}};
    assert_int_equal(display_link_init(&rig.peer), 0);
    assert_int_equal(pump_init(&rig.peer, peer_client_drained), 0);
    attach();
}

void rig_close(void)
{
    display_link_finish(&rig.peer);
    pump_finish(&rig.peer);
    event_free(rig.front.ack);
    gfx_wire_destroy(rig.front.wire);
    ref_client_destroy(rig.front.client);
    event_free(rig.tick);
    if (rig.options.played)
        event_base_free(rig.base);
    else
        agent_finish(&rig.agent);
    if (rig.leader >= 0)
        close(rig.leader);
    if (rig.drawer >= 0)
        close(rig.drawer);
    if (rig.options.played)
        end_log();
}

struct peer *rig_peer(void)
{
    return &rig.peer;
}

int rig_drawer(void)
{
    return rig.drawer;
}

/* What the agent says to its leader is read and dropped. */
static void drain_leader(void)
{
    char buffer[4096];
    while (rig.leader >= 0 && recv(rig.leader, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        ;
}

void rig_turn(void)
{
    event_base_loop(rig.base, EVLOOP_ONCE);
    drain_leader();
}

void rig_until(bool (*is_true)(void), const char *what)
{
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (!is_true()) {
        rig_turn();
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - begun.tv_sec > PATIENCE_SECONDS) {
            for (unsigned i = 0; i < 99; i++)
                if (rig_wrong(i))
                    print_error("surface %u: %zu pixels are wrong\n", i, rig_wrong(i));
            fail_msg("not within %d s: %s", PATIENCE_SECONDS, what);
        }
    }
}

void rig_reattach(void)
{
    attach();
}

void rig_reopen_channel(void)
{
    ref_client_destroy(rig.front.client);
    rig.front.client = ref_client_create(false);
    rig.front.acked = 0;
    gfx_wire_restart(rig.front.wire);
    peer_client_picture_stop(&rig.peer);
    peer_client_caps_changed(&rig.peer);
}

void rig_stop_client(bool stopped)
{
    rig.front.stopped = stopped;
    if (stopped)
        return;
    event_active(rig.front.ack, EV_TIMEOUT, 0);
    peer_client_drained(&rig.peer);
}

/* As the display has it, whether a client has to see it. */
static bool is_visible(uint32_t surface)
{
    for (unsigned i = 0; i < rig.peer.display.nsurfaces; i++)
        if (rig.peer.display.surfaces[i]->is.surface == surface)
            return !rig.peer.display.surfaces[i]->is.hidden;
    return false;
}

size_t rig_wrong(uint32_t surface)
{
    uint32_t width, height;
    const uint32_t *px = drawn_pixels(surface, &width, &height);
    const struct ref_surface *s = ref_client_surface(rig.front.client, (uint16_t)surface);
    bool there = s && s->live;
    if (!px || !is_visible(surface))
        return there;
    if (!there || s->width != width || s->height != height)
        return (size_t)width * height;
    return ref_surface_wrong(s, (const uint8_t *)px, (size_t)width * 4);
}

bool rig_exact(void)
{
    struct display_surface list[DISPLAY_SURFACES_MAX];
    size_t n = backend_drawn.surfaces(rig.agent.backend, list, DISPLAY_SURFACES_MAX);
    if (!rig.agent.backend || rig.peer.display.nsurfaces != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (is_visible(list[i].surface) == list[i].hidden || rig_wrong(list[i].surface))
            return false;
    for (unsigned id = 0; id < DISPLAY_SURFACES_MAX; id++)
        if (!is_visible(id) && rig_wrong(id))
            return false;
    return true;
}

unsigned rig_resets(void)
{
    return rig.front.resets;
}
unsigned rig_windows_told(void)
{
    return rig.front.told;
}
unsigned rig_windows_gone(void)
{
    return rig.front.gone;
}
