/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which services of session/proto/services.h a client is granted. Pure: it looks at nothing but its arguments. */
#ifndef ORIEL_SESSION_MONITOR_GRANTS_H
#define ORIEL_SESSION_MONITOR_GRANTS_H

#include "session/proto/services.h"

enum grant_answer {
    GRANT_YES,
    GRANT_UNKNOWN,    /* not in the monitor's table: refusal is the default */
    GRANT_ROLE,       /* the client's role may not have it */
    GRANT_OPTION,     /* an option says no */
    GRANT_NOT_SERVED, /* the session's leader is of a build that does not serve it */
};

/* May a client of this role have `service`? `served` is the leader's set. GRANT_YES fills *grant. */
enum grant_answer grant_decide(const struct service_table *t, const struct config *cfg, unsigned service,
    uint32_t client, uint8_t role, uint32_t served, struct service_grant *grant);
/* Why not, for the log: static string; with the option's name where one says no in *option, else NULL there. */
const char *grant_why(const struct service_table *t, unsigned service, enum grant_answer answer, const char **option);

#endif
