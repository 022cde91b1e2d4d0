/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes of /proc/PID/cgroup that are looked at: some 15 hierarchies with paths of 250 */
#define GROUPS_MAX 4096

bool scope_file(const char *where, const char *line, char *out, size_t cap)
{
    /* cgroup2 alone; beside version 1; version 1 */
    static const char *const folders[] = {"", "/unified", "/systemd"};
    const char *names = strchr(line, ':');
    const char *path = names ? strchr(names + 1, ':') : NULL;
    if (!path || path[1] != '/' || strstr(path, "/.."))
        return false;
    size_t len = (size_t)(path - names - 1);
    bool named = len == strlen("name=systemd") && strncmp(names + 1, "name=systemd", len) == 0;
    if (len && !named)
        return false;
    for (size_t i = named ? 2 : 0; i < (named ? 3 : 2); i++) {
        int n = snprintf(out, cap, "%s%s%s/cgroup.procs", where, folders[i], strcmp(path + 1, "/") ? path + 1 : "");
        if (n > 0 && (size_t)n < cap && access(out, W_OK) == 0)
            return true;
    }
    return false;
}

static int read_groups(pid_t pid, char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, GROUPS_MAX - 1);
    int err = errno;
    close(fd);
    if (n < 0)
        return -err;
    text[n] = 0;
    return 0;
}

static int add(const char *file, pid_t pid)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%d", (int)pid);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = write(fd, text, (size_t)len) == len ? 0 : -errno;
    close(fd);
    return r;
}

/* A whole line of `text`? */
static bool has_line(const char *text, const char *line)
{
    size_t n = strlen(line);
    for (const char *p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
        if (strncmp(p, line, n) == 0 && (p[n] == '\n' || p[n] == 0))
            return true;
    return false;
}

int scope_bring(pid_t pid)
{
    char ours[GROUPS_MAX], theirs[GROUPS_MAX], file[PATH_MAX], *rest = ours;
    int moved = 0;
    int r = read_groups(getpid(), ours);
    if (r == 0)
        r = read_groups(pid, theirs);
    for (char *line; r == 0 && (line = strsep(&rest, "\n"));) {
        if (has_line(theirs, line) || !scope_file("/sys/fs/cgroup", line, file, sizeof file))
            continue;
        r = add(file, pid);
        moved += r == 0;
    }
    return r < 0 ? r : moved;
}
