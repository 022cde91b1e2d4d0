/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a session starts: the user's ~/.xsession, the configured command, the distribution's session, or a small one of our own. */
#ifndef ORIEL_SESSION_LEADER_DESKTOP_H
#define ORIEL_SESSION_LEADER_DESKTOP_H

#include "session/leader/auth.h"

struct desktop_options {
    bool user_xsession;          /* session.user_xsession */
    const char *start_command;   /* session.start_command, "" none */
    const char *root;            /* "": the system; else a folder that stands for /, in tests */
    const char *path;            /* where programs are looked for, colon-separated */
};
enum desktop_kind { DESKTOP_XSESSION = 1, DESKTOP_COMMAND, DESKTOP_DISTRIBUTION, DESKTOP_FALLBACK };
struct desktop {
    enum desktop_kind kind;
    char what[PATH_BYTES];       /* for the log: file or program */
    char script[4 * COMMAND_BYTES]; /* for /bin/sh -c */
};
/* Choose. Call it as the user (~/.xsession must be one that the user can read). 0, or -ENOENT: nothing on this host draws windows. */
int desktop_choose(const struct desktop_options *o, const char *home, struct desktop *d);
/* The sentence for -ENOENT. */
extern const char desktop_missing_text[];

#endif
