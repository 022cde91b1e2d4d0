/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last lines of a session's logs, for whoever is told that it failed. */
#ifndef ORIEL_SESSION_LEADER_TAIL_H
#define ORIEL_SESSION_LEADER_TAIL_H

#include "session/leader/auth.h"

#define TAIL_FILES_MAX 5
#define TAIL_MS 1500 /* for all of them: a log may lie in a home that hangs */

struct tail_file {
    const char *title;
    char path[2 * PATH_BYTES + 64];
    int64_t not_before; /* CLOCK_REALTIME seconds: an older file is another session's. 0: any */
};
/* Append what the files have to say to `text`, as clean UTF-8, each with its title and path. A missing or empty one is
 * left out; of one that hangs, and of those after it, there is only a line that says so. Reads as the user. */
void tail_append(const struct account *who, const struct tail_file *files, size_t n, char *text, size_t cap);
/* The last lines of one file: at most `cap` - 1 bytes. In the calling process. */
void tail_read(const char *path, int64_t not_before, char *out, size_t cap);

#endif
