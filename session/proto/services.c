/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/services.h"

static const struct wire_field service_limits_fields[] = {
    WF_U8(service_limits, directions, SERVICE_TO_CLIENT | SERVICE_TO_SESSION),
    WF_U32(service_limits, piece_max, SERVICE_PIECE_MAX),
    WF_U64(service_limits, transfer_max),
};
WIRE_DEF(service_limits, 0, 0);
/* `service` may be one that only the other end's build knows: it is refused by name, not by closing the link. */
static const struct wire_field service_grant_fields[] = {
    WF_U32(service_grant, client, UINT32_MAX),
    WF_U8(service_grant, service, UINT8_MAX),
    WF_STRUCT(service_grant, limits, &service_limits_def),
};
WIRE_DEF(service_grant, 0, 0);

const struct service_row *service_find(const struct service_table *t, unsigned service)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].service == service)
            return &t->rows[i];
    return NULL;
}

uint32_t service_set(const struct service_table *t)
{
    uint32_t set = 0;
    for (size_t i = 0; i < t->n; i++)
        set |= SERVICE_BIT(t->rows[i].service);
    return set;
}
