/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/runtime.h"

#include "common/log.h"
#include "session/leader/child.h"
#include "session/leader/logplace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder holds sockets and small files; what takes longer is a hanging mount */
#define REMOVE_MS 2000
/* Instances of Oriel on one host that count their sessions each for itself */
#define SAME_NUMBER_MAX 16

static bool join(char *out, size_t cap, const char *dir, const char *name)
{
    int n = snprintf(out, cap, "%s/%s", dir, name);
    return n > 0 && (size_t)n < cap;
}

static bool name_files(struct runtime *r)
{
    return join(r->xauthority, sizeof r->xauthority, r->dir, "Xauthority") &&
        join(r->xorg_config, sizeof r->xorg_config, r->dir, "xorg.conf") &&
        join(r->xorg_out, sizeof r->xorg_out, r->dir, "Xorg.out") &&
        join(r->xorg_log, sizeof r->xorg_log, r->dir, "Xorg.log") && join(r->bus, sizeof r->bus, r->dir, "bus") &&
        join(r->agent_out, sizeof r->agent_out, r->dir, "agent.out");
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

/* A folder that nobody holds is that of a session with this number whose leader was killed; a held one is another
 * instance's. */
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

int runtime_create(struct runtime *r, const struct account *who, uint64_t session, const char *users_dir, char *why,
    size_t cap)
{
    *r = (struct runtime){.log_fd = -1, .hold = -1};
    int e = userdir_enter(&r->user, who, users_dir, why, cap);
    return e < 0 ? e : make_own(r, who, session, why, cap);
}

int runtime_open_file(const struct account *who, const char *path)
{
    int fd = child_enter_user(who);
    if (fd < 0)
        return fd;
    fd = logplace_open_file(AT_FDCWD, path);
    child_leave_user();
    return fd;
}

void runtime_let_log_go(struct runtime *r)
{
    if (r->log_fd >= 0)
        close(r->log_fd);
    r->log_fd = -1;
}

void runtime_destroy(struct runtime *r, const struct account *who)
{
    runtime_let_log_go(r);
    if (r->hold >= 0)
        close(r->hold);
    r->hold = -1;
    int e = r->dir[0] ? child_remove_tree(who, r->dir, REMOVE_MS) : 0;
    if (e < 0)
        log_warning("session's folder not removed", "path=%s: %s", r->dir, strerror(-e));
    r->dir[0] = 0;
    userdir_leave(&r->user, who);
}
