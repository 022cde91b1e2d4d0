/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

static struct rig rig;

static void the_right_password_starts_a_session(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    assert_string_equal(v.user, "anna");
    const struct control_session *row = rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    assert_string_equal(row->user, "anna");
    assert_string_equal(row->clients[0].address, "192.0.2.1");
    assert_int_equal(row->display, 4000);
    close(display);
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_DETACHED, 0);
}

static int setup(void **state)
{
    rig_start(&rig, "");
    return 0;
}

static int teardown(void **state)
{
    rig_stop(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_right_password_starts_a_session, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
