/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who comes back to a session with a password has a new ticket (Kerberos), and it belongs where the session's programs
 * look for theirs. */
#ifndef ORIEL_SESSION_LEADER_TICKETS_H
#define ORIEL_SESSION_LEADER_TICKETS_H

#include "session/leader/auth.h"

/* Put the tickets of the credential cache `from` into the cache `to`; both as KRB5CCNAME names them (krb5's ccache
 * naming), either may be NULL. Does nothing where both are the same, or one is not a file: kinds that are not
 * ("KEYRING:persistent:UID", "KCM:") are one for all logins of a user, so the new tickets are there already. As the
 * user; whole or not at all. 1 copied, 0 nothing to do, or negative errno. */
int tickets_move(const struct account *who, const char *from, const char *to);

#endif
