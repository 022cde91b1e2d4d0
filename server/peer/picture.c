/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the drawer's buffer through the engine to the client: who waits for whom. */
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
#include <time.h>
#include <unistd.h>

#define FRAMES_PER_TURN 4 /* input must not wait behind a row of frames */
/* The agent's frame follows its parts within 8 ms; where it does not, they are shown without it */
#define PARTS_US 10000
/* The surfaces of a layout follow it at once: what was is deleted in the frame that shows them */
#define SURFACES_US 20000

static void tell_link(struct peer *p)
{
    struct engine_link_state l = {0};
    p->ops->link(p->front, &l);
    engine_link(p->picture.engine, &l);
}

/* Of a frame that was not sent nothing more is: what follows builds on it. */
static void send_frame(struct peer *p, const struct gfx_frame *frame)
{
    int r = p->picture.broken ? 0 : p->ops->frame(p->front, frame);
    if (r >= 0)
        return;
    log_error("frame could not be sent", "error=%s commands=%zu bytes=%zu", strerror(-r), frame->ncommands,
        frame->bytes);
    p->picture.broken = true;
}

/* The client does not have what the engine believes it has. */
static void start_over(struct peer *p)
{
    p->picture.broken = false;
    engine_reset(p->picture.engine);
    if (p->ops->reopen)
        p->ops->reopen(p->front);
}

/* Half a frame is not shown. */
static bool waits_for_frame(struct peer *p)
{
    struct picture *pic = &p->picture;
    uint64_t now = clock_us();
    if (!pic->parts_taken || p->display.on_loan || now - pic->parts_us >= PARTS_US)
        return false;
    (void)loop_arm_us(pic->timer, (int64_t)(pic->parts_us + PARTS_US - now));
    return true;
}

/* Send what there is to send, as long as the client takes it. */
static void pump(struct peer *p)
{
    struct picture *pic = &p->picture;
    if (waits_for_frame(p))
        return;
    for (int turn = 0; turn < FRAMES_PER_TURN; turn++) {
        if (!pic->engine || !pic->ready || p->ended || !p->ops->room(p->front, TRAFFIC_PICTURE))
            return;
        tell_link(p);
        if (p->ops->reopen && engine_acks_stopped(pic->engine, clock_us())) {
            log_warning("graphics channel fell silent", "width=%u height=%u", pic->width, pic->height);
            p->ops->reopen(p->front);
            return;
        }
        int64_t wait = engine_next(pic->engine, clock_us());
        if (wait < 0)
            return;
        if (wait > 0) {
            (void)loop_arm_us(pic->timer, wait);
            return;
        }
        struct gfx_frame frame;
        int r = engine_produce(pic->engine, clock_us(), &frame);
        if (r < 0)
            log_error("frame could not be made", "error=%s", strerror(-r));
        if (r > 0)
            send_frame(p, &frame);
        if (r < 0 || pic->broken) {
            start_over(p);
            return;
        }
        p->sent += r > 0; /* else what waited turned out to be equal; later work may still be due */
    }
    (void)loop_arm_us(pic->timer, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    peer_client_drained(arg); /* a picture that leaves makes room, too */
}

/* From an encoder's thread. */
static void wake(void *user)
{
    const struct peer *p = user;
    const uint64_t one = 1;
    ssize_t n = write(p->picture.woken_fd, &one, sizeof one);
    (void)n; /* a counter that is full wakes as well */
}

static void on_woken(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;
    if (read((int)fd, &count, sizeof count) == sizeof count)
        peer_client_drained(arg);
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

int picture_init(struct peer *p)
{
    struct picture *pic = &p->picture;
    secret_random(pic->cache_salt, sizeof pic->cache_salt);
    pic->woken_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pic->woken_fd < 0)
        return -errno;
    pic->timer = evtimer_new(p->base, on_timer, p);
    pic->woken = event_new(p->base, pic->woken_fd, EV_READ | EV_PERSIST, on_woken, p);
    return pic->timer && pic->woken && event_add(pic->woken, NULL) == 0 ? 0 : -ENOMEM;
}

void picture_finish(struct peer *p)
{
    engine_destroy(p->picture.engine);
    p->picture.engine = NULL;
    free(p->picture.offer);
    p->picture.offer = NULL;
    if (p->picture.timer)
        event_free(p->picture.timer);
    if (p->picture.woken)
        event_free(p->picture.woken);
    if (p->picture.woken_fd > 0)
        close(p->picture.woken_fd);
}

/* The parts of a frame changed when the first of them did. */
static int damage(struct peer *p, const struct engine_rect *rects, size_t nrects)
{
    struct display_front *d = &p->display;
    uint64_t when = p->picture.parts_taken ? p->picture.parts_us : clock_us();
    return engine_damage(p->picture.engine, DISPLAY_DESKTOP, d->px, d->stride, rects, nrects, when);
}

/* Answer the offer that waits. What does not fit into memory is not taken. */
static void take_offer(struct peer *p)
{
    struct picture *pic = &p->picture;
    uint16_t *slots = pic->offer ? calloc(pic->noffer, sizeof *slots) : NULL;
    size_t n = slots ? engine_cache_offer(pic->engine, pic->offer, pic->noffer, slots) : 0;
    if (pic->offer) {
        log_info("cache offer", "entries=%zu taken=%zu", pic->noffer, n);
        (void)p->ops->cache_taken(p->front, slots, n);
    }
    free(slots);
    free(pic->offer);
    pic->offer = NULL;
    pic->noffer = 0;
}

void peer_client_cache_offer(struct peer *p, const struct engine_cache_entry *entries, size_t n)
{
    struct picture *pic = &p->picture;
    free(pic->offer);
    pic->offer = reallocarray(NULL, n ? n : 1, sizeof *entries);
    pic->noffer = pic->offer ? n : 0;
    if (n && pic->offer)
        memcpy(pic->offer, entries, n * sizeof *entries);
    if (pic->engine && !pic->stale)
        take_offer(p);
}

static void on_encoder_ready(void *user)
{
    struct peer *p = user;
    if (p->picture.engine)
        engine_outside(p->picture.engine, &encoder_outside, p->encoder);
}

/* oriel-server ends what is left of it and knows whether there will be another. */
static void on_encoder_lost(void *user)
{
    peer_tell_server(user, CHILD_ENCODER_LOST);
}

void picture_encoder(struct peer *p, int fd)
{
    static const struct encoder_link_events events = {.ready = on_encoder_ready, .lost = on_encoder_lost};
    if (p->encoder)
        encoder_link_restart(p->encoder, fd);
    else
        p->encoder = encoder_link_create(p->base, fd, &events, p);
}

void picture_salt(struct peer *p, const uint8_t salt[CACHE_SALT_LENGTH])
{
    memcpy(p->picture.cache_salt, salt, CACHE_SALT_LENGTH);
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
    memcpy(c.cache_salt, p->picture.cache_salt, sizeof c.cache_salt);
    p->ops->caps(p->front, &c.caps);
    engine_destroy(p->picture.engine);
    p->picture.engine = engine_create(&c);
    p->picture.stale = false;
    if (!p->picture.engine)
        return -ENOMEM;
    take_offer(p);
    return 0;
}

/* The desktop's surface at its present size. */
static bool make_surface(struct peer *p)
{
    struct picture *pic = &p->picture;
    const struct display_surface *s = &p->display.surface;
    engine_surface_destroy(pic->engine, DISPLAY_DESKTOP);
    if (engine_surface_create(pic->engine, DISPLAY_DESKTOP, (uint16_t)s->width, (uint16_t)s->height, 0, 0) == 0)
        return true;
    peer_end(p, END_SESSION_FAILED, "no memory for the picture");
    return false;
}

static bool of_this_layout(const struct display_front *d)
{
    return d->px && d->surface.layout == d->monitors.serial;
}

/* While a frame is on loan the buffer stands still and is complete; else ask for everything again. */
static void fetch_all(struct peer *p)
{
    struct engine_rect all = {0, 0, (uint16_t)p->display.surface.width, (uint16_t)p->display.surface.height};
    picture_forget_parts(p);
    if (p->display.on_loan)
        (void)damage(p, &all, 1);
    else
        display_front_refresh(p, NULL, 0);
    display_front_return(p);
}

void peer_client_picture_ready(struct peer *p)
{
    struct picture *pic = &p->picture;
    if (p->display.monitors.serial == 0)
        return;
    /* The engine that there is goes on as long as the way of sending stays the same: the client's caches outlive a
     * resize. */
    if ((!pic->engine || pic->stale) && make_engine(p) < 0) {
        peer_end(p, END_SESSION_FAILED, "no memory for the picture");
        return;
    }
    pic->ready = true;
    if (pic->suppressed)
        engine_suppress(pic->engine, true);
    if (!of_this_layout(&p->display)) {
        engine_surface_destroy(pic->engine, DISPLAY_DESKTOP);
        (void)loop_arm_us(pic->timer, SURFACES_US);
        return;
    }
    if (!make_surface(p))
        return;
    fetch_all(p);
    pump(p);
}

void peer_client_picture_stop(struct peer *p)
{
    p->picture.ready = false;
}

void picture_pause(struct peer *p)
{
    p->picture.ready = false;
    (void)evtimer_del(p->picture.timer);
}

void picture_layout(struct peer *p)
{
    struct picture *pic = &p->picture;
    const struct display_monitors *m = &p->display.monitors;
    struct display_layout layout = {.nmonitors = m->nmonitors};
    memcpy(layout.monitors, m->monitors, sizeof layout.monitors);
    pic->ready = false;
    pic->width = (uint16_t)m->width;
    pic->height = (uint16_t)m->height;
    p->ops->desktop(p->front, pic->width, pic->height, &layout);
}

/* Its first frame covers all of it. */
void picture_buffer(struct peer *p)
{
    if (p->picture.ready && make_surface(p) && p->picture.suppressed)
        engine_suppress(p->picture.engine, true);
}

void peer_client_caps_changed(struct peer *p)
{
    p->picture.stale = true;
    if (p->display.monitors.serial)
        picture_layout(p);
}

void picture_forget_parts(struct peer *p)
{
    p->picture.nheld = 0;
    p->picture.nparts = 0;
    p->picture.parts_taken = false;
}

static bool has_room(const struct peer *p)
{
    return p->picture.ready && p->ops->room(p->front, TRAFFIC_PICTURE);
}

/* The frame on loan goes into the engine as soon as the client has room. Until then the drawer gathers damage instead
 * of drawing frames that nobody will see. */
static void take_frame(struct peer *p)
{
    struct picture *pic = &p->picture;
    if (!p->display.on_loan || !has_room(p) || !engine_takes(pic->engine, DISPLAY_DESKTOP, pic->held, pic->nheld))
        return;
    int changed = damage(p, pic->held, pic->nheld);
    picture_forget_parts(p);
    display_front_return(p);
    if (changed < 0)
        log_error("frame refused", "error=%s", strerror(-changed));
}

static void hold(struct picture *pic, const struct display_rect *rects, size_t nrects)
{
    for (size_t i = 0; i < nrects; i++)
        pic->held[pic->nheld++] = (struct engine_rect){rects[i].x, rects[i].y, rects[i].width, rects[i].height};
}

/* All parts of a frame are taken early, or none: what is shown is one state of the screen. */
bool picture_copied(struct peer *p, const struct display_rect *rects, size_t nrects)
{
    struct picture *pic = &p->picture;
    if (pic->nparts == DISPLAY_COPIED_MAX)
        return false;
    if (pic->nparts++ == 0) {
        pic->parts_taken = has_room(p) && !engine_encoding(pic->engine);
        pic->parts_us = clock_us();
    }
    hold(pic, rects, nrects);
    if (!pic->parts_taken || !pic->ready)
        return true;
    (void)damage(p, pic->held, pic->nheld);
    pic->nheld = 0;
    (void)loop_arm_us(pic->timer, PARTS_US);
    return true;
}

void picture_frame(struct peer *p, const struct display_rect *rects, size_t nrects)
{
    hold(&p->picture, rects, nrects);
    take_frame(p);
    pump(p);
}

void peer_client_drained(struct peer *p)
{
    if (p->picture.engine && engine_encoding(p->picture.engine))
        pump(p); /* what an encoder has ready makes room for the next frame */
    take_frame(p);
    pump(p);
}

void peer_client_ack(struct peer *p, uint32_t frame, uint32_t depth, uint32_t total)
{
    if (!p->picture.engine)
        return;
    engine_ack(p->picture.engine, frame, depth, total, clock_us());
    pump(p);
}

void peer_client_refresh(struct peer *p, const struct engine_rect *rects, size_t nrects)
{
    if (!p->picture.engine || !p->picture.ready)
        return;
    engine_refresh(p->picture.engine, DISPLAY_DESKTOP, rects, nrects);
    pump(p);
}

void peer_client_suppress(struct peer *p, bool on)
{
    if (p->picture.suppressed == on)
        return;
    p->picture.suppressed = on;
    if (p->picture.engine)
        engine_suppress(p->picture.engine, on);
    display_front_suppress(p, on);
    pump(p); /* what nobody sees has a time, too, after which its memory is given back */
}
