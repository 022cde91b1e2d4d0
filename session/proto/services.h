/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services: what a client may have of a session, each on a link of its own between the client's peer and the process of
 * the session that serves it. DISPLAY is one of them (surfaces, pixels, input, pointer); the others stand beside it, so
 * that no picture and no key ever waits behind them.
 *
 * The table says what there is. Of that the monitor grants to a client what its role and the options allow and what the
 * session's leader serves (session/monitor/grants.h). It makes the link and hands one end to the peer, the other to the
 * leader. What was not granted does not exist for the client: its peer announces no channel for it.
 *
 * A service moves its data in pieces of SERVICE_PIECE_MAX at most, each with the id of the request that it belongs to.
 * Whoever cannot pass a piece on stops reading its link (link_pause): the socket is the back-pressure.
 */
#ifndef ORIEL_SESSION_PROTO_SERVICES_H
#define ORIEL_SESSION_PROTO_SERVICES_H

#include "session/proto/types.h"

struct config;

/* Numbers on the wire: one, once given, never means anything else. */
enum service {
    SERVICE_DISPLAY = 1, /* session/proto/display.h */
    SERVICE_ECHO,        /* session/proto/echo.h; in builds for tests only */
    SERVICE_MAX = SERVICE_ECHO
};
#define SERVICE_BIT(service) (1u << (service)) /* in a set of services, 32 bits */

/* Half of the longest message of a link (WIRE_MESSAGE_MAX): a piece and what is said around it always fit */
#define SERVICE_PIECE_MAX 32768
/* New links for a service whose process died, in the life of an attachment: more is a fault that restarting does not
 * mend */
#define SERVICE_RESTARTS_MAX 10

/* Directions in which data may go: bits. */
#define SERVICE_TO_CLIENT 1u
#define SERVICE_TO_SESSION 2u

struct service_limits {
    uint8_t directions;    /* SERVICE_TO_… ; 0: nothing may pass */
    uint32_t piece_max;    /* bytes of data in one message of its link; 1 … SERVICE_PIECE_MAX */
    uint64_t transfer_max; /* bytes of all pieces of one request */
};
/* What the monitor's policy gave. Who was given it, says the link or the message around it. */
struct service_grant {
    uint32_t client;
    uint8_t service; /* enum service; both ends know what is in their table, and refuse the rest */
    struct service_limits limits;
};
extern const struct wire_def service_limits_def, service_grant_def;

/* Which process of the session has the other end of the link. */
enum service_host {
    SERVED_BY_AGENT,   /* oriel-agent, whose own link brings it */
    SERVED_BY_PROGRAM, /* one of its own, started for the link: descriptor 3 */
};

struct service_row {
    enum service service;
    const char *name;                    /* for people and logs */
    const struct wire_proto *to_client;  /* what the session's process may say … */
    const struct wire_proto *to_session; /* … and what the peer may say */
    uint32_t roles;                      /* bits 1 << enum client_role: who may have it */
    const char *option;                  /* the option that allows it, as the configuration names it; NULL: always */
    bool (*allowed)(const struct config *cfg); /* what that option says; NULL: always */
    enum service_host host;
    const char *program;          /* of SERVED_BY_PROGRAM: its name in the folder of our programs */
    struct service_limits limits; /* the most that is ever granted */
};
struct service_table {
    const struct service_row *rows;
    size_t n;
};
/* What this build serves. */
extern const struct service_table services;

/* NULL: there is no such service in this table. */
const struct service_row *service_find(const struct service_table *t, unsigned service);
/* The set of those that a leader of this build serves, DISPLAY included. */
uint32_t service_set(const struct service_table *t);

#endif
