/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection in oriel-server: it waits for the first request, gets a process, is watched, and is reaped. */
#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/process.h"
#include "common/sockets.h"
#include "common/spawn.h"
#include "server/listen/daemon.h"
#include "server/listen/first_request.h"
#include "session/proto/server.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAREWELL_SECONDS 3 /* between telling a peer that its deadline passed and killing it */
#define RETRY_MS 200       /* oriel-keys is away: try again so often until the deadline */
#define PENALTY_PROTOCOL 5 /* seconds on the source, see admission.h */
#define PENALTY_CRASH 30

enum connection_state {
    CONNECTION_READING, /* the first request is not complete; fd is ours */
    CONNECTION_WAITING, /* it is; the monitor or oriel-keys is away */
    CONNECTION_RUNNING, /* a peer has it; pid and link are valid */
    CONNECTION_LEAVING, /* told to leave or killed; waits to be reaped */
};
struct connection {
    struct daemon *d;
    enum connection_state state;
    uint64_t number;
    unsigned slot;
    int fd;
    pid_t pid;
    pid_t encoder;       /* its oriel-encoder; 0 none */
    unsigned restarts;   /* of it, so far */
    bool without;        /* it failed too often */
    struct event *again; /* pending: it failed and will be started again */
    struct link *link;
    struct event *ev, *deadline;
    int64_t since;
    bool half_open, connected;
    struct admission_source *source;
    char address[ADDRESS_BYTES];
    const char *front_end; /* static: that serves the stream */
    uint16_t port;
};

static void connection_try(struct connection *c);

/* It ends by itself with its peer; a driver that hangs does not. connections_reap buries it. */
static void end_encoder(struct connection *c)
{
    (void)process_signal(c->encoder, SIGKILL);
    c->encoder = 0;
}

static void connection_free(struct connection *c, unsigned penalty)
{
    struct daemon *d = c->d;
    end_encoder(c);
    if (c->ev)
        event_free(c->ev);
    if (c->deadline)
        event_free(c->deadline);
    if (c->again)
        event_free(c->again);
    link_destroy(c->link);
    if (c->fd >= 0)
        close(c->fd);
    admission_leave(d->admission, c->source, c->half_open, penalty, clock_s());
    d->slots[c->slot] = NULL;
    free(c);
}

static void connection_signal(struct connection *c, int sig)
{
    int r = process_signal(c->pid, sig);
    if (r < 0 && r != -ESRCH)
        log_error("peer cannot be signalled", "peer=%llu error=%s", (unsigned long long)c->number, strerror(-r));
}

static void set_deadline(struct connection *c, int64_t seconds_after_start)
{
    (void)loop_arm_s(c->deadline, c->since + seconds_after_start - clock_s());
}

/* The handshake deadline kills; the login deadline asks the peer to tell its client first. */
static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    if (c->state != CONNECTION_LEAVING)
        log_info("deadline passed", "peer=%llu address=%s phase=%s", (unsigned long long)c->number, c->address,
            c->connected ? "login" : "handshake");
    if (c->state == CONNECTION_READING || c->state == CONNECTION_WAITING) {
        connection_free(c, 0);
        return;
    }
    struct child_timeout m = {0};
    if (c->state == CONNECTION_RUNNING && c->connected && link_send(c->link, &child_timeout_def, &m, NULL) == 0) {
        c->state = CONNECTION_LEAVING;
        (void)loop_arm_s(c->deadline, FAREWELL_SECONDS);
        return;
    }
    c->state = CONNECTION_LEAVING;
    connection_signal(c, SIGKILL);
}

/* Only for who has logged in: drivers are large, and probing them takes long. */
static void give_encoder(struct connection *c)
{
    struct child_encoder m = {0};
    int fd = -1;
    pid_t pid = encoder_start(c->d, &fd);
    if (pid < 0)
        return;
    c->encoder = pid;
    (void)link_send(c->link, &child_encoder_def, &m, &fd);
    close(fd);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    if (c->state != CONNECTION_RUNNING || !c->link)
        return;
    c->restarts++;
    log_info("encoder is started again", "peer=%llu time=%u of=%u", (unsigned long long)c->number, c->restarts,
        ENCODER_RESTARTS_MAX);
    give_encoder(c);
}

/* The peer says so: it alone notices one that hangs. However often it does, the count is ours. */
static void encoder_lost(struct connection *c)
{
    unsigned pause = encoder_pause(c->restarts);
    end_encoder(c);
    if (!c->d->encoder.on || c->without || (c->again && evtimer_pending(c->again, NULL)))
        return;
    c->without = pause == 0;
    if (!c->again)
        c->again = evtimer_new(c->d->base, on_pause_over, c);
    if (c->without)
        log_warning("encoder is not started again", "peer=%llu failures=%u", (unsigned long long)c->number,
            c->restarts + 1);
    else if (c->again)
        (void)loop_arm_s(c->again, pause);
}

static void on_child_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct connection *c = user;
    struct child_state *s = msg;
    if (s->phase == CHILD_CONNECTED && !c->connected) {
        c->connected = true;
        if (c->half_open && c->state == CONNECTION_RUNNING)
            set_deadline(c, c->d->config.server_login_deadline);
    } else if (s->phase == CHILD_AUTHENTICATED && c->half_open) {
        c->half_open = false;
        admission_grant(c->d->admission, c->source);
        give_encoder(c);
        /* The handshake still has its own deadline: the verdict may come before the client is activated. */
        if (c->connected)
            (void)evtimer_del(c->deadline);
    } else if (s->phase == CHILD_ENCODER_LOST && !c->half_open)
        encoder_lost(c);
    if (c->connected && !c->half_open && c->state == CONNECTION_RUNNING)
        (void)evtimer_del(c->deadline);
}

static void on_child_closed(void *user, struct link *l, int err)
{
    struct connection *c = user;
    if (err != -EPIPE)
        log_error("peer's link broken", "peer=%llu error=%s", (unsigned long long)c->number, strerror(-err));
    link_destroy(l);
    c->link = NULL;
    /* A peer without its link cannot be told anything: it is leaving, or has to. */
    c->state = CONNECTION_LEAVING;
    (void)loop_arm_s(c->deadline, FAREWELL_SECONDS);
    if (err != -EPIPE)
        connection_signal(c, SIGKILL);
}

static void introduce(struct connection *c)
{
    struct daemon *d = c->d;
    struct server_peer_new m = {.peer = c->number, .pid = c->pid, .port = c->port};
    (void)snprintf(m.address, sizeof m.address, "%s", c->address);
    if (d->monitor)
        (void)link_send(d->monitor, &server_peer_new_def, &m, NULL);
}

static pid_t start_program(struct connection *c, int link_fd, int keys_fd)
{
    struct daemon *d = c->d;
    uid_t uid = (uid_t)(d->config.server_peer_uid_first + c->slot);
    const char *const argv[] = {"oriel-peer", c->address, c->front_end, NULL}; /* the address: for ps */
    int fds[] = {c->fd, link_fd, keys_fd, d->config_fd};                       /* FD_PEER_* */
    struct spawn s = {.path = d->peer_program,
        .argv = argv,
        .fds = fds,
        .nfds = sizeof fds / sizeof fds[0],
        .uid = uid,
        .gid = (gid_t)uid,
        .death_signal = SIGKILL,
        .ambient_caps = 1ull << CAP_SYS_CHROOT};
    return spawn_program(&s);
}

/* Returns 0, -ENOTCONN (oriel-keys is away: try again later), or an error that ends the client. */
static int start_peer(struct connection *c)
{
    static const struct link_ops ops = {.message = on_child_message, .closed = on_child_closed};
    struct daemon *d = c->d;
    char path[CONFIG_STRING_MAX];
    int sv[2] = {-1, -1};
    int r = config_run_path(&d->config, "keys/keys.sock", path, sizeof path);
    int keys = r < 0 ? r : sockets_connect(path);
    if (keys < 0)
        return r < 0 ? r : -ENOTCONN;
    r = link_pair(sv);
    if (r < 0)
        goto out;
    c->link = link_create(d->base, sv[0], &child_to_server, &ops, c, LINK_QUEUE_DEFAULT);
    if (!c->link) {
        close(sv[0]);
        r = -ENOMEM;
        goto out;
    }
    pid_t pid = start_program(c, sv[1], keys);
    if (pid < 0) { /* the link would say next that a peer has gone, which there never was */
        link_destroy(c->link);
        c->link = NULL;
        r = (int)pid;
        goto out;
    }
    c->pid = pid;
out:
    if (sv[1] >= 0)
        close(sv[1]);
    close(keys);
    return r;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    connection_try(arg);
}

static void retry_later(struct connection *c)
{
    if (!c->ev)
        c->ev = evtimer_new(c->d->base, on_retry, c);
    if (c->ev)
        (void)loop_arm_ms(c->ev, RETRY_MS);
}

static void connection_try(struct connection *c)
{
    struct daemon *d = c->d;
    c->state = CONNECTION_WAITING;
    if (!d->monitor)
        return; /* connections_monitor_up comes back here */
    int r = start_peer(c);
    if (r == -ENOTCONN) {
        retry_later(c);
        return;
    }
    if (r < 0) {
        log_error("peer could not be started", "program=%s address=%s error=%s", d->peer_program, c->address,
            strerror(-r));
        connection_free(c, 0);
        return;
    }
    close(c->fd);
    c->fd = -1;
    c->state = CONNECTION_RUNNING;
    log_info("client connected", "peer=%llu pid=%d address=%s port=%u", (unsigned long long)c->number, c->pid,
        c->address, c->port);
    introduce(c);
}

/* Without SO_RCVLOWAT the half request would keep the loop awake. */
static void wait_for_bytes(struct connection *c, int n)
{
    (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof n);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;
    uint8_t head[FIRST_REQUEST_MAX];
    ssize_t n = recv(fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    int need = n > 0 ? first_request_check(head, (size_t)n) : -EPIPE;
    if (need < 0) {
        if (need == -EPROTO)
            log_info("not an RDP client", "address=%s", c->address);
        connection_free(c, need == -EPROTO ? PENALTY_PROTOCOL : 0);
        return;
    }
    /* All that is coming is here and it is not enough: the client has closed its side. */
    if (need > 0 && n >= need) {
        connection_free(c, 0);
        return;
    }
    wait_for_bytes(c, need > 0 ? need : 1);
    if (need > 0)
        return;
    event_free(c->ev);
    c->ev = NULL;
    connection_try(c);
}

static bool find_slot(const struct daemon *d, unsigned *slot)
{
    /* Behind the last one: a uid rests as long as possible before the next client has it. */
    for (unsigned i = 0; i < d->uid_slots; i++) {
        *slot = (unsigned)((d->last_number + i) % d->uid_slots);
        if (!d->slots[*slot])
            return true;
    }
    return false;
}

void connection_add(struct daemon *d, int fd, const char *front_end, const char *address, uint16_t port,
    struct admission_source *source)
{
    unsigned slot = 0;
    struct connection *c = find_slot(d, &slot) ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        close(fd);
        admission_leave(d->admission, source, true, 0, clock_s());
        return;
    }
    *c = (struct connection){.d = d,
        .number = ++d->last_number,
        .slot = slot,
        .fd = fd,
        .since = clock_s(),
        .half_open = true,
        .source = source,
        .front_end = front_end,
        .port = port};
    (void)snprintf(c->address, sizeof c->address, "%s", address);
    d->slots[slot] = c;
    c->ev = event_new(d->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->deadline = evtimer_new(d->base, on_deadline, c);
    if (!c->ev || !c->deadline || event_add(c->ev, NULL) < 0) {
        connection_free(c, 0);
        return;
    }
    wait_for_bytes(c, 4);
    set_deadline(c, d->config.server_handshake_deadline);
}

static struct connection *by_number(struct daemon *d, uint64_t number)
{
    for (unsigned i = 0; i < d->uid_slots; i++)
        if (d->slots[i] && d->slots[i]->number == number)
            return d->slots[i];
    return NULL;
}

void connections_monitor_up(struct daemon *d)
{
    for (unsigned i = 0; i < d->uid_slots; i++) {
        struct connection *c = d->slots[i];
        if (c && c->state == CONNECTION_RUNNING)
            introduce(c);
        else if (c && c->state == CONNECTION_WAITING)
            connection_try(c);
    }
}

void connection_monitor_fd(struct daemon *d, uint64_t number, int fd)
{
    struct connection *c = by_number(d, number);
    struct child_monitor m = {0};
    if (c && c->state == CONNECTION_RUNNING)
        (void)link_send(c->link, &child_monitor_def, &m, &fd);
    close(fd);
}

void connection_kill(struct daemon *d, uint64_t number, const char *why)
{
    struct connection *c = by_number(d, number);
    if (!c || c->pid <= 0)
        return;
    log_warning("peer killed", "peer=%llu address=%s reason=%s", (unsigned long long)number, c->address, why);
    c->state = CONNECTION_LEAVING;
    connection_signal(c, SIGKILL);
}

/* Returns the penalty. */
static unsigned log_exit(const struct connection *c, int status)
{
    unsigned long long n = c->number;
    if (WIFSIGNALED(status)) {
        bool ours = c->state == CONNECTION_LEAVING && WTERMSIG(status) == SIGKILL;
        if (!ours)
            log_error("peer crashed", "peer=%llu address=%s signal=%d", n, c->address, WTERMSIG(status));
        return ours ? 0 : PENALTY_CRASH;
    }
    switch (WEXITSTATUS(status)) {
    case PEER_EXIT_OK:
        log_info("client left", "peer=%llu address=%s", n, c->address);
        return 0;
    case PEER_EXIT_UNAUTHENTICATED:
        log_info("client left without a login", "peer=%llu address=%s", n, c->address);
        return 0;
    case PEER_EXIT_PROTOCOL:
        log_warning("client broke the protocol", "peer=%llu address=%s", n, c->address);
        return c->connected ? 0 : PENALTY_PROTOCOL; /* whoever got through the handshakes is an RDP client */
    default:
        log_error("peer failed", "peer=%llu address=%s status=%d", n, c->address, WEXITSTATUS(status));
        return 0;
    }
}

static void reaped(struct connection *c, int status)
{
    struct daemon *d = c->d;
    struct server_peer_gone m = {.peer = c->number};
    unsigned penalty = log_exit(c, status);
    if (d->monitor)
        (void)link_send(d->monitor, &server_peer_gone_def, &m, NULL);
    connection_free(c, penalty);
}

void connections_reap(struct daemon *d)
{
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (unsigned i = 0; i < d->uid_slots; i++) {
            struct connection *c = d->slots[i];
            if (c && c->encoder == pid)
                c->encoder = 0;
            if (c && c->pid == pid) {
                reaped(c, status);
                break;
            }
        }
}

void connections_reload(struct daemon *d)
{
    struct child_reload m = {0};
    for (unsigned i = 0; i < d->uid_slots; i++)
        if (d->slots[i] && d->slots[i]->state == CONNECTION_RUNNING)
            (void)link_send(d->slots[i]->link, &child_reload_def, &m, &d->config_fd);
}

/* The streams break: clients that can reconnect do, to the next server. */
void connections_kill_all(struct daemon *d)
{
    for (unsigned i = 0; i < d->uid_slots; i++) {
        struct connection *c = d->slots[i];
        if (!c)
            continue;
        c->state = CONNECTION_LEAVING;
        connection_signal(c, SIGKILL);
        if (c->pid > 0)
            (void)waitpid(c->pid, NULL, 0);
        connection_free(c, 0);
    }
}
