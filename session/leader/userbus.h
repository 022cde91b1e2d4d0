/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The D-Bus session bus of a session, and what it lends to the user's systemd.
 *
 * A user has one runtime folder, one bus at /run/user/UID/bus and, under systemd, one manager of services. Several
 * graphical sessions cannot share them: a program that the bus or the manager starts would open its window on whichever
 * display was told last. So the first graphical session of a user has them, and while it lasts their programs get its
 * DISPLAY and XAUTHORITY. Each further one (there is one at the console, or another instance's) has a bus of its own,
 * on which no systemd answers: what desktops and start-up scripts tell "systemd" there
 * (dbus-update-activation-environment --systemd, gnome-session, startplasma) reaches nobody, and their programs are
 * started by that bus, for its own display.
 *
 * Everything that talks D-Bus is done by programs that run as the user, within a deadline; the leader talks to nobody.
 */
#ifndef ORIEL_SESSION_LEADER_USERBUS_H
#define ORIEL_SESSION_LEADER_USERBUS_H

#include "session/leader/env.h"
#include "session/leader/runtime.h"

/* For lending, and for taking back: either takes 30 ms, or somebody hangs, whom nobody waits for */
#define USERBUS_MS 2000

struct userbus {
    bool first;   /* the user's bus and manager are this session's */
    bool serve;   /* nobody serves a bus for it: it starts a dbus-daemon, at runtime.bus */
    bool manager; /* first, and the user's systemd runs */
    int lock;     /* who is first; the leader's, -1 else */
    char lock_path[RUNTIME_DIR_BYTES + 16];
    char path[PATH_BYTES]; /* the socket where the session's programs find the bus */
};

/* Decide, once the runtime folders are there. `own_service`: the PAM service of Oriel's sessions. Never fails: in doubt
 * the session has a bus of its own. */
void userbus_choose(struct userbus *b, const struct runtime *r, const struct account *who, const char *own_service);
/* The session's own daemon serves: show it at `path`. 0, or -errno: then programs have to go to runtime.bus. */
int userbus_publish(const struct userbus *b, const struct runtime *r, const struct account *who);
/* Start telling the user's bus and manager what their programs need of `env`. Returns the pid of a program that has
 * USERBUS_MS to end, with status 0 when all is well; 0 when there is nobody to tell; or -errno. `out` as in struct
 * child. */
pid_t userbus_lend(const struct userbus *b, const struct runtime *r, const struct account *who,
    const struct env_list *env, int out);
/* The session begins to end: ask the manager to stop what belongs to its graphical session. Returns at once. */
void userbus_stop_units(const struct userbus *b, const struct runtime *r, const struct account *who, unsigned display);
/* Everything of the session is dead: take back what was lent, unless another session has lent its own since; remove the
 * socket at `path` if it was this session's. Takes USERBUS_MS at most. Harmless on a zeroed struct whose lock is -1. */
void userbus_end(struct userbus *b, const struct runtime *r, const struct account *who, unsigned display);

#endif
