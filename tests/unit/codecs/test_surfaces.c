/* SPDX-License-Identifier: GPL-3.0-or-later */
/* More than one surface: each has its own share of the link and its own memory of what moved. */
#include "engine_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WIDTH = 900, HEIGHT = 700, LEFT = 100, TOP = 50, PANE_WIDTH = 640, PANE_HEIGHT = 576, LINE = 18 };

static void draw_page(struct world *w, uint32_t seed)
{
    draw_rect(&w->screen, 0, 0, WIDTH, HEIGHT, 0x607080);
    draw_text(&w->screen, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT, seed, 0, 0xFFFFFF, 1);
    damaged(w, 0, 0, WIDTH, HEIGHT);
    hand_in(w);
}

static void open_pages(struct world *w, uint16_t n)
{
    world_open(w, &gfx_caps, WIDTH, HEIGHT, 3);
    engine_link(w->engine, &(struct engine_link_state){.rtt_us = 500, .bytes_per_second = 100000000});
    draw_page(w, 77);
    for (uint16_t id = 1; id < n; id++) {
        world_add(w, id, WIDTH, HEIGHT);
        draw_page(w, 77 + id);
    }
    settle(w);
    check_all_equal(w);
}

static void scroll_line(struct world *w, uint32_t seed)
{
    draw_scroll(&w->screen, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT, 0, -LINE);
    draw_text(&w->screen, LEFT, TOP + PANE_HEIGHT - LINE, PANE_WIDTH, LINE, seed, 0, 0xFFFFFF, 1);
    damaged(w, LEFT, TOP, PANE_WIDTH, PANE_HEIGHT);
}

/* A short while, in which nothing large is drawn. */
static void show(struct world *w)
{
    w->copies = 0;
    for (uint64_t end = w->now + 16667; w->now < end;)
        step(w);
    check_all_equal(w);
}

static void scroll_both(struct world *w, uint32_t seed)
{
    for (uint16_t id = 0; id < 2; id++) {
        world_turn_to(w, id);
        scroll_line(w, seed + id);
        hand_in(w);
    }
    show(w);
}

/* A pane that is remembered to scroll is one copy, whatever else changed in it. Of one that is not, the copies lie
 * around what changed. */
static void two_panes_that_scroll_are_both_remembered(void **state)
{
    struct world w;
    open_pages(&w, 2);
    for (uint32_t i = 0; i < 4; i++)
        scroll_both(&w, 100 + 10 * i);
    for (uint16_t id = 0; id < 2; id++) {
        world_turn_to(&w, id);
        scroll_line(&w, 200 + id);
        draw_rect(&w.screen, LEFT + 200, TOP + 250, 150, 90, 0xC02020);
        hand_in(&w);
    }
    show(&w);
    assert_int_equal(w.copies, 2);
    world_close(&w);
}

/* A link that takes its time. */
struct slow_link {
    uint64_t at;
    size_t sent, waiting;
};

static void step_on(struct world *w, struct slow_link *l)
{
    enum { BYTES_PER_SECOND = 250000 };
    size_t left = (size_t)((w->now - l->at) * BYTES_PER_SECOND / 1000000u);
    l->waiting += w->bytes - l->sent;
    l->waiting -= left < l->waiting ? left : l->waiting;
    l->sent = w->bytes;
    l->at = w->now;
    engine_link(w->engine,
        &(struct engine_link_state){.rtt_us = 20000, .bytes_per_second = BYTES_PER_SECOND, .waiting = l->waiting});
    step(w);
}

/* The link is fast again: all becomes exact. */
static void settle_all(struct world *w)
{
    engine_link(w->engine, &(struct engine_link_state){.rtt_us = 500, .bytes_per_second = 100000000});
    settle(w);
    check_all_equal(w);
}

/* New pages in all surfaces, so often that a slow link is full: how many bytes of each surface were sent. */
static void draw_too_much(struct world *w, uint16_t n)
{
    struct slow_link link = {.at = w->now, .sent = w->bytes};
    for (uint16_t id = 0; id < n; id++)
        w->encoded[id] = 0;
    for (uint32_t i = 0; i < 60; i++) {
        for (uint16_t id = 0; id < n; id++) {
            world_turn_to(w, id);
            draw_page(w, 1000 + 100 * i + id);
        }
        for (uint64_t end = w->now + 33333; w->now < end;)
            step_on(w, &link);
    }
}

static void surfaces_share_a_full_link(void **state)
{
    struct world w;
    open_pages(&w, 3);
    draw_too_much(&w, 3);
    size_t all = w.encoded[0] + w.encoded[1] + w.encoded[2];
    print_message("bytes of each: %zu %zu %zu\n", w.encoded[0], w.encoded[1], w.encoded[2]);
    for (uint16_t id = 0; id < 3; id++)
        assert_true(w.encoded[id] * 4 > all);
    settle_all(&w);
    world_close(&w);
}

static void the_focused_one_has_half_and_does_not_starve_the_others(void **state)
{
    struct world w;
    open_pages(&w, 3);
    engine_focus(w.engine, 2);
    draw_too_much(&w, 3);
    size_t all = w.encoded[0] + w.encoded[1] + w.encoded[2];
    print_message("bytes of each: %zu %zu, focused %zu\n", w.encoded[0], w.encoded[1], w.encoded[2]);
    assert_true(w.encoded[2] * 20 > all * 9);
    assert_true(w.encoded[0] * 5 > all && w.encoded[1] * 5 > all);
    world_close(&w);
}

/* While another surface fills the link: a small change in the focused one is in the next frame, and first in it. */
static void a_frame_begins_with_the_focused_one(void **state)
{
    struct world w;
    open_pages(&w, 3);
    struct slow_link link = {.at = w.now, .sent = w.bytes};
    engine_focus(w.engine, 2);
    for (uint32_t i = 0; i < 12; i++) {
        world_turn_to(&w, 0);
        draw_page(&w, 5000 + 7 * i);
        world_turn_to(&w, 2);
        draw_text(&w.screen, 0, 0, 500, 300, 6000 + 7 * i, 0, 0xFFFFFF, 1); /* too many tiles to be urgent */
        damaged(&w, 0, 0, 500, 300);
        hand_in(&w);
        w.first = -1;
        for (size_t frames = w.frames; w.frames == frames;)
            step_on(&w, &link);
        assert_int_equal(w.first, 2);
        settle_all(&w);
        link = (struct slow_link){.at = w.now, .sent = w.bytes};
    }
    world_close(&w);
}

/* More surfaces want a film than there can be: as many play as can, and the others do not keep each other from it. */
static void as_many_films_play_as_can(void **state)
{
    enum { SURFACES = 5, FILMS = 3 };
    struct world w;
    open_pages(&w, SURFACES);
    for (uint32_t i = 0; i < 30; i++) {
        for (uint16_t id = 0; id < SURFACES; id++) {
            world_turn_to(&w, id);
            draw_photo(&w.screen, 37, 21, 290, 211, 1000 + 17 * i + id, 0, 0, 256, 3);
            damaged(&w, 37, 21, 290, 211);
            hand_in(&w);
        }
        for (uint64_t end = w.now + 33333; w.now < end;)
            step(&w);
    }
#ifdef ORIEL_HAVE_X264
    assert_int_equal(ref_client_surfaces(w.client), SURFACES + FILMS);
#endif
    settle_all(&w);
    world_close(&w);
}

/* Each stands where it was put, and keeps its place and its pixels when another comes, moves or goes. */
static void surfaces_come_move_resize_and_go(void **state)
{
    struct world w;
    open_pages(&w, 2);
    world_add_in_window(&w, 2, 320, 200, 0xC0FFEE11);
    draw_text(&w.screen, 0, 0, 320, 200, 9, 0, 0xFFFFFF, 1);
    damaged(&w, 0, 0, 320, 200);
    hand_in(&w);
    settle_all(&w);
    size_t bytes = w.bytes;
    world_move(&w, 1, 300, 40);
    settle_all(&w);
    assert_true(w.bytes > bytes);
    bytes = w.bytes;
    world_move(&w, 1, 300, 40); /* it is there: nothing is sent */
    settle_all(&w);
    assert_int_equal(w.bytes, bytes);
    world_remove(&w, 2);
    world_add_in_window(&w, 2, 400, 300, 0xC0FFEE12); /* before the client has heard that the old one went */
    draw_photo(&w.screen, 0, 0, 400, 300, 5, 0, 0, 256, 2);
    damaged(&w, 0, 0, 400, 300);
    hand_in(&w);
    settle_all(&w);
    world_remove(&w, 1);
    world_remove(&w, 2);
    settle_all(&w);
    world_close(&w);
}

static void a_surface_that_cannot_be_is_refused(void **state)
{
    struct world w;
    open_pages(&w, 1);
    assert_int_equal(engine_surface_create(w.engine, 0, 10, 10, 0, 0), -EINVAL);
    assert_int_equal(engine_surface_create(w.engine, ENGINE_ID_MAX + 1, 10, 10, 0, 0), -EINVAL);
    assert_int_equal(engine_surface_create_in_window(w.engine, 1, 0, 10, 5), -EINVAL);
    assert_int_equal(engine_surface_create_in_window(w.engine, 1, 10, 0x8000, 5), -EINVAL);
    assert_int_equal(engine_surface_move(w.engine, 1, 0, 0), -EINVAL);
    assert_int_equal(engine_surface_create_in_window(w.engine, 1, 10, 10, 5), 0);
    assert_int_equal(engine_surface_move(w.engine, 1, 0, 0), -EINVAL);
    for (uint16_t id = 2; id < ENGINE_SURFACES_MAX; id++)
        assert_int_equal(engine_surface_create(w.engine, id, 10, 10, 0, 0), 0);
    assert_int_equal(engine_surface_create(w.engine, 100, 10, 10, 0, 0), -ENOMEM);
    engine_surface_destroy(w.engine, 7);
    engine_surface_destroy(w.engine, 7);
    assert_int_equal(engine_surface_create(w.engine, 100, 10, 10, 0, 0), 0);
    settle(&w);
    assert_int_equal(ref_client_surfaces(w.client), ENGINE_SURFACES_MAX);
    world_close(&w);
}

static void without_graphics_pipeline_there_are_no_windows(void **state)
{
    struct engine_caps c = {.bitmap_bpp = 32};
    struct world w;
    world_open(&w, &c, 100, 80, 1);
    assert_int_equal(engine_surface_create_in_window(w.engine, 1, 10, 10, 5), -ENOTSUP);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_panes_that_scroll_are_both_remembered),
        cmocka_unit_test(surfaces_share_a_full_link),
        cmocka_unit_test(the_focused_one_has_half_and_does_not_starve_the_others),
        cmocka_unit_test(a_frame_begins_with_the_focused_one),
        cmocka_unit_test(as_many_films_play_as_can),
        cmocka_unit_test(surfaces_come_move_resize_and_go),
        cmocka_unit_test(a_surface_that_cannot_be_is_refused),
        cmocka_unit_test(without_graphics_pipeline_there_are_no_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
