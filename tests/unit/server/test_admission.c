/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/listen/admission.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct admission_limits limits = {.clients = 10, .half_open = 6, .half_open_per_source = 3};

static enum admission_answer enter(struct admission *a, const char *address, int64_t now, struct admission_source **s)
{
    struct sockaddr_storage ss = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&ss;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ss;
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1)
        ss.ss_family = AF_INET;
    else {
        assert_int_equal(inet_pton(AF_INET6, address, &v6->sin6_addr), 1);
        ss.ss_family = AF_INET6;
    }
    return admission_enter(a, &limits, (struct sockaddr *)&ss, now, s);
}

static void one_prefix_cannot_take_all_half_open_places(void **state)
{
    struct admission *a = admission_create();
    struct admission_source *s;
    assert_int_equal(enter(a, "192.0.2.1", 0, &s), ADMISSION_OK);
    assert_int_equal(enter(a, "192.0.2.2", 0, &s), ADMISSION_OK);
    assert_int_equal(enter(a, "192.0.2.255", 0, &s), ADMISSION_OK);
    assert_int_equal(enter(a, "192.0.2.9", 0, &s), ADMISSION_SOURCE);
    assert_int_equal(enter(a, "192.0.3.9", 0, &s), ADMISSION_OK);
    admission_destroy(a);
}

static void ipv6_is_counted_per_48_bits_and_mapped_ipv4_with_ipv4(void **state)
{
    struct admission *a = admission_create();
    struct admission_source *s;
    assert_int_equal(enter(a, "2001:db8:1:1::1", 0, &s), ADMISSION_OK);
    assert_int_equal(enter(a, "2001:db8:1:ffff::1", 0, &s), ADMISSION_OK);
    assert_int_equal(enter(a, "2001:db8:1:2::1", 0, &s), ADMISSION_OK);
    assert_int_equal(enter(a, "2001:db8:1::1", 0, &s), ADMISSION_SOURCE);
    assert_int_equal(enter(a, "2001:db8:2::1", 0, &s), ADMISSION_OK);
    assert_int_equal(enter(a, "192.0.2.1", 0, &s), ADMISSION_OK);
    struct admission_source *mapped;
    assert_int_equal(enter(a, "::ffff:192.0.2.7", 0, &mapped), ADMISSION_OK);
    assert_ptr_equal(s, mapped);
    admission_destroy(a);
}

static void the_half_open_ceiling_counts_all_sources_and_a_login_frees_a_place(void **state)
{
    struct admission *a = admission_create();
    struct admission_source *s[6], *x;
    for (int i = 0; i < 6; i++) {
        char address[32];
        snprintf(address, sizeof address, "10.0.%d.1", i);
        assert_int_equal(enter(a, address, 0, &s[i]), ADMISSION_OK);
    }
    assert_int_equal(enter(a, "10.0.99.1", 0, &x), ADMISSION_HALF_OPEN);
    admission_grant(a, s[0]);
    assert_int_equal(enter(a, "10.0.99.1", 0, &x), ADMISSION_OK);
    admission_leave(a, s[0], false, 0, 0);
    admission_leave(a, s[1], true, 0, 0);
    assert_int_equal(admission_clients(a), 5);
    assert_int_equal(admission_half_open(a), 5);
    admission_destroy(a);
}

static void the_client_ceiling_counts_logged_in_clients_too(void **state)
{
    struct admission *a = admission_create();
    struct admission_source *s;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(enter(a, "10.0.0.1", 0, &s), ADMISSION_OK);
        admission_grant(a, s);
    }
    assert_int_equal(enter(a, "10.1.0.1", 0, &s), ADMISSION_FULL);
    admission_leave(a, s, false, 0, 0);
    admission_destroy(a);
}

static void a_source_that_crashes_peers_waits_and_is_forgiven(void **state)
{
    struct admission *a = admission_create();
    struct admission_source *s;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(enter(a, "10.0.0.1", 100, &s), ADMISSION_OK);
        admission_leave(a, s, true, 30, 100);
    }
    assert_int_equal(enter(a, "10.0.0.1", 100, &s), ADMISSION_PENALTY);
    assert_int_equal(enter(a, "10.0.1.1", 100, &s), ADMISSION_OK);
    assert_int_equal(enter(a, "10.0.0.1", 131, &s), ADMISSION_OK);
    admission_destroy(a);
}

static void penalties_end_at_their_ceiling(void **state)
{
    struct admission *a = admission_create();
    struct admission_source *s;
    assert_int_equal(enter(a, "10.0.0.1", 0, &s), ADMISSION_OK);
    admission_leave(a, s, true, 1000000, 0);
    assert_int_equal(enter(a, "10.0.0.1", 0, &s), ADMISSION_PENALTY);
    assert_int_equal(enter(a, "10.0.0.1", ADMISSION_PENALTY_MAX, &s), ADMISSION_OK);
    admission_destroy(a);
}

static void many_sources_are_forgotten_but_never_one_with_a_client(void **state)
{
    struct admission *a = admission_create();
    struct admission_source *kept, *s;
    assert_int_equal(enter(a, "10.0.0.1", 0, &kept), ADMISSION_OK);
    for (int i = 0; i < ADMISSION_SOURCES * 2; i++) {
        char address[32];
        snprintf(address, sizeof address, "11.%d.%d.1", i >> 8, i & 255);
        assert_int_equal(enter(a, address, i, &s), ADMISSION_OK);
        admission_leave(a, s, true, 0, i);
    }
    admission_leave(a, kept, true, 0, 0);
    assert_int_equal(admission_clients(a), 0);
    admission_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_prefix_cannot_take_all_half_open_places),
        cmocka_unit_test(ipv6_is_counted_per_48_bits_and_mapped_ipv4_with_ipv4),
        cmocka_unit_test(the_half_open_ceiling_counts_all_sources_and_a_login_frees_a_place),
        cmocka_unit_test(the_client_ceiling_counts_logged_in_clients_too),
        cmocka_unit_test(a_source_that_crashes_peers_waits_and_is_forgiven),
        cmocka_unit_test(penalties_end_at_their_ceiling),
        cmocka_unit_test(many_sources_are_forgotten_but_never_one_with_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
