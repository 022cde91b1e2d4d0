/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/drain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_all(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(STDERR_FILENO, p, n);
        if (w <= 0)
            return;
        p += w;
        n -= (size_t)w;
    }
}

static _Noreturn void copy(int from)
{
    static const char end[] = "\noriel: The start-up files print more than is kept here.\n";
    char buf[4096];
    size_t left = DRAIN_BYTES_MAX;
    ssize_t n;
    (void)dup2(from, 0);
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    while ((n = read(0, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR)) {
        size_t take = n < 0 ? 0 : (size_t)n < left ? (size_t)n : left;
        write_all(buf, take);
        if (left > 0 && take == left)
            write_all(end, sizeof end - 1);
        left -= take;
    }
    _exit(EXIT_SUCCESS);
}

int drain_start(void)
{
    int p[2];
    if (pipe2(p, O_CLOEXEC) < 0)
        return -errno;
    /* Twice, so that the desktop, which this process becomes, does not find a strange child. */
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0)
            copy(p[0]);
        _exit(EXIT_SUCCESS);
    }
    int r = pid < 0 ? -errno : p[1];
    close(p[0]);
    if (pid < 0)
        close(p[1]);
    else
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return r;
}
