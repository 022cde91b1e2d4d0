/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int make_address(const char *path, struct sockaddr_un *a)
{
    size_t n = strlen(path);
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (n >= sizeof a->sun_path)
        return -ENAMETOOLONG;
    memcpy(a->sun_path, path, n + 1);
    return 0;
}

int sockets_connect(const char *path)
{
    struct sockaddr_un a;
    int r = make_address(path, &a);
    if (r < 0)
        return r;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 || fcntl(fd, F_SETFL, O_RDWR) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

/* Make room at `path`. */
static int remove_stale(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    int fd = sockets_connect(path);
    if (fd >= 0)
        close(fd);
    if (fd != -ECONNREFUSED)
        return -EADDRINUSE;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int sockets_listen(const char *path, mode_t mode, gid_t group, int backlog)
{
    struct sockaddr_un a;
    int r = make_address(path, &a);
    if (r == 0)
        r = remove_stale(path);
    if (r < 0)
        return r;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    if ((group != (gid_t)-1 && chown(path, (uid_t)-1, group) < 0) || chmod(path, mode) < 0 || listen(fd, backlog) < 0) {
        r = -errno;
        unlink(path);
        close(fd);
        return r;
    }
    return fd;
}

int sockets_peer(int fd, struct ucred *who)
{
    socklen_t len = sizeof *who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) < 0)
        return -errno;
    return len == sizeof *who ? 0 : -EPROTO;
}

int sockets_accept(int listener, struct ucred *who)
{
    int fd;
    do
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        return -errno;
    int r = sockets_peer(fd, who);
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

static void tell_systemd(const char *path, const char *what)
{
    struct sockaddr_un a;
    int fd = (path[0] == '/' || path[0] == '@') && make_address(path, &a) == 0
        ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
        : -1;
    if (fd < 0)
        return;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        a.sun_path[0] = 0; /* an abstract name */
    else
        len++;
    ssize_t n = sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&a, len);
    (void)n; /* systemd says who did not report in time */
    close(fd);
}

void sockets_tell_ready(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (path)
        tell_systemd(path, "READY=1");
    (void)unsetenv("NOTIFY_SOCKET");
}
