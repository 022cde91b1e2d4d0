/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/monitor.h"

#include "common/link.h"
#include "common/loop.h"
#include "common/spawn.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void free_ended(struct monitor *m)
{
    while (!SLIST_EMPTY(&m->ended)) {
        struct lifetime *object = SLIST_FIRST(&m->ended);
        SLIST_REMOVE_HEAD(&m->ended, next);
        object->release(object);
    }
}

static void on_release_ended(int fd, short what, void *arg)
{
    free_ended(arg);
}

int monitor_init(struct monitor *m)
{
    m->base = event_base_new();
    if (m->base)
        m->release_ended = event_new(m->base, -1, 0, on_release_ended, m);
    return m->release_ended ? 0 : -ENOMEM;
}

void monitor_finish(struct monitor *m)
{
    free_ended(m);
    monitor_timer_free(&m->release_ended);
    if (m->base)
        event_base_free(m->base);
    m->base = NULL;
}

void monitor_end(struct monitor *m, struct lifetime *object, void (*release)(void *object))
{
    if (object->ended)
        return;
    object->ended = true;
    object->release = release;
    SLIST_INSERT_HEAD(&m->ended, object, next);
    event_active(m->release_ended, EV_TIMEOUT, 0);
}

int monitor_send(struct link *l, const struct wire_def *def, const void *msg, const int *fds)
{
    return l ? link_send(l, def, msg, fds) : -EPIPE;
}

int monitor_timer(struct monitor *m, struct event **ev, uint64_t ms, void (*cb)(int fd, short what, void *arg),
    void *arg)
{
    if (*ev)
        event_del(*ev);
    if (!ms)
        return 0;
    if (*ev && event_get_callback(*ev) != cb)
        monitor_timer_free(ev);
    if (!*ev)
        *ev = event_new(m->base, -1, 0, cb, arg);
    return *ev ? loop_arm_ms(*ev, (int64_t)ms) : -ENOMEM;
}

void monitor_timer_free(struct event **ev)
{
    if (*ev)
        event_free(*ev);
    *ev = NULL;
}

struct throttle_limits monitor_throttle_limits(const struct monitor *m)
{
    return (
        struct throttle_limits){(uint32_t)m->config.login_throttle_burst, (uint32_t)m->config.login_throttle_seconds};
}

const char *monitor_refuse_text(enum refuse_reason reason, uint32_t wait_s)
{
    static char text[TEXT_BYTES];
    switch (reason) {
    case REFUSE_CREDENTIALS:
        return "The user name or the password is not right.";
    case REFUSE_CONVERSATION:
        return "More than a password is needed to log in.";
    case REFUSE_ACCOUNT:
        return "This account cannot log in at present.";
    case REFUSE_POLICY:
        return "This account may not log in here. Ask the administrator.";
    case REFUSE_THROTTLED:
        snprintf(text, sizeof text, "Too many attempts. Try again in %u second%s.", wait_s ? wait_s : 1,
            wait_s > 1 ? "s" : "");
        return text;
    case REFUSE_LIMIT:
        return "This host has no room for another session. Try again later.";
    case REFUSE_ELSEWHERE:
        return "You have a graphical session on this host already. Log off there first.";
    case REFUSE_COOKIE:
        return "The connection cannot be restored by itself. Please log in.";
    case REFUSE_UNAVAILABLE:
        return "Logging in is not possible at present. The host's log says more.";
    case REFUSE_NONE:
        break;
    }
    return "";
}

const char *monitor_refuse_name(enum refuse_reason reason)
{
    static const char *const names[] = {"none", "credentials", "conversation", "account", "policy", "throttled",
        "limit", "elsewhere", "cookie", "unavailable"};
    return (size_t)reason <= REFUSE_MAX ? names[reason] : "?";
}

const char *monitor_end_text(enum end_cause cause)
{
    static const char *const texts[] = {"", "You connected from another place.", "There was no input for too long.",
        "Logging in took too long.", "The login was refused.", "The administrator disconnected you.",
        "The administrator logged you off.", "", "", "The session ended unexpectedly.",
        "Oriel is being stopped on this host.", "A part of the connection broke its rules."};
    return (size_t)cause <= END_MAX ? texts[cause] : "";
}

const char *monitor_end_name(enum end_cause cause)
{
    static const char *const names[] = {"none", "replaced", "idle", "logon-timeout", "denied", "admin-disconnect",
        "admin-logoff", "user-logoff", "user-disconnect", "session-failed", "shutdown", "protocol"};
    return (size_t)cause <= END_MAX ? names[cause] : "?";
}

pid_t monitor_spawn(struct monitor *m, const char *name, const int *fds, size_t nfds, uid_t uid, gid_t gid,
    bool detached)
{
    char path[4096];
    int r = spawn_sibling(m->config.paths_libexec_dir, name, path, sizeof path);
    if (r < 0)
        return r;
    const char *const argv[] = {name, m->config_path ? "--config" : NULL, m->config_path, NULL};
    struct spawn s = {.path = path,
        .argv = argv,
        .fds = fds,
        .nfds = nfds,
        .uid = uid,
        .gid = gid,
        .death_signal = detached ? 0 : SIGKILL,
        .new_session = detached,
        .detach = detached,
        .limits = m->limits.v};
    return spawn_program(&s);
}
