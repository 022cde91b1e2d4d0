/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's stream: TCP (or the door's socket), first clear, then TLS by our own OpenSSL object.
 *
 * Never blocks. What is written is gathered and leaves in few large sends at the end of the loop's turn. The TLS
 * handshake runs inside transport_read, without anyone waiting for it. Thread: the loop's.
 */
#ifndef ORIEL_SERVER_PEER_TRANSPORT_H
#define ORIEL_SERVER_PEER_TRANSPORT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct transport;

/* Queued bytes over this end the connection. Frames are only begun below TRANSPORT_BUSY, and none is longer than 2 MiB
 * (PACE_FRAME_MAX and one rectangle), so that an honest client that stops reading never gets there. */
#define TRANSPORT_QUEUE_MAX (8u * 1024 * 1024)
#define TRANSPORT_BUSY (512u * 1024)

struct transport_ops {
    void (*readable)(void *user); /* bytes may be there: call transport_read until it returns 0. Mandatory */
    void (*drained)(void *user);  /* the queue fell below TRANSPORT_BUSY. Mandatory */
    void (*secured)(void *user);  /* the TLS handshake is done. Mandatory */
    void (*failed)(void *user);   /* dead; called once, from the loop. Mandatory */
};

/* Takes over `fd`. `tls` stays the caller's and must outlive the transport. NULL: out of memory (fd is the caller's
 * then). */
struct transport *transport_create(struct event_base *base, int fd, SSL_CTX *tls, const struct transport_ops *ops,
    void *user);
/* Closes the descriptor. NULL is fine. Not inside a callback of this transport. */
void transport_destroy(struct transport *t);

/* Returns bytes read, 0: nothing now, -1: closed or broken. */
int transport_read(struct transport *t, void *data, size_t len);
/* Queues everything. Returns 0, or -1 when the transport is dead (also from now on, when the queue would pass its
 * ceiling). */
int transport_write(struct transport *t, const void *data, size_t len);
/* The next byte in either direction is TLS; what was written before leaves in clear. Returns 0 or -1. */
int transport_start_tls(struct transport *t);
/* Send what the socket takes now. */
void transport_flush(struct transport *t);
/* The same, waiting for at most `timeout_ms`: before an orderly close. */
void transport_finish(struct transport *t, int timeout_ms);
size_t transport_queued(const struct transport *t);
/* What is known of the way to the client, now. */
struct transport_link {
    /* Bytes written that the client's kernel does not have yet; where that is not known, those queued here */
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
