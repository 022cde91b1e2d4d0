/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/outq.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void bytes_come_out_in_the_order_they_went_in(void **state)
{
    struct outq q;
    uint8_t in = 0, out = 0, chunk[1000];
    outq_init(&q, 100000);
    for (unsigned round = 0; round < 500; round++) {
        size_t n = 1 + round * 7 % sizeof chunk;
        for (size_t i = 0; i < n; i++)
            chunk[i] = in++;
        assert_int_equal(outq_add(&q, chunk, n), 0);
        size_t take = q.len * (round % 3) / 2;
        for (size_t i = 0; i < take; i++)
            assert_int_equal(outq_front(&q)[i], out++);
        outq_drop(&q, take);
    }
    outq_finish(&q);
}

static void over_the_ceiling_nothing_is_added(void **state)
{
    struct outq q;
    uint8_t chunk[100] = {0};
    outq_init(&q, 150);
    assert_int_equal(outq_add(&q, chunk, 100), 0);
    assert_int_equal(outq_add(&q, chunk, 51), -ENOBUFS);
    assert_int_equal(q.len, 100);
    assert_int_equal(outq_add(&q, chunk, 50), 0);
    outq_finish(&q);
}

static void dropping_more_than_there_is_empties_it(void **state)
{
    struct outq q;
    outq_init(&q, 10);
    assert_int_equal(outq_add(&q, "abc", 3), 0);
    outq_drop(&q, 10);
    assert_int_equal(q.len, 0);
    outq_finish(&q);
}

static void a_large_empty_queue_gives_its_memory_back(void **state)
{
    static uint8_t big[1 << 20];
    struct outq q;
    outq_init(&q, sizeof big);
    assert_int_equal(outq_add(&q, big, sizeof big), 0);
    outq_drop(&q, sizeof big);
    assert_int_equal(q.cap, 0);
    outq_finish(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_out_in_the_order_they_went_in),
        cmocka_unit_test(over_the_ceiling_nothing_is_added),
        cmocka_unit_test(dropping_more_than_there_is_empties_it),
        cmocka_unit_test(a_large_empty_queue_gives_its_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
