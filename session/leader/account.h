/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the name service knows of who logs in: it is asked here, in the attempt's own process, because it may hang. */
#ifndef ORIEL_SESSION_LEADER_ACCOUNT_H
#define ORIEL_SESSION_LEADER_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct account_policy {
    bool allow_root;             /* login.allow_root */
    const char *allowed_groups;  /* login.allowed_groups; NULL or "": everybody */
};

/* The account that a typed name means (name_normalise, session/names.h). 0 or -EINVAL. */
int account_name(const char *typed, char *out, size_t cap);
/* A name that is never asked PAM about: root's (any account of uid 0) while it may not log in. No oracle for its password. */
bool account_forbidden(const struct account_policy *p, const char *name);
/* Allowed groups and root. */
bool account_allowed(const struct account_policy *p, const char *user, uid_t uid, gid_t gid);

#endif
