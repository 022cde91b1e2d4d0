/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A front end without one of its mandatory slots is refused before anything is started with it. */
#include "server/peer/front_end.h"
#include "tests/unit/common/slots_by_one.h"

static int check(const void *ops)
{
    return front_end_check(ops);
}

static void only_seven_slots_may_be_absent(void **state)
{
    /* the answer to an offer of pictures, opening their way anew, the reconnect cookie, services beside the
     * display, the heartbeat, surfaces beside the desktop and their end */
    assert_int_equal(slots_by_one(check, sizeof(struct front_end_ops)), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_seven_slots_may_be_absent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
