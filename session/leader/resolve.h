/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which account a name means. Machines that belong to a domain know accounts as "CORP\carl", "carl@corp.example",
 * "carl", or as several of these; clients send a domain whether or not the machine knows it. The name service decides,
 * in this order:
 *   1. the name as it was given, then in the other form (CORP\carl, carl@CORP);
 *   2. the user alone, where the domain is this machine, or the name service knows nobody in it;
 *   3. nobody: a local carl is not CORP's.
 * Only the text of the name decides how often is asked: RESOLVE_ASKS_MAX. The answer may take as long as the name
 * service does. */
#ifndef ORIEL_SESSION_LEADER_RESOLVE_H
#define ORIEL_SESSION_LEADER_RESOLVE_H

#include "session/proto/types.h"

#include <stdbool.h>
#include <sys/types.h>

/* Two forms, ten names that tell whether there is such a domain, the user alone */
#define RESOLVE_ASKS_MAX 13

struct resolved {
    char name[USER_BYTES]; /* as the name service spells it; of an unknown account what PAM is to be asked about */
    bool known;
    uid_t uid; /* known: its user id */
};
/* Where names are looked up. */
struct name_source {
    /* Whether there is such an account; then *out is filled in whole. */
    bool (*user)(const char *name, struct resolved *out);
    /* Whether there is such a group; then *gid is its. */
    bool (*group)(const char *name, gid_t *gid);
};

/* `given` as name_parse (session/names.h) takes it, `host`: this machine's name. 0 or -EINVAL: it can be no account's
 * name. */
int resolve_name(const struct name_source *src, const char *given, const char *host, struct resolved *out);

#endif
