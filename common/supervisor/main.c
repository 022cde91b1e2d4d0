/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel: prepares the folders and keeps the daemons running where systemd does not. Reads no socket. */
#include "common/config.h"
#include "common/log.h"
#include "common/pam_service.h"
#include "common/rundir.h"
#include "common/supervisor/daemons.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum action { ACTION_RUN, ACTION_CHECK, ACTION_DUMP, ACTION_PREPARE, ACTION_SELF_CHECK };

struct supervisor {
    const char *config_path; /* NULL: there is no file, the defaults hold */
    struct config config;
    struct event_base *base;
    struct daemons *daemons;
    bool failed, ended;
};

static const char usage[] =
    "usage: oriel [--config FILE]                  run the service in the foreground\n"
    "       oriel [--config FILE] --check-config   say what is wrong with the configuration; silent when nothing is\n"
    "       oriel [--config FILE] --dump-config    print every option as it is in force\n"
    "       oriel [--config FILE] --prepare        make the folders for sockets and state, and end\n"
    "       oriel [--config FILE] --self-check     take one client's process into its sandbox with the installed "
    "libraries, and say\n"
    "                                              what hinders it; status 0: nothing, 78: no client could be served, "
    "75: undecided\n";

static int read_arguments(int argc, char **argv, struct supervisor *s, enum action *action)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, 'k'},
        {"dump-config", no_argument, NULL, 'd'},
        {"prepare", no_argument, NULL, 'p'},
        {"self-check", no_argument, NULL, 's'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int opt;
    s->config_path = config_default_path();
    while ((opt = getopt_long(argc, argv, "c:", options, NULL)) >= 0) {
        switch (opt) {
        case 'c':
            s->config_path = optarg;
            break;
        case 'k':
            *action = ACTION_CHECK;
            break;
        case 'd':
            *action = ACTION_DUMP;
            break;
        case 'p':
            *action = ACTION_PREPARE;
            break;
        case 's':
            *action = ACTION_SELF_CHECK;
            break;
        case 'v':
            puts("oriel " ORIEL_VERSION);
            exit(0);
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            return -EINVAL;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return -EINVAL;
    }
    /* The daemons start in "/". */
    static char absolute[PATH_MAX];
    if (s->config_path && realpath(s->config_path, absolute))
        s->config_path = absolute;
    return 0;
}

static int load(struct config *c, const char *path)
{
    struct config_error err;
    config_defaults(c);
    int r = path ? config_load(c, path, &err) : 0;
    if (r < 0 && err.line)
        fprintf(stderr, "%s:%u: %s\n", err.file, err.line, err.text);
    else if (r < 0)
        fprintf(stderr, "%s: %s\n", err.file, err.text);
    return r;
}

static int prepare(const struct config *c)
{
    char why[4352];
    if (geteuid() != 0) {
        log_error("not started", "reason=%s", "oriel must be run as root");
        return -EPERM;
    }
    int r = rundir_prepare(c, why, sizeof why);
    if (r < 0)
        log_error("folders not prepared", "reason=%s", why);
    return r;
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct supervisor *s = arg;
    struct config fresh;
    if (sig == SIGCHLD) {
        daemons_reap(s->daemons);
    } else if (sig != SIGHUP) {
        log_info("stopping", "signal=%d", (int)sig);
        daemons_stop(s->daemons);
    } else if (load(&fresh, s->config_path) < 0) {
        log_error("configuration kept", "reason=%s", "the new one is broken");
    } else {
        /* All that is used here beside what needs a restart */
        s->config.session_logoff_grace = fresh.session_logoff_grace;
        log_set_level(LOG_LEVEL_ERROR + (enum log_level)fresh.log_level);
        log_info("reloading", "config=%s", s->config_path ? s->config_path : "none");
        daemons_reload(s->daemons);
    }
}

static void on_done(void *user, bool failed)
{
    struct supervisor *s = user;
    s->failed = s->failed || failed;
    s->ended = true;
    event_base_loopbreak(s->base);
}

/* The port of an earlier run must not be taken for this one's. */
static void forget_port(const struct config *c)
{
    char path[256];
    if (config_run_path(c, "port", path, sizeof path) == 0)
        (void)!truncate(path, 0);
}

static int run(struct supervisor *s)
{
    static const int signals[] = {SIGCHLD, SIGHUP, SIGTERM, SIGINT};
    struct event *events[4] = {NULL};
    int r = prepare(&s->config);
    if (r < 0)
        return r;
    forget_port(&s->config);
    s->base = event_base_new();
    s->daemons = s->base ? daemons_create(s->base, &s->config, s->config_path, on_done, s) : NULL;
    for (size_t i = 0; i < 4 && r == 0; i++) {
        events[i] = s->daemons ? evsignal_new(s->base, signals[i], on_signal, s) : NULL;
        if (!events[i] || event_add(events[i], NULL) < 0)
            r = -ENOMEM;
    }
    if (r == 0 && daemons_start(s->daemons) < 0) {
        s->failed = true;
        daemons_stop(s->daemons);
    }
    if (r == 0 && !s->ended && event_base_dispatch(s->base) < 0)
        r = -EIO;
    for (size_t i = 0; i < 4; i++)
        if (events[i])
            event_free(events[i]);
    daemons_destroy(s->daemons);
    if (s->base)
        event_base_free(s->base);
    return r < 0 || s->failed ? -EIO : 0;
}

static int check_pam(const struct config *c)
{
    char why[512];
    int r = pam_service_check(c->login_pam_service, c->login_pam_dir, why, sizeof why);
    if (r < 0)
        fprintf(stderr, "login.pam_service: %s\n", why);
    return r;
}

/* As root the folders are made first: a peer's empty root is one of them. */
static int check_self(const struct supervisor *s)
{
    int r = geteuid() == 0 ? prepare(&s->config) : 0;
    r = r < 0 ? r : daemons_self_check(&s->config, s->config_path);
    return r < 0 ? 1 : r;
}

int main(int argc, char **argv)
{
    static struct supervisor s;
    enum action action = ACTION_RUN;
    log_init("oriel", LOG_LEVEL_INFO);
    umask(0022);
    if (read_arguments(argc, argv, &s, &action) < 0 || load(&s.config, s.config_path) < 0)
        return 2;
    log_set_level(LOG_LEVEL_ERROR + (enum log_level)s.config.log_level);
    switch (action) {
    case ACTION_CHECK:
        return check_pam(&s.config) < 0 ? 2 : 0;
    case ACTION_DUMP:
        return config_dump(&s.config, stdout) < 0;
    case ACTION_PREPARE:
        return prepare(&s.config) < 0;
    case ACTION_SELF_CHECK:
        return check_self(&s);
    default:
        return run(&s) < 0;
    }
}
