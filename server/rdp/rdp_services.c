/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Granted services as the RDP client sees them: each file rdp_NAME.c turns one into channels. */
#include "server/rdp/rdp.h"

#include <errno.h>

static const struct rdp_service *find_service(unsigned service)
{
    for (size_t i = 0; rdp_service_table[i]; i++)
        if (rdp_service_table[i]->service == service)
            return rdp_service_table[i];
    return NULL;
}

/* Its channel opens now, or when the client's dynamic channels do. */
static void granted(struct front *f, const struct granted_service *g)
{
    const struct rdp_service *s = find_service(g->row->service);
    if (!s)
        services_close(f->peer, g->row->service);
    else if (f->dvc)
        s->open(f);
}

static int message(struct front *f, const struct granted_service *g, const struct wire_def *def, const void *msg)
{
    const struct rdp_service *s = find_service(g->row->service);
    return s ? s->message(f, g, def, msg) : -EPROTO;
}

static void gone(struct front *f, const struct granted_service *g)
{
    const struct rdp_service *s = find_service(g->row->service);
    if (s)
        s->close(f);
}

const struct front_end_services rdp_services = {.granted = granted, .message = message, .gone = gone};

void rdp_services_open(struct front *f)
{
    for (size_t i = 0; rdp_service_table[i]; i++)
        if (services_granted(f->peer, rdp_service_table[i]->service))
            rdp_service_table[i]->open(f);
}

void rdp_services_close(struct front *f)
{
    for (size_t i = 0; rdp_service_table[i]; i++)
        rdp_service_table[i]->close(f);
}

void rdp_services_room(struct front *f)
{
    for (size_t i = 0; rdp_service_table[i]; i++)
        if (services_granted(f->peer, rdp_service_table[i]->service))
            rdp_service_table[i]->room(f);
}

bool rdp_services_have_room(const struct front *f)
{
    return transport_queued(f->tp) < TRANSPORT_BUSY;
}
