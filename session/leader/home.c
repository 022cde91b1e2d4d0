/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/home.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/log.h"
#include "session/leader/logplace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Together with choosing the desktop and the X server's start: below the 15 s in which a person is in or reads why. */
/* One call into the home, which is three of a slow server's: one that takes longer hangs */
#define STALL_MS 5500
/* All of the first look; a home that is mounted when it is first touched takes some of it */
#define FIRST_MS 6000
#define SLOW_MS 1500 /* a first look that takes longer: no time for a log there */
#define ENTER_MS 4000

/* What a login reads. Some that provide a home answer for its names and hang when a file is opened. */
static const char *const read_at_login[] = {".profile", ".bash_profile", ".bashrc", ".zshenv", ".xsessionrc",
    ".xsession"};

struct look { /* of an aside job */
    char home[PATH_BYTES];
    char log_dir[CONFIG_STRING_MAX]; /* "": in the home */
    bool want_log;
    struct logplace place;
    bool known; /* as in struct home, before and after */
    uint64_t device, inode;
    bool entered;
    int32_t log; /* 0 open, or negative errno */
};

static int enter(struct aside *a, struct look *l)
{
    struct stat st;
    if (chdir(l->home) < 0 || stat(".", &st) < 0)
        return -errno;
    l->known = l->known && st.st_dev == l->device && st.st_ino == l->inode;
    l->device = st.st_dev;
    l->inode = st.st_ino;
    l->entered = true;
    aside_report(a, -1);
    return 0;
}

/* Opening `name` gave `err`: does the home's server refuse, for want of a ticket or because it is gone? A missing file,
 * or one whose mode says no, is the user's own affair. 0 or `err`. */
static int server_refuses(const char *name, int err)
{
    struct stat st;
    switch (-err) {
    case EKEYEXPIRED:
    case EKEYREVOKED:
    case EKEYREJECTED:
    case ENOKEY:
    case ENOTCONN:
    case ESTALE:
    case EIO:
    case EREMOTEIO:
    case EHOSTDOWN:
        return err;
    case EACCES:
    case EPERM:
        return stat(name, &st) == 0 && st.st_uid == getuid() && (st.st_mode & 0400) ? err : 0;
    default:
        return 0;
    }
}

/* One file that can be read is enough. */
static int read_something(struct aside *a)
{
    int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
    int r = dir < 0 ? server_refuses(".", -errno) : 0;
    if (dir >= 0)
        close(dir);
    aside_report(a, -1);
    for (size_t i = 0; r == 0 && fd < 0 && i < sizeof read_at_login / sizeof read_at_login[0]; i++) {
        char byte;
        fd = open(read_at_login[i], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        r = fd < 0 ? server_refuses(read_at_login[i], -errno) : 0;
        aside_report(a, -1);
        if (fd >= 0 && read(fd, &byte, 1) < 0)
            r = server_refuses(read_at_login[i], -errno);
        if (fd >= 0)
            close(fd);
    }
    return r;
}

/* The descriptor goes first: the rest is not needed for a session. */
static void open_log(struct aside *a, struct look *l)
{
    int dir = -1, top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int log = top < 0 ? -errno : logplace_open(a, &l->place, top, LOGPLACE_FOLDER, &dir);
    l->log = log < 0 ? log : 0;
    aside_report(a, log);
    if (log >= 0)
        logplace_prune(a, &l->place, dir);
}

static int look_at_home(struct aside *a, void *what)
{
    struct look *l = what;
    int r = enter(a, l);
    if (r < 0)
        return r;
    if (!l->known)
        r = read_something(a);
    if (r < 0)
        return r;
    l->known = true;
    aside_report(a, -1);
    if (l->want_log)
        open_log(a, l);
    return 0;
}

static int open_admins_log(struct aside *a, void *what)
{
    struct look *l = what;
    int dir = -1, log = logplace_open_admin(&l->place, l->log_dir, &dir);
    l->log = log < 0 ? log : 0;
    aside_report(a, log);
    if (log >= 0)
        logplace_prune(a, &l->place, dir);
    return 0;
}

void home_words(const struct account *who, int err, char *out, size_t cap)
{
    const char *home = who->home;
    switch (-err) {
    case ENOENT:
    case ENOTDIR:
        snprintf(out, cap,
            "There is no home folder: %s does not exist. The administrator can make it, for example with "
            "\"mkhomedir_helper %s\", or let each first login make it (pam_mkhomedir).",
            home, who->user);
        break;
    case EACCES:
    case EPERM:
        snprintf(out, cap,
            "The home folder %s is closed to you: %s. Its owner or mode may be wrong; or it lies on a server that asks "
            "for a "
            "ticket (Kerberos), and yours is missing or has expired: then log in again with your password.",
            home, strerror(-err));
        break;
    case EKEYEXPIRED:
    case EKEYREVOKED:
    case EKEYREJECTED:
    case ENOKEY:
        snprintf(out, cap,
            "The home folder %s asks for a ticket (Kerberos), and yours is missing or has expired: %s. Log in again "
            "with your "
            "password.",
            home, strerror(-err));
        break;
    case ETIMEDOUT:
    case ETIME:
        snprintf(out, cap,
            "The home folder %s does not answer: the server or the program that provides it hangs. Try again later; "
            "the "
            "administrator finds it with \"findmnt --target %s\".",
            home, home);
        break;
    default:
        snprintf(out, cap,
            "The home folder %s cannot be used: %s. The server or the program that provides it may have stopped; the "
            "administrator finds it with \"findmnt --target %s\".",
            home, strerror(-err), home);
    }
}

static int refuse(const struct account *who, int err, char *why, size_t cap)
{
    log_warning("home refused", "user=%s home=%s: %s", who->user, who->home, strerror(-err));
    home_words(who, err, why, cap);
    return err;
}

static void begin_look(struct look *l, const struct home *h, const struct account *who)
{
    *l = (struct look){.known = h->known, .device = h->device, .inode = h->inode, .log = -ETIME};
    snprintf(l->home, sizeof l->home, "%s", who->home);
}

static void remember(struct home *h, const struct look *l)
{
    h->known = l->known;
    h->device = l->device;
    h->inode = l->inode;
}

int home_first_look(struct home *h, const struct account *who, char *why, size_t cap)
{
    static struct look l;
    begin_look(&l, h, who);
    const struct aside_job job =
        {.who = who, .work = look_at_home, .what = &l, .bytes = sizeof l, .stall_ms = STALL_MS, .total_ms = FIRST_MS};
    int64_t before = clock_ms();
    int r = aside_run(&job);
    remember(h, &l);
    if (r == -ETIMEDOUT || (r == -ETIME && !l.entered))
        return refuse(who, -ETIMEDOUT, why, cap);
    h->slow = clock_ms() - before > SLOW_MS;
    h->known = h->known || r == -ETIME; /* once was enough */
    return 0;
}

/* The last resort: the session's own folder. */
static void log_in_runtime(struct runtime *r, const struct account *who, const struct logplace *p, const char *note)
{
    snprintf(r->log_path, sizeof r->log_path, "%s/session.log", r->dir);
    r->log_fd = runtime_open_file(who, r->log_path);
    if (r->log_fd < 0) {
        log_warning("session without a log", "path=%s: %s", r->log_path, strerror(-r->log_fd));
        r->log_fd = -1;
    } else if (dprintf(r->log_fd, "%s[Oriel: %s This log is here instead.]\n", p->first_line, note) < 0) {
        log_warning("session log", "path=%s: %s", r->log_path, strerror(errno));
    }
}

static void no_log_there(struct home *h, struct runtime *r, const struct account *who, const struct look *l,
    const char *folder)
{
    snprintf(h->note, sizeof h->note,
        l->log == -ETIME ? "The folder %.300s answers too slowly for it." : "The folder %.300s cannot be written: %s.",
        folder, strerror(-l->log));
    log_warning("session log not in its place", "%s Using the session's own folder", h->note);
    log_in_runtime(r, who, &l->place, h->note);
}

int home_enter(struct home *h, const struct account *who, struct runtime *r, uint64_t session, const char *log_dir,
    char *why, size_t cap)
{
    static struct look l;
    char folder[PATH_BYTES + sizeof LOGPLACE_FOLDER];
    struct aside_job job = {.who = who,
        .work = look_at_home,
        .what = &l,
        .bytes = sizeof l,
        .fd = &r->log_fd,
        .stall_ms = STALL_MS,
        .total_ms = ENTER_MS};
    begin_look(&l, h, who);
    logplace_name(&l.place, who, session);
    snprintf(l.log_dir, sizeof l.log_dir, "%s", log_dir);
    l.want_log = !log_dir[0] && !h->slow;
    int e = aside_run(&job);
    remember(h, &l);
    if (e < 0 && !l.known && !(e == -ETIME && l.entered)) /* what hangs later is only the log's folder */
        return refuse(who, e, why, cap);
    if (log_dir[0]) {
        job = (struct aside_job){.work = open_admins_log,
            .what = &l,
            .bytes = sizeof l,
            .fd = &r->log_fd,
            .stall_ms = STALL_MS,
            .total_ms = ENTER_MS};
        if (aside_run(&job) < 0 && r->log_fd < 0)
            l.log = -ETIME;
    }
    snprintf(folder, sizeof folder, "%s/%s", who->home, LOGPLACE_FOLDER);
    snprintf(r->log_path, sizeof r->log_path, "%.*s/%s", 2 * PATH_BYTES - LOGPLACE_NAME_BYTES,
        log_dir[0] ? log_dir : folder, l.place.name);
    if (r->log_fd < 0)
        no_log_there(h, r, who, &l, log_dir[0] ? log_dir : folder);
    return 0;
}
