/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pacing by acknowledgements, with a clock that the test turns. */
#include "codecs/engine/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND 1000000u
#define SMALL_FRAME 1000

struct rig {
    struct pace p;
    uint64_t now;
    uint32_t id, acked;
};

static struct rig rig_make(void)
{
    struct rig r = {.now = SECOND};
    pace_init(&r.p, 60);
    return r;
}

/* Live for a while, sending whenever it may; the client acknowledges what was sent `late` µs before, 0: nothing.
 * Returns how many frames left. */
static unsigned live(struct rig *r, uint64_t us, uint64_t late)
{
    static uint64_t sent[4096];
    uint64_t end = r->now + us;
    unsigned n = 0;
    for (; r->now < end; r->now += 1000) {
        while (late && r->acked < r->id && sent[(r->acked + 1) % 4096] + late <= r->now)
            pace_ack(&r->p, ++r->acked, 0, r->now);
        if (pace_wait(&r->p, false, r->now) != 0)
            continue;
        sent[++r->id % 4096] = r->now;
        pace_clock(&r->p, PACE_WHOLE, r->now);
        pace_sent(&r->p, r->id, SMALL_FRAME, PACE_WHOLE, r->now);
        n++;
    }
    return n;
}

static void a_quick_client_gets_every_frame(void **state)
{
    struct rig r = rig_make();
    assert_in_range(live(&r, SECOND, 5000), 58, 66);
    assert_false(pace_stopped(&r.p, r.now));
}

/* Drawn at the ceiling's own pace, some frames a few milliseconds late, after a burst: soon none waits for those that
 * were. */
static void who_draws_at_the_ceilings_pace_never_waits(void **state)
{
    static const unsigned late[] = {0, 7000, 0, 0, 3000, 0, 9000, 1000, 0, 0};
    struct rig r = rig_make();
    for (unsigned i = 0; i < 3; i++)
        pace_clock(&r.p, PACE_WHOLE, r.now);
    uint64_t start = r.now;
    for (unsigned i = 0; i < 300; i++) {
        r.now = start + i * SECOND / 60 + late[i % 10];
        pace_ack(&r.p, r.id, 0, r.now);
        if (i > 60 && pace_wait(&r.p, false, r.now) != 0)
            fail_msg("frame %u waits %d us", i, (int)pace_wait(&r.p, false, r.now));
        pace_clock(&r.p, PACE_WHOLE, r.now);
        pace_sent(&r.p, ++r.id, SMALL_FRAME, PACE_WHOLE, r.now);
    }
}

/* A window is dragged at the ceiling's pace, and every 100 ms something still becomes sharper. */
static void what_is_refined_beside_it_does_not_hold_up_what_moves(void **state)
{
    struct rig r = rig_make();
    uint64_t start = r.now;
    for (unsigned i = 0; i < 300; i++) {
        r.now = start + i * SECOND / 60;
        pace_ack(&r.p, r.id, 0, r.now);
        assert_int_equal(pace_wait(&r.p, false, r.now), 0);
        pace_clock(&r.p, PACE_WHOLE, r.now);
        pace_sent(&r.p, ++r.id, SMALL_FRAME, PACE_WHOLE, r.now);
        if (i % 6 != 3)
            continue;
        r.now += 5000;
        assert_int_equal(pace_wait(&r.p, false, r.now), 0);
        pace_clock(&r.p, PACE_REFINEMENT, r.now);
        pace_sent(&r.p, ++r.id, SMALL_FRAME, PACE_REFINEMENT, r.now);
    }
}

/* Where two frames a second are wanted refinements keep to that. */
static void refinements_keep_to_a_low_ceiling(void **state)
{
    struct pace p;
    unsigned n = 0;
    pace_init(&p, 2);
    for (uint64_t now = SECOND; now < 11 * SECOND; now += 1000)
        if (pace_wait(&p, false, now) == 0) {
            pace_clock(&p, PACE_REFINEMENT, now);
            n++;
        }
    assert_in_range(n, 15, 24);
}

static void a_client_that_never_acknowledges_gets_frames_all_the_same(void **state)
{
    struct rig r = rig_make();
    live(&r, 2 * SECOND, 0);
    assert_in_range(live(&r, SECOND, 0), 58, 66);
    live(&r, 30 * SECOND, 0);
    assert_false(pace_stopped(&r.p, r.now));
}

static void a_client_seconds_late_is_not_flooded_and_not_given_up(void **state)
{
    struct rig r = rig_make();
    live(&r, SECOND, 5000);
    for (int i = 0; i < 30; i++) {
        assert_in_range(live(&r, SECOND, 3 * SECOND), 0, 8);
        assert_false(pace_stopped(&r.p, r.now));
    }
    /* and as soon as it is quick again, it has every frame again */
    live(&r, SECOND, 5000);
    assert_in_range(live(&r, SECOND, 5000), 58, 66);
}

static void who_falls_silent_gets_a_frame_a_second_until_its_channel_is_given_up(void **state)
{
    struct rig r = rig_make();
    live(&r, SECOND, 5000);
    live(&r, 2 * SECOND, 0);
    assert_in_range(live(&r, 5 * SECOND, 0), 4, 6);
    assert_false(pace_stopped(&r.p, r.now));
    live(&r, 4 * SECOND, 0);
    assert_true(pace_stopped(&r.p, r.now));
    pace_reset(&r.p);
    assert_false(pace_stopped(&r.p, r.now));
}

static void who_suspends_acknowledgement_is_held_back_by_the_queue_alone(void **state)
{
    struct rig r = rig_make();
    live(&r, SECOND, 5000);
    pace_sent(&r.p, ++r.id, SMALL_FRAME, PACE_WHOLE, r.now);
    pace_ack(&r.p, r.id, 0xFFFFFFFF, r.now);
    live(&r, 20 * SECOND, 0);
    assert_in_range(live(&r, SECOND, 0), 58, 66);
    assert_false(pace_stopped(&r.p, r.now));
    struct engine_link_state full = {.waiting = 8 << 20};
    pace_link(&r.p, &full);
    assert_int_equal(live(&r, SECOND, 0), 0);
}

/* What is to be shown at once finds room between the two parts of a picture, and the link is never idle for it. */
static void a_pictures_second_part_waits_until_the_link_is_nearly_done_with_the_first(void **state)
{
    struct rig r = rig_make();
    pace_sent(&r.p, ++r.id, 2000, PACE_PART, r.now);
    assert_int_equal(pace_part_wait(&r.p, r.now), 0); /* nothing is known of the link */
    for (int known = 0; known < 2; known++) {
        struct engine_link_state slow = {.rtt_us = 100000, .bytes_per_second = 250000, .at_least = !known}, fast = slow;
        r.now += SECOND;
        pace_link(&r.p, &slow);
        pace_sent(&r.p, ++r.id, 2000, PACE_PART, r.now); /* 8 ms */
        assert_int_equal(pace_part_wait(&r.p, r.now), 5000);
        assert_int_equal(pace_part_wait(&r.p, r.now + 5000), 0);
        pace_sent(&r.p, ++r.id, 100000, PACE_WHOLE, r.now);
        assert_in_range(pace_part_wait(&r.p, r.now), 5000, 10000); /* however slow it is thought to be */
        r.now += SECOND;
        fast.bytes_per_second = 10000000;
        pace_link(&r.p, &fast);
        pace_sent(&r.p, ++r.id, 2000, PACE_PART, r.now);
        assert_int_equal(pace_part_wait(&r.p, r.now), 0);
    }
}

/* A part of a picture is no turn of the frame rate, and nobody waits for its acknowledgement. */
/* Before the first acknowledgement nothing was delivered: the age of the machine measures no link. */
static void the_first_frames_in_flight_measure_the_link_from_when_they_left(void **state)
{
    struct rig r = rig_make();
    r.now = 20000ull * SECOND;                   /* it has been up for hours */
    pace_sent(&r.p, 1, 1000, PACE_SMALL, r.now); /* too little to measure anything by */
    pace_sent(&r.p, 2, 40000, PACE_WHOLE, r.now);
    pace_ack(&r.p, 1, 0, r.now + 10000);
    pace_ack(&r.p, 2, 0, r.now + 20000);
    assert_in_range(pace_rate(&r.p), 1000000, 8000000);
}

static void parts_do_not_count_as_frames(void **state)
{
    struct rig r = rig_make();
    for (int i = 0; i < 60; i++) {
        pace_clock(&r.p, PACE_PART, r.now);
        pace_sent(&r.p, ++r.id, 100, PACE_PART, r.now);
        assert_int_equal(pace_wait(&r.p, false, r.now), 0);
    }
}

/* Of a link that was never seen full little is risked where what it carried was little: a film that begins there would
 * begin with half a second of pictures on their way. */
static void a_link_that_was_slow_so_far_is_not_given_much_at_once(void **state)
{
    struct rig r = rig_make();
    size_t nothing_known = pace_budget(&r.p);
    struct engine_link_state slow = {.rtt_us = 100000, .bytes_per_second = 227000, .at_least = true}, fast = slow;
    fast.bytes_per_second = 2000000;
    pace_link(&r.p, &slow);
    assert_int_equal(pace_budget(&r.p), 16384);
    slow.waiting = 33000;
    pace_link(&r.p, &slow);
    assert_true(pace_wait(&r.p, false, r.now) > 0);
    pace_link(&r.p, &fast);
    assert_true(pace_budget(&r.p) >= nothing_known);
    fast.waiting = 65000;
    pace_link(&r.p, &fast);
    assert_int_equal(pace_wait(&r.p, false, r.now), 0);
}

/* A film's first pictures go to a link that was never seen full: one waits for the one before it only where what is
 * known to be carried does not make it a round trip's worth and the allowed queue. Else the next is drawn before it is
 * sent, and nobody sees it. */
static void a_link_never_seen_full_gets_what_it_surely_carries(void **state)
{
    struct rig r = rig_make();
    struct engine_link_state link = {.rtt_us = 40000, .bytes_per_second = 630000, .at_least = true, .waiting = 84000};
    pace_link(&r.p, &link);
    assert_int_equal(pace_wait(&r.p, false, r.now), 0);
    link.waiting = 630 * 140 + 1;
    pace_link(&r.p, &link);
    assert_true(pace_wait(&r.p, false, r.now) > 0);
    link.bytes_per_second = 500000;
    link.waiting = 64001;
    pace_link(&r.p, &link);
    assert_true(pace_wait(&r.p, false, r.now) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quick_client_gets_every_frame),
        cmocka_unit_test(who_draws_at_the_ceilings_pace_never_waits),
        cmocka_unit_test(what_is_refined_beside_it_does_not_hold_up_what_moves),
        cmocka_unit_test(refinements_keep_to_a_low_ceiling),
        cmocka_unit_test(a_client_that_never_acknowledges_gets_frames_all_the_same),
        cmocka_unit_test(a_client_seconds_late_is_not_flooded_and_not_given_up),
        cmocka_unit_test(who_falls_silent_gets_a_frame_a_second_until_its_channel_is_given_up),
        cmocka_unit_test(a_pictures_second_part_waits_until_the_link_is_nearly_done_with_the_first),
        cmocka_unit_test(the_first_frames_in_flight_measure_the_link_from_when_they_left),
        cmocka_unit_test(parts_do_not_count_as_frames),
        cmocka_unit_test(a_link_that_was_slow_so_far_is_not_given_much_at_once),
        cmocka_unit_test(a_link_never_seen_full_gets_what_it_surely_carries),
        cmocka_unit_test(who_suspends_acknowledgement_is_held_back_by_the_queue_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
