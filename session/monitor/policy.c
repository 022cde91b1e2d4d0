/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/policy.h"

#include <stdio.h>
#include <string.h>
#include <utmpx.h>

static bool display_of(const char *s, size_t cap, unsigned *display)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)(cap < 63 ? cap : 63), s);
    return sscanf(text, ":%u", display) == 1;
}

bool policy_utmp_elsewhere(const char *user, bool (*is_ours)(void *arg, unsigned display), void *arg)
{
    struct utmpx *u;
    bool found = false;
    unsigned display;
    setutxent();
    while (!found && (u = getutxent())) {
        if (u->ut_type != USER_PROCESS || strncmp(u->ut_user, user, sizeof u->ut_user) != 0)
            continue;
        if (display_of(u->ut_line, sizeof u->ut_line, &display) || display_of(u->ut_host, sizeof u->ut_host, &display))
            found = !is_ours(arg, display);
    }
    endutxent();
    return found;
}
