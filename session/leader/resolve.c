/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/resolve.h"

#include "session/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Without domain and unknown: PAM is asked all the same, so that nobody learns from its absence. */
static bool ask(const struct name_source *src, const struct name *n, struct resolved *out)
{
    char text[2 * NAME_BYTES];
    *out = (struct resolved){0};
    if (name_text(n, text, sizeof text) < 0)
        return false;
    if (src->user(text, out))
        return true;
    snprintf(out->name, sizeof out->name, "%.*s", (int)sizeof out->name - 1, text);
    return false;
}

/* Every domain of Active Directory or FreeIPA has some of these. */
static const char *const users[] = {"krbtgt", "Administrator", "admin"}, *const groups[] = {"Domain Users", "admins"};

static bool has(const struct name_source *src, const struct name *domain, const char *member, bool group)
{
    char text[2 * NAME_BYTES];
    struct name n = *domain;
    struct resolved who;
    gid_t gid;
    snprintf(n.user, sizeof n.user, "%s", member);
    if (name_text(&n, text, sizeof text) < 0)
        return false;
    return group ? src->group(text, &gid) : src->user(text, &who);
}

static bool domain_is_known(const struct name_source *src, const char *domain)
{
    struct name n = {0};
    bool known = false;
    snprintf(n.domain, sizeof n.domain, "%s", domain);
    for (int form = 0; form < 2 && !known; form++) {
        n.at = form;
        for (size_t i = 0; i < COUNT(users) && !known; i++)
            known = has(src, &n, users[i], false);
        for (size_t i = 0; i < COUNT(groups) && !known; i++)
            known = has(src, &n, groups[i], true);
    }
    return known;
}

int resolve_name(const struct name_source *src, const char *given, const char *host, struct resolved *out)
{
    struct name n, other;
    struct resolved nobody;
    if (name_parse(given, "", &n) < 0)
        return -EINVAL;
    if (ask(src, &n, out) || !n.domain[0])
        return 0;
    nobody = *out;
    other = n;
    other.at = !n.at;
    if (ask(src, &other, out))
        return 0;
    *out = nobody;
    if (!name_is_machine(n.domain, host) && domain_is_known(src, n.domain))
        return 0;
    n.domain[0] = n.at = 0;
    (void)ask(src, &n, out);
    return 0;
}
