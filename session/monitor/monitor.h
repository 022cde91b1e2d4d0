/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every part of oriel-monitor shares. One process, one loop, one thread: nothing here is locked.
 *
 * Who owns whom: the monitor owns all lists. A peer owns its link, its attempt and its logon screen. An attempt owns
 * its leader until the verdict; from START on the session owns it. A session owns its attachments; an attachment points
 * at its peer (or viewer) and the peer points back with (session, client id): both ends are cut together, in
 * attachments.c alone.
 *
 * How an object ends. A callback may end any object, its own among them, so nothing is freed while one runs:
 * - What ends is at once taken out of its lists and cut from whatever points to it: nobody finds it again. Its timers
 *   and its link are freed: it has no more callbacks. monitor_end() marks it, and frees its memory from the loop, when
 *   no callback of ours is on the stack.
 * - Whoever held a pointer to it may read it until then; sending to it does nothing, and ending it again neither. Only
 *   one who would give it something new asks `life.ended` first.
 * - A LIST_FOREACH or TAILQ_FOREACH may end the object it is at: what is taken out keeps its pointer to the next one.
 */
#ifndef ORIEL_SESSION_MONITOR_MONITOR_H
#define ORIEL_SESSION_MONITOR_MONITOR_H

#include "common/config.h"
#include "session/monitor/login_limits.h"
#include "session/monitor/throttle.h"
#include "session/proto/types.h"
#include "session/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct event;
struct event_base;
struct link;
struct wire_def;
struct monitor_peer;
struct leader;
struct logon;
struct session;
struct server_end;
struct control_end;
struct reap;

/* The first member of every object that can end. */
struct lifetime {
    bool ended;
    void (*release)(void *object); /* frees its memory, and what only readers of it needed until now */
    SLIST_ENTRY(lifetime) next;
};

struct monitor {
    struct event_base *base;
    struct event *release_ended;
    SLIST_HEAD(, lifetime) ended; /* those whose memory is still there */
    struct config config;
    const char *config_path; /* absolute, or NULL: defaults */
    struct store *store;
    struct throttle *throttle;
    char boot[STORE_BOOT_BYTES];
    char host[256];   /* shown on the logon screen */
    uid_t server_uid; /* who may connect to monitor.sock */
    uid_t logon_uid;  /* paths.user_logon; -1: our own, where we are not root */
    gid_t logon_gid;
    uid_t own_uid;        /* leaders found in RUN_DIR/leaders must run as this: 0, or the tester's own */
    struct limits limits; /* what those that we start get */
    bool stopping;        /* SIGTERM came: no new logins */
    uint64_t started_s;   /* CLOCK_REALTIME, for people */
    LIST_HEAD(, server_end) servers;
    LIST_HEAD(, monitor_peer) peers;
    LIST_HEAD(, leader) leaders;
    LIST_HEAD(, logon) logons;
    LIST_HEAD(, session) sessions;
    LIST_HEAD(, control_end) controls;
    LIST_HEAD(, reap) reaps;
};

/* Make the loop, in an *m that is zero but for its configuration. Returns 0 or -ENOMEM; monitor_finish in any case. */
int monitor_init(struct monitor *m);
/* The loop does not run any more and all lists are empty: free what ended, and the loop. */
void monitor_finish(struct monitor *m);
/* Mark `object`, which begins with its lifetime, as ended; see above for what its own function does before. */
void monitor_end(struct monitor *m, struct lifetime *object, void (*release)(void *object));
/* Send on a link of an object's; -EPIPE when there is none (any more). */
int monitor_send(struct link *l, const struct wire_def *def, const void *msg, const int *fds);
/* A one-shot timer; *ev is made on first use, re-armed later. ms 0 disarms. Returns 0 or -ENOMEM. */
int monitor_timer(struct monitor *m, struct event **ev, uint64_t ms, void (*cb)(int fd, short what, void *arg),
    void *arg);
/* Disarm and free; NULL is fine. */
void monitor_timer_free(struct event **ev);
struct throttle_limits monitor_throttle_limits(const struct monitor *m);
/* What the user reads for a reason; `wait_s` for REFUSE_THROTTLED. Borrowed until the next call. */
const char *monitor_refuse_text(enum refuse_reason reason, uint32_t wait_s);
const char *monitor_refuse_name(enum refuse_reason reason); /* for logs */
const char *monitor_end_text(enum end_cause cause);         /* for people */
const char *monitor_end_name(enum end_cause cause);         /* for logs */
/* Start one of our programs with descriptors 3, 4 …; `detached`: it survives us. Returns pid or negative errno. */
pid_t monitor_spawn(struct monitor *m, const char *name, const int *fds, size_t nfds, uid_t uid, gid_t gid,
    bool detached);

#endif
