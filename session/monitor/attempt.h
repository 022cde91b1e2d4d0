/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One login attempt: throttle, a leader with its PAM handle, policy, verdict. A peer has one at a time. */
#ifndef ORIEL_SESSION_MONITOR_ATTEMPT_H
#define ORIEL_SESSION_MONITOR_ATTEMPT_H

#include "session/monitor/monitor.h"
#include "session/proto/leader.h"
#include "session/proto/peer.h"

struct attempt;

/* Begin. The outcome arrives through peer_refused or peer_accepted, perhaps before this returns. `interactive`: prompts
 * can be shown through p->logon. The secret is copied and wiped when it has been handed on. */
void attempt_begin(struct monitor_peer *p, const struct peer_auth *auth, bool interactive);
/* Nobody waits for it any more: the leader is let go. NULL is fine. */
void attempt_abandon(struct attempt *a);
/* The answers from the logon screen. */
void attempt_answers(struct attempt *a, const struct leader_answers *answers);

/* From the leader. */
void attempt_on_name(struct attempt *a, const struct leader_name *name);
void attempt_on_conv(struct attempt *a, const struct leader_conv *conv);
void attempt_on_verdict(struct attempt *a, const struct leader_verdict *v);
void attempt_on_leader_lost(struct attempt *a);

#endif
