/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/fast_path.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* MS-RDPBCGR 2.2.9.1.2.1: the update's code in the low four bits, its fragment in the next two. */
static void only_first_and_next_fragments_go_on(void **state)
{
    static const bool expected[] = {false, false, true, true}; /* single, last, first, next */
    for (unsigned fragment = 0; fragment < 4; fragment++) {
        uint8_t header = (uint8_t)(0x1 | fragment << 4);
        const uint8_t brief[] = {0x00, 5, header, 0, 0}, extended[] = {0x00, 0x80, 6, header, 0, 0};
        assert_int_equal(fast_path_goes_on(brief, sizeof brief), expected[fragment]);
        assert_int_equal(fast_path_goes_on(extended, sizeof extended), expected[fragment]);
    }
}

static void other_pdus_and_none_do_not(void **state)
{
    const uint8_t tpkt[] = {0x03, 0x00, 0x00, 0x2c, 0x02, 0xf0, 0x80}, no_fragment[] = {0x00, 0x80, 0x20};
    assert_false(fast_path_goes_on(tpkt, sizeof tpkt));
    assert_false(fast_path_goes_on(no_fragment, sizeof no_fragment));
    assert_false(fast_path_goes_on(tpkt, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_first_and_next_fragments_go_on),
        cmocka_unit_test(other_pdus_and_none_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
