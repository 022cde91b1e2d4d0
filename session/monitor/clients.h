/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clients of a session: what session.c needs of clients.c, beside the public half in session.h. */
#ifndef ORIEL_SESSION_MONITOR_CLIENTS_H
#define ORIEL_SESSION_MONITOR_CLIENTS_H

#include "session/monitor/session.h"

/* ACTIVE or DETACHED, as the clients say, with the timer that belongs to it. Nothing in another state. */
void session_settle(struct session *s);
/* A place in clients[], or NULL when all are taken. `token` (TOKEN_BYTES) may be NULL: nobody can resume it. */
struct client *client_add(struct session *s, uint8_t role, const uint8_t *token, const char *address, const char *name);
/* Cut client and peer apart and forget the client. Tells nobody. */
void client_remove(struct session *s, struct client *c);
/* Make `p` a control client and send its verdict. -EUSERS: no room. */
int session_admit(struct session *s, struct peer *p, enum peer_verdict_kind kind);
/* Hand a display to each client that waits for one. */
void session_show_all(struct session *s);
/* The timer of DETACHED. */
void session_on_disconnected_limit(int fd, short what, void *arg);

#endif
