/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/grants.h"

enum grant_answer grant_decide(const struct service_table *t, const struct config *cfg, unsigned service,
    uint32_t client, uint8_t role, uint32_t served, struct service_grant *grant)
{
    const struct service_row *row = service_find(t, service);
    if (!row)
        return GRANT_UNKNOWN;
    if (role == 0 || role > ROLE_MAX || !(row->roles & 1u << role))
        return GRANT_ROLE;
    if (row->allowed && !row->allowed(cfg))
        return GRANT_OPTION;
    if (!(served & SERVICE_BIT(service)))
        return GRANT_NOT_SERVED;
    *grant = (struct service_grant){.client = client, .service = (uint8_t)service, .limits = row->limits};
    return GRANT_YES;
}

const char *grant_why(const struct service_table *t, unsigned service, enum grant_answer answer, const char **option)
{
    const struct service_row *row = service_find(t, service);
    *option = answer == GRANT_OPTION && row ? row->option : NULL;
    switch (answer) {
    case GRANT_YES:
        return "granted";
    case GRANT_UNKNOWN:
        return "this build has no such service";
    case GRANT_ROLE:
        return "not for a client of this role";
    case GRANT_OPTION:
        return "an option says no";
    case GRANT_NOT_SERVED:
        return "the session began with a build that does not serve it";
    }
    return "refused";
}
