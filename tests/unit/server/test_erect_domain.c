/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/erect_domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t good[] = {3, 0, 0, 12, 2, 0xf0, 0x80, 4, 1, 0, 1, 0};
static const uint8_t rdesktop[] = {3, 0, 0, 12, 2, 0xf0, 0x80, 4, 0, 1, 0, 1};

static void what_rdesktop_sends_becomes_what_the_library_reads(void **state)
{
    uint8_t pdu[sizeof rdesktop];
    memcpy(pdu, rdesktop, sizeof pdu);
    assert_int_equal(erect_domain_mend(pdu, sizeof pdu), sizeof good);
    assert_memory_equal(pdu, good, sizeof good);
    assert_int_equal(erect_domain_mend(pdu, sizeof pdu), sizeof good);
    assert_memory_equal(pdu, good, sizeof good);
}

static void padding_is_cut(void **state)
{
    uint8_t pdu[40] = {3, 0, 0, 40, 2, 0xf0, 0x80, 4, 1, 0, 1, 0};
    assert_int_equal(erect_domain_mend(pdu, sizeof pdu), sizeof good);
    assert_memory_equal(pdu, good, sizeof good);
}

static void everything_else_stays_as_it_is(void **state)
{
    for (size_t at = 0; at < 8; at++) {
        uint8_t pdu[sizeof rdesktop], before[sizeof rdesktop];
        memcpy(pdu, rdesktop, sizeof pdu);
        if (at >= 1 && at <= 3)
            continue; /* reserved, and the length that was read by whoever has the whole PDU */
        pdu[at] ^= 0x08;
        memcpy(before, pdu, sizeof pdu);
        assert_int_equal(erect_domain_mend(pdu, sizeof pdu), sizeof pdu);
        assert_memory_equal(pdu, before, sizeof pdu);
    }
}

static void what_is_too_short_stays_for_the_library_to_refuse(void **state)
{
    for (size_t len = 0; len < sizeof rdesktop; len++) {
        uint8_t pdu[sizeof rdesktop];
        memcpy(pdu, rdesktop, sizeof pdu);
        assert_int_equal(erect_domain_mend(pdu, len), len);
        assert_memory_equal(pdu, rdesktop, sizeof pdu);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rdesktop_sends_becomes_what_the_library_reads),
        cmocka_unit_test(padding_is_cut),
        cmocka_unit_test(everything_else_stays_as_it_is),
        cmocka_unit_test(what_is_too_short_stays_for_the_library_to_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
