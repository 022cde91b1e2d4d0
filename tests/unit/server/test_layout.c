/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/layout.h"
#include "session/proto/layout.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAX 16384, 8192

static struct display_layout two(void)
{
    return (struct display_layout){.nmonitors = 2,
        .monitors = {{.x = -1920, .y = 100, .width = 1920, .height = 1080},
            {.x = 0, .y = 0, .width = 2560, .height = 1440, .primary = 1, .scale = 150}}};
}

static void the_unions_corner_becomes_the_origin(void **state)
{
    struct display_layout l = two();
    uint32_t w, h;
    assert_int_equal(client_layout_normalise(&l, MAX), 0);
    assert_int_equal(l.monitors[0].x, 0);
    assert_int_equal(l.monitors[0].y, 100);
    assert_int_equal(l.monitors[1].x, 1920);
    assert_int_equal(l.monitors[1].scale, 150);
    layout_size(&l, &w, &h);
    assert_int_equal(w, 4480);
    assert_int_equal(h, 1440);
}

static void exactly_one_monitor_is_primary(void **state)
{
    struct display_layout l = two();
    l.monitors[1].primary = 0;
    assert_int_equal(client_layout_normalise(&l, MAX), 0);
    assert_int_equal(l.monitors[0].primary + l.monitors[1].primary, 1);
    l.monitors[0].primary = l.monitors[1].primary = 1;
    assert_int_equal(client_layout_normalise(&l, MAX), 0);
    assert_int_equal(l.monitors[0].primary + l.monitors[1].primary, 1);
}

static void empty_and_monstrous_monitors_are_dropped(void **state)
{
    struct display_layout l = two();
    l.monitors[0].width = 0;
    assert_int_equal(client_layout_normalise(&l, MAX), 0);
    assert_int_equal(l.nmonitors, 1);
    l.monitors[0].height = 0xffffffff;
    assert_int_equal(client_layout_normalise(&l, MAX), -EINVAL);
}

static void a_union_that_is_too_large_is_refused_without_overflow(void **state)
{
    struct display_layout l = two();
    l.monitors[0].x = INT32_MIN;
    l.monitors[1].x = INT32_MAX;
    assert_int_equal(client_layout_normalise(&l, MAX), -EINVAL);
}

static void nonsense_in_scale_orientation_and_size_becomes_unknown(void **state)
{
    struct display_layout l = two();
    l.monitors[0].scale = 7;
    l.monitors[0].orientation = 45;
    l.monitors[0].phys_width = 5;
    l.monitors[0].phys_height = 300;
    l.monitors[1].orientation = 270;
    assert_int_equal(client_layout_normalise(&l, MAX), 0);
    assert_int_equal(l.monitors[0].scale, 0);
    assert_int_equal(l.monitors[0].orientation, 0);
    assert_int_equal(l.monitors[0].phys_height, 0);
    assert_int_equal(l.monitors[1].orientation, 270);
}

static void more_monitors_than_the_protocol_carries_are_cut(void **state)
{
    struct display_layout l = {.nmonitors = 400};
    for (int i = 0; i < DISPLAY_MONITORS_MAX; i++)
        l.monitors[i] = (struct display_monitor){.x = i * 200, .width = 200, .height = 200};
    assert_int_equal(client_layout_normalise(&l, MAX), 0);
    assert_int_equal(l.nmonitors, DISPLAY_MONITORS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_unions_corner_becomes_the_origin),
        cmocka_unit_test(exactly_one_monitor_is_primary),
        cmocka_unit_test(empty_and_monstrous_monitors_are_dropped),
        cmocka_unit_test(a_union_that_is_too_large_is_refused_without_overflow),
        cmocka_unit_test(nonsense_in_scale_orientation_and_size_becomes_unknown),
        cmocka_unit_test(more_monitors_than_the_protocol_carries_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
