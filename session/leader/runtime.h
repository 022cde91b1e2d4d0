/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session's own places: its folder below the user's runtime folder, and its log file.
 *
 * What is one session's and nobody else's (display cookie, X server's files, its D-Bus socket) lies in
 * /run/user/UID/oriel-ID; variables of the session (XAUTHORITY, DBUS_SESSION_BUS_ADDRESS, ORIEL_SESSION_DIR) point
 * there. */
#ifndef ORIEL_SESSION_LEADER_RUNTIME_H
#define ORIEL_SESSION_LEADER_RUNTIME_H

#include "session/leader/auth.h"
#include "session/leader/userdir.h"

struct runtime {
    struct userdir user;         /* XDG_RUNTIME_DIR */
    char dir[RUNTIME_DIR_BYTES]; /* the session's own folder; "" before runtime_create */
    int hold;                    /* a lock on it that the leader holds: this session is alive */
    char xauthority[PATH_BYTES], xorg_config[PATH_BYTES], xorg_log[PATH_BYTES], xorg_out[PATH_BYTES], bus[PATH_BYTES];
    char agent_out[PATH_BYTES]; /* what the agent says: never in a home, which may hang while clients look on */
    char log_path[2 * PATH_BYTES + 64];
    /* append-only, owned by the user; -1: none. The leader itself never touches it: it may hang */
    int log_fd;
};

/* Make the folders. 0, or negative errno with the reason in `why`. `users_dir`: "/run/user". */
int runtime_create(struct runtime *r, const struct account *who, uint64_t session, const char *users_dir, char *why,
    size_t cap);
/* A new file in the runtime folder, for appending. Descriptor or -errno. */
int runtime_open_file(const struct account *who, const char *path);
/* Close the log: even that asks the home's server, so it is done while the home is known to answer, when the desktop
 * has it. */
void runtime_let_log_go(struct runtime *r);
/* Remove what runtime_create made, close the log. Harmless on a zeroed struct whose log_fd, hold and user.lock are -1.
 */
void runtime_destroy(struct runtime *r, const struct account *who);

#endif
