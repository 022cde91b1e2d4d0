/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A link: one end of a SOCK_SEQPACKET socket between two Oriel processes, driven by a libevent loop.
 *
 * Thread: the loop's. The link owns its descriptor. Messages that the other end sends are decoded by common/wire and
 * handed to `ops->message`; anything malformed, unknown or with the wrong number of descriptors closes the link with
 * -EPROTO. Sending never blocks: what the socket does not take is queued, up to `queue_max` bytes; more closes the link
 * with -ENOBUFS (a reader that slow is not living up to the protocol), reported from the loop, never from inside
 * link_send.
 *
 * Back-pressure is the socket's. A reader that can take no more calls link_pause; the socket fills, the sender's queue
 * grows, and the sender, who looks at link_queued before each message that may wait, goes on when it is told `drained`.
 */
#ifndef ORIEL_COMMON_LINK_H
#define ORIEL_COMMON_LINK_H

#include "common/wire.h"

struct event_base;
struct link;

struct link_ops {
    /* One message. `msg` is the struct described by `def`, borrowed for the call. `fds` holds def->nfds descriptors,
     * now the callee's. May destroy the link. Mandatory. */
    void (*message)(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds);
    /* The link can carry nothing more: -EPIPE other end closed, -EPROTO, -ENOBUFS, or an I/O error. Called once; the
     * callee destroys the link (now or later). Mandatory. */
    void (*closed)(void *user, struct link *l, int err);
    /* What was queued has all left: a producer that stopped may go on. Not called for what the socket took at once. May
     * destroy the link. NULL: nobody wants to know. */
    void (*drained)(void *user, struct link *l);
};

#define LINK_QUEUE_DEFAULT (1024 * 1024) /* 16 full messages: seconds of control traffic */

/* Take over `fd` (made non-blocking). `in` describes what the other end may send. Returns NULL when memory or the loop
 * refuses, or a slot is missing; `fd` is then still the caller's. */
struct link *link_create(struct event_base *base, int fd, const struct wire_proto *in, const struct link_ops *ops,
    void *user, size_t queue_max);
/* Close the descriptor, drop what is queued. NULL is fine. Safe inside callbacks. */
void link_destroy(struct link *l);
/* Send or queue one message; the def->nfds descriptors of `fds` are duplicated as needed and stay the caller's.
 * Returns 0; -EINVAL/-EMSGSIZE from encoding; -EPIPE when the link is already dead (`closed` has been or will be
 * called). */
int link_send(struct link *l, const struct wire_def *def, const void *msg, const int *fds);
/* Read no more, from now on, also inside `message`. What the other end sends, and that it went, waits in the socket;
 * sending goes on, and `closed` tells what that brings. Once is enough, and resume undoes it. */
void link_pause(struct link *l);
void link_resume(struct link *l);
/* Bytes waiting in the queue. A producer of droppable messages looks here first. */
size_t link_queued(const struct link *l);
/* Try to write what is queued now, for at most `timeout_ms`: before an orderly exit. Returns 0 or -ETIMEDOUT. */
int link_flush(struct link *l, int timeout_ms);
int link_fd(const struct link *l);
void *link_user(const struct link *l);

/* A connected SOCK_SEQPACKET pair, close-on-exec. Returns 0 or negative errno. */
int link_pair(int sv[2]);

#endif
