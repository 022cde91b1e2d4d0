/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/elsewhere.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct login_facts {
    long uid;
    bool graphical, user_class, ours, closing;
};

static void read_fact(struct login_facts *f, char *line, const char *own_service)
{
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "UID=", 4) == 0)
        f->uid = strtol(line + 4, NULL, 10);
    else if (strncmp(line, "TYPE=", 5) == 0)
        f->graphical = strcmp(line + 5, "x11") == 0 || strcmp(line + 5, "wayland") == 0 || strcmp(line + 5, "mir") == 0;
    else if (strncmp(line, "CLASS=", 6) == 0)
        f->user_class = strncmp(line + 6, "user", 4) == 0;
    else if (strncmp(line, "SERVICE=", 8) == 0)
        f->ours = strcmp(line + 8, own_service) == 0;
    else if (strncmp(line, "STATE=", 6) == 0)
        f->closing = strcmp(line + 6, "closing") == 0;
}

static bool file_is_elsewhere(int dir, const char *name, uint32_t uid, const char *own_service)
{
    char line[1024];
    struct login_facts f = {.uid = -1};
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!in)
        return false;
    while (fgets(line, sizeof line, in))
        read_fact(&f, line, own_service);
    fclose(in);
    return f.uid == (long)uid && f.graphical && f.user_class && !f.ours && !f.closing;
}

bool elsewhere_graphical(const char *dir, uint32_t uid, const char *own_service)
{
    DIR *d = opendir(dir);
    bool found = false;
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        bool is_ref = n > 4 && strcmp(e->d_name + n - 4, ".ref") == 0; /* a FIFO */
        if (e->d_name[0] != '.' && !is_ref)
            found = file_is_elsewhere(dirfd(d), e->d_name, uid, own_service);
    }
    if (d)
        closedir(d);
    return found;
}
