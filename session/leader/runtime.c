/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "session/leader/child.h"

#define REMOVE_MS 2000 /* the folder holds sockets and small files; what takes longer is a hanging mount */
#define SAME_NUMBER_MAX 16 /* instances of Oriel on one host that count their sessions each for itself */

static bool join(char *out, size_t cap, const char *dir, const char *name)
{
    int n = snprintf(out, cap, "%s/%s", dir, name);
    return n > 0 && (size_t)n < cap;
}

static bool name_files(struct runtime *r)
{
    return join(r->xauthority, sizeof r->xauthority, r->dir, "Xauthority") &&
           join(r->xorg_config, sizeof r->xorg_config, r->dir, "xorg.conf") &&
           join(r->xorg_out, sizeof r->xorg_out, r->dir, "Xorg.out") && join(r->xorg_log, sizeof r->xorg_log, r->dir, "Xorg.log") &&
           join(r->bus, sizeof r->bus, r->dir, "bus");
}

/* As the user. The folder of that name, made if need be (`found`: it was there), if nobody else holds it. */
static int hold_own(struct runtime *r, const struct account *who, bool *found)
{
    struct stat st;
    *found = mkdir(r->dir, 0700) < 0;
    if (*found && errno != EEXIST)
        return -errno;
    int fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int e = fstat(fd, &st) < 0 || fchmod(fd, 0700) < 0 ? -errno : st.st_uid != who->uid ? -EPERM : 0;
    if (e == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
        e = errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (e < 0)
        close(fd);
    return e < 0 ? e : fd;
}

static bool name_own(struct runtime *r, uint64_t session, unsigned n)
{
    char name[40];
    if (n == 0)
        snprintf(name, sizeof name, "oriel-%llu", (unsigned long long)session);
    else
        snprintf(name, sizeof name, "oriel-%llu.%u", (unsigned long long)session, n);
    return join(r->dir, sizeof r->dir, r->user.path, name) && name_files(r);
}

static int try_own(struct runtime *r, const struct account *who, bool *found)
{
    int e = child_enter_user(who);
    if (e < 0)
        return e;
    r->hold = hold_own(r, who, found);
    child_leave_user();
    return r->hold < 0 ? r->hold : 0;
}

/* A folder that nobody holds is that of a session with this number whose leader was killed; a held one is another instance's. */
static int make_own(struct runtime *r, const struct account *who, uint64_t session, char *why, size_t cap)
{
    int e = -EBUSY;
    bool found = false;
    for (unsigned n = 0; e == -EBUSY && n < SAME_NUMBER_MAX; n++) {
        if (!name_own(r, session, n))
            return -ENAMETOOLONG;
        e = try_own(r, who, &found);
        if (e == 0 && found) {
            close(r->hold);
            (void)child_remove_tree(who, r->dir, REMOVE_MS);
            e = try_own(r, who, &found);
        }
    }
    if (e < 0) {
        snprintf(why, cap, "The session's folder %s cannot be made: %s", r->dir, strerror(-e));
        r->dir[0] = 0;
    }
    return e;
}

int runtime_create(struct runtime *r, const struct account *who, uint64_t session, const char *users_dir, char *why, size_t cap)
{
    *r = (struct runtime){.log_fd = -1, .hold = -1};
    int e = userdir_enter(&r->user, who, users_dir, why, cap);
    return e < 0 ? e : make_own(r, who, session, why, cap);
}

/* Each missing folder of `path` below the home; as the user. */
static int make_folders(char *path, size_t from)
{
    for (size_t i = from + 1; path[i]; i++) {
        if (path[i] != '/')
            continue;
        path[i] = 0;
        int e = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
        path[i] = '/';
        if (e < 0)
            return e;
    }
    return 0;
}

/* A plain file of the user's own, emptied. Anything else under that name (link, pipe, device) is refused. */
static int open_log_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || ftruncate(fd, 0) < 0) {
        close(fd);
        return -EPERM;
    }
    (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

int runtime_open_file(const struct account *who, const char *path)
{
    int fd = child_enter_user(who);
    if (fd < 0)
        return fd;
    fd = open_log_file(path);
    child_leave_user();
    return fd;
}

static int open_below(const struct account *who, char *path, const char *below)
{
    int fd = child_enter_user(who);
    if (fd < 0)
        return fd;
    fd = make_folders(path, strlen(below));
    if (fd == 0)
        fd = open_log_file(path);
    child_leave_user();
    return fd;
}

/* In a folder of the administrator's: it must be root's, or a user could plant files. */
static int open_in_log_dir(const char *dir, const char *path, const struct account *who)
{
    struct stat st;
    if (lstat(dir, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
        return -EPERM;
    (void)unlink(path); /* an old one may be open in another user's hands */
    int fd = open_log_file(path);
    if (fd >= 0 && (fchown(fd, who->uid, who->gid) < 0 || fchmod(fd, 0600) < 0)) {
        close(fd);
        return -EPERM;
    }
    return fd;
}

void runtime_open_log(struct runtime *r, const struct account *who, uint64_t session, const char *log_dir)
{
    unsigned long long id = session;
    int fd;
    if (log_dir[0]) {
        snprintf(r->log_path, sizeof r->log_path, "%.*s/session-%llu.log", PATH_BYTES, log_dir, id);
        fd = open_in_log_dir(log_dir, r->log_path, who);
    } else {
        snprintf(r->log_path, sizeof r->log_path, "%s/.local/state/oriel/session-%llu.log", who->home, id);
        fd = open_below(who, r->log_path, who->home);
    }
    if (fd < 0) {
        log_warning("session log not in its place", "path=%s: %s; using the runtime folder", r->log_path, strerror(-fd));
        snprintf(r->log_path, sizeof r->log_path, "%s/session.log", r->dir);
        fd = runtime_open_file(who, r->log_path);
    }
    r->log_fd = fd < 0 ? -1 : fd;
}

void runtime_destroy(struct runtime *r, const struct account *who)
{
    if (r->log_fd >= 0)
        close(r->log_fd);
    if (r->hold >= 0)
        close(r->hold);
    r->log_fd = r->hold = -1;
    int e = r->dir[0] ? child_remove_tree(who, r->dir, REMOVE_MS) : 0;
    if (e < 0)
        log_warning("session's folder not removed", "path=%s: %s", r->dir, strerror(-e));
    r->dir[0] = 0;
    userdir_leave(&r->user, who);
}

void runtime_tail(const struct account *who, const char *path, int64_t not_before, char *out, size_t cap)
{
    char buf[LOG_TAIL_BYTES];
    struct stat st;
    ssize_t n = 0;
    out[0] = 0;
    if (!path[0] || cap == 0 || child_enter_user(who) < 0)
        return;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtime >= not_before) {
        size_t want = cap < sizeof buf ? cap - 1 : sizeof buf - 1;
        n = pread(fd, buf, want, st.st_size > (off_t)want ? st.st_size - (off_t)want : 0);
    }
    if (fd >= 0)
        close(fd);
    child_leave_user();
    if (n <= 0)
        return;
    buf[n] = 0;
    for (ssize_t i = 0; i < n; i++)
        if (buf[i] == 0)
            buf[i] = ' ';
    const char *from = buf;
    if (st.st_size > n && strchr(buf, '\n'))
        from = strchr(buf, '\n') + 1; /* not half a line */
    conv_clean_text(from, out, cap);
}
