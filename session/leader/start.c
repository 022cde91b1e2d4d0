/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"
#include "common/log.h"
#include "common/spawn.h"
#include "session/leader/child.h"
#include "session/leader/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_desktop(struct hosted_session *s, const struct startup_desktop *m)
{
    bool first = !s->desktop.what[0];
    s->desktop = *m;
    s->desktop_started_ms = clock_ms();
    if (first)
        log_info("session started", "user=%s display=:%d desktop=%s kind=%d id=%s", s->who->user, s->display, m->what,
            m->kind, m->id[0] ? m->id : "-");
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct hosted_session *s = user;
    if (def == &startup_desktop_def)
        on_desktop(s, msg);
    else if (def == &startup_failed_def)
        session_fail(s, ((const struct startup_failed *)msg)->text);
    else if (def == &startup_trouble_def &&
        s->startup_troubles++ < STARTUP_TROUBLES_MAX) /* it runs as the user and may say much */
        log_warning("start-up", "user=%s: %s", s->who->user, ((const struct startup_trouble *)msg)->text);
}

static void desktop_ended(struct hosted_session *s)
{
    int64_t ran = clock_ms() - s->desktop_started_ms;
    char how[96], why[TEXT_BYTES];
    s->desktop_pid = 0;
    if (s->phase != PHASE_RUNNING)
        return;
    session_describe_exit(s->desktop_status, how, sizeof how);
    log_info("desktop ended", "after=%lldms %s", (long long)ran, how);
    if (!s->desktop.what[0]) {
        snprintf(why, sizeof why,
            "The program that reads the start-up files (oriel-startup) ended before the desktop was started: %s.", how);
        session_fail(s, why);
    } else if (ran < DESKTOP_EMPTY_MS || (s->desktop_status != 0 && ran < DESKTOP_FAILED_MS)) {
        snprintf(why, sizeof why, "The desktop (%s) ended after %lld.%lld s: %s.", s->desktop.what,
            (long long)ran / 1000, (long long)ran % 1000 / 100, how);
        session_fail(s, why);
    } else {
        session_end(s, END_USER_LOGOFF, "");
    }
}

/* The desktop closed it by being executed, or the process is gone and all that it had to say was heard. */
static void on_closed(void *user, struct link *l, int err)
{
    struct hosted_session *s = user;
    link_destroy(l);
    s->startup_link = NULL;
    if (s->desktop_gone)
        desktop_ended(s);
}

static const struct link_ops startup_ops = {.message = on_message, .closed = on_closed};

void start_ended(struct hosted_session *s, int status)
{
    s->desktop_gone = true;
    s->desktop_status = status;
    if (!s->startup_link)
        desktop_ended(s);
}

static pid_t start_program(struct hosted_session *s, const char *path, int link, int gate)
{
    const char *argv[] = {"oriel-startup", "--desktop", s->start.desktop, NULL};
    int config = config_to_memfd(s->cfg); /* nothing in it is secret */
    const int fds[] = {link, config, gate};
    struct child c = {.path = path,
        .argv = argv,
        .envp = s->env.v,
        .who = s->who,
        .fds = fds,
        .nfds = 3,
        .out = s->runtime.log_fd,
        .directory = "/",
        .death_signal = SIGHUP};
    pid_t pid = config < 0 ? config : child_start(&c);
    if (config >= 0)
        close(config);
    return pid;
}

int start_desktop(struct hosted_session *s)
{
    char path[PATH_BYTES * 4];
    int sv[2], gate[2];
    int r = spawn_sibling(s->cfg->paths_libexec_dir, "oriel-startup", path, sizeof path);
    if (r == 0)
        r = link_pair(sv);
    if (r < 0)
        return r;
    if (pipe2(gate, O_CLOEXEC) < 0) {
        r = -errno;
        close(sv[0]);
        close(sv[1]);
        return r;
    }
    pid_t pid = start_program(s, path, sv[1], gate[0]);
    runtime_let_log_go(&s->runtime);
    close(sv[1]);
    close(gate[0]);
    s->startup_gate = gate[1];
    if (pid > 0)
        s->startup_link = link_create(s->base, sv[0], &startup_to_leader, &startup_ops, s, LINK_QUEUE_DEFAULT);
    if (pid < 0 || !s->startup_link) {
        close(sv[0]);
        return pid < 0 ? (int)pid : -ENOMEM; /* a started one belongs to the session and ends with it */
    }
    s->desktop_pid = pid;
    return 0;
}

void start_go(struct hosted_session *s)
{
    s->desktop_started_ms = clock_ms();
    close(s->startup_gate);
    s->startup_gate = -1;
    if (s->desktop_gone && !s->startup_link)
        desktop_ended(s);
}
