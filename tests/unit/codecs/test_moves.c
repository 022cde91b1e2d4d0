/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Panes that scroll on and on: their copies leave before they are compared. */
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 900, HEIGHT = 700, LEFT = 100, TOP = 50, PANE_WIDTH = 640, PANE_HEIGHT = 576, LINE = 18 };

static void open_page(struct world *w)
{
    world_open(w, &gfx_caps, WIDTH, HEIGHT, 3);
    engine_link(w->engine, &(struct engine_link_state){.rtt_us = 500, .bytes_per_second = 100000000});
    draw_rect(&w->screen, 0, 0, WIDTH, HEIGHT, 0x607080);
    draw_text(&w->screen, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT, 77, 0, 0xFFFFFF, 1);
    damaged(w, 0, 0, WIDTH, HEIGHT);
    hand_in(w);
    settle(w);
}

/* The pane a line up, and what comes in from below. */
static void scroll_line(struct world *w, uint32_t seed)
{
    draw_scroll(&w->screen, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT, 0, -LINE);
    draw_text(&w->screen, LEFT, TOP + PANE_HEIGHT - LINE, PANE_WIDTH, LINE, seed, 0, 0xFFFFFF, 1);
    damaged(w, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT);
}

/* One frame of the picture that is there. */
static void show(struct world *w)
{
    w->copies = 0;
    hand_in(w);
    for (uint64_t end = w->now + 16667; w->now < end;)
        step(w);
    check_equal(w);
}

static void scroll_lines(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        scroll_line(w, 100 + i);
        show(w);
        assert_true(w->copies > 0);
    }
}

/* Where a tile in the middle of it changed, too, a copy that was compared first would have been two. */
static void a_pane_that_scrolls_on_is_copied_whole_and_mended(void **state)
{
    struct world w;
    open_page(&w);
    scroll_lines(&w, 3);
    scroll_line(&w, 200);
    draw_rect(&w.screen, LEFT + 200, TOP + 250, 150, 90, 0xC02020);
    size_t bytes = w.bytes;
    show(&w);
    assert_int_equal(w.copies, 1);
    assert_true(w.copied.width >= PANE_WIDTH && w.copied.height >= PANE_HEIGHT - 2 * LINE);
    assert_true(w.bytes - bytes < 6000);
    scroll_lines(&w, 3); /* and on */
    assert_int_equal(w.copies, 1);
    world_close(&w);
}

/* Longer than it takes until what stands still gives its memory back. */
static void a_pane_that_scrolls_for_long_is_one_copy_each_time(void **state)
{
    struct world w;
    open_page(&w);
    scroll_lines(&w, 3);
    size_t rests = w.rests;
    for (unsigned i = 0; i < 300; i++) {
        scroll_line(&w, 1000 + i);
        show(&w);
        assert_int_equal(w.copies, 1);
    }
    assert_int_equal(w.rests, rests);
    world_close(&w);
}

static void another_page_in_a_pane_that_scrolled_is_not_copied(void **state)
{
    struct world w;
    open_page(&w);
    scroll_lines(&w, 4);
    draw_text(&w.screen, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT, 555, 0, 0xFFFFFF, 1);
    damaged(&w, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT);
    show(&w);
    assert_int_equal(w.copies, 0);
    world_close(&w);
}

/* Its upper half only, as when a window came over the lower. */
static void a_pane_of_which_half_stopped_is_right(void **state)
{
    struct world w;
    open_page(&w);
    scroll_lines(&w, 4);
    for (int i = 0; i < 4; i++) {
        draw_scroll(&w.screen, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT / 2, 0, -LINE);
        draw_text(&w.screen, LEFT, TOP + PANE_HEIGHT / 2 - LINE, PANE_WIDTH, LINE, 900 + (uint32_t)i, 0, 0xFFFFFF, 1);
        damaged(&w, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT);
        show(&w);
    }
    world_close(&w);
}

static void draw_anything(struct world *w)
{
    int x = LEFT + (int)pick(w, PANE_WIDTH), y = TOP + (int)pick(w, PANE_HEIGHT), dw = 1 + (int)pick(w, 200),
        dh = 1 + (int)pick(w, 120);
    if (pick(w, 3) == 0)
        draw_photo(&w->screen, x, y, dw, dh, w->seed, 0, 0, 256, 3);
    else
        draw_text(&w->screen, x, y, dw, dh, w->seed, 0, 0xF0F0F0, 1);
    damaged(w, x, y, dw, dh);
}

/* In any direction, over pictures that are approximate, beside whatever else is drawn, while acknowledgements fail to
 * come. */
static void panes_that_scroll_on_end_up_right_whatever_is_drawn(void **state)
{
    static const int ways[][2] = {{0, -18}, {0, 23}, {-16, 0}, {31, 0}, {5, -9}, {-7, 70}};
    struct world w;
    open_page(&w);
    for (int round = 0; round < 60; round++) {
        const int *way = ways[pick(&w, 6)];
        int height = 64 * (2 + (int)pick(&w, 7)), width = 64 * (3 + (int)pick(&w, 7)), top = TOP + (int)pick(&w, 60);
        for (unsigned i = 0, n = 3 + pick(&w, 5); i < n; i++) {
            draw_scroll(&w.screen, LEFT, top, width, height, way[0], way[1]);
            damaged(&w, LEFT, top, width, height);
            if (pick(&w, 3) == 0)
                draw_anything(&w);
            hand_in(&w);
            w.silent = pick(&w, 4) == 0;
            for (uint64_t end = w.now + 16667; w.now < end;)
                step(&w);
        }
        settle(&w);
        check_equal(&w);
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pane_that_scrolls_on_is_copied_whole_and_mended),
        cmocka_unit_test(a_pane_that_scrolls_for_long_is_one_copy_each_time),
        cmocka_unit_test(another_page_in_a_pane_that_scrolled_is_not_copied),
        cmocka_unit_test(a_pane_of_which_half_stopped_is_right),
        cmocka_unit_test(panes_that_scroll_on_end_up_right_whatever_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
