/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every message × every state of every request table, against a second statement of what is allowed. */
#include "session/monitor/control_end.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/logon_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/server_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One character a state, in the order of its bit: '+' runs, '~' dropped as late, '.' ends whoever says it. '!' after
 * the row: once. */
struct row {
    const char *message, *cells;
};
struct matrix {
    const struct request_table *table;
    const struct wire_proto *proto;
    const char *states;
    struct row rows[16];
};

static const struct matrix matrices[] = {
    {&peer_table, &peer_to_monitor, "FRESH READY CHECKING LOGON STARTING ATTACHED NOTICE ENDING",
        {{"peer_hello", "+......~!"}, {"peer_auth", ".+.....~"}, {"peer_logon", ".+.....~!"},
            {"peer_resume", ".+.....~!"}, {"peer_status", ".++++++~"}}},
    {&leader_table, &leader_to_monitor, "AUTH CONV JUDGED REFRESHING STARTING FOUND RUNNING ENDING GOING",
        {{"leader_name", "+........!"}, {"leader_conv", "+........"}, {"leader_verdict", "+........!"},
            {"leader_refreshed", "...+.....!"}, {"leader_hello", "....+++~."}, {"leader_failed", "....+~++.!"},
            {"leader_client_state", "......+~."}, {"leader_client_gone", "......+~."},
            {"leader_service_gone", "......+~."}, {"leader_idle", "......+~."}, {"leader_ended", ".....~++.!"}}},
    {&logon_table, &logon_to_monitor, "FORM BUSY ASKED DONE FINAL NOTICE RENDER",
        {{"logon_submit", "+..~~.."}, {"logon_answers", "~.+~~.."}, {"logon_cancel", "+++~++."},
            {"logon_rendered", "......+!"}}},
    {&control_table, &control_to_monitor, "READY BUSY VIEWING",
        {{"control_status", "+.."}, {"control_sessions", "+.."}, {"control_disconnect", "+.."},
            {"control_logoff", "+.."}, {"control_message", "+.."}, {"control_throttle", "+.."},
            {"control_config", "+.."}, {"control_view", "+..!"}}},
    {&server_table, &server_to_monitor, "NEW READY",
        {{"server_hello", "+.!"}, {"server_peer_new", "++"}, {"server_peer_gone", ".+"}}},
};
#define NMATRICES (sizeof matrices / sizeof matrices[0])

static const char *cells_of(const struct matrix *m, const char *message)
{
    for (size_t i = 0; i < 16 && m->rows[i].message; i++)
        if (strcmp(m->rows[i].message, message) == 0)
            return m->rows[i].cells;
    fail_msg("the %s table has no expectation for %s", m->table->who, message);
    return NULL;
}

static void check_cell(const struct matrix *m, const struct wire_def *def, size_t bit, char want, bool once)
{
    const struct request *row;
    const char *why;
    uint32_t said = 0;
    enum request_answer a = request_judge(m->table, def, 1u << bit, &said, &row, &why);
    char got = a == REQUEST_RUN ? '+' : a == REQUEST_LATE ? '~' : '.';
    if (got != want)
        fail_msg("%s in %s: '%c' expected, '%c' found", def->name, request_state_name(m->table, 1u << bit), want, got);
    if (a != REQUEST_RUN) {
        assert_int_equal(said, 0);
        assert_null(row);
        return;
    }
    assert_non_null(row->handler);
    assert_int_equal(request_judge(m->table, def, 1u << bit, &said, &row, &why), once ? REQUEST_REFUSED : REQUEST_RUN);
}

static void every_message_in_every_state_is_judged_as_written(void **state)
{
    size_t cells = 0;
    for (size_t i = 0; i < NMATRICES; i++) {
        const struct matrix *m = &matrices[i];
        for (size_t d = 0; d < m->proto->ndefs; d++) {
            const char *want = cells_of(m, m->proto->defs[d]->name);
            bool once = want[strlen(want) - 1] == '!';
            assert_int_equal(strlen(want) - once, m->table->nstates);
            for (size_t bit = 0; bit < m->table->nstates; bit++, cells++)
                check_cell(m, m->proto->defs[d], bit, want[bit], once);
        }
    }
    print_message("%zu cells\n", cells);
}

static void each_table_covers_its_protocol_once(void **state)
{
    for (size_t i = 0; i < NMATRICES; i++) {
        assert_int_equal(matrices[i].table->nrows, matrices[i].proto->ndefs);
        assert_true(matrices[i].table->nrows <= 32);
        for (size_t a = 0; a < matrices[i].table->nrows; a++)
            for (size_t b = 0; b < a; b++)
                assert_ptr_not_equal(matrices[i].table->rows[a].def, matrices[i].table->rows[b].def);
    }
}

static void the_states_are_named_in_order(void **state)
{
    for (size_t i = 0; i < NMATRICES; i++) {
        char all[256] = "";
        for (size_t bit = 0; bit < matrices[i].table->nstates; bit++) {
            size_t at = strlen(all);
            snprintf(all + at, sizeof all - at, "%s%s", bit ? " " : "",
                request_state_name(matrices[i].table, 1u << bit));
        }
        assert_string_equal(all, matrices[i].states);
    }
}

static void a_message_without_a_row_and_an_unknown_state_are_refused(void **state)
{
    const struct request *row;
    const char *why;
    uint32_t said = 0;
    for (size_t i = 0; i < NMATRICES; i++) {
        const struct wire_def *foreign = matrices[(i + 1) % NMATRICES].proto->defs[0];
        for (uint32_t bit = 0; bit < 32; bit++)
            assert_int_equal(request_judge(matrices[i].table, foreign, 1u << bit, &said, &row, &why), REQUEST_REFUSED);
        for (size_t d = 0; d < matrices[i].proto->ndefs; d++) {
            assert_int_equal(request_judge(matrices[i].table, matrices[i].proto->defs[d], 0, &said, &row, &why),
                REQUEST_REFUSED);
            assert_int_equal(request_judge(matrices[i].table, matrices[i].proto->defs[d], 1u << 31, &said, &row, &why),
                REQUEST_REFUSED);
        }
        assert_int_equal(said, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_in_every_state_is_judged_as_written),
        cmocka_unit_test(each_table_covers_its_protocol_once),
        cmocka_unit_test(the_states_are_named_in_order),
        cmocka_unit_test(a_message_without_a_row_and_an_unknown_state_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
