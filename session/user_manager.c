/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/user_manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes of /proc/PID/cgroup that are looked at: some 15 hierarchies with paths of 250 */
#define GROUPS_MAX 4096

/* Of systemd's own hierarchies: "0::/a" and "1:name=systemd:/a". */
static bool line_is(const char *line, size_t len, const char *unit)
{
    const char *names = memchr(line, ':', len);
    size_t head = names ? (size_t)(names - line) : len;
    bool own = strncmp(line, "0::", 3) == 0 || (names && strncmp(names, ":name=systemd:", 14) == 0);
    return own && memmem(line + head, len - head, unit, strlen(unit));
}

bool user_manager_in_group(const char *cgroup, uid_t uid)
{
    char unit[48];
    snprintf(unit, sizeof unit, "/user@%u.service/", (unsigned)uid);
    for (const char *line = cgroup; *line;) {
        size_t len = strcspn(line, "\n");
        if (line_is(line, len, unit))
            return true;
        line += len + (line[len] == '\n');
    }
    return false;
}

bool user_manager_runs(int proc_fd, uid_t uid)
{
    char text[GROUPS_MAX];
    int fd = openat(proc_fd, "cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    return user_manager_in_group(text, uid);
}
