/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folders below /tmp in which programs of all users make their sockets: X, session management, input methods,
 * fonts. Whoever owns one may replace the sockets of others in it. systemd-tmpfiles makes them when the host boots;
 * elsewhere the first who comes does. */
#ifndef ORIEL_SESSION_LEADER_SOCKET_FOLDERS_H
#define ORIEL_SESSION_LEADER_SOCKET_FOLDERS_H

#include <stddef.h>

/* Make the folder as root's with mode 1777. One that belongs to somebody else is taken over: owner, mode and access
 * lists, and the log names who had it; what stands at the name and is no folder is removed. Needs root. 0, or -errno
 * with `why` in words. */
int socket_folder_claim(const char *path, char *why, size_t cap);

/* The same for X's folder, which a session cannot do without, and for .ICE-unix, .XIM-unix and .font-unix below `tmp`
 * ("/tmp"), whose failure is only logged. */
int socket_folders_claim(const char *tmp, const char *x_sockets, char *why, size_t cap);

#endif
