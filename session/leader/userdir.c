/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/userdir.h"

#include "common/log.h"
#include "session/leader/child.h"
#include "session/leader/lockfile.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVE_MS 2000              /* sockets and small files; what takes longer is a hanging mount */
#define ENTER_MS (REMOVE_MS + 1000) /* another session that is just ending removes the folder */

static bool name_places(struct userdir *u, const struct account *who, const char *users_dir)
{
    int n = snprintf(u->path, sizeof u->path, "%s/%u", users_dir, (unsigned)who->uid);
    int m = snprintf(u->mark, sizeof u->mark, "%s/.oriel-%u", users_dir, (unsigned)who->uid);
    return n > 0 && (size_t)n < sizeof u->path && m > 0 && (size_t)m < sizeof u->mark;
}

/* With the lock held. Also takes over what a leader left that was killed between the two steps. */
static int make(struct userdir *u, const struct account *who)
{
    struct stat st;
    if (mkdir(u->path, 0700) < 0 && errno != EEXIST)
        return -errno;
    if (lstat(u->path, &st) < 0)
        return -errno;
    bool unfinished = S_ISDIR(st.st_mode) && st.st_uid == 0 && who->uid != 0;
    return unfinished && (lchown(u->path, who->uid, who->gid) < 0 || chmod(u->path, 0700) < 0) ? -errno : 0;
}

/* As the XDG base directory specification wants it: the user's own, and closed to everybody else. */
static int check(const struct userdir *u, const struct account *who, char *why, size_t cap)
{
    struct stat st;
    if (lstat(u->path, &st) < 0) {
        snprintf(why, cap, "The runtime folder %s cannot be made: %s", u->path, strerror(errno));
        return -errno;
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != who->uid) {
        snprintf(why, cap, "%s is not a folder that belongs to %s; remove it or correct its owner.", u->path,
            who->user);
        return -EPERM;
    }
    if ((st.st_mode & 07777) == 0700)
        return 0;
    log_warning("runtime folder was open", "path=%s mode=%04o: now 0700", u->path, (unsigned)st.st_mode & 07777);
    if (child_enter_user(who) < 0)
        return -EPERM;
    int e = chmod(u->path, 0700) < 0 ? -errno : 0;
    child_leave_user();
    if (e < 0)
        snprintf(why, cap, "%s is open to others and its mode cannot be set: %s", u->path, strerror(-e));
    return e;
}

int userdir_enter(struct userdir *u, const struct account *who, const char *users_dir, char *why, size_t cap)
{
    *u = (struct userdir){.lock = -1};
    if (!name_places(u, who, users_dir))
        return -ENAMETOOLONG;
    if (mkdir(users_dir, 0755) == 0)
        (void)chmod(users_dir, 0755); /* without the umask */
    u->made = access(u->path, F_OK) < 0 || access(u->mark, F_OK) == 0;
    if (u->made) {
        u->lock = lockfile_take(u->mark, LOCK_SH, ENTER_MS);
        int e = u->lock < 0 ? u->lock : make(u, who);
        if (e < 0) {
            snprintf(why, cap, "The runtime folder %s cannot be made: %s", u->path, strerror(-e));
            return e;
        }
    }
    return check(u, who, why, cap);
}

/* File systems of the user's own that a killed program left below the folder (gvfs, the documents portal): nobody
 * serves them, and a look into them could hang. */
static void unmount_below(const char *path)
{
    size_t n = strlen(path);
    FILE *f = setmntent("/proc/self/mounts", "re");
    for (struct mntent *m; f && (m = getmntent(f)) != NULL;)
        if (strncmp(m->mnt_dir, path, n) == 0 && m->mnt_dir[n] == '/' && strncmp(m->mnt_type, "fuse", 4) == 0)
            (void)umount2(m->mnt_dir, MNT_DETACH | UMOUNT_NOFOLLOW);
    if (f)
        endmntent(f);
}

/* logind mounts a file system there, or at least has a record of the user. */
static bool is_logind_s(const struct userdir *u, const struct account *who)
{
    char record[64], above[RUNTIME_DIR_BYTES];
    struct stat st, parent;
    snprintf(record, sizeof record, "/run/systemd/users/%u", (unsigned)who->uid);
    snprintf(above, sizeof above, "%s", u->path);
    *strrchr(above, '/') = 0;
    bool mounted = lstat(u->path, &st) == 0 && lstat(above, &parent) == 0 && st.st_dev != parent.st_dev;
    return mounted || access(record, F_OK) == 0;
}

void userdir_leave(struct userdir *u, const struct account *who)
{
    if (u->lock >= 0)
        close(u->lock);
    u->lock = -1;
    if (!u->made)
        return;
    u->made = false;
    int lock = lockfile_take(u->mark, LOCK_EX, 0);
    if (lock < 0)
        return; /* another session is there: the last one removes it */
    if (is_logind_s(u, who)) {
        lockfile_remove(u->mark, lock);
        return;
    }
    unmount_below(u->path);
    (void)child_remove_tree(who, u->path, REMOVE_MS); /* the folder itself stays: its parent is root's */
    if (rmdir(u->path) == 0 || errno == ENOENT) {
        lockfile_remove(u->mark, lock);
        return;
    }
    log_warning("runtime folder not removed", "path=%s: %s; the user's next session uses it, and removes it", u->path,
        strerror(errno));
    close(lock);
}
