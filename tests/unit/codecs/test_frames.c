/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small scene for each rule of what is sent, against a client of libfreerdp's decoders: what need not be, what comes
 * from the client's cache instead, where a picture may be approximate, and what makes one frame. */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

static void steps(struct world *w, uint64_t us)
{
    for (uint64_t end = w->now + us; w->now < end;)
        step(w);
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
    size_t frames = w.frames;
    steps(&w, 5000000);
    assert_int_equal(w.frames, frames);
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
    struct engine_rect bad[] = {{65535, 65535, 65535, 65535}, {0, 0, 65535, 65535}, {299, 199, 2, 2}, {5, 5, 0, 0},
        {300, 0, 1, 1}};
    assert_true(engine_damage(w.engine, 0, w.screen.px, w.screen.stride, bad, 5, w.now) >= 0);
    assert_int_equal(engine_damage(w.engine, 0, w.screen.px, 299 * 4, bad, 5, w.now), -22);
    assert_int_equal(engine_damage(w.engine, 9, w.screen.px, 300 * 4, bad, 5, w.now), -22);
    engine_refresh(w.engine, 0, bad, 5);
    settle(&w);
    check_equal(&w);
    world_close(&w);
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
            n += f.commands[i].type == GFX_FROM_CACHE && f.commands[i].rects[0].x % 64 == 0 &&
                f.commands[i].rects[0].y % 64 == 0;
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

/* What a client of a user with this salt keeps of a desktop, and how much of `offer` its next session draws from the
 * cache. */
static size_t kept(uint8_t salt, struct engine_cache_entry keys[64])
{
    struct world w;
    world_open_with(&w, &gfx_caps, 320, 256, 5, (struct world_options){.cache_salt = salt});
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
    world_open_with(&w, &gfx_caps, 320, 256, 5, (struct world_options){.cache_salt = salt});
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
            assert_true(mine[i].key != other[k].key &&
                (i == k || (mine[i].key ^ mine[k].key) != (other[i].key ^ other[k].key)));
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

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What the client shows is the newest picture then: one of two is enough, and a key brings only its rows back. */
static void a_picture_that_nobody_changes_is_kept_once(void **state)
{
    enum { W = 1920, H = 1080, PICTURE_KIB = W * H * 4 / 1024 };
    struct world w;
    world_open(&w, &gfx_caps, W, H, 3);
    engine_link(w.engine, &(struct engine_link_state){.rtt_us = 500, .bytes_per_second = 100000000});
    for (int round = 0; round < 3; round++) {
        draw_text(&w.screen, 0, 0, W, H, 77 + (uint32_t)round, 0, 0xFFFFFF, 1);
        damaged(&w, 0, 0, W, H);
        hand_in(&w);
        steps(&w, 1500000);
        check_equal(&w);
        long busy = resident_kib();
        steps(&w, 2000000);
        assert_int_equal(engine_next(w.engine, w.now), -1);
        long still = resident_kib();
        assert_true(busy - still > PICTURE_KIB * 9 / 10);
        assert_int_equal(w.rests, round + 1);
        draw_text(&w.screen, 300, 460, 9, 16, 5, 0, 0xFFFFFF, 1);
        damaged(&w, 300, 460, 9, 16);
        hand_in(&w);
        steps(&w, 100000);
        check_equal(&w);
        assert_true(resident_kib() - still < PICTURE_KIB / 3);
        draw_scroll(&w.screen, 0, 0, W, H, 0, -18);
        damaged(&w, 0, 0, W, H);
        hand_in(&w);
        steps(&w, 100000);
        check_equal(&w);
    }
    world_close(&w);
}

/* A line is written, letter by letter, for so long; returns how much memory is there then. */
static long write_line(struct world *w, int y, int letters)
{
    for (int i = 0; i < letters; i++) {
        draw_text(&w->screen, 300 + 9 * i, y, 9, 16, 5 + (uint32_t)i, 0, 0xFFFFFF, 1);
        damaged(w, 300 + 9 * i, y, 9, 16);
        hand_in(w);
        steps(w, 100000);
    }
    check_equal(w);
    return resident_kib();
}

/* Who types has the picture once, too, but for the rows of the line. */
static void a_picture_rests_around_the_line_that_is_written(void **state)
{
    enum { W = 1920, H = 1080, PICTURE_KIB = W * H * 4 / 1024 };
    struct world w;
    world_open(&w, &gfx_caps, W, H, 3);
    engine_link(w.engine, &(struct engine_link_state){.rtt_us = 500, .bytes_per_second = 100000000});
    draw_text(&w.screen, 0, 0, W, H, 77, 0, 0xFFFFFF, 1);
    damaged(&w, 0, 0, W, H);
    hand_in(&w);
    steps(&w, 1500000);
    long busy = resident_kib(), written = write_line(&w, 460, 30);
    assert_true(busy - written > PICTURE_KIB * 8 / 10);
    assert_true(write_line(&w, 700, 30) - written < PICTURE_KIB / 10); /* the first one rests meanwhile */
    assert_int_equal(w.rests, 0);
    steps(&w, 4500000);
    assert_int_equal(w.rests, 1);
    world_close(&w);
}

#ifdef ORIEL_HAVE_X264
static void play(struct world *w, uint32_t pictures)
{
    for (uint32_t i = 0; i < pictures; i++) {
        draw_photo(&w->screen, 100, 100, 500, 300, i, 0, 0, 256, 3);
        damaged(w, 100, 100, 500, 300);
        hand_in(w);
        steps(w, 33000);
    }
}

/* Also where a film is what nobody sees: it is given up, and comes again as any other. */
static void a_client_that_sees_nothing_has_its_picture_once(void **state)
{
    enum { W = 1920, H = 1080, PICTURE_KIB = W * H * 4 / 1024 };
    struct world w;
    world_open(&w, &gfx_caps, W, H, 3);
    draw_text(&w.screen, 0, 0, W, H, 77, 0, 0xFFFFFF, 1);
    damaged(&w, 0, 0, W, H);
    hand_in(&w);
    play(&w, 40);
    assert_true(w.avc > 0);
    long busy = resident_kib();
    engine_suppress(w.engine, true);
    size_t frames = w.frames;
    steps(&w, 4500000);
    assert_int_equal(engine_next(w.engine, w.now), -1);
    assert_int_equal(w.rests, 2); /* the film's end, and the picture */
    assert_int_equal(w.frames, frames);
    assert_true(busy - resident_kib() > PICTURE_KIB * 9 / 10);
    engine_suppress(w.engine, false);
    settle(&w);
    check_equal(&w);
    size_t avc = w.avc;
    play(&w, 40);
    assert_true(w.avc > avc);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

/* What its encoders had is given back while somebody types on, and once. */
static void memory_of_a_film_that_ended_is_given_back_beside_a_line_that_is_written(void **state)
{
    struct world w;
    world_open(&w, &gfx_caps, 1200, 700, 3);
    play(&w, 40);
    assert_true(w.avc > 0);
    (void)write_line(&w, 500, 30);
    assert_int_equal(w.rests, 0);
    (void)write_line(&w, 500, 50);
    assert_int_equal(w.rests, 1);
    world_close(&w);
}
#endif

static size_t wrong_within(const struct world *w, int x0, int y0, int width, int height)
{
    const struct ref_surface *s = ref_client_surface(w->client, 0);
    size_t n = 0;
    for (int y = y0; y < y0 + height; y++)
        for (int x = x0; x < x0 + width; x++)
            n += memcmp(s->px + (size_t)y * s->stride + 4 * (size_t)x,
                     w->screen.px + (size_t)y * w->screen.stride + 4 * (size_t)x, 3) != 0;
    return n;
}

/* Where a window is after `i` steps: to and fro across the screen and up and down, never by the same way. */
static int there_and_back(int i, int tenths, int range)
{
    int at = tenths * i / 10 % (2 * range);
    return at < range ? at : 2 * range - at;
}

/* The photograph that a window uncovers may be approximate; the window's own edge and corners, which lie in the same
 * changed boxes, may not. */
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
        cmocka_unit_test(a_page_in_the_place_of_a_film_is_no_picture_of_it),
        cmocka_unit_test(damage_that_changed_nothing_sends_nothing),
        cmocka_unit_test(a_suppressed_client_gets_nothing_and_then_everything),
        cmocka_unit_test(hostile_rectangles_are_clipped),
        cmocka_unit_test(a_film_that_begins_while_the_desktop_shrinks_stays_inside),
        cmocka_unit_test(what_a_client_kept_from_an_earlier_session_comes_from_its_cache),
        cmocka_unit_test(what_was_kept_under_another_salt_is_never_shown),
        cmocka_unit_test(cache_offers_end_at_what_cannot_be_taken),
        cmocka_unit_test(a_window_dragged_over_a_photograph_stays_exact),
        cmocka_unit_test(a_picture_that_nobody_changes_is_kept_once),
        cmocka_unit_test(a_picture_rests_around_the_line_that_is_written),
#ifdef ORIEL_HAVE_X264
        cmocka_unit_test(a_client_that_sees_nothing_has_its_picture_once),
        cmocka_unit_test(memory_of_a_film_that_ended_is_given_back_beside_a_line_that_is_written),
#endif
        cmocka_unit_test(a_large_frame_leaves_in_parts_and_is_one_frame),
        cmocka_unit_test(a_client_that_never_acknowledges_still_gets_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
