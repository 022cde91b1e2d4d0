/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/log.h"
#include "common/loop.h"
#include "common/process.h"
#include "common/spawn.h"
#include "session/leader/child.h"
#include "session/leader/keeper.h"
#include "session/leader/record.h"
#include "session/leader/scope.h"
#include "session/leader/socket_folders.h"
#include "session/leader/warden.h"
#include "session/leader/xauth.h"
#include "session/leader/xorg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* login(1)'s ENV_PATH */
#define USER_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
#define ROOT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What every login has, then what PAM's modules say. */
static void login_environment(struct hosted_session *s)
{
    const struct account *w = s->who;
    char mail[USER_BYTES + 16];
    snprintf(mail, sizeof mail, "/var/mail/%s", w->user);
    (void)env_set(&s->env, "PATH", w->uid ? USER_PATH : ROOT_PATH);
    (void)env_set(&s->env, "HOME", w->home);
    (void)env_set(&s->env, "SHELL", w->shell);
    (void)env_set(&s->env, "USER", w->user);
    (void)env_set(&s->env, "LOGNAME", w->user);
    (void)env_set(&s->env, "MAIL", mail);
    if (env_load_locale(&s->env, "/etc/default/locale") < 0)
        (void)env_load_locale(&s->env, "/etc/locale.conf");
    if (!env_get(&s->env, "LANG"))
        (void)env_set(&s->env, "LANG", "C.UTF-8");
    char **list = pam_getenvlist(s->auth->pamh);
    for (char **e = list; e && *e; e++) {
        (void)env_put(&s->env, *e);
        free(*e);
    }
    free(list);
}

/* Toolkits take whole factors from here and the rest from Xft.dpi, which the agent keeps up to date. */
static void scale_environment(struct hosted_session *s)
{
    uint32_t scale = 0;
    for (uint32_t i = 0; i < s->start.open.nmonitors; i++)
        if (s->start.open.monitors[i].primary || scale == 0)
            scale = s->start.open.monitors[i].scale;
    if (scale < 200 || scale > 500)
        return;
    char factor[16], inverse[16];
    snprintf(factor, sizeof factor, "%u", scale / 100);
    snprintf(inverse, sizeof inverse, "%.4f", 1.0 / (scale / 100));
    (void)env_set(&s->env, "GDK_SCALE", factor);
    (void)env_set(&s->env, "GDK_DPI_SCALE", inverse);
    (void)env_set(&s->env, "QT_ENABLE_HIGHDPI_SCALING", "1");
}

/* The client's zone, if it is the name of one: letters, digits, "/_+-", no "..". */
static void zone_environment(struct hosted_session *s)
{
    const char *zone = s->start.open.time_zone;
    char path[128];
    if (!s->cfg->session_client_time_zone || !zone[0] || strstr(zone, "..") || zone[0] == '/' ||
        zone[strspn(zone, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-")])
        return;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    if (access(path, R_OK) == 0)
        (void)env_set(&s->env, "TZ", zone);
}

/* Ours come last: display and bus of this session and no other. */
static void session_environment(struct hosted_session *s)
{
    static const char *const others[] = {"WAYLAND_DISPLAY", "XDG_SEAT", "XDG_VTNR", "DBUS_SESSION_BUS_PID",
        "SESSION_MANAGER"};
    char display[16], bus[PATH_BYTES + 32], id[32];
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        env_unset(&s->env, others[i]);
    snprintf(display, sizeof display, ":%d", s->display);
    snprintf(bus, sizeof bus, "unix:path=%s", s->userbus.path);
    snprintf(id, sizeof id, "%llu", (unsigned long long)s->start.session);
    (void)env_set(&s->env, "DISPLAY", display);
    (void)env_set(&s->env, "XAUTHORITY", s->runtime.xauthority);
    (void)env_set(&s->env, "XDG_RUNTIME_DIR", s->runtime.user.path);
    (void)env_set(&s->env, "DBUS_SESSION_BUS_ADDRESS", bus);
    (void)env_set(&s->env, "XDG_SESSION_TYPE", "x11");
    (void)env_set(&s->env, "ORIEL_SESSION_DIR", s->runtime.dir);
    (void)env_set(&s->env, "ORIEL_SESSION_ID", id);
    (void)env_set(&s->env, "ORIEL_SESSION_KEY", s->start.key);
    scale_environment(s);
    zone_environment(s);
}

static int write_display_files(struct hosted_session *s, char *why, size_t cap)
{
    int r = child_enter_user(s->who);
    if (r < 0)
        return r;
    r = xauth_write_file(s->runtime.xauthority, (unsigned)s->display);
    if (r == 0)
        r = xorg_write_config(s->runtime.xorg_config, (unsigned)s->cfg->display_max_width,
            (unsigned)s->cfg->display_max_height);
    child_leave_user();
    if (r < 0)
        snprintf(why, cap, "The display's files in %s cannot be written: %s", s->runtime.dir, strerror(-r));
    return r;
}

/* Else it would be one of the monitor's processes, and who ends all of those would leave the session without its
 * warden. */
static void bring_warden(void)
{
    pid_t warden = warden_alive();
    int r = warden ? scope_bring(warden) : 0;
    if (r < 0)
        log_warning("warden stays behind", "in the control group of the service: %s", strerror(-r));
}

int begin_open(struct hosted_session *s, char *why, size_t cap)
{
    char tty[16];
    int name; /* held as long as this process lives */
    snprintf(why, cap, "The session could not be set up.");
    int r = socket_folders_claim(xorg_system_places.locks, xorg_system_places.sockets, why, cap);
    if (r < 0)
        return r;
    s->display = xorg_reserve_display(&xorg_system_places, (unsigned)s->cfg->display_first, s->who, &name, why, cap);
    if (s->display < 0)
        return s->display;
    snprintf(tty, sizeof tty, ":%d", s->display);
    r = home_first_look(&s->home, s->who, why, cap);
    if (r == 0)
        r = auth_open_session(s->auth, tty, s->start.key, why, cap);
    if (r == 0)
        bring_warden();
    child_remember_limits();
    leader_protect();
    if (r == 0)
        r = runtime_create(&s->runtime, s->who, s->start.session, "/run/user", why, cap);
    if (r == 0)
        r = home_enter(&s->home, s->who, &s->runtime, s->start.session, s->cfg->session_log_dir, why, cap);
    if (r == 0)
        r = write_display_files(s, why, cap);
    if (r < 0)
        return r;
    userbus_choose(&s->userbus, &s->runtime, s->who, s->cfg->login_pam_service);
    login_environment(s);
    session_environment(s);
    record_login(s->who->user, (unsigned)s->display, s->start.client_address, getpid());
    s->recorded = true;
    return 0;
}

/* A pipe whose read end is watched and whose write end a program gets. */
static struct event *watch_pipe(struct hosted_session *s, int *read_end, int *write_end, event_callback_fn on_ready)
{
    int p[2];
    if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
        return NULL;
    struct event *e = event_new(s->base, p[0], EV_READ, on_ready, s);
    if (!e || event_add(e, NULL) < 0) {
        close(p[0]);
        close(p[1]);
        return NULL;
    }
    *read_end = p[0];
    *write_end = p[1];
    return e;
}

static void on_display_ready(evutil_socket_t fd, short what, void *arg)
{
    struct hosted_session *s = arg;
    char text[16] = "";
    ssize_t n = read(fd, text, sizeof text - 1);
    if (s->phase != PHASE_BEGIN_DISPLAY)
        return;
    if (n <= 0)
        return; /* it is dying: SIGCHLD tells the rest */
    if (strtol(text, NULL, 10) != s->display) {
        session_fail(s, "The X server took another display than it was given.");
        return;
    }
    s->phase = PHASE_BEGIN_AGENT;
    int r = begin_agent(s);
    if (r < 0) {
        char why[256];
        snprintf(why, sizeof why, "The agent that carries the picture (oriel-agent) could not be started: %s",
            strerror(-r));
        session_fail(s, why);
        return;
    }
    begin_desktop_when_ready(s);
}

static void on_bus_ready(evutil_socket_t fd, short what, void *arg)
{
    struct hosted_session *s = arg;
    s->bus_up = true; /* or it ended: then the desktop does without */
    int r = userbus_publish(&s->userbus, &s->runtime, s->who);
    if (r < 0) {
        char address[PATH_BYTES + 16];
        log_warning("bus not in its place", "path=%s: %s; this session's programs use %s", s->userbus.path,
            strerror(-r), s->runtime.bus);
        snprintf(address, sizeof address, "unix:path=%s", s->runtime.bus);
        (void)env_set(&s->env, "DBUS_SESSION_BUS_ADDRESS", address);
    }
    begin_desktop_when_ready(s);
}

static void start_bus(struct hosted_session *s)
{
    static const char *const places[] = {"/usr/bin/dbus-daemon", "/bin/dbus-daemon", "/usr/local/bin/dbus-daemon"};
    char address[PATH_BYTES + 48];
    const char *path = NULL;
    int write_end = -1;
    s->bus_up = !s->userbus.serve;
    if (s->bus_up)
        return;
    for (size_t i = 0; i < 3 && !path; i++)
        path = access(places[i], X_OK) == 0 ? places[i] : NULL;
    if (path)
        s->on_bus = watch_pipe(s, &s->bus_pipe, &write_end, on_bus_ready);
    if (s->on_bus) {
        snprintf(address, sizeof address, "--address=unix:path=%s", s->runtime.bus);
        const char *argv[] = {"dbus-daemon", "--session", "--nofork", "--nopidfile", "--nosyslog", address,
            "--print-address=3", NULL};
        struct child c = {.path = path,
            .argv = argv,
            .envp = s->env.v,
            .who = s->who,
            .fds = &write_end,
            .nfds = 1,
            .out = s->runtime.log_fd,
            .directory = "/",
            .death_signal = SIGTERM};
        pid_t pid = child_start(&c);
        close(write_end);
        if (pid > 0) {
            s->bus = pid;
            return;
        }
    }
    log_warning("no session bus", "dbus-daemon %s; programs that need D-Bus will not work",
        path ? "could not be started" : "is not installed");
    env_unset(&s->env, "DBUS_SESSION_BUS_ADDRESS");
    s->bus_up = true;
}

/* ---- what the user's bus and manager are told ---- */

static void go_on_without(struct hosted_session *s, const char *why)
{
    log_warning("display not lent", "user=%s: %s; services that the user's systemd starts do not find the display",
        s->who->user, why);
    s->lent = true;
    begin_desktop_when_ready(s);
}

void begin_lent(struct hosted_session *s, int status)
{
    s->lender = 0;
    if (s->lent)
        return; /* too late, or killed */
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        s->lent = true;
        begin_desktop_when_ready(s);
        return;
    }
    go_on_without(s,
        WIFEXITED(status) && WEXITSTATUS(status) == 4
            ? "dbus-update-activation-environment failed (see the session's log)"
            : "systemctl --user set-environment failed (see the session's log)");
}

static void on_lent_late(evutil_socket_t fd, short what, void *arg)
{
    struct hosted_session *s = arg;
    if (s->lent || !s->lender)
        return;
    (void)process_signal_group(s->lender, SIGKILL); /* the shell and what it waits for */
    go_on_without(s, "the user's systemd does not answer");
}

static void start_lending(struct hosted_session *s)
{
    pid_t pid = userbus_lend(&s->userbus, &s->runtime, s->who, &s->env, s->runtime.log_fd);
    s->lent = pid == 0;
    if (s->lent)
        return;
    s->on_lent_late = pid > 0 ? evtimer_new(s->base, on_lent_late, s) : NULL;
    if (pid < 0 || !s->on_lent_late || loop_arm_ms(s->on_lent_late, USERBUS_MS) < 0) {
        go_on_without(s, "the host is out of processes or memory");
        return;
    }
    s->lender = pid;
}

void begin_display(struct hosted_session *s)
{
    int write_end = -1;
    s->phase = PHASE_BEGIN_DISPLAY;
    s->on_display = watch_pipe(s, &s->display_pipe, &write_end, on_display_ready);
    if (!s->on_display) {
        session_fail(s, "The host is out of descriptors or memory.");
        return;
    }
    int out = runtime_open_file(s->who, s->runtime.xorg_out);
    pid_t pid = xorg_start(s->cfg->display_xorg, s->who, &s->runtime, (unsigned)s->display, write_end, out, s->env.v);
    close(write_end);
    if (out >= 0)
        close(out);
    if (pid < 0) {
        char why[CONFIG_STRING_MAX + 256];
        snprintf(why, sizeof why,
            "The X server %s cannot be started: %s. Install it (Debian: apt install xserver-xorg-core "
            "xserver-xorg-video-dummy) or set display.xorg.",
            s->cfg->display_xorg, strerror((int)-pid));
        session_fail(s, why);
        return;
    }
    s->xorg = pid;
    start_bus(s);
    start_lending(s);
}

int begin_agent(struct hosted_session *s)
{
    char path[PATH_BYTES * 4];
    int sv[2];
    int r = spawn_sibling(s->cfg->paths_libexec_dir, "oriel-agent", path, sizeof path);
    if (r == 0)
        r = link_pair(sv);
    if (r < 0)
        return r;
    int config = config_to_memfd(s->cfg); /* nothing in it is secret */
    int out = runtime_open_file(s->who, s->runtime.agent_out);
    const int fds[] = {sv[1], config};
    const char *argv[] = {"oriel-agent", "--config-fd", "4", NULL};
    struct child c = {.path = path,
        .argv = argv,
        .envp = s->env.v,
        .who = s->who,
        .fds = fds,
        .nfds = 2,
        .out = out,
        .directory = "/",
        .death_signal = SIGKILL};
    pid_t pid = config < 0 ? config : child_start(&c);
    close(sv[1]);
    if (out >= 0)
        close(out);
    if (config >= 0)
        close(config);
    if (pid > 0)
        s->agent_link = link_create(s->base, sv[0], &agent_to_leader, &agent_ops, s, LINK_QUEUE_DEFAULT);
    if (pid < 0 || !s->agent_link) {
        close(sv[0]);
        return pid < 0 ? (int)pid : -ENOMEM; /* a started one ends when its link closes */
    }
    s->agent = pid;
    struct agent_start m = {.open = s->start.open, .idle_seconds = (uint32_t)s->cfg->session_idle_limit};
    if (s->restarts) /* the display is as its users left it, not as it was at the start */
        m.open = (struct display_open){0};
    r = link_send(s->agent_link, &agent_start_def, &m, NULL);
    return r == -EPIPE ? 0 : r; /* it died already: its link says so in a moment */
}

/* Reading the start-up files needs display and bus, and takes as long as the agent: both at once. */
static void begin_startup(struct hosted_session *s)
{
    if (s->phase != PHASE_BEGIN_AGENT || !s->bus_up || !s->lent || s->startup_begun)
        return;
    int r = start_desktop(s);
    s->startup_begun = r == 0;
    if (r < 0) {
        char why[256];
        snprintf(why, sizeof why, "The program that starts the desktop (oriel-startup) could not be started: %s",
            strerror(-r));
        session_fail(s, why);
    }
}

void begin_desktop_when_ready(struct hosted_session *s)
{
    begin_startup(s);
    if (s->phase != PHASE_BEGIN_AGENT || !s->agent_up || !s->startup_begun)
        return;
    s->phase = PHASE_RUNNING;
    (void)loop_arm_ms(s->timer, STARTUP_DEADLINE_MS);
    monitor_hello(s);
    start_go(s);
}
