/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A long random drawing against a client of libfreerdp's decoders: at every settled point the client shows the source.
 */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LARGE = 900 }; /* two megabytes and more: its rows rest */

static void draw_something(struct world *w)
{
    int x = (int)pick(w, (unsigned)w->screen.w) - 20, y = (int)pick(w, (unsigned)w->screen.h) - 20;
    int dw = 1 + (int)pick(w, 300), dh = 1 + (int)pick(w, 200);
    switch (pick(w, 7)) {
    case 0:
        draw_rect(&w->screen, x, y, dw, dh, pick(w, 0x1000000));
        break;
    case 1:
    case 2:
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

/* So many more pictures are drawn; of two films */
struct film {
    int left;
    bool two;
};

/* A film in a rectangle that no tile knows of, or two side by side. */
static void draw_film(struct world *w, struct film *film)
{
    if (film->left == 0 && pick(w, 25) == 0) {
        film->left = 40;
        film->two = pick(w, 2);
    }
    if (film->left == 0)
        return;
    film->left--;
    if (film->two) {
        draw_photo(&w->screen, 3, 11, 170, 151, pick(w, 1 << 20), 0, 0, 256, 3);
        draw_photo(&w->screen, 247, 107, 164, 211, pick(w, 1 << 20), 0, 0, 256, 3);
        damaged(w, 3, 11, 170, 151);
        damaged(w, 247, 107, 164, 211);
        return;
    }
    draw_photo(&w->screen, 37, 21, 290, 211, pick(w, 1 << 20), 0, 0, 256, 3);
    damaged(w, 37, 21, 290, 211);
}

static void resize(struct world *w)
{
    bool large = w->screen.w >= LARGE;
    int width = 1 + (large ? LARGE : 0) + (int)pick(w, 500);
    resize_to(w, width, 1 + (large ? LARGE : 0) + (int)pick(w, 400));
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

/* Of a large picture some rows rest by then, what waits there sent or not. */
static void pause_in(struct world *w)
{
    if (w->screen.w < LARGE)
        return;
    for (uint64_t end = w->now + 400000 * (1 + pick(w, 6)); w->now < end;)
        step(w);
}

static void random_event(struct world *w, const struct engine_caps *caps)
{
    struct engine_rect r = {(uint16_t)pick(w, 300), (uint16_t)pick(w, 300), (uint16_t)pick(w, 300),
        (uint16_t)pick(w, 300)};
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
    case 3:
    case 4:
        w->silent = !w->silent;
        break;
    case 5:
        engine_refresh(w->engine, w->surface, &r, 1);
        break;
    case 6:
        engine_suppress(w->engine, true);
        break;
    case 7:
    case 8:
        engine_suppress(w->engine, false);
        break;
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
        pause_in(w);
        break;
    default:
        break;
    }
}

static bool turn_to_any(struct world *w, bool free_id, uint16_t *id)
{
    *id = (uint16_t)pick(w, WORLD_SURFACES);
    if (w->others[*id].live == free_id)
        return false;
    if (!free_id)
        world_turn_to(w, *id);
    return true;
}

static void come(struct world *w, uint16_t id)
{
    int width = 1 + (int)pick(w, 500), height = 1 + (int)pick(w, 400);
    if (pick(w, 2))
        world_add_in_window(w, id, width, height, pick(w, 1 << 30));
    else
        world_add(w, id, width, height);
}

/* A surface comes, moves, is resized, goes, or somebody begins to work in it. What was drawn on it may not have been
 * sent, or handed in. */
static void come_or_go(struct world *w)
{
    uint16_t id, kind = (uint16_t)pick(w, 30);
    if (kind > 5 || !turn_to_any(w, kind < 2, &id))
        return;
    if (kind < 2)
        come(w, id);
    else if (kind == 2 && !w->others[id].in_window)
        world_move(w, id, (uint16_t)pick(w, 2000), (uint16_t)pick(w, 2000));
    else if (kind == 5)
        engine_focus(w->engine, id);
    else if (kind > 2 && id != 0) {
        world_remove(w, id);
        if (kind == 4)
            come(w, id);
    }
}

static bool threads; /* of the worlds that are opened */
static size_t seconds;

static size_t draw_on(const struct engine_caps *caps, int width, int height, uint32_t seed, int rounds)
{
    struct world w;
    struct film film = {0};
    /* So many times as many rounds: an hour's run under sanitizers */
    const char *longer = getenv("ORIEL_TEST_LONGER");
    rounds *= longer ? (int)strtol(longer, NULL, 10) : 1;
    world_open_with(&w, caps, width, height, seed, (struct world_options){.threads = threads});
    for (int i = 0; i < rounds; i++) {
        for (unsigned k = pick(&w, 3); k; k--)
            draw_something(&w);
        draw_film(&w, &film);
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

static void settle_and_check(struct world *w)
{
    engine_suppress(w->engine, false);
    settle(w);
    check_all_equal(w);
}

/* On up to eight surfaces; where a film plays, it goes on, as long as there is its surface. */
static size_t draw_on_many(const struct engine_caps *caps, uint32_t seed, int rounds)
{
    struct world w;
    struct film films[WORLD_SURFACES] = {0};
    uint16_t id;
    size_t most = 0;
    const char *longer = getenv("ORIEL_TEST_LONGER");
    rounds *= longer ? (int)strtol(longer, NULL, 10) : 1;
    world_open_with(&w, caps, 417, 333, seed, (struct world_options){.threads = threads});
    for (int i = 0; i < rounds; i++) {
        come_or_go(&w);
        for (unsigned k = pick(&w, 5); k; k--) {
            if (!turn_to_any(&w, false, &id))
                continue;
            draw_something(&w);
            draw_film(&w, &films[id]);
            hand_in(&w);
        }
        for (id = 0; id < WORLD_SURFACES; id++)
            if (w.others[id].live && films[id].left > 0) {
                world_turn_to(&w, id);
                draw_film(&w, &films[id]);
                hand_in(&w);
            }
        random_event(&w, caps);
        hand_in(&w); /* what a resize has drawn */
        step(&w);
        if (pick(&w, 12) == 0)
            settle_and_check(&w);
        most = ref_client_surfaces(w.client) > most ? ref_client_surfaces(w.client) : most;
    }
    settle_and_check(&w);
    world_close(&w);
    assert_true(most > 5);
    return w.avc;
}

static size_t draw_at_random(const struct engine_caps *caps, uint32_t seed, int rounds)
{
    return draw_on(caps, 417, 333, seed, rounds);
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

static void a_large_picture_of_which_rows_rest_meanwhile_does_too(void **state)
{
    for (uint32_t seed = 1; seed <= 4; seed++)
        draw_on(&gfx_caps, LARGE + 77, LARGE, seed * 104729, 120);
}

static void each_of_many_surfaces_does_too(void **state)
{
    size_t films = 0;
    for (uint32_t seed = 1; seed <= 4; seed++)
        films += draw_on_many(&gfx_caps, seed * 15485863, 250);
    threads = true;
    for (uint32_t seed = 5; seed <= 8; seed++)
        films += draw_on_many(&gfx_caps, seed * 15485863, 250);
    threads = false;
#ifdef ORIEL_HAVE_X264
    assert_true(films > 20);
#endif
    print_message("%zu pictures as H.264\n", films);
}

static void each_of_a_thin_clients_surfaces_does_too(void **state)
{
    struct engine_caps c = {.gfx = true, .clear_codec = true, .thin_client = true, .small_cache = true};
    draw_on_many(&c, 32452843, 200);
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
                    fail_msg("round %d pixel %d,%d: %02x%02x%02x for %02x%02x%02x", i, x, y, p[0], p[1], p[2], q[0],
                        q[1], q[2]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gfx_client_shows_the_source_at_every_settled_point),
        cmocka_unit_test(encoders_on_threads_keep_it_so),
        cmocka_unit_test(a_large_picture_of_which_rows_rest_meanwhile_does_too),
        cmocka_unit_test(each_of_many_surfaces_does_too),
        cmocka_unit_test(each_of_a_thin_clients_surfaces_does_too),
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
