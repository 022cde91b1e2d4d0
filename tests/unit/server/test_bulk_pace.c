/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bulk on links that are played: a wire with a rate, half a round trip each way, and a queue before it. */
#include "server/peer/bulk_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STEP_US 500u
#define STEPS_MAX 60000u
#define UNIT 1614u

struct wire {
    struct bulk_pace pace;
    uint64_t rate, at_most;
    uint32_t rtt_us;
    unsigned step;
    double sent[STEPS_MAX], served[STEPS_MAX]; /* bytes that had entered and left the wire's queue at each step */
    double asleep_until;                       /* the loop looks no earlier */
};

static struct wire *wire_make(uint64_t rate, uint32_t rtt_us)
{
    struct wire *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->rate = rate;
    w->rtt_us = rtt_us;
    return w;
}

static double back(const double *series, unsigned step, uint32_t us)
{
    unsigned n = us / STEP_US;
    return step >= n ? series[step - n] : 0;
}

static void send_all_that_may(struct wire *w)
{
    uint64_t now = 1000000 + (uint64_t)w->step * STEP_US;
    for (;;) {
        double acked = back(w->served, w->step, w->rtt_us);
        struct bulk_look l = {.now_us = now,
            .acked = (uint64_t)acked,
            .on_way = (size_t)(w->sent[w->step] - (double)(uint64_t)acked),
            .rtt_us = w->rtt_us,
            .at_most = w->at_most};
        size_t room = bulk_pace_room(&w->pace, &l);
        assert_in_range(room, 0, BULK_SLICE_MAX);
        if (!room) {
            uint64_t us = bulk_pace_wait(&w->pace, &l);
            assert_in_range(us, 1000, 20000);
            w->asleep_until = (double)(now + us);
            return;
        }
        w->sent[w->step] += (double)(room > UNIT ? room / UNIT * UNIT : UNIT);
    }
}

/* Returns bytes delivered meanwhile; *longest: the longest wait of a packet that meets the queue, in microseconds. */
static double live(struct wire *w, unsigned us, double *longest)
{
    double begin = w->served[w->step];
    *longest = 0;
    for (unsigned end = w->step + us / STEP_US; w->step < end;) {
        w->step++;
        assert_in_range(w->step, 1, STEPS_MAX - 1);
        w->sent[w->step] = w->sent[w->step - 1];
        double most = w->served[w->step - 1] + (double)w->rate * STEP_US / 1e6;
        w->served[w->step] = most < w->sent[w->step] ? most : w->sent[w->step];
        if ((double)(1000000 + (uint64_t)w->step * STEP_US) >= w->asleep_until)
            send_all_that_may(w);
        double wait = (w->sent[w->step] - w->served[w->step]) / (double)w->rate * 1e6;
        *longest = wait > *longest ? wait : *longest;
    }
    return w->served[w->step] - begin;
}

static const struct {
    uint64_t rate;
    uint32_t rtt_us;
} links[] = {{250000, 100000}, {2500000, 40000}, {12500000, 1000}, {62500, 300000}, {12500000, 100000}};

static void bulk_finds_the_link_and_leaves_no_more_than_two_slices_before_it(void **state)
{
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        struct wire *w = wire_make(links[i].rate, links[i].rtt_us);
        double longest;
        live(w, 8000000, &longest);
        double got = live(w, 2000000, &longest);
        assert_true(got > (double)links[i].rate * 2 * 0.9);
        double slice = (double)bulk_pace_slice(&w->pace) / (double)links[i].rate * 1e6;
        assert_true(longest <= 2 * slice + UNIT * 1e6 / (double)links[i].rate);
        free(w);
    }
}

static void a_link_that_becomes_slower_or_faster_is_found_again(void **state)
{
    struct wire *w = wire_make(2500000, 40000);
    double longest;
    live(w, 4000000, &longest);
    w->rate = 625000;
    live(w, 4000000, &longest);
    live(w, 1000000, &longest);
    assert_true(longest < 30000);
    w->rate = 2500000;
    live(w, 4000000, &longest);
    assert_true(live(w, 1000000, &longest) > 2500000 * 0.9);
    free(w);
}

/* Acknowledgements that jump after a loss look like a fast link: the kernel's own measure does not. */
static void no_more_than_the_kernel_saw_is_believed(void **state)
{
    struct bulk_pace p = {0};
    struct bulk_look l = {.now_us = 1000000, .rtt_us = 40000, .at_most = 250000};
    (void)bulk_pace_room(&p, &l);
    l.now_us += 45000;
    l.acked = 1000000;
    (void)bulk_pace_room(&p, &l);
    l.on_way = 10000 * 5 / 4 + 2500; /* a round trip, a quarter of it as it grows, and a slice */
    assert_int_equal(bulk_pace_room(&p, &l), 0);
    l.at_most = 0;
    assert_true(bulk_pace_room(&p, &l) > 0);
}

static void a_pause_is_no_slow_link(void **state)
{
    struct wire *w = wire_make(2500000, 40000);
    double longest;
    live(w, 4000000, &longest);
    size_t slice = bulk_pace_slice(&w->pace);
    struct bulk_look l = {.now_us = 60000000, .acked = (uint64_t)w->served[w->step], .rtt_us = 40000};
    (void)bulk_pace_room(&w->pace, &l);
    assert_int_equal(bulk_pace_slice(&w->pace), slice);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_finds_the_link_and_leaves_no_more_than_two_slices_before_it),
        cmocka_unit_test(a_link_that_becomes_slower_or_faster_is_found_again),
        cmocka_unit_test(no_more_than_the_kernel_saw_is_believed),
        cmocka_unit_test(a_pause_is_no_slow_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
