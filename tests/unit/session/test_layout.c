/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void bounds_are(const struct display_layout *l, int64_t left, int64_t top, int64_t right, int64_t bottom)
{
    struct layout_bounds b = layout_bounds(l->monitors, l->nmonitors);
    assert_int_equal(b.left, left);
    assert_int_equal(b.top, top);
    assert_int_equal(b.right, right);
    assert_int_equal(b.bottom, bottom);
}

static void size_is(const struct display_layout *l, uint32_t width, uint32_t height)
{
    uint32_t w = 1, h = 1;
    layout_size(l, &w, &h);
    assert_int_equal(w, width);
    assert_int_equal(h, height);
}

static void an_empty_layout(void **state)
{
    struct display_layout l = {.monitors = {{.x = 5, .width = 9, .height = 9, .scale = 300, .primary = 1}}};
    bounds_are(&l, 0, 0, 0, 0);
    size_is(&l, 0, 0);
    assert_null(layout_primary(l.monitors, l.nmonitors));
    assert_int_equal(layout_scale(&l), 100);
}

static void one_monitor(void **state)
{
    struct display_layout l = {1, {{.width = 1920, .height = 1080, .scale = 150, .primary = 1}}};
    bounds_are(&l, 0, 0, 1920, 1080);
    size_is(&l, 1920, 1080);
    assert_ptr_equal(layout_primary(l.monitors, l.nmonitors), &l.monitors[0]);
    assert_int_equal(layout_scale(&l), 150);
    l.monitors[0].scale = 0;
    assert_int_equal(layout_scale(&l), 100);
}

static void negative_coordinates(void **state)
{
    struct display_layout l = {2,
        {{.width = 1920, .height = 1080, .primary = 1}, {.x = -1280, .y = -200, .width = 1280, .height = 1024}}};
    bounds_are(&l, -1280, -200, 1920, 1080);
    l.monitors[0].x = l.monitors[0].y = -1920; /* nothing reaches 0,0 */
    bounds_are(&l, -1920, -1920, 0, 824);
}

static void an_l_shape_counts_its_hole(void **state)
{
    struct display_layout l = {3,
        {{.y = 1080, .width = 1920, .height = 1080, .scale = 100}, {.width = 1920, .height = 1080, .scale = 125},
            {.x = 1920, .y = 1080, .width = 2560, .height = 1440, .scale = 200, .primary = 1}}};
    bounds_are(&l, 0, 0, 4480, 2520);
    size_is(&l, 4480, 2520);
    assert_ptr_equal(layout_primary(l.monitors, l.nmonitors), &l.monitors[2]);
    assert_int_equal(layout_scale(&l), 200);
}

static void no_primary_is_the_first(void **state)
{
    struct display_layout l = {2,
        {{.x = 800, .width = 800, .height = 600, .scale = 125}, {.width = 800, .height = 600, .scale = 200}}};
    assert_ptr_equal(layout_primary(l.monitors, l.nmonitors), &l.monitors[0]);
    assert_int_equal(layout_scale(&l), 125);
}

static void of_two_primaries_the_first(void **state)
{
    struct display_layout l = {3,
        {{.width = 800, .height = 600, .scale = 100},
            {.x = 800, .width = 800, .height = 600, .scale = 175, .primary = 1},
            {.x = 1600, .width = 800, .height = 600, .scale = 200, .primary = 1}}};
    assert_ptr_equal(layout_primary(l.monitors, l.nmonitors), &l.monitors[1]);
    assert_int_equal(layout_scale(&l), 175);
}

static void nothing_overflows(void **state)
{
    struct display_layout l = {2,
        {{.x = INT32_MIN, .y = INT32_MAX, .width = 1, .height = UINT32_MAX},
            {.x = INT32_MAX, .y = INT32_MIN, .width = UINT32_MAX, .height = 1}}};
    bounds_are(&l, INT32_MIN, INT32_MIN, (int64_t)INT32_MAX + UINT32_MAX, (int64_t)INT32_MAX + UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_layout),
        cmocka_unit_test(one_monitor),
        cmocka_unit_test(negative_coordinates),
        cmocka_unit_test(an_l_shape_counts_its_hole),
        cmocka_unit_test(no_primary_is_the_first),
        cmocka_unit_test(of_two_primaries_the_first),
        cmocka_unit_test(nothing_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
