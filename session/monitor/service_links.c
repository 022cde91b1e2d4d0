/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/service_links.h"

#include "common/link.h"
#include "common/log.h"
#include "session/monitor/grants.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/peer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_MS 200 /* a process that dies at once shall not use up its restarts within the same moment */
#define ID(s) ((unsigned long long)(s)->id)

/* One socketpair: an end to the leader, for the service's process, the other to the peer. */
static int hand_out(struct session *s, struct attachment *a, const struct service_grant *g)
{
    struct leader_service to_leader = {.grant = *g};
    struct peer_service to_peer = {.service = g->service, .limits = g->limits};
    int sv[2], r = link_pair(sv);
    if (r < 0)
        return r;
    r = leader_send(s->leader, &leader_service_def, &to_leader, &sv[0]);
    if (r == 0)
        r = monitor_send(a->peer->link, &peer_service_def, &to_peer, &sv[1]);
    close(sv[0]);
    close(sv[1]);
    return r;
}

static void give(struct session *s, struct attachment *a, const struct service_row *row)
{
    struct service_grant g;
    const char *option;
    enum grant_answer answer = grant_decide(&services, &s->m->config, row->service, a->id, a->role, s->served, &g);
    if (answer != GRANT_YES) {
        const char *why = grant_why(&services, row->service, answer, &option);
        log_info("service not granted", "session=%llu client=%u service=%s why=%s option=%s", ID(s), a->id, row->name,
            why, option ? option : "-");
        return;
    }
    int r = hand_out(s, a, &g);
    if (r < 0)
        log_error("service not granted", "session=%llu client=%u service=%s error=%s", ID(s), a->id, row->name,
            strerror(-r));
    else
        log_info("service granted", "session=%llu client=%u service=%s", ID(s), a->id, row->name);
}

void service_links_give(struct session *s, struct attachment *a)
{
    a->services_lost = 0;
    for (size_t i = 0; a->peer && i < services.n; i++)
        if (services.rows[i].service != SERVICE_DISPLAY)
            give(s, a, &services.rows[i]);
}

static void on_again(int fd, short what, void *arg)
{
    struct session *s = arg;
    struct attachment *a;
    TAILQ_FOREACH (a, &s->attachments, entry) {
        if (!a->peer)
            continue; /* service_links_resumed comes back here */
        uint32_t lost = a->services_lost;
        a->services_lost = 0;
        for (size_t i = 0; i < services.n; i++)
            if (lost & SERVICE_BIT(services.rows[i].service))
                give(s, a, &services.rows[i]);
    }
}

void service_links_lost(struct session *s, struct attachment *a, unsigned service, bool for_good)
{
    const struct service_row *row = service_find(&services, service);
    if (!row || row->service == SERVICE_DISPLAY)
        return;
    if (for_good || a->service_restarts[service] >= SERVICE_RESTARTS_MAX) {
        log_warning("service gone for good", "session=%llu client=%u service=%s restarts=%u", ID(s), a->id, row->name,
            a->service_restarts[service]);
        return;
    }
    a->service_restarts[service]++;
    a->services_lost |= SERVICE_BIT(service);
    (void)monitor_timer(s->m, &s->services_again, AGAIN_MS, on_again, s);
}

void service_links_resumed(struct session *s, const struct attachment *a)
{
    if (a->services_lost)
        (void)monitor_timer(s->m, &s->services_again, AGAIN_MS, on_again, s);
}

void service_links_finish(struct session *s)
{
    monitor_timer_free(&s->services_again);
}
