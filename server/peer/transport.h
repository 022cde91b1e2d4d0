/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's stream: TCP (or the door's socket), first clear, then TLS by our own OpenSSL object.
 *
 * Never blocks. What is written is gathered and leaves at the end of the loop's turn, in TLS records of one class each
 * (server/peer/traffic.h). Whose turn it is is decided when the socket takes more: at most one record is encrypted
 * ahead. The TLS handshake runs inside transport_read, without anyone waiting for it. Thread: the loop's.
 */
#ifndef ORIEL_SERVER_PEER_TRANSPORT_H
#define ORIEL_SERVER_PEER_TRANSPORT_H

#include "server/peer/traffic_queue.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct transport;

struct transport_ops {
    void (*readable)(void *user); /* bytes may be there: call transport_read until it returns 0. Mandatory */
    /* Of this class, which was full, may be written again. Mandatory */
    void (*drained)(void *user, enum traffic_class traffic);
    void (*secured)(void *user); /* the TLS handshake is done. Mandatory */
    void (*failed)(void *user);  /* dead; called once, from the loop. Mandatory */
};

/* Takes over `fd`. `tls` stays the caller's and must outlive the transport. NULL: out of memory (fd is the caller's
 * then). */
struct transport *transport_create(struct event_base *base, int fd, SSL_CTX *tls, const struct transport_ops *ops,
    void *user);
/* Closes the descriptor. NULL is fine. Not inside a callback of this transport. */
void transport_destroy(struct transport *t);

/* Returns bytes read, 0: nothing now, -1: closed or broken. */
int transport_read(struct transport *t, void *data, size_t len);
/* What is written from now on is of this class, which is TRAFFIC_ORDERED at first. Returns the one before: who sets one
 * around a call sets that one again behind it. */
enum traffic_class transport_class(struct transport *t, enum traffic_class traffic);
/* When classes count, and when only what is ordered leaves. TRAFFIC_IN_ORDER at first. */
void transport_gate(struct transport *t, enum traffic_gate gate);
/* Queues everything. Returns 0, or -1 when the transport is dead (also from now on, when the class would pass its
 * ceiling). */
int transport_write(struct transport *t, const void *data, size_t len);
/* What is written between the two stays in one piece. A unit that is begun already goes on. 0, or -1 when dead. */
void transport_unit_begin(struct transport *t);
int transport_unit_end(struct transport *t);
/* May more of this class be written? Where not, `drained` says when. */
bool transport_room(struct transport *t, enum traffic_class traffic);
/* The next byte in either direction is TLS; what was written before leaves in clear. Returns 0 or -1. */
int transport_start_tls(struct transport *t);
/* Send what the socket takes now. */
void transport_flush(struct transport *t);
/* The same, waiting for at most `timeout_ms`: before an orderly close. */
void transport_finish(struct transport *t, int timeout_ms);
/* Bytes of all classes that the socket has not taken. */
size_t transport_queued(const struct transport *t);
/* What is known of the way to the client, now. */
struct transport_link {
    /* Bytes of pictures that the client's kernel does not have yet; where that is not known, those that the other end
     * of this socket has not read */
    size_t waiting;
    uint32_t rtt_us;           /* the least round trip of late, 0 unknown */
    uint32_t bytes_per_second; /* 0 unknown */
    bool lower_bound;          /* the link was never seen full: it may carry more */
};
void transport_link(struct transport *t, struct transport_link *out);
bool transport_dead(const struct transport *t);
/* Are bytes here that no poll shows? */
bool transport_pending(const struct transport *t);
/* Ask for `readable` again soon: the reader stopped early, and TLS may hold bytes that no poll shows. */
void transport_again(struct transport *t);
/* Why it died: static string, "" while alive. */
const char *transport_why(const struct transport *t);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384" for the log; "" before the handshake. */
void transport_describe(const struct transport *t, char *out, size_t cap);

#endif
