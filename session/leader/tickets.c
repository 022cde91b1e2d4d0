/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/tickets.h"

#include "common/secret.h"
#include "session/leader/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_BYTES_MAX (1 << 20) /* a ticket is 1 to 64 KiB, a long session collects hundreds */
#define COPY_MS 4000              /* caches lie in /tmp or /run; one in a home may hang */

struct copy { /* of an aside job */
    char from[ENV_BYTES], to[ENV_BYTES];
};

/* The path of a cache that is a file; NULL: it is none. A name without a kind is a path (krb5_cc_resolve). */
static const char *file_of(const char *cache)
{
    if (!cache)
        return NULL;
    if (strncmp(cache, "FILE:", 5) == 0)
        cache += 5;
    return cache[0] == '/' && strlen(cache) + 16 < ENV_BYTES ? cache : NULL;
}

static int copy_bytes(int in, int out)
{
    char block[4096];
    ssize_t n;
    int r = 0;
    size_t total = 0;
    while (r == 0 && (n = read(in, block, sizeof block)) != 0) {
        total += n > 0 ? (size_t)n : 0;
        r = n < 0 ? -errno : total > CACHE_BYTES_MAX ? -EFBIG : write(out, block, (size_t)n) == n ? 0 : -EIO;
    }
    secret_wipe(block, sizeof block);
    return r == 0 && total == 0 ? -ENODATA : r;
}

static int copy_cache(struct aside *a, void *what)
{
    struct copy *c = what;
    char temporary[ENV_BYTES + 16];
    struct stat st;
    snprintf(temporary, sizeof temporary, "%s.oriel", c->to);
    int in = open(c->from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (in < 0)
        return -errno;
    if (fstat(in, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != getuid())
        return -EPERM;
    (void)unlink(temporary);
    int out = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (out < 0)
        return -errno;
    int r = copy_bytes(in, out);
    if (close(out) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(temporary, c->to) < 0) /* who reads the old one has it whole */
        r = -errno;
    if (r < 0)
        (void)unlink(temporary);
    return r;
}

int tickets_move(const struct account *who, const char *from, const char *to)
{
    struct copy c;
    from = file_of(from);
    to = file_of(to);
    if (!from || !to || strcmp(from, to) == 0)
        return 0;
    snprintf(c.from, sizeof c.from, "%s", from);
    snprintf(c.to, sizeof c.to, "%s", to);
    const struct aside_job job =
        {.who = who, .work = copy_cache, .what = &c, .bytes = sizeof c, .stall_ms = COPY_MS, .total_ms = COPY_MS};
    int r = aside_run(&job);
    return r < 0 ? r : 1;
}
