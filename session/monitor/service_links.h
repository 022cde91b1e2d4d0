/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The links of granted services: made here, one end for the leader, the other for the peer. */
#ifndef ORIEL_SESSION_MONITOR_SERVICE_LINKS_H
#define ORIEL_SESSION_MONITOR_SERVICE_LINKS_H

#include "session/monitor/session.h"

/* The attachment's display was just handed out: grant what the policy allows it, with a line in the log for each
 * service, granted or not. Viewers have no peer and get none. */
void service_links_give(struct session *s, struct attachment *a);
/* A service's process is gone. It gets a new link in a moment, or once its client has resumed, SERVICE_RESTARTS_MAX
 * times at most; `for_good`: none. */
void service_links_lost(struct session *s, struct attachment *a, unsigned service, bool for_good);
/* The attachment has a peer again, after a restart of the monitor: what died meanwhile gets its link. */
void service_links_resumed(struct session *s, const struct attachment *a);
/* session.c frees the session. */
void service_links_finish(struct session *s);

#endif
