/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Named Unix sockets between Oriel's processes. SOCK_SEQPACKET, close-on-exec. Any thread. */
#ifndef ORIEL_COMMON_SOCKETS_H
#define ORIEL_COMMON_SOCKETS_H

#include <sys/socket.h>
#include <sys/types.h>

/* Bind and listen at `path` with `mode` and, unless (gid_t)-1, that group. What is left of a dead listener is replaced;
 * -EADDRINUSE: somebody listens there; -EEXIST: something else than a socket is there. Returns the descriptor
 * (non-blocking) or negative errno. Nobody can connect before mode and group are set. */
int sockets_listen(const char *path, mode_t mode, gid_t group, int backlog);
/* Connect; the descriptor is blocking. -EAGAIN: its backlog is full; -ECONNREFUSED, -ENOENT: nobody there. */
int sockets_connect(const char *path);
/* Accept one connection (blocking descriptor) and say who it is. Negative errno; -EAGAIN: none waits. */
int sockets_accept(int listener, struct ucred *who);
/* Who made the connection or the pair. 0 or negative errno. */
int sockets_peer(int fd, struct ucred *who);
/* Tell systemd, where it waits for it ($NOTIFY_SOCKET, Type=notify), that this service is ready. What is started later
 * does not inherit the variable. Not for threads: it changes the environment. */
void sockets_tell_ready(void);

#endif
