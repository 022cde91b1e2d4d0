/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The attachments of a session: what session.c needs of attachments.c, beside the public half in session.h. */
#ifndef ORIEL_SESSION_MONITOR_ATTACHMENTS_H
#define ORIEL_SESSION_MONITOR_ATTACHMENTS_H

#include "session/monitor/session.h"

/* ACTIVE or DETACHED, as the attachments say, with the timer that belongs to it. Nothing in another state. */
void session_settle(struct session *s);
/* A new one, or NULL: there are CLIENTS_MAX, or no memory. `token` (TOKEN_BYTES) may be NULL: nobody can resume it. */
struct attachment *attachment_add(struct session *s, uint8_t role, const uint8_t *token, const char *address,
    const char *name);
/* Cut attachment, peer and session apart and end the attachment. Tells nobody. */
void attachment_cut(struct session *s, struct attachment *a);
/* The same, with a line in the audit log and the session's state brought up to date. */
void attachment_remove(struct session *s, struct attachment *a);
/* Attach `p` as a control client and send its verdict. -EUSERS: no room. */
int session_admit(struct session *s, struct monitor_peer *p, enum peer_verdict_kind kind);
/* Hand a display to each attachment that waits for one. */
void session_show_all(struct session *s);
/* The timer of DETACHED. */
void session_on_disconnected_limit(int fd, short what, void *arg);

#endif
