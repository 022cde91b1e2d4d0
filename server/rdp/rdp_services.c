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

/* What a service sends is of its class. */
static void open_service(struct front *f, const struct rdp_service *s)
{
    enum traffic_class before = transport_class(f->tp, s->traffic);
    s->open(f);
    transport_class(f->tp, before);
}

static void close_service(struct front *f, const struct rdp_service *s)
{
    enum traffic_class before = transport_class(f->tp, s->traffic);
    s->close(f);
    transport_class(f->tp, before);
}

/* Its channel opens now, or when the client's dynamic channels do. */
static void granted(struct front *f, const struct granted_service *g)
{
    const struct rdp_service *s = find_service(g->row->service);
    if (!s)
        services_close(f->peer, g->row->service);
    else if (f->dvc)
        open_service(f, s);
}

static int message(struct front *f, const struct granted_service *g, const struct wire_def *def, const void *msg)
{
    const struct rdp_service *s = find_service(g->row->service);
    if (!s)
        return -EPROTO;
    enum traffic_class before = transport_class(f->tp, s->traffic);
    int r = s->message(f, g, def, msg);
    transport_class(f->tp, before);
    return r;
}

static void gone(struct front *f, const struct granted_service *g)
{
    const struct rdp_service *s = find_service(g->row->service);
    if (s)
        close_service(f, s);
}

const struct front_end_services rdp_services = {.granted = granted, .message = message, .gone = gone};

void rdp_services_open(struct front *f)
{
    for (size_t i = 0; rdp_service_table[i]; i++)
        if (services_granted(f->peer, rdp_service_table[i]->service))
            open_service(f, rdp_service_table[i]);
}

void rdp_services_close(struct front *f)
{
    for (size_t i = 0; rdp_service_table[i]; i++)
        close_service(f, rdp_service_table[i]);
}

void rdp_services_room(struct front *f, enum traffic_class traffic)
{
    for (size_t i = 0; rdp_service_table[i]; i++)
        if (rdp_service_table[i]->traffic == traffic && services_granted(f->peer, rdp_service_table[i]->service))
            rdp_service_table[i]->room(f);
}

bool rdp_services_have_room(const struct front *f, const struct rdp_service *s)
{
    return transport_room(f->tp, s->traffic);
}
