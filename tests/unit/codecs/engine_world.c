/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

const struct engine_caps gfx_caps = {
    .gfx = true,
    .progressive = true,
    .clear_codec = true,
    .planar = true,
    .remotefx = true,
    .avc420 = true,
};

static void wake(void *user)
{
    const struct world *w = user;
    uint64_t one = 1;
    assert_int_equal(write(w->woken, &one, sizeof one), sizeof one);
}

static void wait_for_encoder(struct world *w)
{
    uint64_t n;
    assert_int_equal(read(w->woken, &n, sizeof n), sizeof n);
}

/* Does it draw on a surface? */
static bool draws(const struct gfx_command *c)
{
    return c->type == GFX_WIRE || c->type == GFX_FILL || c->type == GFX_COPY || c->type == GFX_FROM_CACHE;
}

static void transmit(struct world *w, const struct gfx_frame *f)
{
    const struct gfx_message *m;
    size_t n;
    if (w->on_frame)
        w->on_frame(w->user, f);
    for (size_t i = 0; i < f->ncommands; i++) {
        w->starts += f->commands[i].type == GFX_START_FRAME;
        w->ends += f->commands[i].type == GFX_END_FRAME;
        if (f->commands[i].type == GFX_COPY) {
            w->copies++;
            w->copied = f->commands[i].rect;
        }
        w->bitmaps += f->commands[i].type == GFX_WIRE;
        w->written +=
            f->commands[i].type == GFX_WIRE ? (size_t)f->commands[i].rect.width * f->commands[i].rect.height : 0;
        w->placed += f->commands[i].type == GFX_FROM_CACHE ? f->commands[i].nrects : 0;
        w->kept += f->commands[i].type == GFX_TO_CACHE && f->commands[i].rect.width < 64;
        w->evicted += f->commands[i].type == GFX_EVICT;
        w->first = w->first < 0 && draws(&f->commands[i]) ? f->commands[i].surface : w->first;
    }
    for (size_t i = 0; i < f->ncommands; i++)
        if (f->commands[i].type == GFX_WIRE && f->commands[i].surface < WORLD_SURFACES)
            w->encoded[f->commands[i].surface] += f->commands[i].len;
    for (size_t i = 0; i < f->ncommands; i++)
        if (f->commands[i].type == GFX_WIRE && f->commands[i].codec == GFX_CODEC_AVC420) {
            w->avc++;
            w->second += f->commands[i].surface > 0xFFF0;
        }
    if (!w->gfx) {
        for (size_t i = 0; i < f->ncommands; i++)
            if (ref_client_old(w->client, &f->commands[i]) < 0)
                fail_msg("%s", ref_client_error(w->client));
        return;
    }
    gfx_wire_begin(w->wire);
    assert_int_equal(gfx_wire_frame(w->wire, f), 0);
    assert_int_equal(gfx_wire_finish(w->wire, &m, &n), 0);
    for (size_t i = 0; i < n; i++) {
        w->bytes += m[i].len;
        if (ref_client_message(w->client, m[i].data, m[i].len) < 0)
            fail_msg("frame %u: %s", f->frame_id, ref_client_error(w->client));
    }
}

static void on_part(void *user, const struct gfx_frame *part)
{
    struct world *w = user;
    w->parts++;
    transmit(w, part);
}

static void on_rested(void *user)
{
    struct world *w = user;
    w->rests++;
}

void world_open_with(struct world *w, const struct engine_caps *caps, int width, int height, uint32_t seed,
    struct world_options options)
{
    struct engine_config config = {.caps = *caps,
        .max_frame_rate = 60,
        .wake = options.threads ? wake : NULL,
        .part = on_part,
        .rested = on_rested,
        .user = w,
        .cache_salt = {options.cache_salt}};
    memset(w, 0, sizeof *w);
    w->woken = options.threads ? eventfd(0, EFD_CLOEXEC) : -1;
    w->engine = engine_create(&config);
    w->wire = gfx_wire_create(true);
    w->client = ref_client_create(caps->small_cache);
    w->screen = canvas_new(width, height);
    w->others[0].live = true;
    w->seed = seed;
    w->now = 1000000;
    w->gfx = caps->gfx;
    if (!w->gfx)
        ref_client_screen(w->client, (uint16_t)width, (uint16_t)height);
    assert_int_equal(engine_surface_create(w->engine, 0, (uint16_t)width, (uint16_t)height, 0, 0), 0);
}

void world_turn_to(struct world *w, uint16_t id)
{
    struct world_surface *from = &w->others[w->surface], *to = &w->others[id];
    assert_true(to->live);
    from->screen = w->screen;
    memcpy(from->damage, w->damage, sizeof w->damage);
    from->ndamage = w->ndamage;
    w->surface = id;
    w->screen = to->screen;
    memcpy(w->damage, to->damage, sizeof w->damage);
    w->ndamage = to->ndamage;
}

static void add(struct world *w, uint16_t id, struct world_surface s)
{
    assert_false(w->others[id].live);
    w->others[id] = s;
    world_turn_to(w, id);
}

void world_add(struct world *w, uint16_t id, int width, int height)
{
    add(w, id, (struct world_surface){.live = true, .screen = canvas_new(width, height)});
    assert_int_equal(engine_surface_create(w->engine, id, (uint16_t)width, (uint16_t)height, 0, 0), 0);
}

void world_add_in_window(struct world *w, uint16_t id, int width, int height, uint32_t window)
{
    struct world_surface s = {.live = true, .in_window = true, .window = window, .screen = canvas_new(width, height)};
    add(w, id, s);
    assert_int_equal(engine_surface_create_in_window(w->engine, id, (uint16_t)width, (uint16_t)height, window), 0);
}

void world_move(struct world *w, uint16_t id, uint16_t x, uint16_t y)
{
    assert_int_equal(engine_surface_move(w->engine, id, x, y), 0);
    w->others[id].x = x;
    w->others[id].y = y;
}

void world_remove(struct world *w, uint16_t id)
{
    assert_true(id != 0);
    world_turn_to(w, 0);
    engine_surface_destroy(w->engine, id);
    canvas_free(&w->others[id].screen);
    w->others[id].live = false;
}

void world_open(struct world *w, const struct engine_caps *caps, int width, int height, uint32_t seed)
{
    world_open_with(w, caps, width, height, seed, (struct world_options){0});
}

void world_close(struct world *w)
{
    engine_destroy(w->engine);
    if (w->woken >= 0)
        close(w->woken);
    gfx_wire_destroy(w->wire);
    ref_client_destroy(w->client);
    for (uint16_t id = 0; id < WORLD_SURFACES; id++)
        if (w->others[id].live && id != w->surface)
            canvas_free(&w->others[id].screen);
    canvas_free(&w->screen);
}

unsigned pick(struct world *w, unsigned n)
{
    return scene_rand(&w->seed) % n;
}

void damaged(struct world *w, int x, int y, int dw, int dh)
{
    x = x < 0 ? 0 : x;
    y = y < 0 ? 0 : y;
    if (w->ndamage == 256)
        w->damage[w->ndamage = 0, w->ndamage++] = (struct engine_rect){0, 0, 0xFFFF, 0xFFFF};
    w->damage[w->ndamage++] = (struct engine_rect){(uint16_t)x, (uint16_t)y, (uint16_t)dw, (uint16_t)dh};
}

void deliver(struct world *w, const struct gfx_frame *f)
{
    w->frames++;
    transmit(w, f);
    if (!w->gfx)
        return;
    assert_int_equal(ref_client_last_frame(w->client), f->frame_id);
    if (!w->silent)
        engine_ack(w->engine, f->frame_id, 0, (uint32_t)w->frames, w->now);
}

void hand_in(struct world *w)
{
    assert_true(
        engine_damage(w->engine, w->surface, w->screen.px, w->screen.stride, w->damage, w->ndamage, w->now) >= 0);
    w->ndamage = 0;
}

void step(struct world *w)
{
    struct gfx_frame f;
    int64_t wait = engine_next(w->engine, w->now);
    w->now += wait > 0 && wait < 20000 ? (uint64_t)wait : 5000;
    int rc = engine_produce(w->engine, w->now, &f);
    assert_true(rc >= 0);
    if (rc == 1)
        deliver(w, &f);
}

void world_wait(struct world *w)
{
    while (engine_encoding(w->engine)) {
        if (w->woken >= 0 && engine_next(w->engine, w->now) != 0)
            wait_for_encoder(w);
        step(w);
    }
}

void settle(struct world *w)
{
    w->silent = false;
    for (int i = 0; i < 20000; i++) {
        struct gfx_frame f;
        int64_t wait = engine_next(w->engine, w->now);
        if (wait != 0 && engine_encoding(w->engine)) {
            wait_for_encoder(w);
            continue;
        }
        if (wait < 0)
            break;
        w->now += (uint64_t)wait;
        int rc = engine_produce(w->engine, w->now, &f);
        assert_true(rc >= 0);
        if (rc == 1)
            deliver(w, &f);
    }
    assert_int_equal(engine_next(w->engine, w->now), -1);
}

void check_equal(struct world *w)
{
    const struct ref_surface *s = ref_client_surface(w->client, w->surface);
    assert_non_null(s);
    assert_int_equal(s->width, w->screen.w);
    assert_int_equal(ref_surface_wrong(s, w->screen.px, w->screen.stride), 0);
}

static void check_map(const struct ref_surface *s, const struct world_surface *wanted)
{
    assert_int_equal(s->map, wanted->in_window ? REF_WINDOW : REF_OUTPUT);
    assert_int_equal(s->window, wanted->window);
    assert_int_equal(s->x, wanted->x);
    assert_int_equal(s->y, wanted->y);
}

void check_all_equal(struct world *w)
{
    uint16_t here = w->surface;
    size_t n = 0;
    for (uint16_t id = 0; id < WORLD_SURFACES; id++)
        if (w->others[id].live) {
            world_turn_to(w, id);
            check_equal(w);
            check_map(ref_client_surface(w->client, id), &w->others[id]);
            n++;
        }
    world_turn_to(w, here);
    assert_int_equal(ref_client_surfaces(w->client), n);
}

void resize_to(struct world *w, int width, int height)
{
    const struct gfx_message *m;
    size_t n;
    struct gfx_monitor mon = {0, 0, width - 1, height - 1, true};
    uint16_t id = w->surface;
    engine_surface_destroy(w->engine, id);
    engine_reset_graphics(w->engine);
    gfx_wire_begin(w->wire);
    assert_int_equal(gfx_wire_reset_graphics(w->wire, (uint32_t)width, (uint32_t)height, &mon, 1), 0);
    gfx_wire_finish(w->wire, &m, &n);
    assert_int_equal(ref_client_message(w->client, m[0].data, m[0].len), 0);
    canvas_free(&w->screen);
    w->screen = canvas_new(width, height);
    w->others[id] = (struct world_surface){.live = true};
    assert_int_equal(engine_surface_create(w->engine, id, (uint16_t)width, (uint16_t)height, 0, 0), 0);
    draw_text(&w->screen, 0, 0, width, height, 3, 0, 0xFFFFFF, 1);
    damaged(w, 0, 0, width, height);
}
