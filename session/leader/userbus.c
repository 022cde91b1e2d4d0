/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/userbus.h"

#include "common/log.h"
#include "session/elsewhere.h"
#include "session/leader/child.h"
#include "session/leader/lockfile.h"
#include "session/leader/sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAMES_MAX 32

/* What a program needs that is started for this desktop by somebody outside of it. */
static const char *const lent[] = {"DISPLAY", "XAUTHORITY", "XDG_CURRENT_DESKTOP", "XDG_SESSION_DESKTOP",
    "DESKTOP_SESSION", "XDG_SESSION_TYPE", "XDG_SESSION_CLASS", "XDG_MENU_PREFIX", "GDK_SCALE", "GDK_DPI_SCALE",
    "QT_ENABLE_HIGHDPI_SCALING", NULL};
/* What start-up scripts tell them beyond that, most of all Debian's "dbus-update-activation-environment --systemd
 * --all", and what means nothing any more when the session has ended. */
static const char *const told[] = {"ORIEL_SESSION_ID", "ORIEL_SESSION_KEY", "ORIEL_SESSION_DIR", "XDG_SESSION_ID",
    "SESSION_MANAGER", "WINDOWID", "GDMSESSION", "GNOME_DESKTOP_SESSION_ID", "SSH_AGENT_PID", NULL};

static bool join(char *out, size_t cap, const char *dir, const char *name)
{
    int n = snprintf(out, cap, "%s/%s", dir, name);
    return n > 0 && (size_t)n < cap;
}

/* The process that made the socket and listens there; 0: nobody does. */
static pid_t who_listens(const char *path, const struct account *who)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    int n = snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (n < 0 || (size_t)n >= sizeof a.sun_path || fd < 0 || child_enter_user(who) < 0) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    bool there = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    child_leave_user();
    if (there && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        peer.pid = 0;
    close(fd);
    return there ? peer.pid : 0;
}

/* A bus that lasts: not that of a session of ours whose leader was killed and that is ending just now. */
static bool has_bus(const char *path, const struct account *who)
{
    pid_t pid = who_listens(path, who);
    return pid > 0 && !sweep_has_any_key(pid);
}

static bool take_first(struct userbus *b, const struct account *who, const char *own_service)
{
    if (elsewhere_graphical("/run/systemd/sessions", who->uid, own_service)) {
        log_info("bus of its own", "user=%s has a graphical session elsewhere", who->user);
        return false;
    }
    b->lock = lockfile_take(b->lock_path, LOCK_EX, 0);
    if (b->lock >= 0)
        return true;
    log_info("bus of its own", "user=%s: %s", who->user,
        b->lock == -EAGAIN ? "another session has the user's" : strerror(-b->lock));
    return false;
}

void userbus_choose(struct userbus *b, const struct runtime *r, const struct account *who, const char *own_service)
{
    char private[RUNTIME_DIR_BYTES + 32];
    *b = (struct userbus){.lock = -1, .serve = true};
    snprintf(b->path, sizeof b->path, "%s", r->bus);
    snprintf(b->lock_path, sizeof b->lock_path, "%s-first", r->user.mark);
    b->first = take_first(b, who, own_service);
    if (!b->first)
        return;
    (void)join(b->path, sizeof b->path, r->user.path, "bus");
    (void)join(private, sizeof private, r->user.path, "systemd/private");
    b->serve = !has_bus(b->path, who);
    b->manager = who_listens(private, who) > 0;
}

/* A second name of the socket, not a link to it: libdbus looks for a socket there. The daemon removes only the name
 * that it made itself, so one that is just ending cannot take its successor's away. */
int userbus_publish(const struct userbus *b, const struct runtime *r, const struct account *who)
{
    char temp[PATH_BYTES + 8];
    if (!b->first || !b->serve)
        return 0;
    snprintf(temp, sizeof temp, "%s.user", r->bus);
    int e = child_enter_user(who);
    if (e < 0)
        return e;
    (void)unlink(temp);
    e = link(r->bus, temp) < 0 || rename(temp, b->path) < 0 ? -errno : 0;
    child_leave_user();
    return e;
}

static void unpublish(const struct userbus *b, const struct account *who)
{
    if (b->serve && who_listens(b->path, who) == 0 && child_enter_user(who) == 0) {
        (void)unlink(b->path);
        child_leave_user();
    }
}

/* ---- programs that run as the user ---- */

/* A shell script with arguments. `env` lives as long as the struct child. */
struct script {
    struct env_list env;
    const char *argv[NAMES_MAX + 8];
    size_t n;
};

static void script_init(struct script *p, const struct userbus *b, const struct runtime *r, const struct account *who,
    const char *text)
{
    char address[PATH_BYTES + 16];
    *p = (struct script){.argv = {"sh", "-c", text, "oriel"}, .n = 4};
    snprintf(address, sizeof address, "unix:path=%s", b->path);
    (void)env_set(&p->env, "PATH", "/usr/local/bin:/usr/bin:/bin");
    (void)env_set(&p->env, "HOME", who->home);
    (void)env_set(&p->env, "LANG", "C.UTF-8");
    (void)env_set(&p->env, "XDG_RUNTIME_DIR", r->user.path);
    (void)env_set(&p->env, "DBUS_SESSION_BUS_ADDRESS", address);
    (void)env_set(&p->env, "MANAGER", b->manager ? "yes" : "");
    (void)env_set(&p->env, "BUS", b->serve ? "" : "yes");
}

static void script_add(struct script *p, const char *argument)
{
    if (p->n + 1 < sizeof p->argv / sizeof p->argv[0])
        p->argv[p->n++] = argument;
}

static struct child script_child(struct script *p, const struct account *who, int out)
{
    return (struct child){.path = "/bin/sh",
        .argv = p->argv,
        .envp = p->env.v,
        .who = who,
        .out = out,
        .directory = "/",
        .death_signal = SIGKILL};
}

/* systemctl goes to the manager's own socket: it works without a bus. The bus has an environment beside the manager's,
 * for what it starts by itself; a daemon of the session's own was started with the right one. */
static const char lend_text[] = "[ -z \"$MANAGER\" ] || systemctl --user set-environment \"$@\" || exit 3\n"
                                "[ -z \"$BUS\" ] || ! command -v dbus-update-activation-environment >/dev/null || "
                                "dbus-update-activation-environment \"$@\" || exit 4\n";

#define IF_OURS                                                             \
    "display=$1 said=\"\n$(systemctl --user show-environment)\n\"; shift\n" \
    "case $said in *\"\nDISPLAY=$display\n\"*) ;; *) exit 0 ;; esac\n"

static const char stop_text[] = IF_OURS "exec systemctl --user --no-block stop graphical-session.target\n";

/* The bus cannot forget a variable, only have an empty one. An agent's socket that is gone is of no use either. */
static const char end_text[] = IF_OURS "systemctl --user --no-block stop graphical-session.target\n"
                                       "[ -z \"$BUS\" ] || ! command -v dbus-update-activation-environment >/dev/null "
                                       "|| dbus-update-activation-environment DISPLAY= XAUTHORITY=\n"
                                       "agent=${said#*\nSSH_AUTH_SOCK=}; agent=${agent%%\n*}\n"
                                       "case $agent in /*) [ -S \"$agent\" ] || set -- \"$@\" SSH_AUTH_SOCK ;; esac\n"
                                       "exec systemctl --user unset-environment \"$@\"\n";

pid_t userbus_lend(const struct userbus *b, const struct runtime *r, const struct account *who,
    const struct env_list *env, int out)
{
    struct script p;
    char *entries[NAMES_MAX] = {NULL};
    size_t n = 0;
    if (!b->first || (!b->manager && b->serve))
        return 0;
    script_init(&p, b, r, who, lend_text);
    for (const char *const *name = lent; *name && n < NAMES_MAX; name++) {
        const char *value = env_get(env, *name);
        if (value && asprintf(&entries[n], "%s=%s", *name, value) > 0)
            script_add(&p, entries[n++]);
    }
    struct child c = script_child(&p, who, out);
    pid_t pid = child_start(&c);
    while (n > 0)
        free(entries[--n]);
    env_finish(&p.env);
    return pid;
}

static void script_about_display(struct script *p, const struct userbus *b, const struct runtime *r,
    const struct account *who, const char *text, char *display, size_t cap, unsigned number)
{
    snprintf(display, cap, ":%u", number);
    script_init(p, b, r, who, text);
    script_add(p, display);
}

void userbus_stop_units(const struct userbus *b, const struct runtime *r, const struct account *who, unsigned display)
{
    struct script p;
    char name[16];
    if (!b->manager)
        return;
    script_about_display(&p, b, r, who, stop_text, name, sizeof name, display);
    struct child c = script_child(&p, who, -1);
    pid_t pid = child_start(&c);
    if (pid < 0)
        log_warning("graphical units not stopped", "user=%s: %s", who->user, strerror((int)-pid));
    env_finish(&p.env);
}

static void take_back(const struct userbus *b, const struct runtime *r, const struct account *who, unsigned display)
{
    struct script p;
    char name[16];
    script_about_display(&p, b, r, who, end_text, name, sizeof name, display);
    for (const char *const *n = lent; *n; n++)
        script_add(&p, *n);
    for (const char *const *n = told; *n; n++)
        script_add(&p, *n);
    struct child c = script_child(&p, who, -1);
    int e = child_run(&c, USERBUS_MS);
    if (e < 0)
        log_warning("display not taken back", "user=%s: the user's systemd still has DISPLAY=%s: %s", who->user, name,
            e == -ETIMEDOUT ? "systemctl --user does not answer" : "systemctl --user unset-environment failed");
    env_finish(&p.env);
}

void userbus_end(struct userbus *b, const struct runtime *r, const struct account *who, unsigned display)
{
    if (!b->first)
        return;
    if (b->lock < 0) /* the leader was killed. Somebody may be first already, and has lent a display of their own */
        b->lock = lockfile_take(b->lock_path, LOCK_EX, 0);
    if (b->lock >= 0) {
        unpublish(b, who);
        if (b->manager)
            take_back(b, r, who, display);
        lockfile_remove(b->lock_path, b->lock);
    }
    *b = (struct userbus){.lock = -1};
}
