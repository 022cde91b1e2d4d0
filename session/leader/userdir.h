/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /run/user/UID, the user's runtime folder and every session's XDG_RUNTIME_DIR.
 *
 * logind makes it for the user's first login and removes it after the last. Where it did not, the leader does: it makes
 * the folder, 0700 and the user's, and every session of the user holds a shared lock on /run/user/.oriel-UID, which at
 * the same time remembers that the folder is of Oriel's making. The session that ends last finds the lock free and
 * removes the folder with everything in it. */
#ifndef ORIEL_SESSION_LEADER_USERDIR_H
#define ORIEL_SESSION_LEADER_USERDIR_H

#include "session/leader/auth.h"

#define RUNTIME_DIR_BYTES 108 /* sockets lie below: sun_path ends at 108 */

struct userdir {
    char path[RUNTIME_DIR_BYTES]; /* /run/user/UID; "" before userdir_enter */
    char mark[RUNTIME_DIR_BYTES]; /* /run/user/.oriel-UID */
    bool made;                    /* of Oriel's making, by this session or another */
    /* Held while the session lasts; -1 none. Not the warden's: it goes with the leader */
    int lock;
};

/* Find the folder or make it. 0, or negative errno with the reason in `why`. `users_dir`: "/run/user". */
int userdir_enter(struct userdir *u, const struct account *who, const char *users_dir, char *why, size_t cap);
/* This session needs it no more. Removes it, with its content, if Oriel made it, no other session of the user is there,
 * and logind has not taken it over since. Harmless on a zeroed struct whose lock is -1. */
void userdir_leave(struct userdir *u, const struct account *who);

#endif
