/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link to oriel-monitor. It may die and come back: clients that run go on, those that come wait. */
#include "common/link.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/sockets.h"
#include "server/listen/daemon.h"
#include "session/proto/server.h"

#include <errno.h>
#include <event2/event.h>
#include <freerdp/freerdp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_FIRST_MS 50
#define WAIT_MAX_MS 1000 /* a restarted monitor is found within a second */

static void retry(struct daemon *d)
{
    (void)loop_arm_ms(d->monitor_retry, d->monitor_wait_ms);
    d->monitor_wait_ms = d->monitor_wait_ms * 2 > WAIT_MAX_MS ? WAIT_MAX_MS : d->monitor_wait_ms * 2;
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct daemon *d = user;
    if (def == &server_peer_link_def) {
        connection_monitor_fd(d, ((struct server_peer_link *)msg)->peer, fds[0]);
    } else if (def == &server_peer_kill_def) {
        struct server_peer_kill *k = msg;
        connection_kill(d, k->peer, k->why);
    }
}

static void on_closed(void *user, struct link *l, int err)
{
    struct daemon *d = user;
    log_warning("oriel-monitor gone", "error=%s", strerror(-err));
    link_destroy(l);
    d->monitor = NULL;
    d->monitor_wait_ms = WAIT_FIRST_MS;
    retry(d);
}

static void say_hello(struct daemon *d)
{
    struct server_hello h = {0};
    (void)snprintf(h.version, sizeof h.version, "%s", ORIEL_VERSION);
    (void)snprintf(h.freerdp, sizeof h.freerdp, "%s", freerdp_get_version_string());
    (void)link_send(d->monitor, &server_hello_def, &h, NULL);
}

static int connect_now(struct daemon *d)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    char path[CONFIG_STRING_MAX];
    int r = config_run_path(&d->config, "monitor.sock", path, sizeof path);
    int fd = r < 0 ? r : sockets_connect(path);
    if (fd < 0)
        return fd;
    d->monitor = link_create(d->base, fd, &monitor_to_server, &ops, d, LINK_QUEUE_DEFAULT);
    if (!d->monitor) {
        close(fd);
        return -ENOMEM;
    }
    return 0;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    int r = connect_now(d);
    if (r < 0) {
        if (d->monitor_wait_ms == WAIT_FIRST_MS)
            log_warning("oriel-monitor not reached", "error=%s", strerror(-r));
        retry(d);
        return;
    }
    log_info("oriel-monitor reached", "clients=%u", admission_clients(d->admission));
    d->monitor_wait_ms = WAIT_FIRST_MS;
    say_hello(d);
    connections_monitor_up(d);
}

int monitor_link_init(struct daemon *d)
{
    d->monitor_wait_ms = WAIT_FIRST_MS;
    d->monitor_retry = evtimer_new(d->base, on_retry, d);
    if (!d->monitor_retry)
        return -ENOMEM;
    on_retry(-1, 0, d);
    return 0;
}

void monitor_link_finish(struct daemon *d)
{
    link_destroy(d->monitor);
    d->monitor = NULL;
    if (d->monitor_retry)
        event_free(d->monitor_retry);
}
