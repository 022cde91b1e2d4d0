/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/xorg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_BYTES 11      /* "%10d\n", the format all X servers read and write */
#define LOCK_TRIES 3       /* remove a stale lock, and lose a race or two */

const struct xorg_places xorg_system_places = {"/tmp/.X11-unix", "/tmp"};

int xorg_check_socket_dir(const struct xorg_places *p, char *why, size_t cap)
{
    struct stat st;
    if (mkdir(p->sockets, 01777) == 0)
        (void)chmod(p->sockets, 01777); /* without the umask */
    if (lstat(p->sockets, &st) < 0) {
        snprintf(why, cap, "%s cannot be made: %s", p->sockets, strerror(errno));
        return -errno;
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))) {
        snprintf(why, cap, "%s is not a folder of root with the sticky bit: anybody could replace X sockets there. "
                 "Remove it, then log in again.", p->sockets);
        return -EPERM;
    }
    return 0;
}

static void lock_path(const struct xorg_places *p, unsigned display, char *out, size_t cap)
{
    snprintf(out, cap, "%s/.X%u-lock", p->locks, display);
}

/* The process that a lock names; 0: there is none; -1: cannot tell, leave it alone. */
static pid_t lock_names(const char *path)
{
    char text[LOCK_BYTES + 1] = "", *end;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    ssize_t n = read(fd, text, LOCK_BYTES);
    close(fd);
    long pid = n == LOCK_BYTES ? strtol(text, &end, 10) : 0;
    if (n != LOCK_BYTES || *end != '\n' || pid <= 0 || pid > INT32_MAX)
        return -1;
    return (pid_t)pid;
}

static bool lock_is_stale(const char *path)
{
    pid_t pid = lock_names(path);
    return pid == 0 || (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH);
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
        (void)unlink(path); /* its server is dead */
        r = 0;
        if (i == LOCK_TRIES - 1)
            r = -EEXIST;
    }
    (void)unlink(temp);
    return r;
}

/* Whether a server listens on the socket though it has no lock. A dead one's socket is removed. */
static bool socket_is_live(const struct xorg_places *p, unsigned display)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/X%u", p->sockets, display);
    struct stat st;
    if (lstat(a.sun_path, &st) < 0)
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool dead = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0 && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return !(dead && S_ISSOCK(st.st_mode) && unlink(a.sun_path) == 0);
}

/* The server's keymap compiler writes here; killed at work it leaves the file, and the next user's could not write its own. */
static void remove_keymap(const struct xorg_places *p, unsigned display)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/server-%u.xkm", p->locks, display);
    (void)unlink(path);
}

/* The same file, empty and the user's: nobody else can put something there that the compiler cannot replace. */
static int hold_keymap(const struct xorg_places *p, unsigned display, const struct account *who)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/server-%u.xkm", p->locks, display);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = who && fchown(fd, who->uid, who->gid) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static void drop_lock(const struct xorg_places *p, unsigned display)
{
    char path[PATH_BYTES];
    lock_path(p, display, path, sizeof path);
    (void)unlink(path);
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

int xorg_reserve_display(const struct xorg_places *p, unsigned first, const struct account *who)
{
    for (unsigned d = first; d < first + XORG_DISPLAYS; d++) {
        if (make_lock(p, d) < 0)
            continue;
        bool live = socket_is_live(p, d);
        if (!live)
            remove_keymap(p, d);
        if (!live && hold_keymap(p, d, who) == 0)
            return (int)d;
        drop_lock(p, d); /* and nothing else: the number is somebody's, or its keymap's place is a folder */
    }
    return -EADDRINUSE;
}

void xorg_release_display(const struct xorg_places *p, unsigned display, pid_t holder)
{
    char path[PATH_BYTES];
    lock_path(p, display, path, sizeof path);
    if (lock_names(path) != holder)
        return;
    (void)socket_is_live(p, display); /* removes the socket of a killed server */
    remove_keymap(p, display);
    drop_lock(p, display);
}

static const char config_text[] =
    "# Written by Oriel for one session.\n"
    "Section \"ServerFlags\"\n"
    "    Option \"AutoAddDevices\" \"false\"\n"   /* or it takes the console's keyboard */
    "    Option \"AutoEnableDevices\" \"false\"\n"
    "    Option \"AutoAddGPU\" \"false\"\n"
    "    Option \"DontVTSwitch\" \"true\"\n"
    "    Option \"BlankTime\" \"0\"\n"
    "    Option \"StandbyTime\" \"0\"\n"
    "    Option \"SuspendTime\" \"0\"\n"
    "    Option \"OffTime\" \"0\"\n"
    "EndSection\n"
    "Section \"Device\"\n"
    "    Identifier \"oriel\"\n"
    "    Driver \"dummy\"\n"
    "    VideoRam %u\n"
    "EndSection\n"
    "Section \"Monitor\"\n"
    "    Identifier \"oriel\"\n"
    "    HorizSync 1-10000\n"
    "    VertRefresh 1-1000\n"
    "EndSection\n"
    "Section \"Screen\"\n"
    "    Identifier \"oriel\"\n"
    "    Device \"oriel\"\n"
    "    Monitor \"oriel\"\n"
    "    DefaultDepth 24\n"
    "    SubSection \"Display\"\n"
    "        Depth 24\n"
    "        Modes \"1024x768\"\n"
    "    EndSubSection\n"
    "EndSection\n";

int xorg_write_config(const char *path, unsigned width, unsigned height)
{
    uint64_t kib = ((uint64_t)width * height * 4 + 1023) / 1024; /* address space only: the driver touches what it shows */
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = dprintf(fd, config_text, (unsigned)kib) < 0 ? -EIO : 0;
    close(fd);
    return r;
}

pid_t xorg_start(const char *program, const struct account *who, const struct runtime *r, unsigned display, int ready_fd,
                 int out, char *const *envp)
{
    char name[16];
    snprintf(name, sizeof name, ":%u", display);
    const char *argv[] = {program, name, "-displayfd", "3", "-config", r->xorg_config, "-auth", r->xauthority, "-logfile", r->xorg_log,
                          "-nolisten", "tcp", "-nolisten", "local", "-noreset", "-novtswitch", "-sharevts", "-s", "0",
                          "-verbose", "0", NULL};
    struct child c = {.path = program, .argv = argv, .envp = envp, .who = who, .fds = &ready_fd, .nfds = 1, .out = out,
                      .directory = "/", .death_signal = SIGTERM /* it removes its socket then */};
    return child_start(&c);
}
