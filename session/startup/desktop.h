/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a session starts. The first of these that is there:
 *
 *   1. what was chosen on the logon screen
 *   2. what ~/.config/oriel/desktop names: the choice of an earlier login, or the user's own line
 *   3. session.desktop
 *   4. ~/.xsession
 *   5. session.start_command
 *   6. the distribution's own session (x-session-manager and the entry that belongs to it), else an entry of xsessions
 *   7. a window manager and a terminal of our own choice
 *
 * Choosing "default" on the logon screen passes 1 and 2 over. All but 5 and 7 go through the distribution's Xsession
 * script. */
#ifndef ORIEL_SESSION_STARTUP_DESKTOP_H
#define ORIEL_SESSION_STARTUP_DESKTOP_H

#include "session/desktops.h"
#include "session/proto/leader.h"

struct desktop_options {
    bool user_xsession;                            /* session.user_xsession */
    const char *start_command;                     /* session.start_command, "" none */
    const char *desktop;                           /* session.desktop, "" none */
    const char *chosen;                            /* on the logon screen: an id, DESKTOP_DEFAULT, "" nothing */
    const char *locale;                            /* for names */
    const char *root;                              /* "": the system; else a folder that stands for /, in tests */
    const char *path;                              /* where programs are looked for, colon-separated */
    void (*trouble)(void *user, const char *text); /* a choice that cannot be had; NULL: nobody is told */
    void *user;
};
enum desktop_kind {
    DESKTOP_XSESSION = 1,
    DESKTOP_COMMAND,
    DESKTOP_DISTRIBUTION,
    DESKTOP_FALLBACK,
    DESKTOP_ENTRY,
    DESKTOP_KIND_MAX = DESKTOP_ENTRY
};
struct desktop {
    enum desktop_kind kind;
    char what[PATH_BYTES];            /* for the log: file or program */
    char id[DESKTOP_ID_BYTES];        /* DESKTOP_SESSION, XDG_SESSION_DESKTOP; "" unknown */
    char current[DESKTOP_TEXT_BYTES]; /* XDG_CURRENT_DESKTOP; "" unknown */
    char script[4 * COMMAND_BYTES];   /* for /bin/sh -c: starts it by itself */
    char starter[PATH_BYTES];         /* the distribution's Xsession script, which is to start it; "" none */
};
/* Choose. Call it as the user (~/.xsession must be one that the user can read). 0; -ENOENT: nothing on this host draws
 * windows; -ENAMETOOLONG. */
int desktop_choose(const struct desktop_options *o, const char *home, struct desktop *d);
/* Keep what was chosen for the next login; DESKTOP_DEFAULT forgets it. 0 or -errno. */
int desktop_remember(const char *home, const char *chosen);
/* The sentence for -ENOENT. */
extern const char desktop_missing_text[];

#endif
