/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/account.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "session/names.h"

#define NSS_BUFFER 65536 /* one entry; glibc's own suggestion is 1024, directories store more */
#define GROUPS_MAX 65536 /* NGROUPS_MAX */

/* Whether there is such an account; *uid is its. Without memory: an account, and root's. */
static bool look_up(const char *name, uid_t *uid)
{
    struct passwd pw, *found = NULL;
    char *buf = malloc(NSS_BUFFER);
    *uid = 0;
    if (!buf)
        return true;
    (void)getpwnam_r(name, &pw, buf, NSS_BUFFER, &found);
    if (found)
        *uid = pw.pw_uid;
    free(buf);
    return found != NULL;
}

static bool exists(const char *name)
{
    uid_t uid;
    return look_up(name, &uid);
}

int account_name(const char *typed, char *out, size_t cap) { return name_normalise(typed, exists, out, cap); }

bool account_forbidden(const struct account_policy *p, const char *name)
{
    uid_t uid;
    if (p->allow_root)
        return false;
    return strcmp(name, "root") == 0 || (look_up(name, &uid) && uid == 0);
}

static bool group_id(const char *name, gid_t *gid)
{
    struct group gr, *found = NULL;
    char *buf = malloc(NSS_BUFFER);
    if (buf)
        (void)getgrnam_r(name, &gr, buf, NSS_BUFFER, &found);
    if (found)
        *gid = gr.gr_gid;
    free(buf);
    return found != NULL;
}

/* The account's groups; *n = 0 when they cannot be had. The caller frees. */
static gid_t *groups_of(const char *user, gid_t primary, int *n)
{
    int cap = 64;
    gid_t *g = NULL;
    for (;;) {
        gid_t *more = reallocarray(g, (size_t)cap, sizeof *g);
        if (!more)
            break;
        g = more;
        *n = cap;
        if (getgrouplist(user, primary, g, n) >= 0)
            return g;
        if (cap >= GROUPS_MAX)
            break;
        cap = *n > cap ? *n : cap * 2;
    }
    free(g);
    *n = 0;
    return NULL;
}

bool account_allowed(const struct account_policy *p, const char *user, uid_t uid, gid_t gid)
{
    char list[CONFIG_STRING_MAX], *save = NULL;
    if (uid == 0 && !p->allow_root)
        return false;
    snprintf(list, sizeof list, "%s", p->allowed_groups ? p->allowed_groups : "");
    char *name = strtok_r(list, " \t,", &save);
    if (!name)
        return true;
    int n = 0;
    bool allowed = false;
    gid_t *groups = groups_of(user, gid, &n), want;
    for (; name && !allowed; name = strtok_r(NULL, " \t,", &save))
        for (int i = 0; group_id(name, &want) && i < n && !allowed; i++)
            allowed = groups[i] == want;
    free(groups);
    return allowed;
}
