/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/socket_folders.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TRIES 3 /* the name is made, or freed, by somebody else between two steps */

static bool is_as_it_should_be(const struct stat *st)
{
    return st->st_uid == 0 && (!(st->st_mode & 022) || (st->st_mode & S_ISVTX));
}

static int take_over(int fd, const char *path, const struct stat *st)
{
    /* Entries of an access list would be inherited by the sockets of others. Not all file systems have them. */
    (void)fremovexattr(fd, "system.posix_acl_default");
    (void)fremovexattr(fd, "system.posix_acl_access");
    if (fchown(fd, 0, 0) < 0 || fchmod(fd, 01777) < 0)
        return -errno;
    log_warning("socket folder taken over",
        "path=%s uid=%u mode=%04o: its owner could have replaced the sockets of others", path, (unsigned)st->st_uid,
        (unsigned)st->st_mode & 07777);
    return 0;
}

/* -ENOTDIR: what is there is no folder. */
static int claim_existing(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? -ENOTDIR : -errno;
    int r = fstat(fd, &st) < 0 ? -errno : is_as_it_should_be(&st) ? 0 : take_over(fd, path, &st);
    close(fd);
    return r;
}

static int claim_once(const char *path)
{
    if (mkdir(path, 01777) == 0)
        return chmod(path, 01777) < 0 ? -errno : 0; /* without the umask */
    if (errno != EEXIST)
        return -errno;
    int r = claim_existing(path);
    if (r != -ENOTDIR)
        return r;
    return unlink(path) < 0 ? -errno : -EAGAIN;
}

int socket_folder_claim(const char *path, char *why, size_t cap)
{
    int r = -EAGAIN;
    for (int i = 0; i < TRIES && (r == -EAGAIN || r == -ENOENT); i++)
        r = claim_once(path);
    if (r < 0)
        snprintf(why, cap,
            "%s cannot be made a folder of root with mode 1777: %s. The administrator has to remove what is there.",
            path, strerror(-r));
    return r;
}

int socket_folders_claim(const char *tmp, const char *x_sockets, char *why, size_t cap)
{
    static const char *const others[] = {".ICE-unix", ".XIM-unix", ".font-unix"};
    char path[PATH_MAX], reason[PATH_MAX + 160];
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", tmp, others[i]);
        if (socket_folder_claim(path, reason, sizeof reason) < 0)
            log_warning("socket folder", "%s", reason);
    }
    return socket_folder_claim(x_sockets, why, cap);
}
