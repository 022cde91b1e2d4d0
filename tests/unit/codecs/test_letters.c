/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of writing into a client of libfreerdp's decoders: letters that it keeps come from its cache, and it shows the page at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_world.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_area_leaves_to_the_next_joins_it_only_where_both_fit),
        cmocka_unit_test(letters_that_come_again_come_from_the_cache),
        cmocka_unit_test(on_a_slow_link_letters_are_sent),
        cmocka_unit_test(letters_of_many_colours_turn_a_small_cache_over),
        cmocka_unit_test(letters_under_a_title_come_from_the_cache_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
