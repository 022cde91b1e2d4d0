/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
    const char *name;
    uid_t uid;
    gid_t gid;
    mode_t mode;
};

int rundir_account(const char *name, uid_t *uid, gid_t *gid)
{
    errno = 0;
    struct passwd *pw = getpwnam(name);
    if (!pw)
        return -ENOENT;
    *uid = pw->pw_uid;
    *gid = pw->pw_gid;
    return 0;
}

/* Give an open file its owner and mode, if it is ours to give. */
static int mend(int fd, const struct entry *e, const char *path, char *why, size_t cap)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        goto fail;
    if (st.st_uid != geteuid() && st.st_uid != e->uid) {
        snprintf(why, cap, "%s belongs to uid %u; remove it or give it to uid %u", path, (unsigned)st.st_uid,
            (unsigned)e->uid);
        return -EPERM;
    }
    if ((st.st_uid != e->uid || st.st_gid != e->gid) && fchown(fd, e->uid, e->gid) < 0)
        goto fail;
    /* After a change of owner, which may clear the set-group-id bit. */
    if (fstat(fd, &st) < 0 || ((st.st_mode & 07777) != e->mode && fchmod(fd, e->mode) < 0))
        goto fail;
    return 0;
fail:
    snprintf(why, cap, "%s: %s", path, strerror(errno));
    return -errno;
}

static void say_open_failed(const char *path, int err, char *why, size_t cap)
{
    if (err == ELOOP || err == ENOTDIR)
        snprintf(why, cap, "%s is a symbolic link or not a folder; remove it", path);
    else
        snprintf(why, cap, "%s: %s", path, strerror(err));
}

/* Make or mend one folder under `at` (AT_FDCWD: a whole path) and leave it open. */
static int folder(int at, const struct entry *e, const char *path, char *why, size_t cap)
{
    const char *name = at == AT_FDCWD ? path : e->name;
    int fd = -1;
    if (mkdirat(at, name, e->mode & 0700) == 0 || errno == EEXIST)
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        int err = errno;
        say_open_failed(path, err, why, cap);
        return -err;
    }
    int r = mend(fd, e, path, why, cap);
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

static int file(int at, const struct entry *e, const char *path, char *why, size_t cap)
{
    int fd = openat(at, e->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, e->mode);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        int err = fd < 0 ? errno : EEXIST;
        say_open_failed(path, err, why, cap);
        if (fd >= 0)
            close(fd);
        return -err;
    }
    int r = mend(fd, e, path, why, cap);
    close(fd);
    return r;
}

/* The folders above: made plainly where they are missing, whose they are is the administrator's matter. */
static int parents(const char *path, char *why, size_t cap)
{
    char up[PATH_MAX];
    int n = snprintf(up, sizeof up, "%s", path);
    if (n < 0 || (size_t)n >= sizeof up)
        return -ENAMETOOLONG;
    for (char *p = up + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        if (mkdir(up, 0755) < 0 && errno != EEXIST) {
            snprintf(why, cap, "%s: %s", up, strerror(errno));
            return -errno;
        }
        *p = '/';
    }
    return 0;
}

static int tree(const char *top, const struct entry *dirs, size_t ndirs, const struct entry *plain, char *why,
    size_t cap)
{
    char path[PATH_MAX];
    const struct entry root = {"", geteuid(), getegid(), 0755};
    int r = parents(top, why, cap);
    int at = r < 0 ? r : folder(AT_FDCWD, &root, top, why, cap);
    if (at < 0)
        return at;
    for (size_t i = 0; i < ndirs && r == 0; i++) {
        snprintf(path, sizeof path, "%s/%s", top, dirs[i].name);
        int fd = folder(at, &dirs[i], path, why, cap);
        if (fd < 0)
            r = fd;
        else
            close(fd);
    }
    if (plain && r == 0) {
        snprintf(path, sizeof path, "%s/%s", top, plain->name);
        r = file(at, plain, path, why, cap);
    }
    close(at);
    return r;
}

static int account(const char *name, uid_t *uid, gid_t *gid, char *why, size_t cap)
{
    int r = rundir_account(name, uid, gid);
    if (r < 0)
        snprintf(why, cap, "there is no account \"%s\"; systemd-sysusers or scripts/serve makes Oriel's accounts",
            name);
    return r;
}

int rundir_prepare(const struct config *c, char *why, size_t cap)
{
    uid_t server, keys, root = geteuid();
    gid_t server_group, keys_group, root_group = getegid();
    snprintf(why, cap, "path too long");
    int r = account(c->paths_user_server, &server, &server_group, why, cap);
    if (r == 0)
        r = account(c->paths_user_keys, &keys, &keys_group, why, cap);
    if (r < 0)
        return r;
    const struct entry run[] = {
        {"keys", keys, server_group, 02750},
        {"leaders", root, root_group, 0700},
        {"empty", root, root_group, 0755},
    };
    const struct entry port = {"port", server, server_group, 0644};
    const struct entry state[] = {{"tls", keys, keys_group, 0750}};
    mode_t mask = umask(0022);
    r = tree(c->paths_run_dir, run, sizeof run / sizeof run[0], &port, why, cap);
    if (r == 0)
        r = tree(c->paths_state_dir, state, 1, NULL, why, cap);
    umask(mask);
    return r;
}
