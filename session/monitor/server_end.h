/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's end of oriel-server. */
#ifndef ORIEL_SESSION_MONITOR_SERVER_END_H
#define ORIEL_SESSION_MONITOR_SERVER_END_H

#include "session/monitor/monitor.h"
#include "session/monitor/table.h"
#include "session/proto/server.h"

struct link;
enum server_state { SERVER_NEW = 1, SERVER_READY = 2 };
#define SERVER_STATES 2
struct server_end {
    struct lifetime life;
    LIST_ENTRY(server_end) entry;
    struct monitor *m;
    struct link *link;
    enum server_state state; /* READY after its first message */
    uint32_t said;
    struct server_hello hello;
};
extern const struct request_table server_table;

/* Take a connection whose uid was checked. */
void server_accept(struct monitor *m, int fd);
void server_destroy(struct server_end *s);
/* Ask it to SIGKILL the peer. */
void server_kill_peer(struct server_end *s, uint64_t peer, const char *why);

#endif
