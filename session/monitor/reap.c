/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/reap.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "session/user_manager.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmpx.h>

#define ROUNDS_MAX 200 /* at ROUND_MS: four seconds against something that forks */
#define ROUND_MS 20
/* An environment is at most a quarter of the stack limit; ours stands early in it */
#define ENVIRON_MAX (1 << 20)

struct reap {
    struct lifetime life;
    LIST_ENTRY(reap) entry;
    struct monitor *m;
    struct reap_note note;
    unsigned rounds;
    struct event *timer;
    void (*done)(struct monitor *m, uint64_t session, bool clean);
};

static int note_path(struct monitor *m, uint64_t session, char *out, size_t cap)
{
    char name[64];
    snprintf(name, sizeof name, "leaders/%" PRIu64 ".session", session);
    return config_run_path(&m->config, name, out, cap);
}

int reap_note_write(struct monitor *m, const struct reap_note *n)
{
    char path[256], tmp[264];
    int r = note_path(m, n->session, path, sizeof path);
    if (r < 0)
        return r;
    snprintf(tmp, sizeof tmp, "%s.new", path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    r = dprintf(fd, "%" PRIu64 " %" PRIu32 " %s %" PRId32 " %" PRIu32 "\n", n->session, n->uid, n->key, n->leader_pid,
            n->display) > 0
        ? 0
        : -EIO;
    close(fd);
    if (r == 0 && rename(tmp, path) < 0)
        r = -errno;
    return r;
}

int reap_note_read(const char *path, struct reap_note *n)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return -errno;
    *n = (struct reap_note){0};
    int got = fscanf(f, "%" SCNu64 " %" SCNu32 " %32[0-9a-f] %" SCNd32 " %" SCNu32, &n->session, &n->uid, n->key,
        &n->leader_pid, &n->display);
    fclose(f);
    return got == 5 && strlen(n->key) == 2 * TOKEN_BYTES ? 0 : -EINVAL;
}

void reap_note_remove(struct monitor *m, uint64_t session)
{
    char path[256];
    if (note_path(m, session, path, sizeof path) == 0)
        (void)unlink(path);
}

static bool has_variable(const char *env, size_t len, const char *want)
{
    size_t n = strlen(want);
    for (const char *p = env, *end = env + len; p < end;) {
        size_t left = (size_t)(end - p), here = strnlen(p, left);
        if (here == n && memcmp(p, want, n) == 0)
            return true;
        p += here + 1;
    }
    return false;
}

/* The process' own folder is held open, so that pid, owner and environment are one and the same process'. */
static bool belongs(int proc, uid_t uid, const char *want, char *buf)
{
    struct stat st;
    if (fstat(proc, &st) < 0 || st.st_uid != uid || user_manager_runs(proc, uid))
        return false;
    int fd = openat(proc, "environ", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t len = 0;
    ssize_t n;
    while (len < ENVIRON_MAX && (n = read(fd, buf + len, ENVIRON_MAX - len)) > 0)
        len += (size_t)n;
    close(fd);
    return has_variable(buf, len, want);
}

unsigned reap_round(const char *key, uid_t uid)
{
    char want[128];
    unsigned n = 0;
    DIR *d = *key ? opendir("/proc") : NULL;
    char *buf = malloc(ENVIRON_MAX);
    snprintf(want, sizeof want, "ORIEL_SESSION_KEY=%s", key);
    for (struct dirent *e; d && buf && (e = readdir(d));) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        int proc = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0)
            continue;
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid > 1 && pid != getpid() && belongs(proc, uid, want, buf)) {
            n++;
            (void)process_signal(pid, SIGKILL);
        }
        close(proc);
    }
    free(buf);
    if (d)
        closedir(d);
    return n;
}

/* Remove the X lock that a dead leader made, and the socket. Its pid may still be seen, as a zombie's. */
static void clear_display(uint32_t display, pid_t leader)
{
    char lock[64], sock[64], text[32] = "";
    snprintf(lock, sizeof lock, "/tmp/.X%u-lock", display);
    snprintf(sock, sizeof sock, "/tmp/.X11-unix/X%u", display);
    int fd = open(lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0) {
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        pid_t pid = n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
        if (pid != leader && process_signal(pid, 0) == 0)
            return; /* somebody else took the number */
        (void)unlink(lock);
    }
    (void)unlink(sock);
}

static void clear_login_record(pid_t leader)
{
    struct utmpx *u, gone;
    bool found = false;
    setutxent();
    while (!found && (u = getutxent())) {
        if (u->ut_type == USER_PROCESS && u->ut_pid == leader) {
            gone = *u;
            found = true;
        }
    }
    if (found) {
        gone.ut_type = DEAD_PROCESS;
        memset(gone.ut_user, 0, sizeof gone.ut_user);
        memset(gone.ut_host, 0, sizeof gone.ut_host);
        gone.ut_tv.tv_sec = (int32_t)(clock_wall_ms() / 1000);
        setutxent();
        (void)pututxline(&gone);
        updwtmpx("/var/log/wtmp", &gone);
    }
    endutxent();
}

static void reap_destroy(struct reap *r)
{
    LIST_REMOVE(r, entry);
    monitor_timer_free(&r->timer);
    monitor_end(r->m, &r->life, free);
}

static void reap_step(int fd, short what, void *arg)
{
    struct reap *r = arg;
    unsigned left = reap_round(r->note.key, (uid_t)r->note.uid);
    if (left && ++r->rounds < ROUNDS_MAX && monitor_timer(r->m, &r->timer, ROUND_MS, reap_step, r) == 0)
        return;
    if (r->note.display)
        clear_display(r->note.display, r->note.leader_pid);
    if (r->note.leader_pid > 0)
        clear_login_record(r->note.leader_pid);
    reap_destroy(r);
    r->done(r->m, r->note.session, left == 0);
}

void reap_start(struct monitor *m, const struct reap_note *n,
    void (*done)(struct monitor *m, uint64_t session, bool clean))
{
    struct reap *r = calloc(1, sizeof *r);
    if (!r) {
        log_error("session not cleared", "session=%llu: no memory", (unsigned long long)n->session);
        return;
    }
    r->m = m;
    r->note = *n;
    r->done = done;
    LIST_INSERT_HEAD(&m->reaps, r, entry);
    if (monitor_timer(m, &r->timer, 1, reap_step, r) < 0)
        reap_step(-1, 0, r);
}

void reap_forget_all(struct monitor *m)
{
    while (!LIST_EMPTY(&m->reaps))
        reap_destroy(LIST_FIRST(&m->reaps));
}
