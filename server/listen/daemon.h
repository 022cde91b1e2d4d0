/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-server: what its files share.
 *
 *   main          start, signals, reload                         main.c
 *   listener      sockets that accept                            listener.c
 *   admission     how many, from where                           admission.c
 *   connection    of one client: first request, peer, deadlines  connection.c
 *   encoder       oriel-encoder beside a peer, again and again   encoder_spawn.c
 *   self check    whether a peer can live here                   self_check.c
 *   monitor link  to oriel-monitor, again and again              monitor_link.c
 *
 * The gateway's door will be one more source of connections: connection_add() takes any stream.
 */
#ifndef ORIEL_SERVER_LISTEN_DAEMON_H
#define ORIEL_SERVER_LISTEN_DAEMON_H

#include "common/config.h"
#include "server/listen/admission.h"
#include "session/proto/types.h"

#include <sys/types.h>

struct event;
struct event_base;
struct evconnlistener;
struct link;
struct connection;

#define LISTENERS_MAX 16
/* Drivers that crash do it again, mostly; one whose device was reset or whose driver was exchanged does not. Pauses of
 * 2, 6 and 18 seconds outlast a device's reset, and a fourth failure costs nobody anything any more. */
#define ENCODER_RESTARTS_MAX 3
#define ENCODER_PAUSE_SECONDS 2
#define ENCODER_PAUSE_FACTOR 3

struct encoder_account {
    bool on; /* clients have an oriel-encoder */
    uid_t uid;
    gid_t gid; /* group render, where there is one */
    char program[512];
};

struct daemon {
    struct event_base *base;
    const char *config_path;
    struct config config;
    unsigned uid_slots; /* peers may have peer_uid_first … + uid_slots; fixed at the start by the filter */
    char peer_program[512];
    struct encoder_account encoder;
    struct evconnlistener *listeners[LISTENERS_MAX];
    size_t nlisteners;
    uint16_t port;
    struct admission *admission;
    struct connection **slots; /* by uid slot; NULL free */
    uint64_t last_number;
    int config_fd;        /* memfd handed to peers */
    struct link *monitor; /* NULL while it is away */
    struct event *monitor_retry;
    unsigned monitor_wait_ms;
    struct event *refused_ev; /* refusals are counted and logged once a second at most */
    unsigned refused;
};

static inline struct admission_limits daemon_limits(const struct daemon *d)
{
    return (struct admission_limits){(unsigned)d->config.server_max_clients, (unsigned)d->config.server_max_half_open,
        (unsigned)d->config.server_max_half_open_per_source};
}

/* ---- listener.c ---- */
/* Listen on all configured addresses. 0, or negative errno: logged, naming address and, where it can be known, who is
 * there. */
int listeners_open(struct daemon *d);
void listeners_close(struct daemon *d);

/* ---- connection.c ---- */
/* A connection (`fd` is owned from now on) that admission let in; `front_end` (a static string) serves it. */
void connection_add(struct daemon *d, int fd, const char *front_end, const char *address, uint16_t port,
    struct admission_source *source);
/* The monitor is there (again): introduce the living peers, start those that waited. */
void connections_monitor_up(struct daemon *d);
void connection_monitor_fd(struct daemon *d, uint64_t number, int fd);
void connection_kill(struct daemon *d, uint64_t number, const char *why);
void connections_reap(struct daemon *d);
void connections_reload(struct daemon *d);
void connections_kill_all(struct daemon *d);

/* ---- monitor_link.c ---- */
int monitor_link_init(struct daemon *d);
void monitor_link_finish(struct daemon *d);

/* ---- encoder_spawn.c ---- */
/* Fills d->encoder from the configuration and what the machine has. Before the sandbox. */
void encoder_prepare(struct daemon *d);
/* Start one; *fd is the peer's end of its link, the caller's. Returns the pid or negative errno (-ENOENT: clients have
 * none). */
pid_t encoder_start(const struct daemon *d, int *fd);
/* Seconds until one may be started in the place of one that failed, `restarts` times so far; 0: no more. */
unsigned encoder_pause(unsigned restarts);

/* ---- server_sandbox.c ---- */
/* From now on this process and its children can take no other uid or gid than peers' and the encoder's (NULL: none).
 * 0 or negative errno. */
int server_sandbox(uint32_t first_uid, unsigned slots, const struct encoder_account *encoder);

#endif
