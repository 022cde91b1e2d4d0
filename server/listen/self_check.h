/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can a peer live on this machine? One is started as for a client, with the installed libraries: it goes into its
 * sandbox, answers a connection request, does a TLS handshake, is looked at thread by thread, and leaves. What hinders
 * it is told to the administrator once, in words, and not to each client by a closed connection. */
#ifndef ORIEL_SERVER_LISTEN_SELF_CHECK_H
#define ORIEL_SERVER_LISTEN_SELF_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon;

/* Also the statuses of `oriel-server --self-check`; those of sysexits(3), so that a unit can tell them from the
 * daemon's own. */
enum self_check {
    SELF_CHECK_FINE = 0,
    SELF_CHECK_HINDERED = 78,  /* every client will meet it: starting the service is of no use */
    SELF_CHECK_UNDECIDED = 75, /* it took too long, or something of the check's own was missing */
};
/* `d` has its configuration and the peer's program. To be called in a process of its own, one that has the service's
 * rights: it changes its signals and standard error. Prints to standard output. */
enum self_check self_check(const struct daemon *d);

/* ---- self_check_words.c: pure ---- */
struct self_check_end {
    int spawn_error; /* negative errno where the program could not be started; 0 it was */
    bool over;       /* it has ended by itself, with `status` of waitpid(2) */
    int status;
    const char *said; /* what it wrote to standard error, NUL-terminated */
};
/* Why the peer did not come through, and what to do next: several lines. */
enum self_check self_check_explain(const struct self_check_end *e, char *out, size_t cap);
/* What the kernel says of one thread (/proc/PID/task/TID/status): false with `why` where it is not shut in as uid
 * `uid`. */
bool self_check_thread(const char *status, uid_t uid, char *why, size_t cap);
/* One line about what is there and what is missing, from what a peer said that came through. */
void self_check_praise(const char *said, unsigned threads, char *out, size_t cap);

#endif
