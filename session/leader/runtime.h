/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session's own places: its folder below the user's runtime folder, and its log file.
 *
 * What is one session's and nobody else's (display cookie, X server's files, its D-Bus socket) lies in /run/user/UID/oriel-ID;
 * variables of the session (XAUTHORITY, DBUS_SESSION_BUS_ADDRESS, ORIEL_SESSION_DIR) point there. */
#ifndef ORIEL_SESSION_LEADER_RUNTIME_H
#define ORIEL_SESSION_LEADER_RUNTIME_H

#include "session/leader/auth.h"
#include "session/leader/userdir.h"

struct runtime {
    struct userdir user;         /* XDG_RUNTIME_DIR */
    char dir[RUNTIME_DIR_BYTES]; /* the session's own folder; "" before runtime_create */
    int hold;                    /* a lock on it that the leader holds: this session is alive */
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
/* Remove what runtime_create made, close the log. Harmless on a zeroed struct whose log_fd, hold and user.lock are -1. */
void runtime_destroy(struct runtime *r, const struct account *who);
/* The last lines of a file, at most `cap` - 1 bytes of clean UTF-8, as text. Missing files give "". Reads as the user. */
void runtime_tail(const struct account *who, const char *path, int64_t not_before, char *out, size_t cap);

#endif
