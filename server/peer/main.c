/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-peer: start, shut in, serve one client, leave. */
#include "common/keys_client.h"
#include "common/link.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/sandbox.h"
#include "common/spawn.h"
#include "server/peer/encoder_link.h"
#include "server/peer/peer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Four encoders for each of three films, the library's own, and as many again */
#define THREADS_MAX 32
/* links, buffers, messages in flight with their descriptors, epoll; 20 in use */
#define FILES_MAX 64

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
    static uint64_t last;
    struct peer *p = arg;
    if (p->sent == last && p->ops->heartbeat)
        p->ops->heartbeat(p->front, (unsigned)p->config.server_heartbeat);
    last = p->sent;
}

static void start_beat(struct peer *p)
{
    struct timeval tv = {p->config.server_heartbeat, 0};
    if (p->config.server_heartbeat > 0)
        (void)event_add(p->beat, &tv);
    else
        (void)event_del(p->beat);
}

void peer_client_connected(struct peer *p)
{
    peer_tell_server(p, CHILD_CONNECTED);
    start_beat(p);
}

static void reload(struct peer *p, int fd)
{
    struct config_error err;
    struct config *fresh = malloc(sizeof *fresh);
    if (fresh && config_from_fd(fresh, fd, &err) == 0) {
        p->config = *fresh;
        log_set_level((enum log_level)(p->config.log_level + 1));
        start_beat(p);
    }
    free(fresh);
    close(fd);
}

static void on_server_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct peer *p = user;
    if (def == &child_monitor_def)
        login_link(p, fds[0]);
    else if (def == &child_encoder_def)
        pump_encoder(p, fds[0]);
    else if (def == &child_reload_def)
        reload(p, fds[0]);
    else if (def == &child_timeout_def)
        peer_end(p, END_LOGON_TIMEOUT, "login deadline");
}

/* Without oriel-server nobody would end us at a deadline or bring a new monitor link, but a session that runs goes on.
 */
static void on_server_closed(void *user, struct link *l, int err)
{
    struct peer *p = user;
    link_destroy(l);
    p->server = NULL;
    log_info("oriel-server gone", "error=%s", strerror(-err));
    if (p->login.state != LOGIN_GRANTED)
        peer_end(p, END_SHUTDOWN, "server stopped");
}

static int load_config(struct peer *p)
{
    struct config_error err = {0};
    int r = config_from_fd(&p->config, FD_PEER_CONFIG, &err);
    if (r < 0) {
        log_error("configuration unreadable", "error=%s", err.text[0] ? err.text : strerror(-r));
        return r;
    }
    close(FD_PEER_CONFIG);
    log_set_level((enum log_level)(p->config.log_level + 1));
    return 0;
}

/* The library's context is made between the halves: newer libraries start a thread with it, and that one is born
 * inside. */
static int shut_in(struct peer *p)
{
    char root[CONFIG_STRING_MAX];
    const char *what = "";
    int r = config_run_path(&p->config, "empty", root, sizeof root);
    struct sandbox s = {.profile = SANDBOX_PEER,
        .empty_root = root,
        .require_empty_root = p->config.server_require_empty_root,
        .address_space = (uint64_t)p->config.server_peer_memory * 1024 * 1024,
        .nofile = FILES_MAX,
        .threads = THREADS_MAX,
        .explain = p->check};
    r = r < 0 ? r : sandbox_enclose(&s, &what);
    if (r == 0 && (r = p->ops->inside(p->front)) < 0)
        what = "the library's context in an empty root";
    r = r < 0 ? r : sandbox_filter(&s, &what);
    if (r < 0)
        log_error("sandbox failed", "step=\"%s\" error=%s", what, strerror(-r));
    return r;
}

static int create(struct peer *p)
{
    static const struct link_ops server_ops = {.message = on_server_message, .closed = on_server_closed};
    p->base = loop_create_precise();
    if (!p->base)
        return -ENOMEM;
    p->beat = event_new(p->base, -1, EV_PERSIST, on_beat, p);
    p->server = link_create(p->base, FD_PEER_SERVER, &server_to_child, &server_ops, p, LINK_QUEUE_DEFAULT);
    int err = 0;
    p->keys = keys_client_create(FD_PEER_KEYS, KEYS_WAIT_MS, &err);
    if (!p->keys)
        return err;
    if (!p->beat || !p->server || display_link_init(p) < 0 || pump_init(p, peer_client_drained) < 0)
        return -ENOMEM;
    p->front = p->ops->create(p, FD_PEER_CLIENT);
    return p->front ? 0 : -EIO;
}

static void destroy(struct peer *p)
{
    login_finish(&p->login);
    services_close_all(p);
    display_link_finish(p);
    pump_finish(p);
    if (p->front)
        p->ops->destroy(p->front);
    encoder_link_destroy(p->encoder);
    keys_client_destroy(p->keys);
    link_destroy(p->server);
    if (p->beat)
        event_free(p->beat);
    if (p->base)
        event_base_free(p->base);
}

static int run(struct peer *p)
{
    int r = front_end_check(p->ops);
    r = r < 0 ? r : load_config(p);
    r = r < 0 ? r : create(p);
    r = r < 0 ? r : shut_in(p);
    r = r < 0 ? r : p->ops->start(p->front);
    if (r < 0)
        return r;
    event_base_dispatch(p->base);
    return 0;
}

static const struct front_end_ops *const front_ends[] = {&front_end_rdp};

static const struct front_end_ops *find_front_end(const char *name)
{
    for (size_t i = 0; i < sizeof front_ends / sizeof front_ends[0]; i++)
        if (strcmp(front_ends[i]->name, name) == 0)
            return front_ends[i];
    return NULL;
}

/* oriel-peer ADDRESS|PEER_CHECK_ARGUMENT FRONT_END */
int main(int argc, char **argv)
{
    static struct peer p;
    p.check = argc > 1 && strcmp(argv[1], PEER_CHECK_ARGUMENT) == 0; /* else the client's address, for ps */
    p.exit_code = PEER_EXIT_OK;
    log_init("oriel-peer", LOG_LEVEL_INFO);
    p.ops = argc == 3 ? find_front_end(argv[2]) : NULL;
    if (!p.ops) {
        log_error("no such front end", "name=%s", argc > 2 ? argv[2] : "");
        return PEER_EXIT_INTERNAL;
    }
    login_init(&p.login);
    int r = run(&p);
    if (r < 0) {
        log_error("peer failed", "error=%s", strerror(-r));
        p.exit_code = PEER_EXIT_INTERNAL;
    }
    destroy(&p);
    return (int)p.exit_code;
}
