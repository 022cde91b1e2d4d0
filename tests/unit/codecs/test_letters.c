/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of writing into a client of libfreerdp's decoders: letters that it keeps come from its cache, and it shows the
 * page at once. */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What was drawn, and at once what the client shows of it: nothing of it was an approximation. Returns how many pieces
 * came from the cache. */
static size_t show(struct world *w)
{
    size_t before = w->placed;
    w->now += 200000;
    damaged(w, 0, 0, w->screen.w, w->screen.h);
    hand_in(w);
    step(w);
    check_equal(w);
    return w->placed - before;
}

static size_t show_page(struct world *w, uint32_t seed, uint32_t ink)
{
    draw_text(&w->screen, 0, 0, w->screen.w, w->screen.h, seed, ink, 0xFFFFFF, 1);
    return show(w);
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

/* Writing in ever other colours fills a small cache many times: slots are taken back, and never one that a letter is
 * still to come from. */
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
        draw_text(&w.screen, 0, 0, 600, 400, seed, 0, 0xFFFFFF, 1);
        draw_text(&w.screen, 0, 0, 600, 18, seed, 0xFFFFFF, seed * 0x10305u, 1);
        size_t placed = show(&w);
        assert_true(seed < 300 || placed > 300);
    }
    world_close(&w);
}

/* A letter of a typeface whose letters touch: no column without ink. Returns its width. */
static int draw_letter(struct world *w, int x, int y, unsigned letter)
{
    int width = 5 + (int)(letter % 5);
    for (int k = 0; k < width; k++) {
        unsigned h = (letter * 64 + (unsigned)k) * 2654435761u;
        int on = (int)(h >> 8) % 8;
        for (int i = on; i <= on + (int)(h >> 16) % 4; i++)
            draw_rect(&w->screen, x + k, y + i, 1, 1, 0xFF000000u | (h >> 4 & 0x7F7F7Fu) | (unsigned)i);
    }
    return width;
}

/* A page of words of such letters. Returns how many letters they have. */
static size_t draw_words(struct world *w, int left, int top, int right, int bottom)
{
    size_t letters = 0;
    draw_rect(&w->screen, left, top, right - left, bottom - top, 0xFFFFFFFFu);
    for (int y = top + 10; y + 20 < bottom; y += 20)
        for (int x = left + 20; x < right - 100; x += 6)
            for (unsigned n = 1 + pick(w, 9); n; n--, letters++)
                x += draw_letter(w, x, y, pick(w, 26));
    return letters;
}

static size_t show_words(struct world *w, int left, int top, int right, int bottom, size_t *letters)
{
    *letters = draw_words(w, left, top, right, bottom);
    return show(w);
}

/* Hardly a word comes twice, but its letters do: single ones tell where the others begin. */
static void letters_that_touch_are_told_apart(void **state)
{
    struct world w;
    size_t letters, placed;
    world_open(&w, &gfx_caps, 600, 400, 31);
    show_words(&w, 0, 0, 600, 400, &letters);
    for (int page = 0; page < 3; page++) {
        placed = show_words(&w, 0, 0, 600, 400, &letters);
        assert_true(placed * 2 > letters); /* some come in pairs */
    }
    size_t kept = w.kept;
    show_words(&w, 0, 0, 600, 400, &letters);
    assert_true(w.kept - kept < letters / 10);
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

/* A typeface that joins its letters: strokes of one or two columns. */
static int draw_stroke(struct world *w, int x, int y, unsigned kind)
{
    int width = 1 + (int)(kind % 2);
    draw_rect(&w->screen, x, y + (int)kind, width, 2, 0xFF000000u | kind * 0x0B1707u);
    return width;
}

static size_t draw_joined_words(struct world *w)
{
    size_t letters = 0;
    draw_rect(&w->screen, 0, 0, w->screen.w, w->screen.h, 0xFFFFFFFFu);
    for (int y = 10; y + 20 < w->screen.h; y += 20)
        for (int x = 20; x < w->screen.w - 120; x += 6)
            for (unsigned n = 1 + pick(w, 9); n; n--, letters++) {
                x += draw_letter(w, x, y, pick(w, 26));
                if (n > 1)
                    x += draw_stroke(w, x, y, pick(w, 8));
            }
    return letters;
}

static void strokes_between_letters_come_from_the_cache(void **state)
{
    struct world w;
    size_t letters = 0, bitmaps = 0;
    world_open(&w, &gfx_caps, 600, 400, 33);
    for (int page = 0; page < 6; page++) {
        letters = draw_joined_words(&w);
        bitmaps = w.bitmaps;
        show(&w);
        bitmaps = w.bitmaps - bitmaps;
    }
    assert_true(letters > 900);
    assert_true(bitmaps < letters / 20);
    world_close(&w);
}

/* Pages as wide as a screen, whose lines are not where tiles and areas end, from `top` on. Returns how many pixels of
 * the last were encoded. */
static size_t written_of_a_wide_page(int top)
{
    struct world w;
    size_t written = 0;
    world_open(&w, &gfx_caps, 1872, 700, 34);
    for (uint32_t page = 0; page < 5; page++) {
        draw_text(&w.screen, 0, top, 1872, 700 - top, 100 + 100 * page, 0, 0xFFFFFF, 1);
        written = w.written;
        show(&w);
        written = w.written - written;
    }
    world_close(&w);
    return written;
}

static void what_is_left_of_a_page_comes_from_the_cache_too(void **state)
{
    assert_true(written_of_a_wide_page(6) < 1872 * 14);
}

/* Of the first row of tiles only some have a line of pixels that changed. */
static void a_page_that_begins_at_the_end_of_a_tile_is_not_cut_down_its_middle(void **state)
{
    for (int top = 55; top < 64; top++)
        assert_true(written_of_a_wide_page(top) < 1872 * 14);
}

/* A window: its border, title and buttons are rectangles, and the writing between them letters. */
static void letters_in_a_frame_come_from_the_cache_too(void **state)
{
    struct world w;
    size_t letters, bytes = 0, placed = 0;
    world_open(&w, &gfx_caps, 640, 448, 32);
    for (int page = 0; page < 5; page++) {
        draw_rect(&w.screen, 0, 0, 640, 448, 0xFFEBEBEBu);
        draw_rect(&w.screen, 0, 0, 640, 30, 0xFF3C5A96u);
        for (int i = 0; i < 12; i++)
            draw_rect(&w.screen, 10 + 50 * i, 34, 40, 20, 0xFF808000u + (uint32_t)(page * 12 + i));
        bytes = w.bytes;
        placed = show_words(&w, 2, 60, 638, 446, &letters);
        bytes = w.bytes - bytes;
    }
    assert_true(placed * 2 > letters);
    assert_true(bytes < letters * 10); /* as a residual the frame alone would be more */
    settle(&w);
    check_equal(&w);
    world_close(&w);
}

static void draw_stems(struct world *w, int x, int end, int y, int bottom)
{
    for (; x < end; x += 4)
        draw_rect(&w->screen, x, y, 1, bottom - y, 0xFF000000u + (uint32_t)x);
}

/* An area of 33 tiles may be 2048 pixels wide, and so may what the one above it left to it; both together are wider
 * than a bitmap may be. */
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
        cmocka_unit_test(letters_that_touch_are_told_apart),
        cmocka_unit_test(strokes_between_letters_come_from_the_cache),
        cmocka_unit_test(what_is_left_of_a_page_comes_from_the_cache_too),
        cmocka_unit_test(a_page_that_begins_at_the_end_of_a_tile_is_not_cut_down_its_middle),
        cmocka_unit_test(letters_in_a_frame_come_from_the_cache_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
