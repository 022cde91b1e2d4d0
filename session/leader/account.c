/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/account.h"

#include "common/log.h"
#include "common/name_list.h"
#include "session/names.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NSS_BUFFER 4096            /* enough for most entries */
#define NSS_BUFFER_MAX (16u << 20) /* a group comes with its members: 200,000 names of 80 bytes */
#define GROUPS_MAX 65536           /* NGROUPS_MAX */

/* A buffer four times as large, at first NSS_BUFFER; NULL: no memory, or more than an entry may need. */
static char *larger(char *buf, size_t *cap)
{
    *cap = buf ? *cap * 4 : NSS_BUFFER;
    char *more = *cap <= NSS_BUFFER_MAX ? realloc(buf, *cap) : NULL;
    if (!more)
        free(buf);
    return more;
}

/* An answer whose name could be no account's is the name service's mistake: the name that was asked for stays. */
static void spell(const char *asked, const char *answered, struct resolved *out)
{
    struct name n;
    bool plain = strlen(answered) < sizeof out->name && name_parse(answered, "", &n) == 0;
    snprintf(out->name, sizeof out->name, "%.*s", (int)sizeof out->name - 1, plain ? answered : asked);
}

/* Without memory: an account, and root's. */
static bool find_user(const char *name, struct resolved *out)
{
    struct passwd pw, *found = NULL;
    size_t cap = 0;
    char *buf = NULL;
    do {
        buf = larger(buf, &cap);
    } while (buf && getpwnam_r(name, &pw, buf, cap, &found) == ERANGE);
    bool known = found || !buf;
    if (known) {
        *out = (struct resolved){.known = true, .uid = found ? pw.pw_uid : 0};
        spell(name, found ? pw.pw_name : name, out);
    }
    free(buf);
    return known;
}

static bool find_group(const char *name, gid_t *gid)
{
    struct group gr, *found = NULL;
    size_t cap = 0;
    char *buf = NULL;
    do {
        buf = larger(buf, &cap);
    } while (buf && getgrnam_r(name, &gr, buf, cap, &found) == ERANGE);
    if (found)
        *gid = gr.gr_gid;
    free(buf);
    return found != NULL;
}

static const struct name_source name_service = {.user = find_user, .group = find_group};

int account_find(const char *given, bool exact, struct resolved *out)
{
    char host[HOST_NAME_MAX + 1] = "";
    *out = (struct resolved){0};
    if (gethostname(host, sizeof host - 1) < 0)
        host[0] = 0;
    if (!exact)
        return resolve_name(&name_service, given, host, out);
    if (!find_user(given, out))
        snprintf(out->name, sizeof out->name, "%.*s", (int)sizeof out->name - 1, given);
    return 0;
}

bool account_forbidden(const struct account_policy *p, const struct resolved *who)
{
    return !p->allow_root && (strcmp(who->name, "root") == 0 || (who->known && who->uid == 0));
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

static bool is_member(const gid_t *groups, int n, gid_t gid)
{
    for (int i = 0; i < n; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

bool account_allowed(const struct account_policy *p, const char *user, uid_t uid, gid_t gid)
{
    char name[GROUP_NAME_BYTES];
    const char *at = p->allowed_groups ? p->allowed_groups : "";
    bool allowed = false;
    gid_t wanted;
    int n = 0;
    if (uid == 0 && !p->allow_root)
        return false;
    if (!name_list_any(at))
        return true;
    gid_t *groups = groups_of(user, gid, &n);
    while (!allowed && name_list_next(&at, name) > 0) {
        if (find_group(name, &wanted))
            allowed = is_member(groups, n, wanted);
        else
            log_warning("no such group", "login.allowed_groups: \"%s\" is unknown to the name service (getent group)",
                name);
    }
    free(groups);
    return allowed;
}
