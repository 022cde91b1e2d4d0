/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting the chosen desktop. */
#ifndef ORIEL_SESSION_STARTUP_LAUNCH_H
#define ORIEL_SESSION_STARTUP_LAUNCH_H

#include "session/startup/desktop.h"
#include "session/startup/merge.h"

/* The Xsession script takes 0.2 s; an NFS home or a dialogue of ~/.xsessionrc takes longer */
#define LAUNCH_STARTER_MS 15000

struct launch {
    const struct desktop *desktop;
    const struct merge *merge; /* for words, and when the environment changes */
    struct snapshot *now;      /* environment, umask and limits; the callee's to change */
    const char *home;
    const char *note; /* the program oriel-startup-note */
    int starter_ms;
    void (*started)(void *user); /* called when the desktop is started */
    void *user;
};
/* Without a starter: become the desktop. With one: run it with a command in place of the desktop, "oriel-startup-note
 * NAME go". When the script has come to this, the note tells, gets the environment with the session's variables in it
 * again, and becomes the desktop. A script that ends or hangs before that is told, and the desktop is started without
 * it. Returns an exit status, or ends by the desktop's signal. */
int launch_desktop(const struct launch *l);

#endif
