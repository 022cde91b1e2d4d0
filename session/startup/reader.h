/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the start-up files: the user's own shell does it, under a deadline, and whatever the files do, what they
 * exported is known. Runs as the user. */
#ifndef ORIEL_SESSION_STARTUP_READER_H
#define ORIEL_SESSION_STARTUP_READER_H

#include "session/startup/shells.h"
#include "session/startup/snapshot.h"

/* All files of a login: slow ones (a home on the network, conda) take 3 s */
#define READER_FILES_MS 10000
#define READER_CAREFUL_MS 5000 /* one file, once more, with a note before each command */
#define READER_TOTAL_MS 20000  /* and no more than this whatever hangs */

struct reader {
    const char *shell;       /* the account's; absolute */
    const char *home, *root; /* root: "" or a folder that stands for /, in tests */
    const char *note;        /* the program oriel-startup-note */
    int out;                 /* what the files print goes here */
    int files_ms, careful_ms, total_ms;
    /* What went wrong, in a sentence for the session's log and the administrator's. Mandatory. */
    void (*trouble)(void *user, const char *text);
    void *user;
};
/* *s: the environment to begin with; afterwards the one that the files left, their umask and limits (tag 0: they are
 * not known). Always succeeds: what cannot be read is told and left out. */
void reader_run(const struct reader *r, struct snapshot *s);

#endif
