/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many surfaces of one agent at one client: each is exact at every settled point, whatever becomes of the others. */
#include "codecs/video/h264.h"
#include "common/link.h"
#include "server/peer/shown.h"
#include "surfaces_rig.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static uint32_t seed;

static unsigned any(unsigned n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static struct display_surface window(uint32_t id, int x, int y, uint32_t width, uint32_t height)
{
    return (struct display_surface){.surface = id,
        .kind = SURFACE_WINDOW,
        .owner = DISPLAY_NO_SURFACE,
        .x = x,
        .y = y,
        .width = width,
        .height = height};
}

static void add(uint32_t id, uint32_t width, uint32_t height)
{
    struct display_surface s = window(id, (int)id * 20, (int)id * 10, width, height);
    drawn_surface(&s);
}

/* A ground, some letters-like strokes, and a picture: all the ways of the engine. */
static void paint(uint32_t id)
{
    uint32_t width, height;
    uint32_t *px = drawn_pixels(id, &width, &height);
    if (!px)
        return;
    drawn_fill(id, 0, 0, width, height, 0xf0f0f0 - id * 7);
    for (unsigned i = 0; i < 60; i++)
        drawn_fill(id, (int)any(width), (int)any(height), 1 + any(9), 1 + any(9), any(2) ? 0x101010 : 0x2040c0);
    for (uint32_t y = height / 2; y < height; y++)
        for (uint32_t x = width / 2; x < width; x++)
            px[y * width + x] = (x * 5 + any(24)) << 16 | (y * 3 & 0xff) << 8 | (id * 37 & 0xff);
    drawn_damage(id, (int)width / 2, (int)height / 2, width, height);
}

static void settle(void)
{
    rig_until(rig_exact, "every surface is exact");
}

static bool agent_attached(void)
{
    return rig_peer()->display.monitors.serial != 0;
}

/* ---- stories ---- */

static void a_life(unsigned n, bool desktop)
{
    rig_open((struct rig_options){.desktop = desktop});
    rig_until(agent_attached, "a layout");
    for (uint32_t id = 1; id <= n; id++) {
        add(id, 150 + id * 20, 100 + id * 15);
        paint(id);
        settle();
    }
    for (uint32_t id = 1; id <= n; id++)
        paint(id);
    if (desktop)
        paint(DISPLAY_DESKTOP);
    settle();
    struct display_surface s = window(1, 300, 200, 170, 115);
    drawn_surface(&s); /* moved */
    settle();
    s = window(1, -40, 500, 333, 77);
    drawn_surface(&s); /* resized, partly outside */
    paint(1);
    settle();
    rig_reopen_channel();
    settle();
    peer_client_suppress(rig_peer(), true);
    paint(n);
    for (int i = 0; i < 20; i++)
        rig_turn();
    peer_client_suppress(rig_peer(), false);
    settle();
    rig_reattach();
    rig_until(agent_attached, "a layout");
    paint(1);
    settle();
    for (uint32_t id = n; id > 0; id--) {
        drawn_gone(id);
        paint(1);
        settle();
    }
    rig_close();
}

static void two_surfaces_live_and_are_exact(void **state)
{
    a_life(2, false);
    a_life(1, true);
}

static void eight_surfaces_live_and_are_exact(void **state)
{
    a_life(8, false);
    a_life(7, true);
}

static void random_act(bool have[9])
{
    uint32_t id = 1 + any(8);
    struct display_surface s = window(id, (int)any(900) - 50, (int)any(700) - 50, 40 + any(260), 30 + any(200));
    s.hidden = any(8) == 0;
    unsigned what = any(10);
    if (what < 3 || (!have[id] && what < 8)) {
        drawn_surface(&s);
        have[id] = true;
        paint(id);
    } else if (what == 3) {
        drawn_gone(id);
        have[id] = false;
    } else if (what == 8) {
        struct display_layout l = {.nmonitors = 1};
        l.monitors[0] =
            (struct display_monitor){.width = 640 + any(3) * 160, .height = 480 + any(2) * 120, .primary = 1};
        drawn_layout(&l);
    } else if (what == 9 && any(4) == 0) {
        if (any(2))
            rig_reattach();
        else
            rig_reopen_channel();
    } else {
        paint(any(9));
    }
}

static void random_lives_end_exact(void **state)
{
    const char *rounds = getenv("ORIEL_SURFACES_ROUNDS");
    rig_open((struct rig_options){.desktop = true});
    rig_until(agent_attached, "a layout");
    bool have[9] = {false};
    seed = 11;
    for (long i = rounds ? strtol(rounds, NULL, 10) : 10; i > 0; i--) {
        for (unsigned k = 1 + any(12); k > 0; k--) {
            random_act(have);
            for (unsigned turns = any(4); turns > 0; turns--)
                rig_turn();
        }
        settle();
    }
    rig_close();
}

static bool reset_came(void)
{
    return rig_resets() == 1;
}

static void a_session_without_a_desktop_has_a_layout_all_the_same(void **state)
{
    rig_open((struct rig_options){.desktop = false});
    rig_until(reset_came, "ResetGraphics");
    assert_int_equal(rig_peer()->display.nsurfaces, 0);
    assert_int_equal(rig_peer()->display.monitors.width, RIG_WIDTH);
    add(5, 100, 100);
    paint(5);
    settle();
    assert_int_equal(rig_resets(), 1); /* a surface is no layout */
    struct display_layout l = {.nmonitors = 1, .monitors = {{.width = 1024, .height = 500, .primary = 1}}};
    drawn_layout(&l);
    while (rig_resets() == 1)
        rig_turn();
    settle();
    assert_int_equal(rig_resets(), 2);
    rig_close();
}

static bool window_came_and_desktop_is_exact(void)
{
    return rig_peer()->display.nsurfaces == 2 && rig_wrong(DISPLAY_DESKTOP) == 0;
}

static void a_client_without_windows_is_shown_the_desktop_only(void **state)
{
    rig_open((struct rig_options){.desktop = true, .no_windows = true});
    rig_until(agent_attached, "a layout");
    add(3, 200, 100);
    paint(3);
    paint(DISPLAY_DESKTOP);
    rig_until(window_came_and_desktop_is_exact, "the desktop is exact");
    assert_int_equal(rig_wrong(3), 200 * 100);
    assert_int_equal(rig_windows_told(), 0);
    rig_close();
}

static void what_is_more_than_four_outputs_is_hidden_until_there_is_room(void **state)
{
    rig_open((struct rig_options){.desktop = true});
    rig_until(agent_attached, "a layout");
    for (uint32_t id = 1; id <= 3; id++)
        add(id, RIG_WIDTH, RIG_HEIGHT);
    settle();
    add(4, 20, 20); /* one pixel would be too many */
    while (rig_peer()->display.nsurfaces < 5)
        rig_turn();
    const struct shown *last = rig_peer()->display.surfaces[4];
    assert_int_equal(last->is.hidden, 1);
    assert_null(last->px);
    drawn_gone(2);
    settle();
    assert_int_equal(rig_peer()->display.nsurfaces, 4);
    assert_int_equal(rig_peer()->display.surfaces[3]->is.hidden, 0);
    rig_close();
}

static unsigned open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;
    while (d && readdir(d))
        n++;
    closedir(d);
    return n;
}

static void a_surface_costs_the_peer_no_descriptor(void **state)
{
    rig_open((struct rig_options){.desktop = true});
    rig_until(agent_attached, "a layout");
    settle();
    unsigned before = open_files();
    for (uint32_t id = 1; id <= 8; id++)
        add(id, 90, 80);
    settle();
    assert_int_equal(open_files(), before + 8); /* the agent's own */
    for (uint32_t id = 1; id <= 8; id++)
        drawn_gone(id);
    settle();
    assert_int_equal(open_files(), before);
    assert_int_equal(rig_windows_told(), 8);
    assert_int_equal(rig_windows_gone(), 8);
    rig_close();
}

/* ---- loans ---- */

static bool lent(uint32_t surface)
{
    const struct display_link *d = &rig_peer()->display;
    for (unsigned i = 0; i < d->nsurfaces; i++)
        if (d->surfaces[i]->is.surface == surface)
            return d->surfaces[i]->on_loan;
    return false;
}

/* An encoder that takes a picture and never has it. */
static void *stuck_open(const struct h264_config *config)
{
    static int it;
    return &it;
}
static void stuck_close(void *enc)
{
}
static int stuck_submit(void *enc, const struct yuv *picture, const struct yuv *chroma, bool key)
{
    return 0;
}
static bool stuck_ready(void *enc)
{
    return false;
}
static int stuck_collect(void *enc, struct h264_packet *out)
{
    return 0;
}
static int stuck_rate(void *enc, uint32_t bytes_per_second, uint32_t picture_bytes)
{
    return 0;
}
static const struct h264_backend stuck = {.name = "stuck",
    .patience_ms = 3600000,
    .open = stuck_open,
    .close = stuck_close,
    .submit = stuck_submit,
    .ready = stuck_ready,
    .collect = stuck_collect,
    .set_rate = stuck_rate};

static void play(uint32_t id)
{
    uint32_t width, height;
    uint32_t *px = drawn_pixels(id, &width, &height);
    for (uint32_t i = 0; i < width * height; i++)
        px[i] = any(1 << 24);
    drawn_damage(id, 0, 0, width, height);
}

static bool second_is_exact(void)
{
    return rig_wrong(2) == 0;
}

static void while_one_waits_for_its_encoder_the_others_go_on(void **state)
{
    rig_open((struct rig_options){.films = true});
    rig_until(agent_attached, "a layout");
    add(1, 512, 384);
    add(2, 200, 100);
    paint(2);
    settle();
    engine_outside(rig_peer()->pump.engine, &stuck, NULL);
    for (int i = 0; i < 600 && !(engine_encoding(rig_peer()->pump.engine) && lent(1)); i++) {
        play(1);
        for (int turns = 0; turns < 4; turns++)
            rig_turn();
    }
    assert_true(engine_encoding(rig_peer()->pump.engine) && lent(1));
    for (int i = 0; i < 5; i++) {
        paint(2);
        rig_until(second_is_exact, "the second surface is exact");
        assert_true(lent(1));
    }
    rig_close();
}

static void while_a_client_reads_nothing_no_frame_is_lost(void **state)
{
    rig_open((struct rig_options){.desktop = true});
    rig_until(agent_attached, "a layout");
    add(1, 300, 200);
    add(2, 200, 100);
    settle();
    rig_stop_client(true);
    for (int i = 0; i < 10; i++) {
        paint(1);
        paint(2);
        rig_turn();
        rig_turn();
    }
    assert_true(lent(1) && lent(2));
    struct display_surface s = window(2, 0, 0, 150, 150);
    drawn_surface(&s); /* takes its buffer back although it is on loan */
    drawn_gone(1);
    for (int i = 0; i < 10; i++)
        rig_turn();
    rig_stop_client(false);
    settle();
    rig_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_surfaces_live_and_are_exact),
        cmocka_unit_test(eight_surfaces_live_and_are_exact),
        cmocka_unit_test(random_lives_end_exact),
        cmocka_unit_test(a_session_without_a_desktop_has_a_layout_all_the_same),
        cmocka_unit_test(a_client_without_windows_is_shown_the_desktop_only),
        cmocka_unit_test(what_is_more_than_four_outputs_is_hidden_until_there_is_room),
        cmocka_unit_test(a_surface_costs_the_peer_no_descriptor),
        cmocka_unit_test(while_one_waits_for_its_encoder_the_others_go_on),
        cmocka_unit_test(while_a_client_reads_nothing_no_frame_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
