/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/link.h"
#include "session/proto/leader.h"
#include "session/proto/peer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_message_comes_back_as_it_went(void **state)
{
    static struct leader_start in, out;
    uint8_t buf[WIRE_MESSAGE_MAX];
    in = (struct leader_start){.session = 7, .open = {.nmonitors = 2, .keyboard_layout = 0x407}};
    in.open.monitors[1] = (struct display_monitor){.x = -1920, .width = 1920, .height = 1080, .primary = 1};
    memcpy(in.client_name, "thin", 5);
    ssize_t n = wire_encode(&leader_start_def, &in, buf, sizeof buf);
    assert_true(n > WIRE_HEADER_BYTES);
    int err = 0;
    assert_ptr_equal(wire_lookup(&monitor_to_leader, buf, (size_t)n, &err), &leader_start_def);
    assert_int_equal(wire_decode(&leader_start_def, buf, (size_t)n, &out, NULL), 0);
    assert_memory_equal(&in, &out, sizeof in);
}

static void every_truncation_is_refused(void **state)
{
    struct peer_auth in = {.method = AUTH_PASSWORD, .user = "anna", .nsecret = 3, .secret = "abc"}, out;
    uint8_t buf[WIRE_MESSAGE_MAX];
    ssize_t n = wire_encode(&peer_auth_def, &in, buf, sizeof buf);
    for (ssize_t cut = WIRE_HEADER_BYTES; cut < n; cut++)
        assert_int_equal(wire_decode(&peer_auth_def, buf, (size_t)cut, &out, NULL), -EPROTO);
    assert_int_equal(wire_decode(&peer_auth_def, buf, (size_t)n, &out, NULL), 0);
}

static void values_over_their_ceiling_are_refused(void **state)
{
    struct peer_auth in = {.method = AUTH_METHOD_MAX + 1}, out;
    uint8_t buf[WIRE_MESSAGE_MAX];
    assert_int_equal(wire_encode(&peer_auth_def, &in, buf, sizeof buf), -EINVAL);
    in.method = AUTH_PASSWORD;
    in.nsecret = SECRET_BYTES + 1;
    assert_int_equal(wire_encode(&peer_auth_def, &in, buf, sizeof buf), -EINVAL);
    in.nsecret = 0;
    ssize_t n = wire_encode(&peer_auth_def, &in, buf, sizeof buf);
    buf[WIRE_HEADER_BYTES] = AUTH_METHOD_MAX + 1;
    const char *bad = NULL;
    assert_int_equal(wire_decode(&peer_auth_def, buf, (size_t)n, &out, &bad), -EPROTO);
    assert_string_equal(bad, "method");
}

static void a_string_with_a_nul_is_refused(void **state)
{
    struct peer_auth in = {.method = AUTH_PASSWORD, .user = "anna"}, out;
    uint8_t buf[WIRE_MESSAGE_MAX];
    ssize_t n = wire_encode(&peer_auth_def, &in, buf, sizeof buf);
    uint8_t *u = memmem(buf, (size_t)n, "anna", 4);
    u[1] = 0;
    assert_int_equal(wire_decode(&peer_auth_def, buf, (size_t)n, &out, NULL), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_as_it_went),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(values_over_their_ceiling_are_refused),
        cmocka_unit_test(a_string_with_a_nul_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
