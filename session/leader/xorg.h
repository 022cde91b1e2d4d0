/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session's X server: which display number it gets and how it is started. */
#ifndef ORIEL_SESSION_LEADER_XORG_H
#define ORIEL_SESSION_LEADER_XORG_H

#include "session/leader/child.h"
#include "session/leader/runtime.h"

#define XORG_DISPLAYS 4096 /* display numbers that are tried; a quarter of a second */

/* Where X servers meet; other folders in tests. */
struct xorg_places {
    const char *sockets; /* "/tmp/.X11-unix" */
    const char *locks;   /* "/tmp": .X10-lock */
};
extern const struct xorg_places xorg_system_places;

/* Take the abstract socket name of a display without listening on it: libxcb tries that name before the real socket,
 * and any local user could bind it and collect the cookies of the session's programs. Returns a descriptor that holds
 * the name until it is closed, -EADDRINUSE when somebody has it already, or another -errno. */
int xorg_hold_name(const struct xorg_places *p, unsigned display);
/* Reserve a free display, the lowest from `first` on if it is among the first few: we make its lock file, as every X
 * server would, in the name of this process, and hold it until xorg_release_display. (A server started with -displayfd
 * makes none itself.) The file through which it gets its keymap, /tmp/server-N.xkm, is made, too, as `who`'s (NULL:
 * ours), and the abstract name is held (`*name`, to be closed after the server). A number that is somebody's is passed
 * over; what only looks so is cleared away. Returns the number, or -EADDRINUSE with `why`; one user who holds many
 * numbers is named there and in the log. */
int xorg_reserve_display(const struct xorg_places *p, unsigned first, const struct account *who, int *name, char *why,
    size_t cap);
/* Remove lock and socket, if the lock names `holder`, the process that reserved. */
void xorg_release_display(const struct xorg_places *p, unsigned display, pid_t holder);
/* Write the server's configuration for desktops up to width x height. As the user. 0 or -errno. */
int xorg_write_config(const char *path, unsigned width, unsigned height);
/* Start it. `ready_fd`: end of a pipe on which it writes its display number; `out`: for what it prints, or -1. Returns
 * the pid or -errno. */
pid_t xorg_start(const char *program, const struct account *who, const struct runtime *r, unsigned display,
    int ready_fd, int out, char *const *envp);

#endif
