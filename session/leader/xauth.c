/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/xauth.h"

#include "common/secret.h"
#include "common/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAMILY_LOCAL 256  /* X11/Xauth.h FamilyLocal */
#define FAMILY_WILD 65535 /* FamilyWild */
#define COOKIE_NAME "MIT-MAGIC-COOKIE-1"

static void counted(struct wr *w, const void *data, size_t len)
{
    wr_u16be(w, (uint16_t)len);
    wr_bytes(w, data, len);
}

static void entry(struct wr *w, uint16_t family, const char *address, unsigned display, const uint8_t *cookie)
{
    char number[16];
    snprintf(number, sizeof number, "%u", display);
    wr_u16be(w, family);
    counted(w, address, strlen(address));
    counted(w, number, strlen(number));
    counted(w, COOKIE_NAME, strlen(COOKIE_NAME));
    counted(w, cookie, XAUTH_COOKIE_BYTES);
}

ssize_t xauth_format(const char *host, unsigned display, const uint8_t cookie[XAUTH_COOKIE_BYTES], uint8_t *out,
    size_t cap)
{
    struct wr w;
    wr_init(&w, out, cap);
    entry(&w, FAMILY_LOCAL, host, display, cookie);
    entry(&w, FAMILY_WILD, "", display, cookie);
    return w.bad ? -EMSGSIZE : (ssize_t)w.len;
}

int xauth_write_file(const char *path, unsigned display)
{
    uint8_t cookie[XAUTH_COOKIE_BYTES], data[XAUTH_FILE_BYTES];
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) < 0)
        return -errno;
    secret_random(cookie, sizeof cookie);
    ssize_t n = xauth_format(host, display, cookie, data, sizeof data);
    secret_wipe(cookie, sizeof cookie);
    if (n < 0)
        return (int)n;
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r = fd < 0 || fchmod(fd, 0600) < 0 ? -errno : 0;
    if (r == 0 && write(fd, data, (size_t)n) != n)
        r = -EIO;
    if (fd >= 0)
        close(fd);
    secret_wipe(data, sizeof data);
    return r;
}
