/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/logplace.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOGS_MAX 256 /* of one host, looked at in one go: more wait for the next session */

void logplace_name(struct logplace *p, const struct account *who, uint64_t session)
{
    unsigned long long id = session;
    time_t now = time(NULL);
    struct tm tm;
    char when[32] = "";
    *p = (struct logplace){.owner = who->uid};
    if (gethostname(p->host, sizeof p->host - 1) < 0 || !p->host[0])
        snprintf(p->host, sizeof p->host, "localhost");
    for (char *c = p->host; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_", *c) && (*c != '.' || c == p->host))
            *c = '_';
    snprintf(p->name, sizeof p->name, "%s-session-%llu.log", p->host, id);
    if (localtime_r(&now, &tm))
        (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(p->first_line, sizeof p->first_line, "[Oriel: session %llu of %s on %s, started %s]\n", id, who->user,
        p->host, when);
}

int logplace_open_file(int dir, const char *name)
{
    struct stat st;
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || ftruncate(fd, 0) < 0) {
        close(fd);
        return -EPERM;
    }
    (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

/* A full disk takes the name and refuses the content; servers say so only when the file is closed. */
static int write_first_line(const struct logplace *p, int fd)
{
    size_t len = strlen(p->first_line);
    ssize_t n = write(fd, p->first_line, len);
    if (n != (ssize_t)len)
        return n < 0 ? -errno : -ENOSPC;
    int other = dup(fd);
    return other < 0 || close(other) < 0 ? -errno : 0;
}

static int open_in(const struct logplace *p, int dir)
{
    int fd = logplace_open_file(dir, p->name);
    int r = fd < 0 ? fd : write_first_line(p, fd);
    if (fd >= 0 && r < 0) {
        (void)unlinkat(dir, p->name, 0);
        close(fd);
    }
    return r < 0 ? r : fd;
}

/* `name`, made where it is missing. */
static int enter_folder(int top, const char *name)
{
    int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && mkdirat(top, name, 0700) == 0)
        fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int logplace_open(struct aside *a, const struct logplace *p, int top, const char *folder, int *dir)
{
    char path[64], *rest = path;
    int at = dup(top);
    snprintf(path, sizeof path, "%s", folder);
    for (char *part; at >= 0 && (part = strsep(&rest, "/"));) {
        int next = enter_folder(at, part);
        close(at);
        at = next;
        aside_report(a, -1);
    }
    int fd = at < 0 ? at : open_in(p, at);
    *dir = at;
    return fd;
}

int logplace_open_admin(const struct logplace *p, const char *folder, int *dir)
{
    struct stat st;
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *dir = at;
    if (at < 0 || fstat(at, &st) < 0)
        return -errno;
    if (st.st_uid != 0 || (st.st_mode & 022))
        return -EPERM;
    (void)unlinkat(at, p->name, 0); /* an old one may be open in another user's hands */
    int fd = open_in(p, at);
    if (fd >= 0 && (fchown(fd, p->owner, (gid_t)-1) < 0 || fchmod(fd, 0600) < 0)) {
        close(fd);
        return -EPERM;
    }
    return fd;
}

struct old_log {
    struct timespec written;
    char name[LOGPLACE_NAME_BYTES];
};

/* HOST-session-NUMBER.log of this host. */
static bool is_log(const struct logplace *p, const char *name)
{
    size_t host = strlen(p->host);
    if (strlen(name) >= LOGPLACE_NAME_BYTES || strncmp(name, p->host, host) != 0 ||
        strncmp(name + host, "-session-", 9) != 0)
        return false;
    const char *number = name + host + 9;
    size_t digits = strspn(number, "0123456789");
    return digits && strcmp(number + digits, ".log") == 0;
}

static int newer_first(const void *x, const void *y)
{
    const struct timespec *a = &((const struct old_log *)x)->written, *b = &((const struct old_log *)y)->written;
    if (a->tv_sec != b->tv_sec)
        return a->tv_sec > b->tv_sec ? -1 : 1;
    return a->tv_nsec == b->tv_nsec ? 0 : a->tv_nsec > b->tv_nsec ? -1 : 1;
}

void logplace_prune(struct aside *a, const struct logplace *p, int dir)
{
    static struct old_log logs[LOGS_MAX];
    size_t n = 0;
    struct stat st;
    DIR *d = fdopendir(dup(dir));
    for (struct dirent *e; d && n < LOGS_MAX && (e = readdir(d));) {
        if (!is_log(p, e->d_name) || strcmp(e->d_name, p->name) == 0 ||
            fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_uid != p->owner)
            continue;
        logs[n].written = st.st_mtim;
        snprintf(logs[n++].name, sizeof logs[0].name, "%s", e->d_name);
        aside_report(a, -1);
    }
    if (d)
        closedir(d);
    qsort(logs, n, sizeof logs[0], newer_first);
    for (size_t i = LOGPLACE_KEEP - 1; i < n; i++) { /* with the new one they are LOGPLACE_KEEP */
        (void)unlinkat(dir, logs[i].name, 0);
        aside_report(a, -1);
    }
}
