/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session's own places: its runtime folder and its log file.
 *
 * XDG_RUNTIME_DIR of an Oriel session is always a folder of its own, /run/user/UID/oriel-ID, so that nothing (display cookie, D-Bus,
 * sound, agents) mixes with another session of the same user. Where logind made /run/user/UID it is used, else we make it and
 * remove it again when it is empty at the end; /run/user/.oriel-UID remembers that for sessions that found it made. */
#ifndef ORIEL_SESSION_LEADER_RUNTIME_H
#define ORIEL_SESSION_LEADER_RUNTIME_H

#include "session/leader/auth.h"

#define RUNTIME_DIR_BYTES 108 /* bus and other sockets lie below: sun_path ends at 108 */

struct runtime {
    char base[RUNTIME_DIR_BYTES];       /* /run/user/UID */
    char mark[RUNTIME_DIR_BYTES]; /* /run/user/.oriel-UID: we made base */
    bool made_base;
    char dir[RUNTIME_DIR_BYTES];        /* XDG_RUNTIME_DIR; "" before runtime_create */
    char xauthority[PATH_BYTES], xorg_config[PATH_BYTES], xorg_log[PATH_BYTES], xorg_out[PATH_BYTES], bus[PATH_BYTES];
    char log_path[2 * PATH_BYTES + 64];
    int log_fd;                  /* append-only, owned by the user; -1: none */
};

/* Make the folders. 0, or negative errno with the reason in `why`. `users_dir`: "/run/user". */
int runtime_create(struct runtime *r, const struct account *who, uint64_t session, const char *users_dir, char *why, size_t cap);
/* Open the session's log: in `log_dir`, or, when that is "", in ~/.local/state/oriel, or, when that fails, in the runtime folder.
 * Never fails: without any place for a log the session runs without. */
void runtime_open_log(struct runtime *r, const struct account *who, uint64_t session, const char *log_dir);
/* A new file in the runtime folder, for appending. Descriptor or -errno. */
int runtime_open_file(const struct account *who, const char *path);
/* Remove what runtime_create made, close the log. Harmless on a zeroed struct whose log_fd is -1. */
void runtime_destroy(struct runtime *r, const struct account *who);
/* The last lines of a file, at most `cap` - 1 bytes of clean UTF-8, as text. Missing files give "". Reads as the user. */
void runtime_tail(const struct account *who, const char *path, int64_t not_before, char *out, size_t cap);

#endif
