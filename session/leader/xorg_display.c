/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display numbers: the lock, the keymap's place and both names of the socket that belong to one. All lie where any user
 * may write. */
#include "common/log.h"
#include "common/process.h"
#include "session/leader/xorg.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_BYTES 11 /* "%10d\n", the format all X servers read and write */
#define LOCK_TRIES 3  /* remove a stale lock, and lose a race or two */
/* So many numbers are tried from the first on, as people know their displays by small numbers; then by chance */
#define IN_ORDER 64
#define LAST_DISPLAY 59535 /* X servers add 6000 for a TCP port */
/* Of whom it is counted how many numbers they hold; who comes later is not counted */
#define OWNERS 8
#define OWNER_HOLDS_MANY 32 /* more X servers than one person has */
#define STATUS_BYTES 2048   /* of /proc/PID/status; "Uid:" is in the first few hundred */

const struct xorg_places xorg_system_places = {"/tmp/.X11-unix", "/tmp"};

static void lock_path(const struct xorg_places *p, unsigned display, char *out, size_t cap)
{
    snprintf(out, cap, "%s/.X%u-lock", p->locks, display);
}

static void keymap_path(const struct xorg_places *p, unsigned display, char *out, size_t cap)
{
    snprintf(out, cap, "%s/server-%u.xkm", p->locks, display);
}

/* ---- the lock ---- */

/* The process that a lock names; 0: there is none; -1: this is no lock. `owner`: of the file. */
static pid_t lock_names(const char *path, uid_t *owner)
{
    char text[LOCK_BYTES + 1] = "", *end;
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -1;
    *owner = st.st_uid;
    int fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd < 0)
        return -1;
    ssize_t n = fstat(fd, &st) == 0 ? read(fd, text, LOCK_BYTES) : -1;
    *owner = st.st_uid;
    close(fd);
    long pid = n == LOCK_BYTES ? strtol(text, &end, 10) : 0;
    if (n != LOCK_BYTES || *end != '\n' || pid <= 0 || pid > INT32_MAX)
        return -1;
    return (pid_t)pid;
}

/* The user whose process it is; (uid_t)-1: cannot tell. The folder's owner would not do: it is root where a process is
 * not dumpable. */
static uid_t process_user(pid_t pid)
{
    char path[64], text[STATUS_BYTES];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *at = strstr(text, "\nUid:\t");
    return at ? (uid_t)strtoul(at + 6, NULL, 10) : (uid_t)-1;
}

/* Whether it holds nothing: its server is dead; or it is a user's and names a process that is not that user's, or none,
 * as no X server's lock does. What is root's and no lock is left alone. */
static bool lock_is_stale(const char *path)
{
    uid_t owner = 0;
    pid_t pid = lock_names(path, &owner);
    if (pid <= 0)
        return pid == 0 || owner != 0;
    if (process_signal(pid, 0) == -ESRCH)
        return true;
    uid_t user = owner ? process_user(pid) : 0;
    return user != owner && user != (uid_t)-1;
}

/* link(2) makes the lock appear whole: nobody reads it half written. */
static int make_lock(const struct xorg_places *p, unsigned display)
{
    char path[PATH_BYTES], temp[PATH_BYTES], text[LOCK_BYTES + 1];
    lock_path(p, display, path, sizeof path);
    snprintf(temp, sizeof temp, "%s/.tX%u-lock.%d", p->locks, display, (int)getpid());
    snprintf(text, sizeof text, "%10d\n", (int)getpid());
    (void)unlink(temp);
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
    if (fd < 0)
        return -errno;
    int r = write(fd, text, LOCK_BYTES) == LOCK_BYTES && fchmod(fd, 0444) == 0 ? 0 : -EIO;
    close(fd);
    for (int i = 0; r == 0 && i < LOCK_TRIES; i++) {
        r = link(temp, path) < 0 ? -errno : 0;
        if (r != -EEXIST || !lock_is_stale(path))
            break;
        (void)remove(path); /* of a folder only an empty one */
        r = 0;
        if (i == LOCK_TRIES - 1)
            r = -EEXIST;
    }
    (void)unlink(temp);
    return r;
}

static void drop_lock(const struct xorg_places *p, unsigned display)
{
    char path[PATH_BYTES];
    lock_path(p, display, path, sizeof path);
    (void)unlink(path);
}

/* ---- the socket ---- */

/* Whether a server listens on the socket though it has no lock. A dead one's socket is removed, and so is what a user
 * put there that is none. */
static bool socket_is_live(const struct xorg_places *p, unsigned display)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/X%u", p->sockets, display);
    struct stat st;
    if (lstat(a.sun_path, &st) < 0)
        return false;
    if (!S_ISSOCK(st.st_mode))
        return st.st_uid == 0 || remove(a.sun_path) < 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool dead = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return !(dead && unlink(a.sun_path) == 0);
}

int xorg_hold_name(const struct xorg_places *p, unsigned display)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%s/X%u", p->sockets, display);
    if (n < 0 || (size_t)n >= sizeof a.sun_path - 1)
        return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0) {
        int e = -errno;
        close(fd);
        return e;
    }
    return fd;
}

/* ---- the keymap's place ---- */

/* The server's keymap compiler writes here; killed at work it leaves the file, and the next user's could not write its
 * own. */
static void remove_keymap(const struct xorg_places *p, unsigned display)
{
    char path[PATH_BYTES];
    keymap_path(p, display, path, sizeof path);
    (void)unlink(path);
}

/* The same file, empty and the user's: nobody else can put something there that the compiler cannot replace. */
static int hold_keymap(const struct xorg_places *p, unsigned display, const struct account *who)
{
    char path[PATH_BYTES];
    keymap_path(p, display, path, sizeof path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = who && fchown(fd, who->uid, who->gid) < 0 ? -errno : 0;
    close(fd);
    return r;
}

/* ---- one number ---- */

/* Lock, keymap's place and abstract name, or nothing. Returns the name's descriptor, or -errno. */
static int take(const struct xorg_places *p, unsigned display, const struct account *who)
{
    int r = make_lock(p, display);
    if (r < 0)
        return r;
    r = socket_is_live(p, display) ? -EADDRINUSE : 0;
    if (r == 0) {
        remove_keymap(p, display);
        r = hold_keymap(p, display, who);
    }
    if (r == 0) {
        r = xorg_hold_name(p, display);
        if (r < 0)
            remove_keymap(p, display);
    }
    if (r < 0)
        drop_lock(p, display); /* and nothing else: the number is somebody's */
    return r;
}

/* ---- who stands in the way ---- */

struct holder {
    uid_t uid;
    unsigned n;
    char path[PATH_BYTES];
};
struct holders {
    struct holder h[OWNERS];
    size_t n;
    unsigned tried;
};

static void count(struct holders *all, uid_t uid, const char *path)
{
    size_t i = 0;
    while (i < all->n && all->h[i].uid != uid)
        i++;
    if (i == OWNERS)
        return;
    if (i == all->n) {
        all->h[all->n++].uid = uid;
        snprintf(all->h[i].path, sizeof all->h[i].path, "%.*s", PATH_BYTES - 1, path);
    }
    all->h[i].n++;
}

/* By the file that bears the number. An abstract name has no owner that could be asked for. */
static void count_holder(struct holders *all, const struct xorg_places *p, unsigned display)
{
    char path[3][PATH_BYTES];
    struct stat st;
    lock_path(p, display, path[0], sizeof path[0]);
    keymap_path(p, display, path[1], sizeof path[1]);
    snprintf(path[2], sizeof path[2], "%s/X%u", p->sockets, display);
    all->tried++;
    for (int i = 0; i < 3; i++)
        if (lstat(path[i], &st) == 0) {
            count(all, st.st_uid, path[i]);
            return;
        }
}

static const struct holder *worst(const struct holders *all)
{
    const struct holder *w = NULL;
    for (size_t i = 0; i < all->n; i++)
        if (all->h[i].uid != 0 && (!w || all->h[i].n > w->n))
            w = &all->h[i];
    return w;
}

static void tell(const struct holders *all, unsigned first, bool failed, char *why, size_t cap)
{
    const struct holder *w = worst(all);
    if (w && w->n > OWNER_HOLDS_MANY)
        log_warning("display numbers held", "uid=%u numbers=%u tried=%u example=%s", (unsigned)w->uid, w->n, all->tried,
            w->path);
    if (!failed)
        return;
    int n = snprintf(why, cap, "No X display number is free: %u were tried, from %u on.", all->tried, first);
    if (w && n > 0 && (size_t)n < cap)
        snprintf(why + n, cap - (size_t)n,
            " The user with the number %u holds %u of them, for example by %s. The administrator can "
            "remove those files.",
            (unsigned)w->uid, w->n, w->path);
}

/* ---- any number ---- */

/* Who wants to keep others out has to hold not some thousand numbers but nearly all. */
static unsigned candidate(unsigned first, unsigned i)
{
    if (i < IN_ORDER || first + IN_ORDER >= LAST_DISPLAY)
        return first + i;
    return first + IN_ORDER + arc4random_uniform(LAST_DISPLAY - first - IN_ORDER + 1);
}

int xorg_reserve_display(const struct xorg_places *p, unsigned first, const struct account *who, int *name, char *why,
    size_t cap)
{
    struct holders in_the_way = {.n = 0};
    for (unsigned i = 0; i < XORG_DISPLAYS; i++) {
        unsigned d = candidate(first, i);
        int fd = take(p, d, who);
        if (fd >= 0) {
            *name = fd;
            tell(&in_the_way, first, false, why, cap);
            return (int)d;
        }
        count_holder(&in_the_way, p, d);
    }
    tell(&in_the_way, first, true, why, cap);
    return -EADDRINUSE;
}

void xorg_release_display(const struct xorg_places *p, unsigned display, pid_t holder)
{
    char path[PATH_BYTES];
    uid_t owner;
    lock_path(p, display, path, sizeof path);
    if (lock_names(path, &owner) != holder)
        return;
    (void)socket_is_live(p, display); /* removes the socket of a killed server */
    remove_keymap(p, display);
    drop_lock(p, display);
}
