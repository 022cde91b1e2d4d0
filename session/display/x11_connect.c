/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connecting to the session's own X server and to no other.
 *
 * libxcb tries the abstract socket "@/tmp/.X11-unix/Xn" first, and any user may have bound that name: it would get the
 * cookie, and then the session. The socket in /tmp/.X11-unix, a folder of root's, is the server's; who listens there is
 * checked as well. */
#include "session/display/x11.h"

#include <X11/Xauth.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_path(unsigned number)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "/tmp/.X11-unix/X%u", number);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct ucred peer;
    socklen_t len = sizeof peer;
    int r = connect(fd, (const struct sockaddr *)&a, sizeof a) < 0 ||
            getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0
        ? -errno
        : 0;
    if (r == 0 && getuid() != 0 && peer.uid != getuid())
        r = -EPERM;
    if (r == 0)
        return fd;
    close(fd);
    return r;
}

static xcb_connection_t *connect_fd(int fd, unsigned number)
{
    static char protocol[] = "MIT-MAGIC-COOKIE-1";
    char *names[] = {protocol}, host[256] = "", text[16];
    int lengths[] = {sizeof protocol - 1};
    (void)gethostname(host, sizeof host - 1);
    int n = snprintf(text, sizeof text, "%u", number);
    Xauth *auth = XauGetBestAuthByAddr(FamilyLocal, (unsigned short)strlen(host), host, (unsigned short)n, text, 1,
        names, lengths);
    xcb_auth_info_t info = {0};
    if (auth)
        info = (xcb_auth_info_t){auth->name_length, auth->name, auth->data_length, auth->data};
    xcb_connection_t *c = xcb_connect_to_fd(fd, auth ? &info : NULL);
    if (auth)
        XauDisposeAuth(auth);
    return c;
}

int x11_connect(xcb_connection_t **out, char *why, size_t cap)
{
    const char *name = getenv("DISPLAY");
    unsigned number;
    char rest = '.';
    *out = NULL;
    if (!name || sscanf(name, ":%u%c", &number, &rest) < 1 || rest != '.') {
        snprintf(why, cap, "DISPLAY=%s does not name a display of this host", name ? name : "");
        return -EINVAL;
    }
    int fd = connect_path(number);
    if (fd >= 0)
        *out = connect_fd(fd, number);
    if (*out && !xcb_connection_has_error(*out))
        return 0;
    snprintf(why, cap, "cannot connect to the X server at DISPLAY=%s: %s", name,
        fd == -EPERM ? "it belongs to another user"
            : fd < 0 ? strerror(-fd)
                     : "it refused the cookie");
    return fd < 0 ? fd : -EACCES;
}
