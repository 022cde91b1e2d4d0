/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/transport.h"

#include "common/clock.h"
#include "common/loop.h"
#include "common/slots.h"
#include "server/peer/bulk_pace.h"
#include "server/peer/flight.h"
#include "server/peer/link_rate.h"
#include "server/peer/tcp_link.h"
#include "server/peer/traffic_queue.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of bytes that the kernel has and has not sent: it takes more below half of it. A record that leaves now waits for no
 * more than these, and a loop that is busy for some milliseconds leaves no link of 20 Mbit/s without work. */
#define NOTSENT_LOWAT 32768
/* A handshake with a long chain of certificates leaves at once; later there is one record at a time */
#define OUT_MAX (512 * 1024)

struct transport {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl; /* NULL while clear */
    bool secured;
    const char *dead; /* NULL while alive */
    bool told;
    bool blocked;                 /* the socket takes nothing before `wr_ev` */
    bool full[TRAFFIC_CLASSES];   /* `drained` is owed */
    enum traffic_class traffic;   /* of what is written now */
    struct traffic_queue waiting; /* not encrypted yet */
    struct outq out;              /* encrypted (in clear before that), on its way into the socket: */
    enum traffic_class leaving;   /* whose */
    struct flight flight;         /* all that came into `out` and has not arrived */
    struct link_rate rate;
    struct bulk_pace pace;
    struct event *rd_ev, *wr_ev, *flush_ev, *pace_ev, *dead_ev;
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
    event_del(t->pace_ev);
    event_active(t->dead_ev, EV_TIMEOUT, 0);
}

/* ---- the BIO through which OpenSSL writes: into the queue of records ---- */
static int put_out(struct transport *t, const void *data, size_t len)
{
    int r = outq_add(&t->out, data, len);
    if (r == 0)
        flight_written(&t->flight, t->leaving, len);
    return r;
}

static int bio_write(BIO *b, const char *data, int len)
{
    BIO_clear_retry_flags(b);
    if (len <= 0 || put_out(BIO_get_data(b), data, (size_t)len) < 0)
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
    if (transport_queued(t) || t->dead) {
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

/* ---- what the kernel knows ---- */
/* Of a stream that is no TCP connection: what its other end has not read. */
static uint64_t read_by_neighbour(const struct transport *t)
{
    int unread = 0;
    uint64_t sent = t->flight.written - t->out.len;
    if (ioctl(t->fd, SIOCOUTQ, &unread) < 0 || unread < 0)
        return sent;
    return sent > (uint64_t)unread ? sent - (uint64_t)unread : 0;
}

/* Returns bytes a second; 0: unknown. */
static uint64_t look_at_link(struct transport *t, struct tcp_link *l)
{
    if (tcp_link_read(t->fd, l) < 0) {
        flight_acked(&t->flight, read_by_neighbour(t));
        return 0;
    }
    flight_acked(&t->flight, l->acked);
    l->min_rtt_us = l->min_rtt_us ? l->min_rtt_us : l->rtt_us;
    struct link_look look = {.now_us = clock_us(),
        .bytes_per_second = l->bytes_per_second,
        .app_limited = l->app_limited,
        .rtt_us = l->min_rtt_us,
        .waiting = traffic_queue_total(&t->waiting) + flight_total(&t->flight)};
    return link_rate_look(&t->rate, &look);
}

/* ---- out ---- */
static void look_again_in(struct transport *t, uint64_t us)
{
    (void)loop_arm_us(t->pace_ev, (int64_t)us);
}

static struct traffic_bulk room_for_bulk(struct transport *t)
{
    struct traffic_bulk bulk = {.slice = bulk_pace_slice(&t->pace)};
    if (!traffic_queue_bytes(&t->waiting, TRAFFIC_BULK))
        return bulk;
    struct tcp_link l;
    struct bulk_look look = {.at_most = look_at_link(t, &l)};
    look.now_us = clock_us();
    look.acked = t->flight.acked;
    look.on_way = flight_total(&t->flight);
    look.rtt_us = l.min_rtt_us;
    bulk.most = bulk_pace_room(&t->pace, &look);
    bulk.slice = bulk_pace_slice(&t->pace);
    if (!bulk.most)
        look_again_in(t, bulk_pace_wait(&t->pace, &look));
    return bulk;
}

static bool seal(struct transport *t, const struct traffic_record *r)
{
    if (!t->ssl)
        return put_out(t, r->data, r->len) == 0;
    ERR_clear_error();
    return SSL_write(t->ssl, r->data, (int)r->len) == (int)r->len;
}

/* The next record. Returns false when nothing may leave. Before the handshake's end nothing does. */
static bool fill_out(struct transport *t)
{
    struct traffic_record r;
    if (t->ssl && !t->secured)
        return false;
    struct traffic_bulk bulk = room_for_bulk(t);
    if (!traffic_queue_next(&t->waiting, &bulk, &r))
        return false;
    t->leaving = r.traffic;
    if (!seal(t, &r)) {
        die(t, t->ssl ? "TLS write" : "out of memory");
        return false;
    }
    t->leaving = TRAFFIC_ORDERED;
    traffic_queue_taken(&t->waiting, &r);
    return true;
}

/* Is another record sure to follow? Then the kernel need not send this one's last bytes in a packet of their own. */
static bool more_follows(const struct transport *t)
{
    static const struct traffic_bulk none = {.slice = BULK_SLICE_MIN};
    struct traffic_record r;
    return (!t->ssl || t->secured) && traffic_queue_next(&t->waiting, &none, &r) && r.traffic != TRAFFIC_BULK;
}

static void push(struct transport *t)
{
    int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more_follows(t) ? MSG_MORE : 0);
    while (t->out.len && !t->dead && !t->blocked) {
        ssize_t n = send(t->fd, outq_front(&t->out), t->out.len, flags);
        if (n >= 0)
            outq_drop(&t->out, (size_t)n);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            t->blocked = true;
        else if (errno != EINTR)
            die(t, "client gone");
    }
}

static void tell_drained(struct transport *t)
{
    for (int c = 0; c < TRAFFIC_CLASSES && !t->dead; c++)
        if (t->full[c] && transport_room(t, (enum traffic_class)c)) {
            t->full[c] = false;
            t->ops->drained(t->user, (enum traffic_class)c);
        }
}

void transport_flush(struct transport *t)
{
    while (!t->dead && !t->blocked && (t->out.len || fill_out(t)))
        push(t);
    if (t->dead)
        return;
    if (t->blocked)
        event_add(t->wr_ev, NULL);
    else
        event_del(t->wr_ev);
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    struct transport *t = arg;
    transport_flush(t);
    tell_drained(t);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct transport *t = arg;
    t->blocked = false;
    on_flush(fd, what, arg);
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
    traffic_queue_init(&t->waiting);
    outq_init(&t->out, OUT_MAX);
    t->rd_ev = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, t);
    t->wr_ev = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, t);
    t->flush_ev = event_new(base, -1, 0, on_flush, t);
    t->pace_ev = event_new(base, -1, 0, on_flush, t);
    t->dead_ev = event_new(base, -1, 0, on_dead, t);
    if (!t->rd_ev || !t->wr_ev || !t->flush_ev || !t->pace_ev || !t->dead_ev ||
        evutil_make_socket_nonblocking(fd) < 0 || event_add(t->rd_ev, NULL) < 0) {
        t->fd = -1;
        transport_destroy(t);
        return NULL;
    }
    int lowat = NOTSENT_LOWAT; /* what is no TCP connection does without */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
    return t;
}

void transport_destroy(struct transport *t)
{
    if (!t)
        return;
    struct event *evs[] = {t->rd_ev, t->wr_ev, t->flush_ev, t->pace_ev, t->dead_ev};
    for (size_t i = 0; i < sizeof evs / sizeof evs[0]; i++)
        if (evs[i])
            event_free(evs[i]);
    SSL_free(t->ssl);
    traffic_queue_finish(&t->waiting);
    outq_finish(&t->out);
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
    if (transport_queued(t))
        event_active(t->flush_ev, EV_TIMEOUT, 0);
    if (n > 0)
        return n;
    int r = tls_failed(t, err);
    if (r < 0) /* an alert may be waiting */
        push(t);
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

/* Over the ceiling, or out of memory. */
static int refused(struct transport *t)
{
    die(t, "client does not read");
    return -1;
}

int transport_write(struct transport *t, const void *data, size_t len)
{
    if (t->dead)
        return -1;
    if (traffic_queue_write(&t->waiting, t->traffic, data, len) < 0)
        return refused(t);
    (void)transport_room(t, t->traffic);
    event_active(t->flush_ev, EV_TIMEOUT, 0);
    return 0;
}

enum traffic_class transport_class(struct transport *t, enum traffic_class traffic)
{
    enum traffic_class before = t->traffic;
    t->traffic = traffic;
    return before;
}

void transport_unit_begin(struct transport *t)
{
    traffic_queue_begin(&t->waiting, t->traffic);
}

int transport_unit_end(struct transport *t)
{
    if (t->dead)
        return -1;
    return traffic_queue_end(&t->waiting) < 0 ? refused(t) : 0;
}

void transport_gate(struct transport *t, enum traffic_gate gate)
{
    if (t->dead)
        return;
    if (traffic_queue_set_gate(&t->waiting, gate) < 0) {
        die(t, "out of memory");
        return;
    }
    for (int c = TRAFFIC_CONTROL; c < TRAFFIC_CLASSES; c++)
        t->full[c] |= gate == TRAFFIC_SHUT;
    event_active(t->flush_ev, EV_TIMEOUT, 0);
}

bool transport_room(struct transport *t, enum traffic_class traffic)
{
    bool full = traffic_queue_full(&t->waiting, traffic, bulk_pace_slice(&t->pace));
    t->full[traffic] |= full;
    return !full;
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
    if (t->waiting.gate == TRAFFIC_OPEN)
        (void)traffic_queue_set_gate(&t->waiting, TRAFFIC_IN_ORDER); /* nothing is held back any more */
    transport_flush(t);
    while (!t->dead && (t->out.len || more_follows(t))) {
        if (!wait_for(t, POLLOUT, end))
            return;
        t->blocked = false;
        transport_flush(t);
    }
    if (t->secured && !t->dead && SSL_shutdown(t->ssl) >= 0)
        push(t);
    if (!t->dead)
        drain_input(t, end);
}

size_t transport_queued(const struct transport *t)
{
    return traffic_queue_total(&t->waiting) + t->out.len;
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
    uint64_t rate = look_at_link(t, &l);
    *out = (struct transport_link){.rtt_us = l.min_rtt_us,
        .bytes_per_second = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate,
        .lower_bound = !t->rate.full,
        .waiting = traffic_queue_bytes(&t->waiting, TRAFFIC_PICTURE) + t->flight.bytes[TRAFFIC_PICTURE]};
}

void transport_describe(const struct transport *t, char *out, size_t cap)
{
    if (t->secured)
        (void)snprintf(out, cap, "%s %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
    else
        (void)snprintf(out, cap, "%s", "");
}
