/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-monitor: decides who may do what. Root, no network; it parses nothing but Oriel's own messages. */
#include "common/clock.h"
#include "common/log.h"
#include "common/name_list.h"
#include "common/pam_service.h"
#include "common/rundir.h"
#include "common/sockets.h"
#include "session/monitor/control_end.h"
#include "session/monitor/found.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/logon_end.h"
#include "session/monitor/peer.h"
#include "session/monitor/reap.h"
#include "session/monitor/server_end.h"
#include "session/monitor/session.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 64
/* Two descriptors for each of server.max_clients and session.max_sessions at their highest, and some */
#define NOFILE 65536
#define STOP_CHECK_MS 100

struct monitor_daemon {
    struct monitor m;
    char config_path[PATH_MAX];
    int server_listener, control_listener;
    gid_t control_gid; /* (gid_t)-1: root only */
    struct event *on_server, *on_control, *on_hup, *on_term, *on_int, *on_chld, *stop_timer;
    uint64_t stop_by_ms;
};

/* ---- who may connect ---- */

static void on_server_waiting(int fd, short what, void *arg)
{
    struct monitor_daemon *d = arg;
    struct ucred who;
    int c = sockets_accept(fd, &who);
    if (c < 0)
        return;
    if (who.uid == d->m.server_uid || who.uid == d->m.own_uid) {
        server_accept(&d->m, c);
        return;
    }
    log_warning("connection refused", "socket=monitor.sock uid=%u pid=%d", (unsigned)who.uid, (int)who.pid);
    close(c);
}

/* The socket's mode admits root and the group; a uid that got here otherwise is refused. */
static bool may_control(const struct monitor_daemon *d, const struct ucred *who, int fd)
{
    gid_t groups[1024];
    socklen_t len = sizeof groups;
    if (who->uid == d->m.own_uid)
        return true;
    if (d->control_gid == (gid_t)-1)
        return false;
    if (who->gid == d->control_gid)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
        return false;
    for (size_t i = 0; i < len / sizeof groups[0]; i++)
        if (groups[i] == d->control_gid)
            return true;
    return false;
}

static void on_control_waiting(int fd, short what, void *arg)
{
    struct monitor_daemon *d = arg;
    struct ucred who;
    int c = sockets_accept(fd, &who);
    if (c < 0)
        return;
    if (may_control(d, &who, c)) {
        control_accept(&d->m, c, who.uid);
        return;
    }
    log_warning("connection refused", "socket=control.sock uid=%u pid=%d", (unsigned)who.uid, (int)who.pid);
    close(c);
}

/* ---- signals ---- */

static void find_control_group(struct monitor_daemon *d)
{
    char name[GROUP_NAME_BYTES], why[64];
    const struct group *gr = NULL;
    /* config_load has looked already */
    if (name_list_single(d->m.config.control_group, name, why, sizeof why) == 0 && *name)
        gr = getgrnam(name);
    d->control_gid = gr ? gr->gr_gid : (gid_t)-1;
    if (*d->m.config.control_group && !gr)
        log_warning("no such group", "control.group=%s: root only", d->m.config.control_group);
}

/* A socket that listens keeps its place in the file system; who may open it changes there. */
static void control_group_changed(struct monitor_daemon *d)
{
    char path[256];
    find_control_group(d);
    bool none = d->control_gid == (gid_t)-1;
    int r = config_run_path(&d->m.config, "control.sock", path, sizeof path);
    if (r == 0 &&
        (chown(path, (uid_t)-1, none ? getegid() : d->control_gid) < 0 || chmod(path, none ? 0600 : 0660) < 0))
        r = -errno;
    if (r < 0)
        log_error("control group not changed", "path=%s error=%s", path, strerror(-r));
}

static void reload(struct monitor_daemon *d)
{
    struct config *fresh = malloc(sizeof *fresh);
    struct config_error err;
    int r = fresh && d->m.config_path ? config_load(fresh, d->m.config_path, &err) : -ENOENT;
    if (r == 0) {
        config_keep_fixed(fresh, &d->m.config);
        bool other_group = strcmp(fresh->control_group, d->m.config.control_group) != 0;
        d->m.config = *fresh;
        log_set_level((enum log_level)(d->m.config.log_level + 1));
        if (other_group)
            control_group_changed(d);
        session_limits_changed(&d->m);
        log_info("configuration loaded", "file=%s", d->m.config_path);
    } else if (fresh && d->m.config_path) {
        log_error("configuration kept", "%s:%u: %s", err.file, err.line, err.text);
    }
    free(fresh);
}

static void on_sighup(int sig, short what, void *arg)
{
    reload(arg);
}

static void on_sigchld(int sig, short what, void *arg)
{
    struct monitor_daemon *d = arg;
    pid_t pid;
    struct logon *l;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        LIST_FOREACH (l, &d->m.logons, entry)
            if (l->pid == pid)
                l->pid = 0; /* the number may be another's by now */
}

static void on_stop_check(int fd, short what, void *arg)
{
    struct monitor_daemon *d = arg;
    if (LIST_EMPTY(&d->m.sessions) || clock_boottime_ms() >= d->stop_by_ms)
        event_base_loopbreak(d->m.base);
    else
        (void)monitor_timer(&d->m, &d->stop_timer, STOP_CHECK_MS, on_stop_check, d);
}

/* Sessions stay, or are logged off first, as the option says. */
static void on_stop(int sig, short what, void *arg)
{
    struct monitor_daemon *d = arg;
    struct session *s;
    if (d->m.stopping || !d->m.config.session_stop_with_service) {
        event_base_loopbreak(d->m.base);
        return;
    }
    d->m.stopping = true;
    log_info("stopping", "sessions=%zu: logging them off", session_count(&d->m));
    LIST_FOREACH (s, &d->m.sessions, entry)
        session_logoff(s, END_SHUTDOWN);
    d->stop_by_ms = clock_boottime_ms() + (uint64_t)d->m.config.session_logoff_grace * 1000 + END_SLACK_MS + 5000;
    on_stop_check(-1, 0, d);
}

/* ---- start ---- */

static int account(const char *name, uid_t *uid, gid_t *gid)
{
    int r = rundir_account(name, uid, gid);
    if (r < 0)
        log_error("no such account", "user=%s: systemd-sysusers or scripts/serve makes it", name);
    return r;
}

/* The name service is asked now: later it might hang, and everybody with it. */
static int find_logon_account(struct monitor *m)
{
    m->logon_uid = (uid_t)-1;
    m->logon_gid = (gid_t)-1;
    return geteuid() == 0 ? account(m->config.paths_user_logon, &m->logon_uid, &m->logon_gid) : 0;
}

static int listen_both(struct monitor_daemon *d)
{
    char path[256];
    uid_t uid;
    gid_t gid;
    int r = account(d->m.config.paths_user_server, &uid, &gid);
    if (r < 0)
        return r;
    d->m.server_uid = uid;
    find_control_group(d);
    r = config_run_path(&d->m.config, "monitor.sock", path, sizeof path);
    d->server_listener = r < 0 ? r : sockets_listen(path, 0660, geteuid() == 0 ? gid : (gid_t)-1, BACKLOG);
    if (d->server_listener < 0) {
        log_error("cannot listen", "path=%s error=%s", path, strerror(-d->server_listener));
        return d->server_listener;
    }
    r = config_run_path(&d->m.config, "control.sock", path, sizeof path);
    d->control_listener =
        r < 0 ? r : sockets_listen(path, d->control_gid == (gid_t)-1 ? 0600 : 0660, d->control_gid, BACKLOG);
    if (d->control_listener < 0)
        log_error("cannot listen", "path=%s error=%s", path, strerror(-d->control_listener));
    return d->control_listener < 0 ? d->control_listener : 0;
}

static int open_state(struct monitor *m)
{
    char path[CONFIG_STRING_MAX + 16];
    int err = 0;
    snprintf(path, sizeof path, "%s/monitor.db", m->config.paths_state_dir);
    m->store = store_open(path, &err);
    if (!m->store) {
        log_error("no store", "file=%s error=%s: is the state directory there and writable?", path, strerror(-err));
        return err;
    }
    throttle_boot_id(m->boot);
    (void)store_cookie_prune(m->store, m->boot, clock_boottime_ms());
    m->throttle = throttle_create(m->store, m->boot, clock_boottime_ms);
    return m->throttle ? 0 : -ENOMEM;
}

static int add_signal(struct monitor_daemon *d, struct event **ev, int sig, void (*cb)(int, short, void *))
{
    *ev = evsignal_new(d->m.base, sig, cb, d);
    return *ev ? event_add(*ev, NULL) : -1;
}

static int add_events(struct monitor_daemon *d)
{
    struct event_base *b = d->m.base;
    d->on_server = event_new(b, d->server_listener, EV_READ | EV_PERSIST, on_server_waiting, d);
    d->on_control = event_new(b, d->control_listener, EV_READ | EV_PERSIST, on_control_waiting, d);
    if (!d->on_server || !d->on_control || event_add(d->on_server, NULL) < 0 || event_add(d->on_control, NULL) < 0)
        return -ENOMEM;
    if (add_signal(d, &d->on_hup, SIGHUP, on_sighup) < 0 || add_signal(d, &d->on_term, SIGTERM, on_stop) < 0 ||
        add_signal(d, &d->on_int, SIGINT, on_stop) < 0 || add_signal(d, &d->on_chld, SIGCHLD, on_sigchld) < 0)
        return -ENOMEM;
    return 0;
}

static int load_config(struct monitor_daemon *d, const char *path)
{
    struct config_error err;
    config_defaults(&d->m.config);
    if (!path)
        return 0;
    if (!realpath(path, d->config_path)) {
        fprintf(stderr, "oriel-monitor: %s: %s\n", path, strerror(errno));
        return -errno;
    }
    d->m.config_path = d->config_path;
    int r = config_load(&d->m.config, d->config_path, &err);
    if (r < 0)
        fprintf(stderr, "oriel-monitor: %s:%u: %s\n", err.file, err.line, err.text);
    return r;
}

static void harden(struct monitor *m)
{
    struct rlimit files = {NOFILE, NOFILE};
    /* Passwords pass through: no core file, no ptrace. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    limits_find(&m->limits);
    (void)setrlimit(RLIMIT_NOFILE, &files); /* refused where we are not root: then it is as many as we were given */
    signal(SIGPIPE, SIG_IGN);
}

static void free_event(struct event *e)
{
    if (e)
        event_free(e);
}

static void tear_down(struct monitor_daemon *d)
{
    struct monitor *m = &d->m;
    while (!LIST_EMPTY(&m->controls))
        control_destroy(LIST_FIRST(&m->controls));
    while (!LIST_EMPTY(&m->servers))
        server_destroy(LIST_FIRST(&m->servers));
    while (!LIST_EMPTY(&m->logons))
        logon_destroy(LIST_FIRST(&m->logons));
    session_forget_all(m);
    leader_forget_all(m);
    reap_forget_all(m);
    struct event *all[] = {d->on_server, d->on_control, d->on_hup, d->on_term, d->on_int, d->on_chld, d->stop_timer};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free_event(all[i]);
    if (d->server_listener >= 0)
        close(d->server_listener);
    if (d->control_listener >= 0)
        close(d->control_listener);
    throttle_destroy(m->throttle);
    store_close(m->store);
    monitor_finish(m);
    libevent_global_shutdown();
}

static int pam_service(const struct config *c)
{
    char why[512];
    int r = pam_service_check(c->login_pam_service, c->login_pam_dir, why, sizeof why);
    if (r < 0)
        log_error("no PAM service", "service=%s: %s; install conf's PAM file or set login.pam_service",
            c->login_pam_service, why);
    return r;
}

/* Before there is a handler SIGHUP would be the end. It waits, and is heard then. */
static void hold_sighup(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    (void)sigprocmask(how, &set, NULL);
}

static int run(struct monitor_daemon *d)
{
    d->m.own_uid = geteuid();
    d->m.started_s = (uint64_t)time(NULL);
    if (gethostname(d->m.host, sizeof d->m.host - 1) < 0)
        d->m.host[0] = 0;
    if (monitor_init(&d->m) < 0 || pam_service(&d->m.config) < 0 || find_logon_account(&d->m) < 0 ||
        open_state(&d->m) < 0 || listen_both(d) < 0 || add_events(d) < 0)
        return 1;
    hold_sighup(SIG_UNBLOCK);
    int n = found_scan(&d->m);
    if (n < 0)
        log_error("sessions not found", "error=%s", strerror(-n));
    log_info("ready", "version=%s leaders=%d", ORIEL_VERSION, n);
    sockets_tell_ready();
    (void)event_base_dispatch(d->m.base);
    log_info("leaving", "sessions=%zu", session_count(&d->m));
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {0}};
    static struct monitor_daemon d = {.server_listener = -1, .control_listener = -1, .control_gid = (gid_t)-1};
    const char *path = NULL;
    int opt;
    while ((opt = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        if (opt != 'c') {
            fprintf(stderr, "usage: oriel-monitor [--config FILE]\n");
            return 2;
        }
        path = optarg;
    }
    hold_sighup(SIG_BLOCK);
    log_init("oriel-monitor", LOG_LEVEL_INFO);
    if (load_config(&d, path) < 0)
        return 2;
    log_set_level((enum log_level)(d.m.config.log_level + 1));
    harden(&d.m);
    int r = run(&d);
    tear_down(&d);
    return r;
}
