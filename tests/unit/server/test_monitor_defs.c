/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/monitor_defs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is(const struct gfx_monitor *m, int32_t left, int32_t top, int32_t right, int32_t bottom, bool primary)
{
    assert_int_equal(m->left, left);
    assert_int_equal(m->top, top);
    assert_int_equal(m->right, right);
    assert_int_equal(m->bottom, bottom);
    assert_int_equal(m->primary, primary);
}

static void without_monitors_the_desktop_is_one(void **state)
{
    struct display_layout l = {0};
    struct gfx_monitor out[GFX_MONITORS_MAX];
    assert_int_equal(monitor_defs(&l, 800, 600, out), 1);
    is(&out[0], 0, 0, 799, 599, true);
}

static void a_primary_at_the_corner_stays_there(void **state)
{
    struct display_layout l = {2,
        {{.width = 1920, .height = 1080, .primary = 1}, {.x = 1920, .y = 56, .width = 1280, .height = 1024}}};
    struct gfx_monitor out[GFX_MONITORS_MAX];
    assert_int_equal(monitor_defs(&l, 3200, 1080, out), 2);
    is(&out[0], 0, 0, 1919, 1079, true);
    is(&out[1], 1920, 56, 3199, 1079, false);
}

static void what_is_left_of_or_above_the_primary_is_negative(void **state)
{
    struct display_layout l = {3,
        {{.y = 1080, .width = 1280, .height = 1024},
            {.x = 1280, .y = 1080, .width = 1920, .height = 1080, .primary = 1},
            {.x = 1280, .width = 1920, .height = 1080}}};
    struct gfx_monitor out[GFX_MONITORS_MAX];
    assert_int_equal(monitor_defs(&l, 3200, 2160, out), 3);
    is(&out[0], -1280, 0, -1, 1023, false);
    is(&out[1], 0, 0, 1919, 1079, true);
    is(&out[2], 0, -1080, 1919, -1, false);
}

static void there_is_always_one_primary(void **state)
{
    struct display_layout l = {2, {{.x = 800, .width = 800, .height = 600}, {.width = 800, .height = 600}}};
    struct gfx_monitor out[GFX_MONITORS_MAX];
    assert_int_equal(monitor_defs(&l, 1600, 600, out), 2);
    is(&out[0], 0, 0, 799, 599, true);
    is(&out[1], -800, 0, -1, 599, false);
    l.monitors[0].primary = l.monitors[1].primary = 1;
    assert_int_equal(monitor_defs(&l, 1600, 600, out), 2);
    assert_true(out[0].primary && !out[1].primary);
}

static void any_numbers_will_do(void **state)
{
    struct display_layout l = {2,
        {{.x = INT32_MIN, .y = INT32_MIN, .width = UINT32_MAX, .height = 0},
            {.x = INT32_MAX, .y = INT32_MAX, .width = UINT32_MAX, .height = UINT32_MAX, .primary = 1}}};
    struct gfx_monitor out[GFX_MONITORS_MAX];
    assert_int_equal(monitor_defs(&l, 1, 1, out), 2);
    is(&out[0], -32767, -32767, -1, -32767, false);
    is(&out[1], 0, 0, 32767, 32767, true);
    l.nmonitors = UINT32_MAX; /* more than a layout holds */
    assert_int_equal(monitor_defs(&l, 1, 1, out), GFX_MONITORS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_monitors_the_desktop_is_one),
        cmocka_unit_test(a_primary_at_the_corner_stays_there),
        cmocka_unit_test(what_is_left_of_or_above_the_primary_is_negative),
        cmocka_unit_test(there_is_always_one_primary),
        cmocka_unit_test(any_numbers_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
