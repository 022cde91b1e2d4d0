/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which start-up files a login shell reads, and a script for that shell that reads them one by one and tells how far it
 * came.
 *
 * The scripts stand in for the shell's own reading because a shell that reads by itself loses everything when a line
 * ends it:
 *  - before each file the exported variables are noted (note.c);
 *  - when the shell ends while it reads one, its EXIT trap notes them again; that of SIGTERM does so in one that hangs;
 *  - a careful script notes them before each command, too. It is for the lines that leave no trap time: exec, kill -9,
 * set -n. */
#ifndef ORIEL_SESSION_STARTUP_SHELLS_H
#define ORIEL_SESSION_STARTUP_SHELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STARTUP_FILES_MAX 48 /* fish reads whole folders; others read two to eight */
#define STARTUP_PATH_BYTES 512

enum shell_family {
    SHELL_BASH = 1,
    SHELL_ZSH,
    SHELL_POSIX, /* dash, ksh, mksh, busybox … */
    SHELL_PLAIN, /* yash, whose traces call themselves: POSIX without careful reading */
    SHELL_CSH,
    SHELL_FISH,
    /* Not known: it is not started; /bin/sh reads /etc/profile and ~/.profile as display managers have it */
    SHELL_OTHER
};
struct startup_file {
    char path[STARTUP_PATH_BYTES];      /* for people */
    char word[STARTUP_PATH_BYTES + 64]; /* as the script says it; may be looked up only then (ZDOTDIR) */
};
struct startup_files {
    struct startup_file v[STARTUP_FILES_MAX];
    size_t n;
};
enum shell_family shell_family_of(const char *path);
/* The files of a login shell that are there, in the order in which it reads them. `root`: "" or a folder that stands
 * for /, in tests. */
void shell_files(enum shell_family f, const char *root, const char *home, struct startup_files *out);
/* ~/.xprofile and /etc/xprofile, which sh reads after them. */
void shell_xprofiles(const char *root, const char *home, struct startup_files *out);

struct shell_script {
    enum shell_family family;
    const struct startup_files *files;
    size_t from, to; /* files [from, to) */
    bool careful;
    const char *note, *name; /* the program oriel-startup-note; the socket's name */
    /* ORIEL_STARTUP=run.file marks what is started meanwhile; no other run of this user has the same */
    const char *run;
};
#define SHELL_MARKER "ORIEL_STARTUP"
/* The text for `SHELL -c`. Owned by the caller; NULL: no memory, or no careful reading in this family. */
char *shell_script(const struct shell_script *s);
/* The command line around it, `argv` with room for 8. Borrows from its arguments. */
void shell_command(enum shell_family f, const char *path, const char *script, const char *argv[8]);

#endif
