/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The processes of the session that serve its clients' services: one for each link that the monitor granted, as the
 * user, with the link at descriptor 3. They live below the leader and end with the session, or with their client. */
#ifndef ORIEL_SESSION_LEADER_HOSTED_SERVICES_H
#define ORIEL_SESSION_LEADER_HOSTED_SERVICES_H

#include "session/proto/services.h"

#include <sys/types.h>

struct hosted_session;

/* Every client may have each of them once */
#define HOSTED_SERVICES_MAX (CLIENTS_MAX * SERVICE_MAX)

struct hosted_service {
    uint32_t client;
    uint8_t service;
    pid_t pid; /* 0: it ended while there was no monitor to tell */
};

/* Start what serves it; `fd` is its link, owned from now on. An earlier one of the same client and service is ended.
 * Where it cannot be served the monitor is told so. */
void hosted_services_start(struct hosted_session *s, const struct service_grant *g, int fd);
/* A child ended. Returns whether it was one of these. */
bool hosted_services_ended(struct hosted_session *s, pid_t pid, int status);
/* The client is gone: what served it ends without a word. */
void hosted_services_drop(struct hosted_session *s, uint32_t client);
/* There is a monitor again: tell it what ended meanwhile. */
void hosted_services_tell(struct hosted_session *s);

#endif
