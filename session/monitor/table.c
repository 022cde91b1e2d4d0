/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/table.h"

enum request_answer request_judge(const struct request_table *t, const struct wire_def *def, uint32_t state,
    uint32_t *said, const struct request **row, const char **why)
{
    *row = NULL;
    *why = "no such request";
    for (size_t i = 0; i < t->nrows && i < 32; i++) {
        const struct request *r = &t->rows[i];
        if (r->def != def)
            continue;
        if (r->late & state)
            return REQUEST_LATE;
        *why = "not in this state";
        if (!(r->allowed & state))
            return REQUEST_REFUSED;
        *why = "said twice";
        if (r->once && (*said & 1u << i))
            return REQUEST_REFUSED;
        *said |= 1u << i;
        *row = r;
        *why = NULL;
        return REQUEST_RUN;
    }
    return REQUEST_REFUSED;
}

const char *request_state_name(const struct request_table *t, uint32_t state)
{
    for (size_t i = 0; i < t->nstates; i++)
        if (state == 1u << i)
            return t->states[i];
    return "?";
}
