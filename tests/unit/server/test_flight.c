/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/flight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void what_is_on_its_way_is_known_by_class(void **state)
{
    struct flight f = {0};
    flight_written(&f, TRAFFIC_PICTURE, 1000);
    flight_written(&f, TRAFFIC_BULK, 500);
    flight_written(&f, TRAFFIC_PICTURE, 200);
    flight_acked(&f, 1100);
    assert_int_equal(f.bytes[TRAFFIC_PICTURE], 200);
    assert_int_equal(f.bytes[TRAFFIC_BULK], 400);
    assert_int_equal(flight_total(&f), 600);
    flight_acked(&f, 900); /* told late */
    assert_int_equal(flight_total(&f), 600);
    flight_acked(&f, 99999);
    assert_int_equal(flight_total(&f), 0);
    assert_int_equal(f.bytes[TRAFFIC_PICTURE] + f.bytes[TRAFFIC_BULK], 0);
}

/* Against a list of every byte's class. */
static void random_records_and_acknowledgements_add_up(void **state)
{
    static uint8_t whose[1 << 20];
    for (unsigned seed = 0; seed < 20; seed++) {
        struct flight f = {0};
        size_t written = 0, acked = 0;
        srand(seed);
        while (written < sizeof whose - 20000) {
            enum traffic_class c = (enum traffic_class)(rand() % TRAFFIC_CLASSES);
            size_t n = 1 + (size_t)(rand() % 17000);
            memset(whose + written, (int)c, n);
            flight_written(&f, c, n);
            written += n;
            if (rand() % 3 == 0) {
                acked += (size_t)rand() % (written - acked + 1);
                flight_acked(&f, acked);
            }
            size_t expected[TRAFFIC_CLASSES] = {0};
            for (size_t i = acked; i < written; i++)
                expected[whose[i]]++;
            assert_memory_equal(f.bytes, expected, sizeof expected);
        }
    }
}

static void too_many_runs_lose_whose_they_were_and_no_byte(void **state)
{
    struct flight f = {0};
    for (int i = 0; i < 5 * FLIGHT_RUNS; i++)
        flight_written(&f, i % 2 ? TRAFFIC_CONTROL : TRAFFIC_PICTURE, 100);
    assert_int_equal(flight_total(&f), 5 * FLIGHT_RUNS * 100);
    assert_int_equal(f.bytes[TRAFFIC_CONTROL] + f.bytes[TRAFFIC_PICTURE], 5 * FLIGHT_RUNS * 100);
    flight_acked(&f, 5 * FLIGHT_RUNS * 100 - 150);
    assert_int_equal(f.bytes[TRAFFIC_CONTROL], 100);
    assert_int_equal(f.bytes[TRAFFIC_PICTURE], 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_on_its_way_is_known_by_class),
        cmocka_unit_test(random_records_and_acknowledgements_add_up),
        cmocka_unit_test(too_many_runs_lose_whose_they_were_and_no_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
