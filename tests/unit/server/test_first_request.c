/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/listen/first_request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t request[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0};

static void a_whole_request_is_recognised(void **state)
{
    assert_int_equal(first_request_check(request, sizeof request), 0);
}

static void each_part_of_a_request_asks_for_more_and_never_for_less_than_it_has(void **state)
{
    for (size_t n = 0; n < sizeof request; n++) {
        int need = first_request_check(request, n);
        assert_in_range(need, n + 1, sizeof request);
    }
}

static void what_follows_the_request_is_not_looked_at(void **state)
{
    uint8_t more[64] = {0};
    memcpy(more, request, sizeof request);
    assert_int_equal(first_request_check(more, sizeof more), 0);
}

static void refuse(const uint8_t *d, size_t n)
{
    assert_int_equal(first_request_check(d, n), -EPROTO);
}

static void other_protocols_are_refused_at_their_first_byte(void **state)
{
    refuse((const uint8_t *)"GET / HTTP/1.1\r\n", 1);
    refuse((const uint8_t *)"SSH-2.0-x", 9);
    refuse((const uint8_t *)"\x16\x03\x01\x02", 4);
}

static void wrong_lengths_and_types_are_refused(void **state)
{
    uint8_t d[sizeof request];
    memcpy(d, request, sizeof d);
    d[3] = 10; /* shorter than the shortest request */
    refuse(d, sizeof d);
    d[2] = 0xff; /* longer than X.224 can say */
    refuse(d, sizeof d);
    memcpy(d, request, sizeof d);
    d[1] = 1;
    refuse(d, sizeof d);
    memcpy(d, request, sizeof d);
    d[4] = 13; /* the two lengths contradict each other */
    refuse(d, sizeof d);
    memcpy(d, request, sizeof d);
    d[5] = 0xf0; /* data before a connection */
    refuse(d, sizeof d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_request_is_recognised),
        cmocka_unit_test(each_part_of_a_request_asks_for_more_and_never_for_less_than_it_has),
        cmocka_unit_test(what_follows_the_request_is_not_looked_at),
        cmocka_unit_test(other_protocols_are_refused_at_their_first_byte),
        cmocka_unit_test(wrong_lengths_and_types_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
