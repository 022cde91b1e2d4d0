/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/server_end.h"

#include "common/link.h"
#include "common/log.h"
#include "session/monitor/peer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_hello(void *end, const void *msg, const int *fds);
static void on_peer_new(void *end, const void *msg, const int *fds);
static void on_peer_gone(void *end, const void *msg, const int *fds);

static const struct request server_rows[] = {
    {&server_hello_def, SERVER_NEW, 0, true, on_hello},
    {&server_peer_new_def, SERVER_NEW | SERVER_READY, 0, false, on_peer_new},
    {&server_peer_gone_def, SERVER_READY, 0, false, on_peer_gone},
};
static const char *const state_names[SERVER_STATES] = {"NEW", "READY"};
const struct request_table server_table = {"server", server_rows, sizeof server_rows / sizeof server_rows[0],
    state_names, SERVER_STATES};

/* Its peers keep their places: if they live on, they come back through the next link. */
void server_destroy(struct server_end *s)
{
    struct monitor_peer *p;
    if (s->life.ended)
        return;
    LIST_FOREACH (p, &s->m->peers, entry) {
        if (p->server != s)
            continue;
        p->server = NULL;
        peer_destroy(p, true);
    }
    LIST_REMOVE(s, entry);
    link_destroy(s->link);
    s->link = NULL;
    monitor_end(s->m, &s->life, free);
}

static void on_message(void *user, struct link *link, const struct wire_def *def, void *msg, const int *fds)
{
    struct server_end *s = user;
    const struct request *row;
    const char *why;
    if (request_judge(&server_table, def, s->state, &s->said, &row, &why) == REQUEST_RUN) {
        row->handler(s, msg, fds);
        return;
    }
    log_error("server link ended", "state=%s message=%s why=%s", request_state_name(&server_table, s->state), def->name,
        why);
    server_destroy(s);
}

static void on_closed(void *user, struct link *link, int err)
{
    log_info("server left", "error=%s", strerror(-err));
    server_destroy(user);
}

void server_accept(struct monitor *m, int fd)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    struct server_end *s = calloc(1, sizeof *s);
    if (s)
        s->link = link_create(m->base, fd, &server_to_monitor, &ops, s, LINK_QUEUE_DEFAULT);
    if (!s || !s->link) {
        free(s);
        close(fd);
        return;
    }
    s->m = m;
    s->state = SERVER_NEW;
    LIST_INSERT_HEAD(&m->servers, s, entry);
    log_info("server connected", "fd=%d", fd);
}

void server_kill_peer(struct server_end *s, uint64_t peer, const char *why)
{
    struct server_peer_kill k = {.peer = peer};
    snprintf(k.why, sizeof k.why, "%s", why);
    (void)monitor_send(s->link, &server_peer_kill_def, &k, NULL);
}

static void on_hello(void *end, const void *msg, const int *fds)
{
    struct server_end *s = end;
    s->hello = *(const struct server_hello *)msg;
    s->state = SERVER_READY;
    log_info("server says hello", "version=%s libfreerdp=%s", s->hello.version, s->hello.freerdp);
}

static void on_peer_new(void *end, const void *msg, const int *fds)
{
    struct server_end *s = end;
    const struct server_peer_new *n = msg;
    struct server_peer_link answer = {.peer = n->peer};
    int sv[2];
    s->state = SERVER_READY;
    if (peer_find(s->m, s, n->peer)) {
        log_error("server link ended", "why=peer %llu was announced twice", (unsigned long long)n->peer);
        server_destroy(s);
        return;
    }
    int r = link_pair(sv);
    if (r == 0 && !peer_create(s->m, s, n, sv[0])) {
        close(sv[1]);
        r = -ENOMEM;
    }
    if (r < 0) {
        log_error("peer not served", "peer=%llu error=%s", (unsigned long long)n->peer, strerror(-r));
        server_kill_peer(s, n->peer, "no resources");
        return;
    }
    log_debug("peer", "peer=%llu pid=%d address=%s", (unsigned long long)n->peer, (int)n->pid, n->address);
    (void)monitor_send(s->link, &server_peer_link_def, &answer, &sv[1]);
    close(sv[1]);
}

static void on_peer_gone(void *end, const void *msg, const int *fds)
{
    struct server_end *s = end;
    const struct server_peer_gone *g = msg;
    struct monitor_peer *p = peer_find(s->m, s, g->peer);
    if (p)
        peer_destroy(p, false); /* else its link was closed first */
}
