/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/transport.h"

#include "common/clock.h"
#include "common/slots.h"
#include "server/peer/link_rate.h"
#include "server/peer/outq.h"
#include "server/peer/tcp_link.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TLS_RECORD 16384
/* Encrypt so far ahead of the socket: one send takes a whole frame of ordinary size */
#define CIPHER_AHEAD (512 * 1024)

struct transport {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl; /* NULL while clear */
    bool secured;
    bool busy;        /* `drained` is owed */
    const char *dead; /* NULL while alive */
    bool told;
    struct outq plain, cipher;
    uint64_t sent; /* bytes that the socket took */
    struct link_rate rate;
    struct event *rd_ev, *wr_ev, *flush_ev, *dead_ev;
    const struct transport_ops *ops;
    void *user;
};

static void die(struct transport *t, const char *why)
{
    if (t->dead)
        return;
    t->dead = why;
    event_del(t->rd_ev);
    event_del(t->wr_ev);
    event_active(t->dead_ev, EV_TIMEOUT, 0);
}

/* ---- the BIO through which OpenSSL writes: into the queue of records ---- */
static int bio_write(BIO *b, const char *data, int len)
{
    struct transport *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (len <= 0 || outq_add(&t->cipher, data, (size_t)len) < 0)
        return -1;
    return len;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO *record_bio(struct transport *t)
{
    static BIO_METHOD *method;
    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "oriel records");
        if (!method)
            return NULL;
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    BIO *b = BIO_new(method);
    if (b) {
        BIO_set_data(b, t);
        BIO_set_init(b, 1);
    }
    return b;
}

int transport_start_tls(struct transport *t)
{
    if (t->ssl || t->dead)
        return -1;
    transport_flush(t);
    /* The confirm is a few bytes on a fresh connection: a socket that does not take them is no honest client's. */
    if (t->plain.len || t->dead) {
        die(t, "client does not read");
        return -1;
    }
    SSL *ssl = SSL_new(t->ctx);
    BIO *rd = BIO_new_socket(t->fd, BIO_NOCLOSE), *wr = record_bio(t);
    if (!ssl || !rd || !wr) {
        SSL_free(ssl);
        BIO_free(rd);
        BIO_free(wr);
        die(t, "out of memory");
        return -1;
    }
    SSL_set_bio(ssl, rd, wr);
    SSL_set_accept_state(ssl);
    t->ssl = ssl;
    return 0;
}

/* Encrypt from the plain queue as far as CIPHER_AHEAD allows. Before the handshake's end nothing moves. */
static void encrypt(struct transport *t)
{
    while (t->secured && t->plain.len && t->cipher.len < CIPHER_AHEAD && !t->dead) {
        size_t n = t->plain.len < TLS_RECORD ? t->plain.len : TLS_RECORD;
        ERR_clear_error();
        int r = SSL_write(t->ssl, outq_front(&t->plain), (int)n);
        if (r <= 0) {
            die(t, "TLS write");
            return;
        }
        outq_drop(&t->plain, (size_t)r);
    }
}

/* Returns false when the socket is full or dead. */
static bool push(struct transport *t, struct outq *q)
{
    while (q->len && !t->dead) {
        ssize_t n = send(t->fd, outq_front(q), q->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return false;
        if (n < 0) {
            die(t, "client gone");
            return false;
        }
        t->sent += (uint64_t)n;
        outq_drop(q, (size_t)n);
    }
    return !t->dead;
}

static void tell_drained(struct transport *t)
{
    if (t->busy && transport_queued(t) < TRANSPORT_BUSY) {
        t->busy = false;
        t->ops->drained(t->user);
    }
}

void transport_flush(struct transport *t)
{
    bool room = true;
    while (room && !t->dead) {
        struct outq *q = t->ssl ? &t->cipher : &t->plain;
        if (t->ssl)
            encrypt(t);
        if (!q->len)
            break;
        room = push(t, q);
    }
    if (t->dead)
        return;
    if (!room)
        event_add(t->wr_ev, NULL);
    else
        event_del(t->wr_ev);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct transport *t = arg;
    transport_flush(t);
    if (!t->dead)
        tell_drained(t);
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    on_writable(fd, what, arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct transport *t = arg;
    if (!t->dead)
        t->ops->readable(t->user);
}

static void on_dead(evutil_socket_t fd, short what, void *arg)
{
    struct transport *t = arg;
    if (t->told)
        return;
    t->told = true;
    t->ops->failed(t->user);
}

struct transport *transport_create(struct event_base *base, int fd, SSL_CTX *tls, const struct transport_ops *ops,
    void *user)
{
    static const struct slot must[] = {SLOT(transport_ops, readable), SLOT(transport_ops, drained),
        SLOT(transport_ops, secured), SLOT(transport_ops, failed)};
    bool whole = SLOTS_CHECK("transport", ops, must) == 0;
    struct transport *t = whole ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    *t = (struct transport){.fd = fd, .ctx = tls, .ops = ops, .user = user};
    outq_init(&t->plain, TRANSPORT_QUEUE_MAX - CIPHER_AHEAD - 2 * TLS_RECORD);
    outq_init(&t->cipher, CIPHER_AHEAD + 2 * TLS_RECORD);
    t->rd_ev = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, t);
    t->wr_ev = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, t);
    t->flush_ev = event_new(base, -1, 0, on_flush, t);
    t->dead_ev = event_new(base, -1, 0, on_dead, t);
    if (!t->rd_ev || !t->wr_ev || !t->flush_ev || !t->dead_ev || evutil_make_socket_nonblocking(fd) < 0 ||
        event_add(t->rd_ev, NULL) < 0) {
        t->fd = -1;
        transport_destroy(t);
        return NULL;
    }
    return t;
}

void transport_destroy(struct transport *t)
{
    if (!t)
        return;
    struct event *evs[] = {t->rd_ev, t->wr_ev, t->flush_ev, t->dead_ev};
    for (size_t i = 0; i < sizeof evs / sizeof evs[0]; i++)
        if (evs[i])
            event_free(evs[i]);
    SSL_free(t->ssl);
    outq_finish(&t->plain);
    outq_finish(&t->cipher);
    if (t->fd >= 0)
        close(t->fd);
    free(t);
}

static int read_clear(struct transport *t, void *data, size_t len)
{
    ssize_t n;
    do
        n = recv(t->fd, data, len, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return (int)n;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    die(t, n == 0 ? "client closed" : "client gone");
    return -1;
}

static int tls_failed(struct transport *t, int err)
{
    if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
        return 0;
    if (err == SSL_ERROR_ZERO_RETURN || (err == SSL_ERROR_SYSCALL && !ERR_peek_error()))
        die(t, "client closed");
    else
        die(t, t->secured ? "TLS record" : "TLS handshake");
    return -1;
}

static int read_tls(struct transport *t, void *data, size_t len)
{
    ERR_clear_error();
    int n = SSL_read(t->ssl, data, (int)(len > INT32_MAX ? INT32_MAX : len));
    int err = n > 0 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, n);
    if (!t->secured && SSL_is_init_finished(t->ssl)) {
        t->secured = true;
        t->ops->secured(t->user);
    }
    if (t->cipher.len || t->plain.len)
        event_active(t->flush_ev, EV_TIMEOUT, 0);
    if (n > 0)
        return n;
    int r = tls_failed(t, err);
    if (r < 0) /* an alert may be waiting */
        (void)push(t, &t->cipher);
    return r;
}

int transport_read(struct transport *t, void *data, size_t len)
{
    if (t->dead)
        return -1;
    if (len == 0)
        return 0;
    return t->ssl ? read_tls(t, data, len) : read_clear(t, data, len);
}

int transport_write(struct transport *t, const void *data, size_t len)
{
    if (t->dead)
        return -1;
    if (outq_add(&t->plain, data, len) < 0) {
        die(t, "client does not read");
        return -1;
    }
    if (transport_queued(t) >= TRANSPORT_BUSY)
        t->busy = true;
    event_active(t->flush_ev, EV_TIMEOUT, 0);
    return 0;
}

/* Wait for the socket until `end`. Returns false when the time is over. */
static bool wait_for(const struct transport *t, short events, int64_t end)
{
    int64_t left = end - clock_ms();
    struct pollfd p = {t->fd, events, 0};
    return left > 0 && (poll(&p, 1, (int)left) > 0 || errno == EINTR);
}

/* Closing a socket with unread bytes makes the kernel send a reset, and the client may lose our last words: read on
 * until it closes, too. */
static void drain_input(struct transport *t, int64_t end)
{
    char sink[4096];
    (void)shutdown(t->fd, SHUT_WR);
    do {
        ssize_t n;
        while ((n = recv(t->fd, sink, sizeof sink, MSG_DONTWAIT)) > 0)
            ;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return;
    } while (wait_for(t, POLLIN, end));
}

void transport_finish(struct transport *t, int timeout_ms)
{
    int64_t end = clock_ms() + timeout_ms;
    transport_flush(t);
    while (!t->dead && transport_queued(t) && (t->secured || !t->ssl)) {
        if (!wait_for(t, POLLOUT, end))
            return;
        transport_flush(t);
    }
    if (t->secured && !t->dead && SSL_shutdown(t->ssl) >= 0)
        (void)push(t, &t->cipher);
    if (!t->dead)
        drain_input(t, end);
}

size_t transport_queued(const struct transport *t)
{
    return t->plain.len + t->cipher.len;
}
bool transport_dead(const struct transport *t)
{
    return t->dead != NULL;
}
const char *transport_why(const struct transport *t)
{
    return t->dead ? t->dead : "";
}

bool transport_pending(const struct transport *t)
{
    return t->ssl && SSL_has_pending(t->ssl);
}

void transport_again(struct transport *t)
{
    if (!t->dead)
        event_active(t->rd_ev, EV_READ, 0);
}

void transport_link(struct transport *t, struct transport_link *out)
{
    struct tcp_link l;
    *out = (struct transport_link){.waiting = transport_queued(t), .lower_bound = true};
    if (tcp_link_read(t->fd, &l) < 0)
        return;
    out->waiting += t->sent > l.acked ? (size_t)(t->sent - l.acked) : 0;
    out->rtt_us = l.min_rtt_us ? l.min_rtt_us : l.rtt_us;
    struct link_look look = {.now_us = clock_us(),
        .bytes_per_second = l.bytes_per_second,
        .app_limited = l.app_limited,
        .rtt_us = out->rtt_us,
        .waiting = out->waiting};
    uint64_t rate = link_rate_look(&t->rate, &look);
    out->bytes_per_second = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
    out->lower_bound = !t->rate.full;
}

void transport_describe(const struct transport *t, char *out, size_t cap)
{
    if (t->secured)
        (void)snprintf(out, cap, "%s %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
    else
        (void)snprintf(out, cap, "%s", "");
}
