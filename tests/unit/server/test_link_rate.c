/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a link carries, with a clock that the test turns. */
#include "server/peer/link_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STEP_US 5000u
#define RTT_US 40000u
#define FAST 2500000u

struct rig {
    struct link_rate r;
    struct link_look l;
};

static struct rig rig_make(void)
{
    return (struct rig){.l = {.now_us = 1000000, .rtt_us = RTT_US}};
}

/* The same for some time; returns what is believed at its end. */
static uint64_t live(struct rig *g, uint64_t us, uint64_t rate, bool app_limited, size_t waiting)
{
    uint64_t believed = 0;
    g->l.bytes_per_second = rate;
    g->l.app_limited = app_limited;
    g->l.waiting = waiting;
    for (uint64_t end = g->l.now_us + us; g->l.now_us < end; g->l.now_us += STEP_US)
        believed = link_rate_look(&g->r, &g->l);
    return believed;
}

static void a_faster_delivery_counts_at_once(void **state)
{
    struct rig g = rig_make();
    assert_int_equal(live(&g, STEP_US, 60000, true, 1000), 60000);
    assert_int_equal(live(&g, STEP_US, FAST, true, 1000), FAST);
}

/* A loss in a thin stream: few bytes in more than a round trip, and the kernel calls it not limited by the application.
 */
static void a_slow_delivery_says_nothing_while_little_waits(void **state)
{
    struct rig g = rig_make();
    live(&g, STEP_US, FAST, false, 1000);
    assert_int_equal(live(&g, 60000000, 130000, false, 20000), FAST);
}

static void a_link_that_got_slower_is_believed_after_two_seconds_of_pressing(void **state)
{
    struct rig g = rig_make();
    live(&g, STEP_US, 250000, false, 1000);
    assert_int_equal(live(&g, 900000, 100000, false, 12000), 250000);
    assert_int_equal(live(&g, 1300000, 100000, false, 12000), 100000);
}

static void time_without_a_look_is_not_pressed_time(void **state)
{
    struct rig g = rig_make();
    live(&g, 2 * STEP_US, 250000, false, 12000);
    for (int i = 0; i < 10; i++) {
        g.l.now_us += 10000000;
        assert_int_equal(live(&g, STEP_US, 100000, false, 12000), 250000);
    }
}

static void a_link_is_full_when_pressing_makes_it_no_faster_for_three_rounds(void **state)
{
    struct rig g = rig_make();
    uint64_t rate = 100000;
    for (; rate < FAST; rate = rate * 3 / 2) {
        live(&g, RTT_US, rate, false, 200000);
        assert_false(g.r.full);
    }
    live(&g, RTT_US * 2, rate, false, 200000);
    assert_false(g.r.full);
    live(&g, RTT_US * 3, rate, false, 200000);
    assert_true(g.r.full);
}

/* Acknowledgements that come in a bunch look like a fast link for a moment. */
static void a_full_link_is_as_fast_as_it_was_while_full(void **state)
{
    struct rig g = rig_make();
    live(&g, STEP_US, 518000, true, 20000);
    assert_int_equal(live(&g, RTT_US * 5, 245000, false, 40000), 245000);
    assert_true(g.r.full);
}

/* What paces its segments is never "limited by the application", however little it has to send. */
static void a_link_is_not_full_because_small_bursts_are_paced(void **state)
{
    struct rig g = rig_make();
    live(&g, 10000000, 640000, false, 20000);
    assert_false(g.r.full);
    live(&g, 10000000, 640000, true, 200000);
    assert_false(g.r.full);
}

static void of_a_link_without_a_round_trip_nothing_is_concluded(void **state)
{
    struct rig g = rig_make();
    g.l.rtt_us = 0;
    live(&g, STEP_US, FAST, false, 1000);
    assert_int_equal(live(&g, 10000000, 1000, false, 1 << 20), FAST);
    assert_false(g.r.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_faster_delivery_counts_at_once),
        cmocka_unit_test(a_slow_delivery_says_nothing_while_little_waits),
        cmocka_unit_test(a_link_that_got_slower_is_believed_after_two_seconds_of_pressing),
        cmocka_unit_test(time_without_a_look_is_not_pressed_time),
        cmocka_unit_test(a_link_is_full_when_pressing_makes_it_no_faster_for_three_rounds),
        cmocka_unit_test(a_full_link_is_as_fast_as_it_was_while_full),
        cmocka_unit_test(a_link_is_not_full_because_small_bursts_are_paced),
        cmocka_unit_test(of_a_link_without_a_round_trip_nothing_is_concluded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
