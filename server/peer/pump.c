/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/pump.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "server/peer/encoder_link.h"
#include "server/peer/peer.h"
#include "session/proto/server.h"

#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FRAMES_PER_TURN 4 /* input must not wait behind a row of frames */

void pump_run_in(struct peer *p, int64_t us)
{
    (void)loop_arm_us(p->pump.timer, us);
}

static void tell_link(struct peer *p)
{
    struct engine_link_state l = {0};
    p->ops->link(p->front, &l);
    engine_link(p->pump.engine, &l);
}

/* Of a frame that was not sent nothing more is: what follows builds on it. */
static void send_frame(struct peer *p, const struct gfx_frame *frame)
{
    int r = p->pump.broken ? 0 : p->ops->frame(p->front, frame);
    if (r >= 0)
        return;
    log_error("frame could not be sent", "error=%s commands=%zu bytes=%zu", strerror(-r), frame->ncommands,
        frame->bytes);
    p->pump.broken = true;
}

/* The client does not have what the engine believes it has. */
static void start_over(struct peer *p)
{
    p->pump.broken = false;
    engine_reset(p->pump.engine);
    if (p->ops->reopen)
        p->ops->reopen(p->front);
}

void pump_hold(struct peer *p, uint64_t since_us)
{
    p->pump.holds++;
    p->pump.held_until_us = since_us + PARTS_US;
}

void pump_release(struct peer *p)
{
    p->pump.holds--;
}

/* Half a frame is not shown. */
static bool is_held(struct peer *p)
{
    uint64_t now = clock_us();
    if (p->pump.holds == 0 || now >= p->pump.held_until_us)
        return false;
    pump_run_in(p, (int64_t)(p->pump.held_until_us - now));
    return true;
}

bool pump_has_room(const struct peer *p)
{
    return p->pump.ready && p->ops->room(p->front, TRAFFIC_PICTURE);
}

void pump_run(struct peer *p)
{
    struct pump *u = &p->pump;
    if (is_held(p))
        return;
    for (int turn = 0; turn < FRAMES_PER_TURN; turn++) {
        if (!u->engine || !u->ready || p->ended || !p->ops->room(p->front, TRAFFIC_PICTURE))
            return;
        tell_link(p);
        if (p->ops->reopen && engine_acks_stopped(u->engine, clock_us())) {
            log_warning("graphics channel fell silent", "client=%s", p->ops->facts(p->front)->name);
            p->ops->reopen(p->front);
            return;
        }
        int64_t wait = engine_next(u->engine, clock_us());
        if (wait < 0)
            return;
        if (wait > 0) {
            pump_run_in(p, wait);
            return;
        }
        struct gfx_frame frame;
        int r = engine_produce(u->engine, clock_us(), &frame);
        if (r < 0)
            log_error("frame could not be made", "error=%s", strerror(-r));
        if (r > 0)
            send_frame(p, &frame);
        if (r < 0 || u->broken) {
            start_over(p);
            return;
        }
        p->sent += r > 0; /* else what waited turned out to be equal; later work may still be due */
    }
    pump_run_in(p, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct peer *p = arg;
    p->pump.room(p); /* a picture that leaves makes room, too */
}

/* From an encoder's thread. */
static void wake(void *user)
{
    const struct peer *p = user;
    const uint64_t one = 1;
    ssize_t n = write(p->pump.woken_fd, &one, sizeof one);
    (void)n; /* a counter that is full wakes as well */
}

static void on_woken(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;
    struct peer *p = arg;
    if (read((int)fd, &count, sizeof count) == sizeof count)
        p->pump.room(p);
}

/* A film's encoders, which ended, leave seven megabytes to the allocator. */
static void on_rested(void *user)
{
    (void)malloc_trim(0);
}

/* The client may begin with it. */
static void on_part(void *user, const struct gfx_frame *part)
{
    send_frame(user, part);
}

static void on_encoder_failed(void *user, const char *name, const char *instead)
{
    struct peer *p = user;
    log_warning("encoder failed", "encoder=%s instead=%s", name, instead[0] ? instead : "none");
    if (strcmp(name, encoder_outside.name) == 0)
        encoder_link_give_up(p->encoder);
}

int pump_init(struct peer *p, void (*room)(struct peer *p))
{
    struct pump *u = &p->pump;
    u->room = room;
    secret_random(u->cache_salt, sizeof u->cache_salt);
    u->woken_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (u->woken_fd < 0)
        return -errno;
    u->timer = evtimer_new(p->base, on_timer, p);
    u->woken = event_new(p->base, u->woken_fd, EV_READ | EV_PERSIST, on_woken, p);
    return u->timer && u->woken && event_add(u->woken, NULL) == 0 ? 0 : -ENOMEM;
}

void pump_finish(struct peer *p)
{
    engine_destroy(p->pump.engine);
    p->pump.engine = NULL;
    free(p->pump.offer);
    p->pump.offer = NULL;
    if (p->pump.timer)
        event_free(p->pump.timer);
    if (p->pump.woken)
        event_free(p->pump.woken);
    if (p->pump.woken_fd > 0)
        close(p->pump.woken_fd);
}

/* Answer the offer that waits. What does not fit into memory is not taken. */
static void take_offer(struct peer *p)
{
    struct pump *u = &p->pump;
    uint16_t *slots = u->offer ? calloc(u->noffer, sizeof *slots) : NULL;
    size_t n = slots ? engine_cache_offer(u->engine, u->offer, u->noffer, slots) : 0;
    if (u->offer) {
        log_info("cache offer", "entries=%zu taken=%zu", u->noffer, n);
        (void)p->ops->cache_taken(p->front, slots, n);
    }
    free(slots);
    free(u->offer);
    u->offer = NULL;
    u->noffer = 0;
}

void peer_client_cache_offer(struct peer *p, const struct engine_cache_entry *entries, size_t n)
{
    struct pump *u = &p->pump;
    free(u->offer);
    u->offer = reallocarray(NULL, n ? n : 1, sizeof *entries);
    u->noffer = u->offer ? n : 0;
    if (n && u->offer)
        memcpy(u->offer, entries, n * sizeof *entries);
    if (u->engine && !u->stale)
        take_offer(p);
}

static void on_encoder_ready(void *user)
{
    struct peer *p = user;
    if (p->pump.engine)
        engine_outside(p->pump.engine, &encoder_outside, p->encoder);
}

/* oriel-server ends what is left of it and knows whether there will be another. */
static void on_encoder_lost(void *user)
{
    peer_tell_server(user, CHILD_ENCODER_LOST);
}

void pump_encoder(struct peer *p, int fd)
{
    static const struct encoder_link_events events = {.ready = on_encoder_ready, .lost = on_encoder_lost};
    if (p->encoder)
        encoder_link_restart(p->encoder, fd);
    else
        p->encoder = encoder_link_create(p->base, fd, &events, p);
}

void pump_salt(struct peer *p, const uint8_t salt[CACHE_SALT_LENGTH])
{
    memcpy(p->pump.cache_salt, salt, CACHE_SALT_LENGTH);
}

static int make_engine(struct peer *p)
{
    struct engine_config c = {.max_frame_rate = (unsigned)p->config.picture_max_frame_rate,
        .h264 = p->config.picture_h264,
        .wake = wake,
        .encoder_failed = on_encoder_failed,
        .part = on_part,
        .rested = on_rested,
        .user = p};
    if (encoder_link_name(p->encoder)[0]) {
        c.outside = &encoder_outside;
        c.outside_context = p->encoder;
    }
    memcpy(c.cache_salt, p->pump.cache_salt, sizeof c.cache_salt);
    p->ops->caps(p->front, &c.caps);
    engine_destroy(p->pump.engine);
    p->pump.engine = engine_create(&c);
    p->pump.stale = false;
    if (!p->pump.engine)
        return -ENOMEM;
    take_offer(p);
    return 0;
}

int pump_open(struct peer *p)
{
    struct pump *u = &p->pump;
    bool keep = u->engine && !u->stale;
    int r = keep ? 0 : make_engine(p);
    if (r < 0)
        return r;
    if (keep)
        engine_reset_graphics(u->engine);
    u->ready = true;
    if (u->suppressed)
        engine_suppress(u->engine, true);
    return 0;
}

void pump_pause(struct peer *p)
{
    p->pump.ready = false;
    (void)evtimer_del(p->pump.timer);
}

void peer_client_picture_stop(struct peer *p)
{
    p->pump.ready = false;
}

void peer_client_ack(struct peer *p, uint32_t frame, uint32_t depth, uint32_t total)
{
    if (!p->pump.engine)
        return;
    engine_ack(p->pump.engine, frame, depth, total, clock_us());
    pump_run(p);
}
