/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/loginshell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool turns_away(const char *shell)
{
    static const char *const names[] = {"nologin", "false", "true", "sync", "shutdown", "halt"};
    const char *slash = strrchr(shell, '/'), *name = slash ? slash + 1 : shell;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

bool loginshell_ok(const char *shell, char *why, size_t cap)
{
    static const char end[] = "Please ask the administrator (chsh sets another).";
    struct stat st;
    if (turns_away(shell))
        snprintf(why, cap, "This account is not meant for logging in: its login shell is %.200s. %s", shell, end);
    else if (shell[0] != '/' || stat(shell, &st) < 0)
        snprintf(why, cap, "This account's login shell, %.200s, is not there. %s", shell, end);
    else if (!S_ISREG(st.st_mode) || access(shell, X_OK) < 0)
        snprintf(why, cap, "This account's login shell, %.200s, is not a program. %s", shell, end);
    else
        return true;
    return false;
}
