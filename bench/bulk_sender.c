/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Part of bench-peer-bulk, which is oriel-peer with a sender of bulk at full speed: what a drive that is read without
 * end will be. Linked in by wrapping two calls (bench/meson.build), so that oriel-peer itself knows nothing of it.
 *
 * Its bytes are data for a dynamic channel that the client does not have, which clients throw away. */
#include "common/log.h"
#include "server/rdp/rdp.h"

#include <event2/event.h>
#include <stdlib.h>

#define CHANNEL_ID 200 /* Oriel's own end at DVC_CHANNELS_MAX */
#define DATA (3 << 4)  /* MS-RDPEDYC 2.2.3.2, with a channel id of one byte */

static struct {
    const struct transport_ops *ops; /* the front end's */
    struct front *front;
    struct event *tick;
    uint64_t sent, told;
} bulk;

void __real_rdp_channels_open(struct front *f);
void __wrap_rdp_channels_open(struct front *f);
struct transport *__real_transport_create(struct event_base *base, int fd, SSL_CTX *tls,
    const struct transport_ops *ops, void *user);
struct transport *__wrap_transport_create(struct event_base *base, int fd, SSL_CTX *tls,
    const struct transport_ops *ops, void *user);

static void send_while_there_is_room(void)
{
    static uint8_t pdu[DVC_PDU_MAX] = {DATA, CHANNEL_ID};
    struct front *f = bulk.front;
    enum traffic_class before = transport_class(f->tp, TRAFFIC_BULK);
    while (transport_room(f->tp, TRAFFIC_BULK) && !transport_dead(f->tp)) {
        for (size_t i = 2; i < sizeof pdu; i++)
            pdu[i] = (uint8_t)(bulk.sent + i);
        if (svc_send(f->dynamic, pdu, sizeof pdu) < 0)
            break;
        bulk.sent += sizeof pdu;
    }
    transport_class(f->tp, before);
}

/* bench/run.py adds these up. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    log_debug("bulk was sent", "bytes=%llu", (unsigned long long)(bulk.sent - bulk.told));
    bulk.told = bulk.sent;
}

static void on_readable(void *user)
{
    bulk.ops->readable(user);
}

static void on_drained(void *user, enum traffic_class traffic)
{
    bulk.ops->drained(user, traffic);
    if (traffic == TRAFFIC_BULK && bulk.front)
        send_while_there_is_room();
}

static void on_secured(void *user)
{
    bulk.ops->secured(user);
}

static void on_failed(void *user)
{
    bulk.ops->failed(user);
}

struct transport *__wrap_transport_create(struct event_base *base, int fd, SSL_CTX *tls,
    const struct transport_ops *ops, void *user)
{
    static const struct transport_ops ours = {on_readable, on_drained, on_secured, on_failed};
    bulk.ops = ops;
    return __real_transport_create(base, fd, tls, &ours, user);
}

void __wrap_rdp_channels_open(struct front *f)
{
    static const struct timeval tenth = {0, 100000};
    __real_rdp_channels_open(f);
    if (!f->dvc || bulk.front)
        return;
    bulk.front = f;
    bulk.tick = event_new(f->peer->base, -1, EV_PERSIST, on_tick, NULL);
    if (!bulk.tick || event_add(bulk.tick, &tenth) < 0)
        abort();
    send_while_there_is_room();
}
