/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A runtime folder for the time of a password change. Modules that keep something locked with the password
 * (pam_gnome_keyring) start a daemon as the user then, and find its socket through XDG_RUNTIME_DIR; pam_systemd sets
 * that only when the session opens. */
#ifndef ORIEL_SESSION_LEADER_MAKESHIFT_H
#define ORIEL_SESSION_LEADER_MAKESHIFT_H

#include "session/leader/auth.h"

/* "": nothing was made */
struct makeshift {
    char made[64];
};
/* Put XDG_RUNTIME_DIR into PAM's environment: /run/user/UID where that is the user's (a daemon of a session of theirs
 * has to learn of the change), else a folder of its own. Best effort. */
void makeshift_begin(struct makeshift *m, pam_handle_t *pamh, const struct account *who);
/* Take it back, and away. */
void makeshift_end(struct makeshift *m, pam_handle_t *pamh, const struct account *who);

#endif
