/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-server: accepts, admits, gives each client a process of its own, and watches deadlines. Parses nothing but the
 * length of the first request. */
#include "common/log.h"
#include "common/sockets.h"
#include "common/spawn.h"
#include "server/listen/daemon.h"
#include "server/listen/self_check.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_BESIDE_CLIENTS 64

/* EXIT_PORT_TAKEN: somebody else listens there. Trying again at once would not help: oriel-server.service does not
 * (RestartPreventExitStatus). */
enum server_exit { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PORT_TAKEN = 3 };

static int load(const char *path, struct config *c)
{
    struct config_error err = {0};
    if (!path) {
        config_defaults(c);
        return 0;
    }
    int r = config_load(c, path, &err);
    if (r < 0)
        log_error("configuration refused", "file=%s line=%u reason=%s", err.file[0] ? err.file : path, err.line,
            err.text);
    return r;
}

static int publish_config(struct daemon *d)
{
    int fd = config_to_memfd(&d->config);
    if (fd < 0)
        return fd;
    if (d->config_fd >= 0)
        close(d->config_fd);
    d->config_fd = fd;
    return 0;
}

static void on_reload(evutil_socket_t sig, short what, void *arg)
{
    struct daemon *d = arg;
    struct config *fresh = calloc(1, sizeof *fresh);
    if (!fresh || load(d->config_path, fresh) < 0) {
        log_error("old configuration kept", "file=%s", d->config_path ? d->config_path : "(defaults)");
        free(fresh);
        return;
    }
    config_keep_fixed(fresh, &d->config);
    d->config = *fresh;
    free(fresh);
    log_set_level((enum log_level)(d->config.log_level + 1));
    if (d->config.server_max_clients > d->uid_slots)
        log_warning("option needs a restart", "option=server.max_clients until_then=%u", d->uid_slots);
    if (publish_config(d) == 0)
        connections_reload(d);
    log_info("configuration reloaded", "file=%s", d->config_path ? d->config_path : "(defaults)");
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct daemon *d = arg;
    log_info("stopping", "signal=%d", (int)sig);
    event_base_loopbreak(d->base);
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
    connections_reap(arg);
}

static int add_signals(struct daemon *d, struct event *evs[4])
{
    static const int sigs[4] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD};
    static const event_callback_fn calls[4] = {on_reload, on_stop, on_stop, on_child};
    for (int i = 0; i < 4; i++) {
        evs[i] = evsignal_new(d->base, sigs[i], calls[i], d);
        if (!evs[i] || evsignal_add(evs[i], NULL) < 0)
            return -ENOMEM;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

static void raise_file_limit(const struct daemon *d)
{
    struct rlimit l;
    rlim_t need = d->uid_slots * 2u + FILES_BESIDE_CLIENTS;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0)
        return;
    l.rlim_cur = l.rlim_max < need ? l.rlim_max : need;
    (void)setrlimit(RLIMIT_NOFILE, &l);
    if (l.rlim_cur < need)
        log_warning("too few descriptors", "limit=%llu needed=%llu", (unsigned long long)l.rlim_cur,
            (unsigned long long)need);
}

static int find_peer(struct daemon *d)
{
    int r = spawn_sibling(d->config.paths_libexec_dir, "oriel-peer", d->peer_program, sizeof d->peer_program);
    if (r == 0 && access(d->peer_program, X_OK) == 0)
        return 0;
    log_error("oriel-peer not found", "path=%s", d->peer_program);
    return r < 0 ? r : -ENOENT;
}

static int start(struct daemon *d)
{
    d->base = event_base_new();
    d->admission = admission_create();
    d->slots = calloc(d->uid_slots, sizeof *d->slots);
    if (!d->base || !d->admission || !d->slots)
        return -ENOMEM;
    raise_file_limit(d);
    int r = find_peer(d);
    r = r < 0 ? r : publish_config(d);
    r = r < 0 ? r : listeners_open(d);
    if (r < 0)
        return r;
    encoder_prepare(d);
    r = server_sandbox((uint32_t)d->config.server_peer_uid_first, d->uid_slots, d->encoder.on ? &d->encoder : NULL);
    if (r < 0) {
        log_error("sandbox failed", "error=%s", strerror(-r));
        return r;
    }
    r = monitor_link_init(d);
    if (r == 0)
        sockets_tell_ready();
    return r;
}

static void stop(struct daemon *d, struct event *evs[4])
{
    listeners_close(d);
    if (d->slots)
        connections_kill_all(d);
    monitor_link_finish(d);
    admission_destroy(d->admission);
    free(d->slots);
    for (int i = 0; i < 4; i++)
        if (evs[i])
            event_free(evs[i]);
    if (d->config_fd >= 0)
        close(d->config_fd);
    if (d->base)
        event_base_free(d->base);
}

struct arguments {
    const char *config;
    bool check;       /* only look whether a peer can live here */
    bool check_first; /* the same before serving */
};

static struct arguments parse_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
        {"self-check", no_argument, NULL, 's'}, {"check-first", no_argument, NULL, 'f'}, {0}};
    struct arguments a = {0};
    int c;
    while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            a.config = optarg;
            break;
        case 's':
            a.check = true;
            break;
        case 'f':
            a.check_first = true;
            break;
        default:
            fprintf(stderr, "usage: oriel-server [--config FILE] [--check-first | --self-check]\n");
            exit(EXIT_USAGE);
        }
    }
    return a;
}

/* In the sandbox of the service, as its clients' processes are started. */
static int check(struct daemon *d)
{
    int r = find_peer(d);
    encoder_prepare(d);
    r = r < 0
        ? r
        : server_sandbox((uint32_t)d->config.server_peer_uid_first, d->uid_slots, d->encoder.on ? &d->encoder : NULL);
    if (r < 0)
        log_error("self-check failed", "error=%s", strerror(-r));
    return r < 0 ? SELF_CHECK_HINDERED : (int)self_check(d);
}

/* In a child, so that nothing of it stays here. Returns false where every client would be refused. */
static bool fit_to_serve(struct daemon *d)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(check(d));
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != SELF_CHECK_HINDERED;
}

int main(int argc, char **argv)
{
    static struct daemon d = {.config_fd = -1};
    struct event *evs[4] = {NULL};
    log_init("oriel-server", LOG_LEVEL_INFO);
    struct arguments a = parse_arguments(argc, argv);
    d.config_path = a.config;
    if (load(d.config_path, &d.config) < 0)
        return EXIT_USAGE;
    log_set_level((enum log_level)(d.config.log_level + 1));
    d.uid_slots = (unsigned)d.config.server_max_clients;
    if (a.check)
        return check(&d);
    if (a.check_first && !fit_to_serve(&d))
        return SELF_CHECK_HINDERED;
    int r = start(&d);
    r = r < 0 ? r : add_signals(&d, evs);
    if (r == 0)
        event_base_dispatch(d.base);
    stop(&d, evs);
    return r == -EADDRINUSE ? EXIT_PORT_TAKEN : r < 0 ? EXIT_FAILED : 0;
}
