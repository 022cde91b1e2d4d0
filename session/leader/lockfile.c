/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/lockfile.h"

#include "common/clock.h"
#include "session/leader/conv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_MS 10

static bool is_still_there(const char *path, int fd)
{
    struct stat file, held;
    return lstat(path, &file) == 0 && fstat(fd, &held) == 0 && file.st_ino == held.st_ino && file.st_dev == held.st_dev;
}

/* Once, without waiting. */
static int try_lock(const char *path, int how)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int e = flock(fd, how | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? -EAGAIN : -errno;
    if (e == 0 && !is_still_there(path, fd))
        e = -EAGAIN; /* its holder removed it: the next one */
    if (e == 0)
        return fd;
    close(fd);
    return e;
}

int lockfile_take(const char *path, int how, int timeout_ms)
{
    int64_t deadline = clock_ms() + timeout_ms;
    int fd;
    while ((fd = try_lock(path, how)) == -EAGAIN && clock_ms() < deadline)
        (void)poll(NULL, 0, STEP_MS);
    return fd;
}

void lockfile_remove(const char *path, int fd)
{
    (void)unlink(path);
    close(fd);
}
