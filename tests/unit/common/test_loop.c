/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"
#include "common/loop.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HOUR_S 3600

static struct event_base *base;
static int fired;

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    fired++;
}

static int setup(void **state)
{
    base = loop_create_precise();
    *state = base ? evtimer_new(base, on_timer, NULL) : NULL;
    fired = 0;
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    event_free(*state);
    event_base_free(base);
    return 0;
}

/* Microseconds until the loop has nothing to wait for. */
static uint64_t run(void)
{
    uint64_t before = clock_us();
    assert_int_not_equal(event_base_dispatch(base), -1);
    return clock_us() - before;
}

static void fires_once_and_not_before_its_time(void **state)
{
    assert_int_equal(loop_arm_us(*state, 1500), 0);
    assert_in_range(run(), 1500, UINT32_MAX);
    assert_int_equal(loop_arm_ms(*state, 3), 0);
    assert_in_range(run(), 3000, UINT32_MAX);
    assert_int_equal(loop_arm_s(*state, 1), 0);
    assert_in_range(run(), 1000000, UINT32_MAX);
    assert_int_equal(fired, 3);
}

static void what_is_past_fires_in_the_next_turn(void **state)
{
    assert_int_equal(loop_arm_us(*state, 0), 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(fired, 1);
    assert_int_equal(loop_arm_s(*state, -HOUR_S), 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(fired, 2);
}

static void only_the_last_time_counts(void **state)
{
    assert_int_equal(loop_arm_s(*state, HOUR_S), 0);
    assert_int_equal(loop_arm_ms(*state, 1), 0);
    assert_in_range(run(), 1000, (uint64_t)HOUR_S * 1000000 - 1);
    assert_int_equal(fired, 1);
    assert_int_equal(loop_arm_us(*state, 0), 0);
    assert_int_equal(loop_arm_s(*state, HOUR_S), 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(fired, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fires_once_and_not_before_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_past_fires_in_the_next_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_last_time_counts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
