/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the name service knows of who logs in: it is asked here, in the attempt's own process, because it may hang. */
#ifndef ORIEL_SESSION_LEADER_ACCOUNT_H
#define ORIEL_SESSION_LEADER_ACCOUNT_H

#include "session/leader/resolve.h"

#include <stdbool.h>
#include <sys/types.h>

struct account_policy {
    bool allow_root;            /* login.allow_root */
    const char *allowed_groups; /* login.allowed_groups (common/name_list.h); NULL or "": everybody */
};

/* The account that a given name means (resolve.h). `exact`: it is an account's own name, and means no other. 0 or
 * -EINVAL. */
int account_find(const char *given, bool exact, struct resolved *out);
/* An account that PAM is never asked about: root's (any of uid 0) while it may not log in. No oracle for its password.
 */
bool account_forbidden(const struct account_policy *p, const struct resolved *who);
/* Allowed groups and root. A group that the name service does not know has no members, and a warning in the log. */
bool account_allowed(const struct account_policy *p, const char *user, uid_t uid, gid_t gid);

#endif
