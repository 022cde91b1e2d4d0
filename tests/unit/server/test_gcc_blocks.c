/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/gcc_blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The skeleton of a Connect Initial; blocks follow. */
static const uint8_t head[] = {3, 0, 0, 0, 2, 0xf0, 0x80, 0x7f, 0x65, 0x82, 0, 0, 'D', 'u', 'c', 'a', 0x80, 0x20};
static const uint8_t other[] = {0x01, 0xC0, 6, 0, 1, 2}, wanted[] = {0x06, 0xC0, 8, 0, 0, 0, 0, 0};

static size_t put(uint8_t *out, size_t at, const uint8_t *data, size_t len)
{
    memcpy(out + at, data, len);
    return at + len;
}

static void the_message_channels_block_is_found_among_others(void **state)
{
    uint8_t pdu[64];
    size_t n = put(pdu, 0, head, sizeof head);
    n = put(pdu, n, other, sizeof other);
    assert_false(gcc_has_message_channel(pdu, n));
    n = put(pdu, n, wanted, sizeof wanted);
    assert_true(gcc_has_message_channel(pdu, n));
}

static void a_length_of_one_byte_is_read_too(void **state)
{
    uint8_t pdu[64];
    size_t n = put(pdu, 0, head, sizeof head - 2);
    pdu[n++] = 8;
    n = put(pdu, n, wanted, sizeof wanted);
    assert_true(gcc_has_message_channel(pdu, n));
}

static void nothing_cut_short_counts(void **state)
{
    uint8_t pdu[64];
    size_t n = put(pdu, 0, head, sizeof head);
    n = put(pdu, n, other, sizeof other);
    n = put(pdu, n, wanted, sizeof wanted);
    for (size_t len = 0; len < n; len++)
        assert_false(gcc_has_message_channel(pdu, len));
}

static void blocks_that_lie_about_their_length_end_the_search(void **state)
{
    uint8_t pdu[64];
    size_t n = put(pdu, 0, head, sizeof head);
    const uint8_t nothing[] = {0x01, 0xC0, 0, 0}, endless[] = {0x01, 0xC0, 0xff, 0xff};
    size_t m = put(pdu, n, nothing, sizeof nothing);
    assert_false(gcc_has_message_channel(pdu, put(pdu, m, wanted, sizeof wanted)));
    m = put(pdu, n, endless, sizeof endless);
    assert_false(gcc_has_message_channel(pdu, put(pdu, m, wanted, sizeof wanted)));
}

static void other_pdus_are_not_looked_into(void **state)
{
    uint8_t pdu[64];
    size_t n = put(pdu, 0, head, sizeof head);
    n = put(pdu, n, wanted, sizeof wanted);
    pdu[8] = 0x66;
    assert_false(gcc_has_message_channel(pdu, n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_channels_block_is_found_among_others),
        cmocka_unit_test(a_length_of_one_byte_is_read_too),
        cmocka_unit_test(nothing_cut_short_counts),
        cmocka_unit_test(blocks_that_lie_about_their_length_end_the_search),
        cmocka_unit_test(other_pdus_are_not_looked_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
