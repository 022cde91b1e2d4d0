/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of services, as it is built for tests, and the policy that grants them. */
#include "common/config.h"
#include "session/monitor/grants.h"
#include "session/proto/echo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL UINT32_MAX

static bool by_option(const struct config *cfg)
{
    return cfg->server_auto_reconnect;
}

static const struct service_row made_up_rows[] = {
    {.service = SERVICE_ECHO,
        .name = "echo",
        .roles = 1u << ROLE_CONTROL | 1u << ROLE_RECORD,
        .option = "server.auto_reconnect",
        .allowed = by_option,
        .limits = {.directions = SERVICE_TO_CLIENT, .piece_max = 100, .transfer_max = 1000}},
};
static const struct service_table made_up = {made_up_rows, 1};
static struct config yes = {.server_auto_reconnect = true}, no = {.server_auto_reconnect = false};

static enum grant_answer ask(const struct config *cfg, unsigned service, uint8_t role, uint32_t served)
{
    struct service_grant g = {.client = 99};
    enum grant_answer answer = grant_decide(&made_up, cfg, service, 7, role, served, &g);
    assert_int_equal(g.client, answer == GRANT_YES ? 7 : 99);
    return answer;
}

static void what_role_option_and_leader_allow_is_granted(void **state)
{
    struct service_grant g = {0};
    assert_int_equal(grant_decide(&made_up, &yes, SERVICE_ECHO, 7, ROLE_CONTROL, SERVICE_BIT(SERVICE_ECHO), &g),
        GRANT_YES);
    assert_int_equal(g.client, 7);
    assert_int_equal(g.service, SERVICE_ECHO);
    assert_int_equal(g.limits.directions, SERVICE_TO_CLIENT);
    assert_int_equal(g.limits.piece_max, 100);
    assert_int_equal(g.limits.transfer_max, 1000);
    assert_int_equal(ask(&yes, SERVICE_ECHO, ROLE_RECORD, ALL), GRANT_YES);
}

static void everything_else_is_refused_with_its_reason(void **state)
{
    const char *option;
    assert_int_equal(ask(&no, SERVICE_ECHO, ROLE_CONTROL, ALL), GRANT_OPTION);
    assert_string_equal(grant_why(&made_up, SERVICE_ECHO, GRANT_OPTION, &option), "an option says no");
    assert_string_equal(option, "server.auto_reconnect");
    assert_int_equal(ask(&yes, SERVICE_ECHO, ROLE_VIEW, ALL), GRANT_ROLE);
    assert_int_equal(ask(&yes, SERVICE_ECHO, 0, ALL), GRANT_ROLE);
    assert_int_equal(ask(&yes, SERVICE_ECHO, ROLE_MAX + 1, ALL), GRANT_ROLE);
    assert_int_equal(ask(&yes, SERVICE_ECHO, UINT8_MAX, ALL), GRANT_ROLE);
    assert_int_equal(ask(&yes, SERVICE_ECHO, ROLE_CONTROL, 0), GRANT_NOT_SERVED);
    assert_int_equal(ask(&yes, SERVICE_ECHO, ROLE_CONTROL, ~SERVICE_BIT(SERVICE_ECHO)), GRANT_NOT_SERVED);
    assert_int_equal(ask(&yes, SERVICE_DISPLAY, ROLE_CONTROL, ALL), GRANT_UNKNOWN);
    assert_int_equal(ask(&yes, 0, ROLE_CONTROL, ALL), GRANT_UNKNOWN);
    assert_int_equal(ask(&yes, UINT8_MAX, ROLE_CONTROL, ALL), GRANT_UNKNOWN);
    for (int answer = GRANT_ROLE; answer <= GRANT_NOT_SERVED; answer++) {
        assert_true(strlen(grant_why(&made_up, SERVICE_ECHO, answer, &option)) > 10);
        assert_true(answer == GRANT_OPTION || !option);
    }
    assert_true(strlen(grant_why(&made_up, UINT8_MAX, GRANT_UNKNOWN, &option)) > 10);
}

/* Every row can be granted to somebody, and its limits are within those of all. */
static void the_table_is_whole(void **state)
{
    assert_true(services.n >= 1);
    for (size_t i = 0; i < services.n; i++) {
        const struct service_row *row = &services.rows[i];
        assert_ptr_equal(service_find(&services, row->service), row); /* none is there twice */
        assert_in_range(row->service, 1, SERVICE_MAX);
        assert_true(row->name && row->name[0] && row->to_client && row->to_session);
        assert_true(row->roles && !(row->roles & ~((2u << ROLE_MAX) - 2))); /* bits 1 … ROLE_MAX */
        assert_true(!row->option == !row->allowed);
        assert_true((row->host == SERVED_BY_PROGRAM) == (row->program != NULL));
        assert_in_range(row->limits.piece_max, 1, SERVICE_PIECE_MAX);
        assert_in_range(row->limits.directions, 1, SERVICE_TO_CLIENT | SERVICE_TO_SESSION);
        assert_true(row->limits.transfer_max >= row->limits.piece_max);
    }
    assert_null(service_find(&services, 0));
    assert_null(service_find(&services, SERVICE_MAX + 1));
    assert_int_equal(service_set(&services), SERVICE_BIT(SERVICE_DISPLAY) | SERVICE_BIT(SERVICE_ECHO));
}

static void display_is_everybodys_and_echo_is_control_clients(void **state)
{
    struct service_grant g;
    for (uint8_t role = 1; role <= ROLE_MAX; role++) {
        assert_int_equal(grant_decide(&services, &no, SERVICE_DISPLAY, 1, role, ALL, &g), GRANT_YES);
        assert_int_equal(grant_decide(&services, &no, SERVICE_ECHO, 1, role, ALL, &g),
            role == ROLE_CONTROL ? GRANT_YES : GRANT_ROLE);
    }
}

/* A piece of the greatest length, with its id, is one message, and a byte more is none. */
static void the_longest_piece_fits_into_a_message(void **state)
{
    static struct echo_request m = {.id = UINT32_MAX, .ndata = ECHO_DATA_MAX}, back;
    static uint8_t wire[WIRE_MESSAGE_MAX];
    memset(m.data, 0x5a, sizeof m.data);
    ssize_t n = wire_encode(&echo_request_def, &m, wire, sizeof wire);
    assert_true(n > ECHO_DATA_MAX);
    assert_int_equal(wire_decode(&echo_request_def, wire, (size_t)n, &back, NULL), 0);
    assert_memory_equal(&m, &back, sizeof m);
    m.ndata++;
    assert_int_equal(wire_encode(&echo_request_def, &m, wire, sizeof wire), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_role_option_and_leader_allow_is_granted),
        cmocka_unit_test(everything_else_is_refused_with_its_reason),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(display_is_everybodys_and_echo_is_control_clients),
        cmocka_unit_test(the_longest_piece_fits_into_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
