/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A long random drawing against a client of libfreerdp's decoders: at every settled point the client shows the source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "ref_client.h"
#include "scene.h"

struct world {
    struct engine *engine;
    struct gfx_wire *wire;
    struct ref_client *client;
    struct canvas screen;
    struct engine_rect damage[256];
    size_t ndamage;
    uint64_t now;
    uint32_t seed;
    int film;                         /* so many more pictures of a film are drawn */
    bool two;
    size_t avc, second;               /* pictures that came as H.264; of them of a second film */
    int woken;                        /* an eventfd: encoders have threads; -1: they have none */
    bool gfx, silent;                 /* silent: acknowledgements are skipped for a while */
    size_t frames, bytes, parts;
    size_t starts, ends;              /* commands that begin and end frames */
    size_t placed, kept, evicted;     /* points drawn from the cache, pieces smaller than tiles put into it, slots taken back */
};

static const struct engine_caps gfx_caps = {
    .gfx = true, .progressive = true, .clear_codec = true, .planar = true, .remotefx = true, .avc420 = true,
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

static void on_part(void *user, const struct gfx_frame *part);

static bool threads; /* of the worlds that are opened */

static void world_open_salted(struct world *w, const struct engine_caps *caps, int width, int height, uint32_t seed, uint8_t salt)
{
    struct engine_config config = {.caps = *caps, .max_frame_rate = 60, .wake = threads ? wake : NULL, .part = on_part, .user = w, .cache_salt = {salt}};
    memset(w, 0, sizeof *w);
    w->woken = threads ? eventfd(0, EFD_CLOEXEC) : -1;
    w->engine = engine_create(&config);
    w->wire = gfx_wire_create(true);
    w->client = ref_client_create(caps->small_cache);
    w->screen = canvas_new(width, height);
    w->seed = seed;
    w->now = 1000000;
    w->gfx = caps->gfx;
    if (!w->gfx)
        ref_client_screen(w->client, (uint16_t)width, (uint16_t)height);
    assert_int_equal(engine_surface_create(w->engine, 0, (uint16_t)width, (uint16_t)height, 0, 0), 0);
}

static void world_open(struct world *w, const struct engine_caps *caps, int width, int height, uint32_t seed)
{
    world_open_salted(w, caps, width, height, seed, 0);
}

static void world_close(struct world *w)
{
    engine_destroy(w->engine);
    if (w->woken >= 0)
        close(w->woken);
    gfx_wire_destroy(w->wire);
    ref_client_destroy(w->client);
    canvas_free(&w->screen);
}

static unsigned pick(struct world *w, unsigned n)
{
    return scene_rand(&w->seed) % n;
}

static void damaged(struct world *w, int x, int y, int dw, int dh)
{
    x = x < 0 ? 0 : x;
    y = y < 0 ? 0 : y;
    if (w->ndamage == 256)
        w->damage[w->ndamage = 0, w->ndamage++] = (struct engine_rect){0, 0, 0xFFFF, 0xFFFF};
    w->damage[w->ndamage++] = (struct engine_rect){(uint16_t)x, (uint16_t)y, (uint16_t)dw, (uint16_t)dh};
}

static void transmit(struct world *w, const struct gfx_frame *f)
{
    const struct gfx_message *m;
    size_t n;
    for (size_t i = 0; i < f->ncommands; i++) {
        w->starts += f->commands[i].type == GFX_START_FRAME;
        w->ends += f->commands[i].type == GFX_END_FRAME;
        w->placed += f->commands[i].type == GFX_FROM_CACHE ? f->commands[i].nrects : 0;
        w->kept += f->commands[i].type == GFX_TO_CACHE && f->commands[i].rect.width < 64;
        w->evicted += f->commands[i].type == GFX_EVICT;
    }
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

static void deliver(struct world *w, const struct gfx_frame *f)
{
    w->frames++;
    transmit(w, f);
    if (!w->gfx)
        return;
    assert_int_equal(ref_client_last_frame(w->client), f->frame_id);
    if (!w->silent)
        engine_ack(w->engine, f->frame_id, 0, (uint32_t)w->frames, w->now);
}

static void hand_in(struct world *w)
{
    assert_true(engine_damage(w->engine, 0, w->screen.px, w->screen.stride, w->damage, w->ndamage, w->now) >= 0);
    w->ndamage = 0;
}

static void step(struct world *w)
{
    struct gfx_frame f;
    int64_t wait = engine_next(w->engine, w->now);
    w->now += wait > 0 && wait < 20000 ? (uint64_t)wait : 5000;
    int rc = engine_produce(w->engine, w->now, &f);
    assert_true(rc >= 0);
    if (rc == 1)
        deliver(w, &f);
}

/* Until nothing is left to send: exact pictures included. */
static void settle(struct world *w)
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

static void check_equal(struct world *w)
{
    const struct ref_surface *s = ref_client_surface(w->client, 0);
    assert_non_null(s);
    assert_int_equal(s->width, w->screen.w);
    assert_int_equal(ref_surface_wrong(s, w->screen.px, w->screen.stride), 0);
}

static void draw_something(struct world *w)
{
    int x = (int)pick(w, (unsigned)w->screen.w) - 20, y = (int)pick(w, (unsigned)w->screen.h) - 20;
    int dw = 1 + (int)pick(w, 300), dh = 1 + (int)pick(w, 200);
    switch (pick(w, 7)) {
    case 0:
        draw_rect(&w->screen, x, y, dw, dh, pick(w, 0x1000000));
        break;
    case 1: case 2:
        draw_text(&w->screen, x, y, dw, dh, pick(w, 1 << 30), pick(w, 3) ? 0 : 0x802010, 0xFFFFFF, (int)pick(w, 2));
        break;
    case 3:
        draw_photo(&w->screen, x, y, dw, dh, pick(w, 1 << 20), 0, 0, 256, (int)pick(w, 6));
        break;
    case 4:
        draw_scroll(&w->screen, x, y, dw, dh, 0, (int)pick(w, 60) - 30);
        break;
    case 5:
        draw_scroll(&w->screen, x, y, dw, dh, (int)pick(w, 40) - 20, (int)pick(w, 9) - 4);
        break;
    default:
        draw_rect(&w->screen, x, y, 2, 17, 0);
        dw = dh = 20;
        break;
    }
    damaged(w, x < 0 ? 0 : x, y < 0 ? 0 : y, dw + 20, dh + 20);
}

/* A film in a rectangle that no tile knows of, or two side by side. */
static void draw_film(struct world *w)
{
    if (w->film == 0 && pick(w, 25) == 0) {
        w->film = 40;
        w->two = pick(w, 2);
    }
    if (w->film == 0)
        return;
    w->film--;
    if (w->two) {
        draw_photo(&w->screen, 3, 11, 170, 151, pick(w, 1 << 20), 0, 0, 256, 3);
        draw_photo(&w->screen, 247, 107, 164, 211, pick(w, 1 << 20), 0, 0, 256, 3);
        damaged(w, 3, 11, 170, 151);
        damaged(w, 247, 107, 164, 211);
        return;
    }
    draw_photo(&w->screen, 37, 21, 290, 211, pick(w, 1 << 20), 0, 0, 256, 3);
    damaged(w, 37, 21, 290, 211);
}

static void resize_to(struct world *w, int width, int height)
{
    const struct gfx_message *m;
    size_t n;
    struct gfx_monitor mon = {0, 0, width - 1, height - 1, true};
    engine_surface_destroy(w->engine, 0);
    gfx_wire_begin(w->wire);
    assert_int_equal(gfx_wire_reset_graphics(w->wire, (uint32_t)width, (uint32_t)height, &mon, 1), 0);
    gfx_wire_finish(w->wire, &m, &n);
    assert_int_equal(ref_client_message(w->client, m[0].data, m[0].len), 0);
    canvas_free(&w->screen);
    w->screen = canvas_new(width, height);
    engine_surface_create(w->engine, 0, (uint16_t)width, (uint16_t)height, 0, 0);
    draw_text(&w->screen, 0, 0, width, height, 3, 0, 0xFFFFFF, 1);
    damaged(w, 0, 0, width, height);
}

static void resize(struct world *w)
{
    int width = 1 + (int)pick(w, 500);
    resize_to(w, width, 1 + (int)pick(w, 400));
}

static void reset(struct world *w)
{
    const struct gfx_message *m;
    size_t n;
    struct gfx_monitor mon = {0, 0, w->screen.w - 1, w->screen.h - 1, true};
    gfx_wire_begin(w->wire);
    gfx_wire_reset_graphics(w->wire, (uint32_t)w->screen.w, (uint32_t)w->screen.h, &mon, 1);
    gfx_wire_finish(w->wire, &m, &n);
    assert_int_equal(ref_client_message(w->client, m[0].data, m[0].len), 0);
    engine_reset_graphics(w->engine);
}

static void reconnect(struct world *w, bool small_cache)
{
    ref_client_destroy(w->client);
    w->client = ref_client_create(small_cache);
    gfx_wire_restart(w->wire);
    engine_reset(w->engine);
}

static void random_event(struct world *w, const struct engine_caps *caps)
{
    struct engine_rect r = {(uint16_t)pick(w, 300), (uint16_t)pick(w, 300), (uint16_t)pick(w, 300), (uint16_t)pick(w, 300)};
    switch (pick(w, 60)) {
    case 0:
        if (w->gfx)
            resize(w);
        break;
    case 1:
        if (w->gfx)
            reset(w);
        break;
    case 2:
        if (w->gfx)
            reconnect(w, caps->small_cache);
        break;
    case 3: case 4: w->silent = !w->silent; break;
    case 5: engine_refresh(w->engine, 0, &r, 1); break;
    case 6: engine_suppress(w->engine, true); break;
    case 7: case 8: engine_suppress(w->engine, false); break;
    default: break;
    }
}

static size_t seconds;

static size_t draw_at_random(const struct engine_caps *caps, uint32_t seed, int rounds)
{
    struct world w;
    const char *longer = getenv("ORIEL_TEST_LONGER"); /* so many times as many rounds: an hour's run under sanitizers */
    rounds *= longer ? (int)strtol(longer, NULL, 10) : 1;
    world_open(&w, caps, 417, 333, seed);
    for (int i = 0; i < rounds; i++) {
        for (unsigned k = pick(&w, 3); k; k--)
            draw_something(&w);
        draw_film(&w);
        random_event(&w, caps);
        hand_in(&w);
        step(&w);
        if (pick(&w, 12) == 0) {
            engine_suppress(w.engine, false);
            settle(&w);
            check_equal(&w);
        }
    }
    world_close(&w);
    seconds += w.second;
    return w.avc;
}

static void a_gfx_client_shows_the_source_at_every_settled_point(void **state)
{
    size_t films = 0;
    for (uint32_t seed = 1; seed <= 6; seed++)
        films += draw_at_random(&gfx_caps, seed * 7919, 250);
#ifdef ORIEL_HAVE_X264
    assert_true(films > 20);
    assert_true(seconds > 5);
#endif
    print_message("%zu pictures as H.264, %zu of a second film\n", films, seconds);
}

static void encoders_on_threads_keep_it_so(void **state)
{
    size_t films = 0;
    threads = true;
    seconds = 0;
    for (uint32_t seed = 1; seed <= 4; seed++)
        films += draw_at_random(&gfx_caps, seed * 7919, 250);
    threads = false;
#ifdef ORIEL_HAVE_X264
    assert_true(films > 20);
#endif
    print_message("%zu pictures as H.264, %zu of a second film\n", films, seconds);
}

static void a_client_with_a_small_cache_does_too(void **state)
{
    struct engine_caps c = gfx_caps;
    c.small_cache = true;
    c.avc420 = false;
    draw_at_random(&c, 77, 200);
}

static void a_thin_client_does_too(void **state)
{
    struct engine_caps c = {.gfx = true, .clear_codec = true, .thin_client = true, .small_cache = true};
    draw_at_random(&c, 78, 150);
}

static void a_client_without_h264_does_too(void **state)
{
    struct engine_caps c = gfx_caps;
    c.avc420 = false;
    assert_int_equal(draw_at_random(&c, 76, 200), 0);
}

static void an_older_client_with_32_bit_bitmaps_does_too(void **state)
{
    struct engine_caps c = {.bitmap_bpp = 32};
    draw_at_random(&c, 79, 150);
}

static void an_older_client_with_24_bit_bitmaps_does_too(void **state)
{
    struct engine_caps c = {.bitmap_bpp = 24};
    draw_at_random(&c, 80, 150);
}

/* A page of writing in some colour, and at once what the client shows of it: nothing of it was an approximation. Returns how many pieces came from the
 * cache. */
static size_t show_page(struct world *w, uint32_t seed, uint32_t ink)
{
    size_t before = w->placed;
    w->now += 200000;
    draw_text(&w->screen, 0, 0, w->screen.w, w->screen.h, seed, ink, 0xFFFFFF, 1);
    damaged(w, 0, 0, w->screen.w, w->screen.h);
    hand_in(w);
    step(w);
    check_equal(w);
    return w->placed - before;
}

static void letters_that_come_again_come_from_the_cache(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 600, 400, 21);
    show_page(&w, 100, 0);
    for (uint32_t seed = 200; seed < 500; seed += 100)
        assert_true(show_page(&w, seed, 0) > 500);
    size_t kept = w.kept;
    assert_true(show_page(&w, 500, 0) > 500);
    size_t known = w.kept - kept; /* of lines that an area cut in two */
    kept = w.kept;
    assert_true(show_page(&w, 600, 0x2040C0) > 500); /* other letters, which come again on this page */
    assert_true(w.kept - kept > known);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

/* On a slow link the bytes count: positions of letters are more than what bands refer to. */
static void on_a_slow_link_letters_are_sent(void **state)
{
    struct world w;
    struct engine_link_state slow = {.rtt_us = 50000, .bytes_per_second = 250000};
    world_open(&w, &gfx_caps, 600, 400, 22);
    for (uint32_t seed = 100; seed < 500; seed += 100) {
        engine_link(w.engine, &slow);
        w.now += 400000;
        draw_text(&w.screen, 0, 0, 600, 400, seed, 0, 0xFFFFFF, 1);
        damaged(&w, 0, 0, 600, 400);
        hand_in(&w);
        for (int i = 0; i < 30; i++)
            step(&w);
    }
    assert_int_equal(w.placed, 0);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

/* Writing in ever other colours fills a small cache many times: slots are taken back, and never one that a letter is still to come from. */
static void letters_of_many_colours_turn_a_small_cache_over(void **state)
{
    struct engine_caps c = gfx_caps;
    struct world w;
    c.small_cache = true;
    c.avc420 = false;
    world_open(&w, &c, 640, 128, 23);
    for (uint32_t i = 0; i < 240; i++)
        show_page(&w, 1000 + i, i * 0x010407u % 0xC0C0C0u);
    assert_true(w.evicted > 300);
    assert_true(w.placed > 20000);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

/* A title over the page, of another colour: the page is writing on its ground all the same. */
static void letters_under_a_title_come_from_the_cache_too(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 600, 400, 24);
    for (uint32_t seed = 100; seed < 500; seed += 100) {
        size_t before = w.placed;
        w.now += 200000;
        draw_text(&w.screen, 0, 0, 600, 400, seed, 0, 0xFFFFFF, 1);
        draw_text(&w.screen, 0, 0, 600, 18, seed, 0xFFFFFF, seed * 0x10305u, 1);
        damaged(&w, 0, 0, 600, 400);
        hand_in(&w);
        step(&w);
        check_equal(&w);
        assert_true(seed < 300 || w.placed - before > 300);
    }
    world_close(&w);
}

static void damage_that_changed_nothing_sends_nothing(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 300, 200, 5);
    draw_text(&w.screen, 0, 0, 300, 200, 9, 0, 0xFFFFFF, 1);
    damaged(&w, 0, 0, 300, 200);
    hand_in(&w);
    settle(&w);
    check_equal(&w);
    size_t frames = w.frames;
    damaged(&w, 0, 0, 300, 200);
    assert_int_equal(engine_damage(w.engine, 0, w.screen.px, w.screen.stride, w.damage, w.ndamage, w.now), 0);
    settle(&w);
    assert_int_equal(w.frames, frames);
    world_close(&w);
}

static void a_client_that_never_acknowledges_still_gets_pictures(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 300, 200, 6);
    w.silent = true;
    for (int i = 0; i < 40; i++) {
        draw_rect(&w.screen, i, i, 50, 50, (uint32_t)i * 0x030201u);
        damaged(&w, i, i, 50, 50);
        hand_in(&w);
        for (int k = 0; k < 60; k++)
            step(&w);
        w.silent = true;
    }
    assert_true(w.frames >= 30);
    world_close(&w);
}

static void a_suppressed_client_gets_nothing_and_then_everything(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 300, 200, 7);
    damaged(&w, 0, 0, 300, 200);
    hand_in(&w);
    settle(&w);
    engine_suppress(w.engine, true);
    draw_text(&w.screen, 0, 0, 300, 200, 9, 0, 0xFFFFFF, 1);
    damaged(&w, 0, 0, 300, 200);
    hand_in(&w);
    assert_int_equal(engine_next(w.engine, w.now), -1);
    engine_suppress(w.engine, false);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

static void hostile_rectangles_are_clipped(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 300, 200, 8);
    struct engine_rect bad[] = {{65535, 65535, 65535, 65535}, {0, 0, 65535, 65535}, {299, 199, 2, 2}, {5, 5, 0, 0}, {300, 0, 1, 1}};
    assert_true(engine_damage(w.engine, 0, w.screen.px, w.screen.stride, bad, 5, w.now) >= 0);
    assert_int_equal(engine_damage(w.engine, 0, w.screen.px, 299 * 4, bad, 5, w.now), -22);
    assert_int_equal(engine_damage(w.engine, 9, w.screen.px, 300 * 4, bad, 5, w.now), -22);
    engine_refresh(w.engine, 0, bad, 5);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

/* Sixteen bits lose the low ones of a pixel, and decoders fill them in in their own way. */
static void an_older_client_with_16_bit_bitmaps_shows_it_within_a_step(void **state)
{
    struct engine_caps c = {.bitmap_bpp = 16};
    struct world w;
    world_open(&w, &c, 317, 233, 81);
    for (int i = 0; i < 60; i++) {
        draw_something(&w);
        hand_in(&w);
        settle(&w);
        const struct ref_surface *s = ref_client_surface(w.client, 0);
        for (int y = 0; y < w.screen.h; y++)
            for (int x = 0; x < w.screen.w; x++) {
                const uint8_t *p = s->px + (size_t)y * s->stride + 4 * (size_t)x;
                const uint8_t *q = w.screen.px + (size_t)y * w.screen.stride + 4 * (size_t)x;
                if (abs(p[0] - q[0]) > 8 || abs(p[1] - q[1]) > 8 || abs(p[2] - q[2]) > 8)
                    fail_msg("round %d pixel %d,%d: %02x%02x%02x for %02x%02x%02x", i, x, y, p[0], p[1], p[2], q[0], q[1], q[2]);
            }
    }
    world_close(&w);
}

static void an_older_client_with_remotefx_is_exact_when_still(void **state)
{
    struct engine_caps c = {.bitmap_bpp = 32, .rfx_surface_bits = true, .rfx_entropy = 3, .max_command_bytes = 16000};
    draw_at_random(&c, 82, 100);
    c.rfx_entropy = 1;
    draw_at_random(&c, 83, 100);
}

/* What was about to be taken for a film must not be remembered beyond its surface. */
static void a_film_that_begins_while_the_desktop_shrinks_stays_inside(void **state)
{
    for (int before = 4; before < 10; before++) {
        struct world w;
        world_open(&w, &gfx_caps, 512, 384, 9);
        for (int i = 0; i < before + 12; i++) {
            if (i == before)
                resize_to(&w, 400, 300);
            draw_photo(&w.screen, 0, 0, 448, 320, (uint32_t)i + 1, 0, 0, 256, 3);
            damaged(&w, 0, 0, 448, 320);
            hand_in(&w);
            step(&w);
            w.now += 33000;
        }
        settle(&w);
        check_equal(&w);
        world_close(&w);
    }
}

static void draw_stems(struct world *w, int x, int end, int y, int bottom)
{
    for (; x < end; x += 4)
        draw_rect(&w->screen, x, y, 1, bottom - y, 0xFF000000u + (uint32_t)x);
}

/* An area of 33 tiles may be 2048 pixels wide, and so may what the one above it left to it; both together are wider than a bitmap may be. */
static void what_an_area_leaves_to_the_next_joins_it_only_where_both_fit(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 2300, 330, 12);
    draw_rect(&w.screen, 0, 0, 2300, 330, 0xFFFFFFFFu);
    damaged(&w, 0, 0, 2300, 330);
    hand_in(&w);
    settle(&w);
    for (int y = 66; y < 114; y += 12)
        draw_stems(&w, 60, 2104, y, y + 8);
    draw_stems(&w, 60, 2049, 120, 136);   /* the line that the tiles' edge cuts */
    draw_stems(&w, 2052, 2104, 120, 127); /* ends above it */
    draw_stems(&w, 4, 60, 130, 136);      /* begins below it */
    damaged(&w, 0, 0, 2300, 330);
    hand_in(&w);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

/* A page where a film has just been is writing, and exact at once. */
static void a_page_in_the_place_of_a_film_is_no_picture_of_it(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 512, 384, 11);
    for (int i = 0; i < 30; i++) {
        draw_photo(&w.screen, 0, 0, 448, 320, (uint32_t)i + 1, 0, 0, 256, 3);
        damaged(&w, 0, 0, 448, 320);
        hand_in(&w);
        step(&w);
        w.now += 33000;
    }
    size_t pictures = w.avc;
#ifdef ORIEL_HAVE_X264
    assert_true(pictures > 10);
#endif
    for (uint32_t seed = 1; seed < 4; seed++) {
        w.now += 500000;
        draw_text(&w.screen, 0, 0, 448, 320, seed, 0, 0xFFFFFF, 1);
        damaged(&w, 0, 0, 448, 320);
        hand_in(&w);
        for (int i = 0; i < 3; i++)
            step(&w);
        check_equal(&w);
    }
    assert_int_equal(w.avc, pictures);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

/* What one engine stored, offered to the next: keys of tiles by position, those of letters apart. */
static size_t stored_keys(struct world *w, struct engine_cache_entry *keys, size_t most)
{
    struct gfx_frame f;
    size_t n = 0;
    for (int64_t wait; (wait = engine_next(w->engine, w->now)) >= 0;) {
        w->now += (uint64_t)wait;
        if (engine_produce(w->engine, w->now, &f) != 1)
            continue;
        for (size_t i = 0; i < f.ncommands && n < most; i++)
            if (f.commands[i].type == GFX_TO_CACHE && f.commands[i].rect.width == 64)
                keys[n++] = (struct engine_cache_entry){f.commands[i].cache_key,
                                                        f.commands[i].rect.width * f.commands[i].rect.height * 4u};
        deliver(w, &f);
    }
    return n;
}

/* Of tiles, from the cache; letters stand elsewhere. */
static size_t fetches(struct world *w)
{
    struct gfx_frame f;
    size_t n = 0;
    if (engine_produce(w->engine, w->now, &f) == 1)
        for (size_t i = 0; i < f.ncommands; i++)
            n += f.commands[i].type == GFX_FROM_CACHE && f.commands[i].rects[0].x % 64 == 0 && f.commands[i].rects[0].y % 64 == 0;
    return n;
}

static void what_a_client_kept_from_an_earlier_session_comes_from_its_cache(void **state)
{
    struct world w;
    struct engine_cache_entry keys[64];
    uint16_t slots[64];
    world_open(&w, &gfx_caps, 320, 256, 5);
    draw_text(&w.screen, 0, 0, 320, 256, 3, 0, 0xFFFFFF, 1);
    damaged(&w, 0, 0, 320, 256);
    hand_in(&w);
    size_t n = stored_keys(&w, keys, 64);
    assert_int_equal(n, 20);
    engine_reset(w.engine);
    assert_int_equal(engine_cache_offer(w.engine, keys, n, slots), n);
    assert_int_equal(fetches(&w), n);
    world_close(&w);
}

/* What a client of a user with this salt keeps of a desktop, and how much of `offer` its next session draws from the cache. */
static size_t kept(uint8_t salt, struct engine_cache_entry keys[64])
{
    struct world w;
    world_open_salted(&w, &gfx_caps, 320, 256, 5, salt);
    draw_text(&w.screen, 0, 0, 320, 256, 3, 0, 0xFFFFFF, 1);
    damaged(&w, 0, 0, 320, 256);
    hand_in(&w);
    size_t n = stored_keys(&w, keys, 64);
    world_close(&w);
    return n;
}

static size_t used(uint8_t salt, const struct engine_cache_entry *offer, size_t n)
{
    struct world w;
    uint16_t slots[64];
    world_open_salted(&w, &gfx_caps, 320, 256, 5, salt);
    draw_text(&w.screen, 0, 0, 320, 256, 3, 0, 0xFFFFFF, 1);
    damaged(&w, 0, 0, 320, 256);
    hand_in(&w);
    (void)engine_cache_offer(w.engine, offer, n, slots);
    size_t drawn = fetches(&w);
    world_close(&w);
    return drawn;
}

static void what_was_kept_under_another_salt_is_never_shown(void **state)
{
    struct engine_cache_entry mine[64], other[64], none[64];
    size_t n = kept(1, mine);
    assert_int_equal(n, 20);
    assert_int_equal(kept(2, other), n);
    assert_int_equal(kept(0, none), n);
    for (size_t i = 0; i < n; i++) {
        int bits = __builtin_popcountll(mine[i].key ^ other[i].key);
        assert_true(bits > 8 && bits < 56);
        for (size_t k = 0; k < n; k++) /* nor do their differences lead from one to the other */
            assert_true(mine[i].key != other[k].key && (i == k || (mine[i].key ^ mine[k].key) != (other[i].key ^ other[k].key)));
    }
    assert_int_equal(used(1, mine, n), n);
    assert_int_equal(used(1, other, n), 0);
    assert_int_equal(used(1, none, n), 0);
}

static void cache_offers_end_at_what_cannot_be_taken(void **state)
{
    static struct engine_cache_entry many[5000];
    static uint16_t slots[5000];
    struct engine_caps small = gfx_caps;
    small.small_cache = true;
    struct engine_config config = {.max_frame_rate = 60, .caps = small};
    struct engine *e = engine_create(&config);
    for (size_t i = 0; i < 5000; i++)
        many[i] = (struct engine_cache_entry){i + 1, 100};
    many[10].key = many[3].key;
    assert_int_equal(engine_cache_offer(e, many, 5000, slots), 10);
    many[10].bytes = 0;
    assert_int_equal(engine_cache_offer(e, many + 10, 1, slots), 0);
    many[10] = (struct engine_cache_entry){0, 100};
    assert_int_equal(engine_cache_offer(e, many + 10, 1, slots), 0);
    many[10] = (struct engine_cache_entry){99999, 64 * 64 * 4 + 4};
    assert_int_equal(engine_cache_offer(e, many + 10, 1, slots), 0);
    many[10].bytes = 64 * 64 * 4;
    assert_int_equal(engine_cache_offer(e, many + 10, 1, slots), 1);
    engine_reset(e);
    assert_int_equal(engine_cache_offer(e, many + 11, 4989, slots), 4096);
    for (size_t i = 0; i < 5000; i++)
        many[i].bytes = 64 * 64 * 4;
    engine_reset(e);
    assert_int_equal(engine_cache_offer(e, many + 11, 4989, slots), 1024);
    engine_destroy(e);
    struct engine_caps old = {.bitmap_bpp = 32};
    config.caps = old;
    e = engine_create(&config);
    assert_int_equal(engine_cache_offer(e, many + 11, 1, slots), 0);
    engine_destroy(e);
}

/* A client can begin with a large frame before all of it is encoded, and still shows it at once. */
static void a_large_frame_leaves_in_parts_and_is_one_frame(void **state)
{
    struct world w;
    struct gfx_frame f;
    world_open(&w, &gfx_caps, 1600, 1000, 3);
    draw_text(&w.screen, 0, 0, 900, 1000, 77, 0, 0xFFFFFF, 1);
    engine_link(w.engine, &(struct engine_link_state){.rtt_us = 500, .bytes_per_second = 100000000});
    draw_photo(&w.screen, 900, 0, 700, 1000, 5, 0, 0, 256, 3);
    damaged(&w, 0, 0, 1600, 1000);
    hand_in(&w);
    assert_int_equal(engine_next(w.engine, w.now), 0);
    assert_int_equal(engine_produce(w.engine, w.now, &f), 1);
    assert_true(w.parts >= 4);
    assert_int_equal(w.starts, 1);
    assert_int_equal(w.ends, 0);
    assert_int_not_equal(ref_client_last_frame(w.client), f.frame_id);
    deliver(&w, &f);
    assert_int_equal(w.starts, 1);
    assert_int_equal(w.ends, 1);
    size_t parts = w.parts;
    settle(&w); /* background work is small by itself */
    assert_int_equal(w.parts, parts);
    check_equal(&w);
    world_close(&w);
}

static size_t wrong_within(const struct world *w, int x0, int y0, int width, int height)
{
    const struct ref_surface *s = ref_client_surface(w->client, 0);
    size_t n = 0;
    for (int y = y0; y < y0 + height; y++)
        for (int x = x0; x < x0 + width; x++)
            n += memcmp(s->px + (size_t)y * s->stride + 4 * (size_t)x, w->screen.px + (size_t)y * w->screen.stride + 4 * (size_t)x, 3) != 0;
    return n;
}

/* Where a window is after `i` steps: to and fro across the screen and up and down, never by the same way. */
static int there_and_back(int i, int tenths, int range)
{
    int at = tenths * i / 10 % (2 * range);
    return at < range ? at : 2 * range - at;
}

/* The photograph that a window uncovers may be approximate; the window's own edge and corners, which lie in the same changed boxes, may
 * not. */
static void a_window_dragged_over_a_photograph_stays_exact(void **state)
{
    enum { WW = 330, WH = 200, W = 900, H = 600, STEPS = 240 };
    struct world w;
    world_open(&w, &gfx_caps, W, H, 3);
    engine_link(w.engine, &(struct engine_link_state){.rtt_us = 500, .bytes_per_second = 100000000});
    struct canvas back = canvas_new(W, H), win = canvas_new(WW, WH);
    draw_photo(&back, 0, 0, W, H, 42, 0, 0, 256, 2);
    draw_rect(&win, 0, 0, WW, WH, 0x3C5A96);
    draw_text(&win, 2, 2, WW - 4, WH - 4, 9, 0, 0xFFFFFF, 1);
    draw_rect(&win, 0, 0, WW, 24, 0x3C5A96);
    draw_copy(&w.screen, 0, 0, &back, 0, 0, W, H);
    damaged(&w, 0, 0, W, H);
    hand_in(&w);
    settle(&w);
    for (int i = 0, ox = 0, oy = 0; i < STEPS; i++) {
        int x = 10 + there_and_back(i, 56, W - WW - 20), y = 10 + there_and_back(i, 34, H - WH - 20);
        if (i)
            draw_copy(&w.screen, ox, oy, &back, ox, oy, WW, WH);
        draw_copy(&w.screen, x, y, &win, 0, 0, WW, WH);
        damaged(&w, x - 8, y - 8, WW + 16, WH + 16);
        hand_in(&w);
        for (uint64_t end = w.now + 16667; w.now < end;)
            step(&w);
        if (wrong_within(&w, x, y, WW, WH))
            fail_msg("step %d: %zu pixels of the window", i, wrong_within(&w, x, y, WW, WH));
        ox = x;
        oy = y;
    }
    settle(&w);
    check_equal(&w);
    canvas_free(&back);
    canvas_free(&win);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_area_leaves_to_the_next_joins_it_only_where_both_fit),
        cmocka_unit_test(a_page_in_the_place_of_a_film_is_no_picture_of_it),
        cmocka_unit_test(letters_that_come_again_come_from_the_cache),
        cmocka_unit_test(on_a_slow_link_letters_are_sent),
        cmocka_unit_test(letters_of_many_colours_turn_a_small_cache_over),
        cmocka_unit_test(letters_under_a_title_come_from_the_cache_too),
        cmocka_unit_test(damage_that_changed_nothing_sends_nothing),
        cmocka_unit_test(a_suppressed_client_gets_nothing_and_then_everything),
        cmocka_unit_test(hostile_rectangles_are_clipped),
        cmocka_unit_test(a_film_that_begins_while_the_desktop_shrinks_stays_inside),
        cmocka_unit_test(what_a_client_kept_from_an_earlier_session_comes_from_its_cache),
        cmocka_unit_test(what_was_kept_under_another_salt_is_never_shown),
        cmocka_unit_test(cache_offers_end_at_what_cannot_be_taken),
        cmocka_unit_test(a_window_dragged_over_a_photograph_stays_exact),
        cmocka_unit_test(a_large_frame_leaves_in_parts_and_is_one_frame),
        cmocka_unit_test(a_client_that_never_acknowledges_still_gets_pictures),
        cmocka_unit_test(a_gfx_client_shows_the_source_at_every_settled_point),
        cmocka_unit_test(encoders_on_threads_keep_it_so),
        cmocka_unit_test(a_client_with_a_small_cache_does_too),
        cmocka_unit_test(a_client_without_h264_does_too),
        cmocka_unit_test(a_thin_client_does_too),
        cmocka_unit_test(an_older_client_with_32_bit_bitmaps_does_too),
        cmocka_unit_test(an_older_client_with_24_bit_bitmaps_does_too),
        cmocka_unit_test(an_older_client_with_16_bit_bitmaps_shows_it_within_a_step),
        cmocka_unit_test(an_older_client_with_remotefx_is_exact_when_still),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
