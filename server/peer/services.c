/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/services.h"

#include "common/link.h"
#include "common/log.h"
#include "server/peer/peer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct granted_service *g = user;
    for (int i = 0; i < def->nfds; i++)
        close(fds[i]); /* no service has a message with descriptors yet */
    int r = g->peer->ops->service->message(g->peer->front, g, def, msg);
    if (r < 0 && g->link == l) {
        log_warning("service stopped", "service=%s error=%s", g->row->name, strerror(-r));
        services_close(g->peer, g->row->service);
    }
}

/* Its process died, or broke the protocol. The monitor may bring another link. */
static void on_closed(void *user, struct link *l, int err)
{
    struct granted_service *g = user;
    log_info("service gone", "service=%s error=%s", g->row->name, strerror(-err));
    services_close(g->peer, g->row->service);
}

static const char *refusal(const struct peer *p, const struct service_row *row, const struct service_limits *limits)
{
    if (!row || row->service == SERVICE_DISPLAY)
        return "no such service in this build";
    if (p->login.state != LOGIN_GRANTED)
        return "before the verdict";
    if (!p->ops->service)
        return "the client's protocol has no services";
    if (limits->piece_max == 0 || limits->directions == 0)
        return "limits that allow nothing";
    return NULL;
}

void services_grant(struct peer *p, uint8_t service, const struct service_limits *limits, int fd)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    const struct service_row *row = service_find(&services, service);
    const char *why = refusal(p, row, limits);
    if (why) {
        log_warning("service refused", "service=%u why=%s", service, why);
        close(fd);
        return;
    }
    struct granted_service *g = &p->services[service];
    services_close(p, row->service);
    *g = (struct granted_service){.peer = p, .row = row, .limits = *limits};
    g->link = link_create(p->base, fd, row->to_client, &ops, g, LINK_QUEUE_DEFAULT);
    if (!g->link) {
        log_error("service failed", "service=%s step=%s", row->name, "link");
        close(fd);
        return;
    }
    link_pause(g->link);
    log_info("service granted", "service=%s", row->name);
    p->ops->service->granted(p->front, g);
}

void services_close(struct peer *p, enum service service)
{
    struct granted_service *g = &p->services[service];
    if (!g->link)
        return;
    link_destroy(g->link);
    g->link = NULL;
    p->ops->service->gone(p->front, g);
}

void services_close_all(struct peer *p)
{
    for (unsigned i = 1; i <= SERVICE_MAX; i++)
        services_close(p, (enum service)i);
}

const struct granted_service *services_granted(const struct peer *p, enum service service)
{
    return p->services[service].link ? &p->services[service] : NULL;
}

int services_send(struct peer *p, enum service service, const struct wire_def *def, const void *msg)
{
    struct link *l = p->services[service].link;
    return l ? link_send(l, def, msg, NULL) : -EPIPE;
}

void services_want(struct peer *p, enum service service, bool more)
{
    struct link *l = p->services[service].link;
    if (l && more)
        link_resume(l);
    else if (l)
        link_pause(l);
}
