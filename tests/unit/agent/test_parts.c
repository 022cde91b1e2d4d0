/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's parts that need no display. */
#include "session/agent/agent.h"
#include "session/agent/layout.h"
#include "session/agent/layouts.h"
#include "session/agent/scancode.h"
#include "session/agent/wheel.h"
#include "session/display/damage.h"
#include "session/proto/layout.h"
#include "tests/unit/common/slots_by_one.h"

#include <linux/input-event-codes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xkbcommon/xkbcommon.h>

#include <cmocka.h>

/* ---- layout ---- */

static void negative_positions_are_moved_to_the_corner(void **state)
{
    struct display_monitor in[] = {{.x = 0, .y = 0, .width = 1920, .height = 1080, .primary = 1},
        {.x = -1280, .y = -200, .width = 1280, .height = 1024}};
    struct display_layout l;
    layout_normalise(in, 2, 16384, 8192, &l);
    assert_int_equal(l.nmonitors, 2);
    assert_int_equal(l.monitors[0].x, 1280);
    assert_int_equal(l.monitors[0].y, 200);
    assert_int_equal(l.monitors[1].x, 0);
    assert_int_equal(l.monitors[1].y, 0);
    uint32_t w, h;
    layout_size(&l, &w, &h);
    assert_int_equal(w, 3200);
    assert_int_equal(h, 1280);
}

static void exactly_one_monitor_is_primary(void **state)
{
    struct display_monitor in[3] = {{.width = 800, .height = 600, .primary = 1},
        {.x = 800, .width = 800, .height = 600, .primary = 1}, {.x = 1600, .width = 800, .height = 600}};
    struct display_layout l;
    layout_normalise(in, 3, 16384, 8192, &l);
    assert_int_equal(l.monitors[0].primary + l.monitors[1].primary + l.monitors[2].primary, 1);
    in[0].primary = in[1].primary = 0;
    layout_normalise(in, 3, 16384, 8192, &l);
    assert_int_equal(l.monitors[0].primary, 1);
}

static void what_does_not_fit_leaves_the_primary(void **state)
{
    struct display_monitor in[] = {{.x = -2000000000, .width = 800, .height = 600},
        {.x = 2000000000, .width = 640, .height = 480, .primary = 1}};
    struct display_layout l;
    layout_normalise(in, 2, 16384, 8192, &l);
    assert_int_equal(l.nmonitors, 1);
    assert_int_equal(l.monitors[0].width, 640);
    assert_int_equal(l.monitors[0].x, 0);
    struct display_monitor huge = {.width = 32767, .height = 32767};
    layout_normalise(&huge, 1, 16384, 8192, &l);
    assert_int_equal(l.monitors[0].width, 16384);
    assert_int_equal(l.monitors[0].height, 8192);
}

static void an_empty_layout_becomes_a_usable_one(void **state)
{
    struct display_monitor in = {0};
    struct display_layout l;
    layout_normalise(&in, 1, 16384, 8192, &l);
    assert_int_equal(l.nmonitors, 1);
    assert_int_equal(l.monitors[0].width, 1024);
    layout_normalise(&in, 0, 16384, 8192, &l);
    assert_int_equal(l.monitors[0].primary, 1);
}

static void the_scale_makes_the_millimetres(void **state)
{
    struct display_monitor in = {.width = 1920, .height = 1080, .scale = 200};
    struct display_layout l;
    layout_normalise(&in, 1, 16384, 8192, &l);
    assert_int_equal(l.monitors[0].phys_width, 254); /* 1920 px at 192 dpi */
    assert_int_equal(layout_scale(&l), 200);
    in = (struct display_monitor){.width = 1920, .height = 1080, .phys_width = 600, .phys_height = 340};
    layout_normalise(&in, 1, 16384, 8192, &l);
    assert_int_equal(l.monitors[0].phys_width, 600);
}

static void any_layout_becomes_legal(void **state)
{
    srand(4711);
    for (int round = 0; round < 20000; round++) {
        struct display_monitor in[DISPLAY_MONITORS_MAX];
        for (int i = 0; i < DISPLAY_MONITORS_MAX; i++)
            in[i] = (struct display_monitor){.x = rand() % 9000 - 4000,
                .y = rand() % 9000 - 4000,
                .width = (uint32_t)rand() % 33000,
                .height = (uint32_t)rand() % 33000,
                .scale = (uint32_t)rand() % 600,
                .orientation = (uint32_t)rand() % 300,
                .primary = rand() % 4 == 0};
        if (round % 7 == 0)
            in[0].x = round % 2 ? INT32_MIN : INT32_MAX;
        struct display_layout l;
        layout_normalise(in, (uint32_t)rand() % (DISPLAY_MONITORS_MAX + 1), 16384, 8192, &l);
        assert_true(l.nmonitors >= 1 && l.nmonitors <= DISPLAY_MONITORS_MAX);
        int primaries = 0;
        int32_t left = INT32_MAX, top = INT32_MAX;
        for (uint32_t i = 0; i < l.nmonitors; i++) {
            const struct display_monitor *m = &l.monitors[i];
            primaries += m->primary;
            left = m->x < left ? m->x : left;
            top = m->y < top ? m->y : top;
            assert_true(m->width >= LAYOUT_SIDE_MIN && m->height >= LAYOUT_SIDE_MIN);
            assert_true(m->x >= 0 && m->y >= 0 && m->x + m->width <= 16384 && m->y + m->height <= 8192);
        }
        assert_true(primaries == 1 && left == 0 && top == 0);
    }
}

static void points_are_pulled_onto_the_nearest_monitor(void **state)
{
    struct display_layout l = {.nmonitors = 2,
        .monitors = {{.width = 100, .height = 100}, {.x = 100, .y = 50, .width = 100, .height = 100}}};
    int32_t x = 150, y = 10;
    layout_clamp_point(&l, &x, &y);
    assert_true(x == 150 && y == 50);
    x = INT32_MIN;
    y = INT32_MAX;
    layout_clamp_point(&l, &x, &y);
    assert_true(x == 0 && y == 99);
    x = INT32_MAX;
    y = INT32_MAX;
    layout_clamp_point(&l, &x, &y);
    assert_true(x == 199 && y == 149);
}

/* ---- damage ---- */

static void fill(uint8_t *map, int width, int height, const struct display_rect *r, size_t n, bool once)
{
    for (size_t i = 0; i < n; i++)
        for (int y = r[i].y; y < r[i].y + r[i].height; y++)
            for (int x = r[i].x; x < r[i].x + r[i].width; x++) {
                assert_true(x < width && y < height);
                assert_true(!once || !map[y * width + x]);
                map[y * width + x] = 1;
            }
}

static void merged_damage_is_disjoint_and_covers_everything(void **state)
{
    enum { W = 640, H = 400 };
    static uint8_t want[W * H], got[W * H];
    static struct display_rect out[DISPLAY_RECTS_MAX];
    srand(42);
    for (int round = 0; round < 60; round++) {
        pixman_region32_t region;
        pixman_region32_init(&region);
        memset(want, 0, sizeof want);
        memset(got, 0, sizeof got);
        int n = rand() % 3000;
        for (int i = 0; i < n; i++) {
            struct display_rect r = {(uint16_t)(rand() % W), (uint16_t)(rand() % H), (uint16_t)(1 + rand() % 3),
                (uint16_t)(1 + rand() % 3)};
            pixman_region32_union_rect(&region, &region, r.x, r.y, r.width, r.height);
            r.width = (uint16_t)(r.x + r.width > W ? W - r.x : r.width);
            r.height = (uint16_t)(r.y + r.height > H ? H - r.y : r.height);
            fill(want, W, H, &r, 1, false);
        }
        size_t cap = (size_t)(round % 3 == 0 ? DISPLAY_RECTS_MAX : 1 + rand() % 300);
        size_t k = damage_rects(&region, W, H, out, cap);
        assert_true(k <= cap);
        fill(got, W, H, out, k, true);
        for (int i = 0; i < W * H; i++)
            assert_true(!want[i] || got[i]);
        pixman_region32_fini(&region);
    }
}

static void few_rectangles_stay_exact(void **state)
{
    pixman_region32_t region;
    struct display_rect out[8];
    pixman_region32_init_rect(&region, 5, 6, 10, 10);
    pixman_region32_union_rect(&region, &region, 100, 6, 10, 10);
    assert_int_equal(damage_rects(&region, 640, 480, out, 8), 2);
    assert_int_equal(damage_area(&region), 200);
    assert_int_equal(damage_rects(&region, 50, 10, out, 8), 1);
    assert_true(out[0].x == 5 && out[0].height == 4);
    pixman_region32_fini(&region);
}

/* ---- scancodes ---- */

static uint32_t down(struct scancode_state *s, uint32_t code, bool e0, bool e1)
{
    return scancode_to_evdev(s, code, e0, e1, true);
}

static void scancodes_become_evdev_keys(void **state)
{
    struct scancode_state s = {0};
    assert_int_equal(down(&s, 0x1e, false, false), KEY_A);
    assert_int_equal(down(&s, 0x56, false, false), KEY_102ND);
    assert_int_equal(down(&s, 0x57, false, false), KEY_F11);
    assert_int_equal(down(&s, 0x58, false, false), KEY_F12);
    assert_int_equal(down(&s, 0x73, false, false), KEY_RO);
    assert_int_equal(down(&s, 0x7d, false, false), KEY_YEN);
    assert_int_equal(down(&s, 0x7e, false, false), KEY_KPCOMMA);
    assert_int_equal(down(&s, 0x1d, true, false), KEY_RIGHTCTRL);
    assert_int_equal(down(&s, 0x38, true, false), KEY_RIGHTALT);
    assert_int_equal(down(&s, 0x5b, true, false), KEY_LEFTMETA);
    assert_int_equal(down(&s, 0x1c, true, false), KEY_KPENTER);
    assert_int_equal(down(&s, 0x37, true, false), KEY_SYSRQ);
    assert_int_equal(down(&s, 0x48, true, false), KEY_UP);
    assert_int_equal(down(&s, 0x48, false, false), KEY_KP8);
    assert_int_equal(down(&s, 0x45, false, false), KEY_NUMLOCK);
    assert_int_equal(down(&s, 0x6e, false, false), KEY_F23);
}

static void pause_is_one_key(void **state)
{
    struct scancode_state s = {0};
    assert_int_equal(down(&s, 0x1d, false, true), KEY_PAUSE);
    assert_int_equal(down(&s, 0x45, false, false), 0);
    assert_int_equal(scancode_to_evdev(&s, 0x1d, false, true, false), KEY_PAUSE);
    assert_int_equal(scancode_to_evdev(&s, 0x45, false, false, false), 0);
    assert_int_equal(down(&s, 0x45, false, false), KEY_NUMLOCK);
}

static void unknown_scancodes_are_nothing(void **state)
{
    struct scancode_state s = {0};
    assert_int_equal(down(&s, 0, false, false), 0);
    assert_int_equal(down(&s, 0x80, false, false), 0);
    assert_int_equal(down(&s, UINT32_MAX, true, false), 0);
    assert_int_equal(down(&s, 0x02, true, false), 0);
    assert_int_equal(down(&s, 0x02, false, true), 0);
    for (uint32_t code = 0; code < 300; code++)
        for (int flags = 0; flags < 4; flags++)
            assert_true(down(&s, code, flags & 1, flags & 2) <= 247);
}

/* ---- wheel ---- */

static void fine_deltas_add_up_to_clicks(void **state)
{
    struct wheel w = {0};
    uint32_t button;
    unsigned clicks = 0;
    for (int i = 0; i < 8; i++)
        clicks += wheel_add(&w, 15, false, &button);
    assert_int_equal(clicks, 1);
    assert_int_equal(button, 4);
    assert_int_equal(wheel_add(&w, -120, false, &button), 1);
    assert_int_equal(button, 5);
    assert_int_equal(wheel_add(&w, 240, true, &button), 2);
    assert_int_equal(button, 7);
    assert_int_equal(wheel_add(&w, -120, true, &button), 1);
    assert_int_equal(button, 6);
}

static void turning_round_drops_the_rest(void **state)
{
    struct wheel w = {0};
    uint32_t button;
    assert_int_equal(wheel_add(&w, 100, false, &button), 0);
    assert_int_equal(wheel_add(&w, -100, false, &button), 0);
    assert_int_equal(wheel_add(&w, -20, false, &button), 1);
    assert_int_equal(button, 5);
    assert_int_equal(wheel_add(&w, INT32_MAX, false, &button), WHEEL_CLICKS_MAX);
    assert_int_equal(wheel_add(&w, INT32_MIN, false, &button), WHEEL_CLICKS_MAX);
}

/* ---- keyboard layouts ---- */

static void every_layout_compiles(void **state)
{
    struct xkb_context *c = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    for (size_t i = 0; i < layouts_count; i++) {
        const struct backend_keymap *k = &layouts_table[i].keymap;
        struct xkb_rule_names names = {"evdev", k->model, k->layout, k->variant, k->options};
        struct xkb_keymap *m = xkb_keymap_new_from_names(c, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
        if (!m)
            print_error("KLID 0x%08x: %s(%s)\n", layouts_table[i].klid, k->layout, k->variant);
        assert_non_null(m);
        xkb_keymap_unref(m);
    }
    xkb_context_unref(c);
    assert_true(layouts_count >= 60);
}

static void no_layout_is_listed_twice(void **state)
{
    for (size_t i = 0; i < layouts_count; i++)
        for (size_t j = i + 1; j < layouts_count; j++)
            assert_int_not_equal(layouts_table[i].klid, layouts_table[j].klid);
}

static void unknown_layouts_fall_back_on_their_language(void **state)
{
    struct backend_keymap k;
    layouts_find(0x00010409, 4, 0, &k);
    assert_string_equal(k.variant, "dvorak");
    layouts_find(0x00990407, 4, 0, &k); /* unknown variant: German */
    assert_string_equal(k.layout, "de");
    layouts_find(0x0000140c, 4, 0, &k); /* French of Luxembourg: French */
    assert_string_equal(k.layout, "fr");
    layouts_find(0xffffffff, 4, 0, &k);
    assert_string_equal(k.layout, "us");
    layouts_find(0, 0, 0, &k);
    assert_string_equal(k.layout, "us");
    layouts_find(0x0411, 7, 2, &k);
    assert_string_equal(k.model, "jp106");
    layouts_find(0x10416, 4, 0, &k);
    assert_string_equal(k.model, "abnt2");
}

/* ---- the back end's table ---- */

static int check_ops(const void *ops)
{
    return backend_ops_check(ops);
}

static int check_events(const void *ev)
{
    return backend_events_check(ev);
}

static void every_slot_of_a_back_end_is_mandatory(void **state)
{
    assert_int_equal(backend_ops_check(&backend_x11), 0);
    assert_int_equal(slots_by_one(check_ops, sizeof(struct backend_ops)), 0);
    assert_int_equal(slots_by_one(check_events, sizeof(struct backend_events)), 0);
}

static void an_agent_does_not_start_with_half_a_back_end(void **state)
{
    static struct agent a;
    static struct config config;
    struct backend_ops half = backend_x11;
    half.wait = NULL;
    config_defaults(&config);
    assert_int_equal(agent_init(&a, &config, &half, -1), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_of_a_back_end_is_mandatory),
        cmocka_unit_test(an_agent_does_not_start_with_half_a_back_end),
        cmocka_unit_test(negative_positions_are_moved_to_the_corner),
        cmocka_unit_test(exactly_one_monitor_is_primary),
        cmocka_unit_test(what_does_not_fit_leaves_the_primary),
        cmocka_unit_test(an_empty_layout_becomes_a_usable_one),
        cmocka_unit_test(the_scale_makes_the_millimetres),
        cmocka_unit_test(any_layout_becomes_legal),
        cmocka_unit_test(points_are_pulled_onto_the_nearest_monitor),
        cmocka_unit_test(merged_damage_is_disjoint_and_covers_everything),
        cmocka_unit_test(few_rectangles_stay_exact),
        cmocka_unit_test(scancodes_become_evdev_keys),
        cmocka_unit_test(pause_is_one_key),
        cmocka_unit_test(unknown_scancodes_are_nothing),
        cmocka_unit_test(fine_deltas_add_up_to_clicks),
        cmocka_unit_test(turning_round_drops_the_rest),
        cmocka_unit_test(every_layout_compiles),
        cmocka_unit_test(no_layout_is_listed_twice),
        cmocka_unit_test(unknown_layouts_fall_back_on_their_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
