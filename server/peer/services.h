/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The services that the monitor granted to this peer's client, beside its display (session/proto/services.h): their
 * links, between the front end and the session's processes. Both ends take the other for hostile.
 *
 * A link is read only while the front end wants what comes: it is paused when it is made, and when the front end says
 * so. Thread: the loop's.
 */
#ifndef ORIEL_SERVER_PEER_SERVICES_H
#define ORIEL_SERVER_PEER_SERVICES_H

#include "session/proto/services.h"

struct link;
struct peer;

/* One granted service, from the grant to the end of its link. */
struct granted_service {
    struct peer *peer;
    const struct service_row *row; /* NULL: not granted */
    struct service_limits limits;
    struct link *link;
};

/* The monitor granted `service`; `fd` is its link, owned from now on. An earlier link of it is closed. */
void services_grant(struct peer *p, uint8_t service, const struct service_limits *limits, int fd);
/* Close one link, or all. What is not there is fine. */
void services_close(struct peer *p, enum service service);
void services_close_all(struct peer *p);

/* ---- for the front end ---- */
/* NULL: not granted, or its link is gone. */
const struct granted_service *services_granted(const struct peer *p, enum service service);
/* Say something to the session's process. 0 or negative errno. */
int services_send(struct peer *p, enum service service, const struct wire_def *def, const void *msg);
/* Read its link, or let what comes wait in the socket. */
void services_want(struct peer *p, enum service service, bool more);

#endif
