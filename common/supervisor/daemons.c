/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/supervisor/daemons.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/process.h"
#include "common/rundir.h"
#include "common/spawn.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BIT(c) ((uint64_t)1 << (c))
/* A daemon that ran well for a while comes back at once: clients are waiting */
#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 10000 /* one that dies again and again costs a line every ten seconds */
#define RAN_WELL_S 10
#define FIRST_START_S 3 /* one that exits so early has said why, and would say it for ever */
#define STOP_S 20       /* beyond session.logoff_grace */

enum { KEYS, MONITOR, SERVER, NDAEMONS };

struct kind {
    const char *name;
    size_t account_at; /* offset of the account's option in struct config; 0: root */
    uint64_t caps;
};
static const struct kind kinds[NDAEMONS] = {
    [KEYS] = {"oriel-keys", offsetof(struct config, paths_user_keys), 0},
    [MONITOR] = {"oriel-monitor", 0, 0},
    /* To give each client process a uid and an empty root of its own, to end it, and for ports below 1024. */
    [SERVER] = {"oriel-server", offsetof(struct config, paths_user_server),
        BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE)},
};
static const int stop_order[NDAEMONS] = {SERVER, MONITOR, KEYS};

struct one {
    struct daemons *all;
    const struct kind *kind;
    pid_t pid; /* 0: not running */
    time_t since;
    int pause_ms;
    struct event *restart;
};

struct daemons {
    const struct config *config;
    const char *config_path;
    void (*done)(void *user, bool failed);
    void *user;
    struct one one[NDAEMONS];
    struct event *stop_timer;
    time_t started;
    bool stopping, failed, told;
};

/* A clean environment, but what configures the sanitizers of a test build. */
static void make_environment(char sanitizers[][512], size_t n, const char **envp)
{
    static const char *const names[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"};
    *envp++ = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    *envp++ = "LANG=C.UTF-8";
    for (size_t i = 0; i < n && i < sizeof names / sizeof names[0]; i++) {
        const char *v = getenv(names[i]);
        if (v && snprintf(sanitizers[i], 512, "%s=%s", names[i], v) < 512)
            *envp++ = sanitizers[i];
    }
    *envp = NULL;
}

/* `extra`: one more argument, or NULL. Returns the pid or negative errno, logged. */
static pid_t spawn_daemon(const struct config *c, const char *config_path, const struct kind *kind, const char *extra)
{
    char path[PATH_MAX], sanitizers[4][512];
    const char *argv[5] = {kind->name}, *envp[8];
    size_t n = 1;
    if (config_path) {
        argv[n++] = "--config";
        argv[n++] = config_path;
    }
    argv[n] = extra;
    make_environment(sanitizers, 4, envp);
    /* Should this process be killed, its daemons go with it, at once and without logging anybody off: the next start
     * finds the sessions again. */
    struct spawn s = {.path = path,
        .argv = argv,
        .envp = envp,
        .uid = (uid_t)-1,
        .gid = (gid_t)-1,
        .death_signal = SIGKILL,
        .new_session = 1 /* a group of its own: what one sends to its group reaches none of the others */,
        .ambient_caps = kind->caps};
    int r = spawn_sibling(c->paths_libexec_dir, kind->name, path, sizeof path);
    if (r == 0 && kind->account_at && geteuid() == 0) {
        s.user = (const char *)c + kind->account_at;
        r = rundir_account(s.user, &s.uid, &s.gid);
    }
    pid_t pid = r < 0 ? r : spawn_program(&s);
    if (pid < 0)
        log_error("daemon not started", "name=%s path=%s error=%s", kind->name, path, strerror(-pid));
    return pid;
}

static int start(struct one *o)
{
    pid_t pid = spawn_daemon(o->all->config, o->all->config_path, o->kind, NULL);
    if (pid < 0)
        return (int)pid;
    o->pid = pid;
    o->since = clock_s();
    log_info("daemon started", "name=%s pid=%d", o->kind->name, (int)pid);
    return 0;
}

int daemons_self_check(const struct config *c, const char *config_path)
{
    int status;
    pid_t pid = spawn_daemon(c, config_path, &kinds[SERVER], "--self-check");
    if (pid < 0)
        return (int)pid;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

static void finish_if_all_gone(struct daemons *d)
{
    for (int i = 0; i < NDAEMONS; i++)
        if (d->one[i].pid)
            return;
    if (d->told)
        return;
    d->told = true;
    event_del(d->stop_timer);
    d->done(d->user, d->failed);
}

/* Ask the next in order that still runs. */
static void stop_next(struct daemons *d)
{
    for (int i = 0; i < NDAEMONS; i++) {
        struct one *o = &d->one[stop_order[i]];
        if (o->pid) {
            (void)process_signal(o->pid, SIGTERM);
            return;
        }
    }
    finish_if_all_gone(d);
}

static void on_stop_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct daemons *d = arg;
    for (int i = 0; i < NDAEMONS; i++) {
        if (!d->one[i].pid)
            continue;
        log_warning("daemon killed", "name=%s reason=%s", d->one[i].kind->name, "it did not end in time");
        (void)process_signal(d->one[i].pid, SIGKILL);
    }
}

static void give_up(struct daemons *d, const char *name)
{
    log_error("giving up", "name=%s advice=%s", name, "its own message stands above");
    d->failed = true;
    daemons_stop(d);
}

static void schedule(struct one *o)
{
    bool ran_well = clock_s() - o->since >= RAN_WELL_S;
    o->pause_ms = ran_well || !o->pause_ms ? PAUSE_FIRST_MS : o->pause_ms * 2;
    if (o->pause_ms > PAUSE_MAX_MS)
        o->pause_ms = PAUSE_MAX_MS;
    (void)loop_arm_ms(o->restart, o->pause_ms);
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
    struct one *o = arg;
    if (!o->all->stopping && !o->pid && start(o) < 0) {
        o->since = clock_s();
        schedule(o);
    }
}

static void on_ended(struct one *o, int status)
{
    struct daemons *d = o->all;
    bool early = clock_s() - d->started < FIRST_START_S && WIFEXITED(status) && WEXITSTATUS(status) != 0;
    o->pid = 0;
    if (d->stopping) {
        stop_next(d);
        return;
    }
    if (WIFSIGNALED(status))
        log_error("daemon died", "name=%s signal=%d", o->kind->name, WTERMSIG(status));
    else
        log_error("daemon ended", "name=%s status=%d", o->kind->name, WEXITSTATUS(status));
    if (early)
        give_up(d, o->kind->name);
    else
        schedule(o);
}

void daemons_reap(struct daemons *d)
{
    int status;
    pid_t pid;
    /* Any child: as a container's process 1 it gets orphans of others, too. */
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < NDAEMONS; i++)
            if (d->one[i].pid == pid) {
                on_ended(&d->one[i], status);
                break;
            }
}

int daemons_start(struct daemons *d)
{
    d->started = clock_s();
    for (int i = 0; i < NDAEMONS; i++) {
        int r = start(&d->one[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

void daemons_reload(struct daemons *d)
{
    for (int i = 0; i < NDAEMONS; i++)
        if (d->one[i].pid)
            (void)process_signal(d->one[i].pid, SIGHUP);
}

void daemons_stop(struct daemons *d)
{
    if (d->stopping)
        return;
    d->stopping = true;
    for (int i = 0; i < NDAEMONS; i++)
        event_del(d->one[i].restart);
    (void)loop_arm_s(d->stop_timer, STOP_S + d->config->session_logoff_grace);
    stop_next(d);
}

struct daemons *daemons_create(struct event_base *base, const struct config *c, const char *config_path,
    void (*done)(void *user, bool failed), void *user)
{
    struct daemons *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    *d = (struct daemons){.config = c, .config_path = config_path, .done = done, .user = user};
    d->stop_timer = evtimer_new(base, on_stop_timeout, d);
    bool ok = d->stop_timer != NULL;
    for (int i = 0; i < NDAEMONS; i++) {
        d->one[i] = (struct one){.all = d, .kind = &kinds[i], .restart = evtimer_new(base, on_restart, &d->one[i])};
        ok = ok && d->one[i].restart;
    }
    if (ok)
        return d;
    daemons_destroy(d);
    return NULL;
}

void daemons_destroy(struct daemons *d)
{
    if (!d)
        return;
    if (d->stop_timer)
        event_free(d->stop_timer);
    for (int i = 0; i < NDAEMONS; i++)
        if (d->one[i].restart)
            event_free(d->one[i].restart);
    free(d);
}
