/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client's stream over a real socket, with a TLS client at its other end. Sends are counted on the way.
 */
#include "server/peer/transport.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define UNIT 1614 /* a chunk of 1600 bytes and its heads */

static unsigned sends;
ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
    sends++;
    return __real_send(fd, data, len, flags);
}

struct rig {
    struct event_base *base;
    SSL_CTX *server, *context;
    SSL *client;
    int fd; /* the client's */
    struct transport *t;
    bool secured, failed;
    unsigned drained[TRAFFIC_CLASSES];
};

static void on_readable(void *user)
{
    struct rig *g = user;
    char sink[4096];
    while (transport_read(g->t, sink, sizeof sink) > 0)
        ;
}

static void on_drained(void *user, enum traffic_class traffic)
{
    ((struct rig *)user)->drained[traffic]++;
}

static void on_secured(void *user)
{
    ((struct rig *)user)->secured = true;
}

static void on_failed(void *user)
{
    ((struct rig *)user)->failed = true;
}

static SSL_CTX *server_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_true(ctx && key && cert);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()));
    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}

static void connect_pair(int fds[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    assert_int_equal(bind(listener, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
    fds[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&a, len), 0);
    fds[0] = accept(listener, NULL, NULL);
    assert_true(fds[0] >= 0);
    assert_int_equal(setsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    close(listener);
}

static void turn(struct rig *g)
{
    assert_true(event_base_loop(g->base, EVLOOP_NONBLOCK) >= 0);
}

static struct rig *rig_make(bool unix_stream)
{
    static const struct transport_ops ops = {on_readable, on_drained, on_secured, on_failed};
    struct rig *g = calloc(1, sizeof *g);
    int fds[2];
    assert_non_null(g);
    if (unix_stream)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    else
        connect_pair(fds);
    g->base = event_base_new();
    g->server = server_context();
    g->context = SSL_CTX_new(TLS_client_method());
    g->fd = fds[1];
    g->t = transport_create(g->base, fds[0], g->server, &ops, g);
    assert_non_null(g->t);
    assert_int_equal(transport_start_tls(g->t), 0);
    g->client = SSL_new(g->context);
    SSL_set_fd(g->client, g->fd);
    while (SSL_connect(g->client) != 1)
        turn(g);
    for (int i = 0; i < 1000 && !g->secured; i++)
        turn(g);
    assert_true(g->secured);
    turn(g); /* the tickets leave, too */
    sends = 0;
    return g;
}

static void rig_end(struct rig *g)
{
    transport_destroy(g->t);
    SSL_free(g->client);
    SSL_CTX_free(g->context);
    SSL_CTX_free(g->server);
    close(g->fd);
    event_base_free(g->base);
    free(g);
}

static void write_units(struct rig *g, enum traffic_class traffic, unsigned n)
{
    uint8_t unit[UNIT];
    memset(unit, (int)traffic, sizeof unit);
    enum traffic_class before = transport_class(g->t, traffic);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(transport_write(g->t, unit, sizeof unit), 0);
    transport_class(g->t, before);
}

/* The classes of the next bytes that the client decrypts, in runs: "3333" is one letter for each whole unit. */
static void read_units(struct rig *g, char *classes, unsigned n)
{
    static uint8_t unit[UNIT];
    for (unsigned i = 0; i < n; i++) {
        for (size_t got = 0; got < sizeof unit;) {
            int r = SSL_read(g->client, unit + got, (int)(sizeof unit - got));
            got += r > 0 ? (size_t)r : 0;
            if (r <= 0)
                turn(g);
        }
        for (size_t at = 0; at < sizeof unit; at++)
            assert_int_equal(unit[at], unit[0]);
        classes[i] = (char)('0' + unit[0]);
    }
    classes[n] = 0;
}

static void two_hundred_kilobytes_leave_in_sixteen_sends_at_most(void **state)
{
    struct rig *g = rig_make(false);
    char classes[200];
    transport_gate(g->t, TRAFFIC_OPEN);
    write_units(g, TRAFFIC_PICTURE, 204800 / UNIT);
    transport_flush(g->t);
    read_units(g, classes, 204800 / UNIT);
    assert_in_range(sends, 1, 16);
    rig_end(g);
}

/* What the client does not read waits in here by its class, one record apart and what the kernel holds. */
static void what_is_urgent_overtakes_what_waits_for_the_socket(void **state)
{
    struct rig *g = rig_make(false);
    char classes[2000];
    transport_gate(g->t, TRAFFIC_OPEN);
    while (transport_room(g->t, TRAFFIC_PICTURE)) {
        write_units(g, TRAFFIC_PICTURE, 10);
        turn(g);
    }
    size_t waits = transport_queued(g->t);
    assert_true(waits > 400000);
    write_units(g, TRAFFIC_CONTROL, 1);
    unsigned pictures = 0;
    for (classes[0] = 0; classes[0] != '0' + TRAFFIC_CONTROL; pictures += classes[0] != '0' + TRAFFIC_CONTROL)
        read_units(g, classes, 1);
    read_units(g, classes, (unsigned)((waits - 16384) / UNIT)); /* all of it but a record came behind */
    assert_null(strchr(classes, '0' + TRAFFIC_CONTROL));
    assert_true(pictures > 0);
    turn(g);
    assert_true(g->drained[TRAFFIC_PICTURE] > 0);
    assert_false(g->failed);
    rig_end(g);
}

static void who_does_not_read_is_given_up_at_the_ceiling(void **state)
{
    static uint8_t unit[UNIT];
    struct rig *g = rig_make(false);
    size_t written = 0;
    transport_gate(g->t, TRAFFIC_OPEN);
    transport_class(g->t, TRAFFIC_CONTROL);
    while (transport_write(g->t, unit, sizeof unit) == 0) {
        written += sizeof unit;
        turn(g);
        assert_in_range(written, 1, 64 << 20);
    }
    assert_string_equal(transport_why(g->t), "client does not read");
    turn(g);
    assert_true(g->failed);
    rig_end(g);
}

static void bulk_gets_through_whatever_the_stream_is(void **state)
{
    char classes[2000];
    for (int unix_stream = 0; unix_stream < 2; unix_stream++) {
        struct rig *g = rig_make(unix_stream);
        transport_gate(g->t, TRAFFIC_OPEN);
        for (unsigned n = 0; n < 400; n++) {
            write_units(g, TRAFFIC_BULK, 1);
            read_units(g, classes, 1);
        }
        while (transport_room(g->t, TRAFFIC_BULK))
            write_units(g, TRAFFIC_BULK, 1);
        write_units(g, TRAFFIC_PICTURE, 3);
        read_units(g, classes, 4);
        assert_memory_equal(classes, "333", 3);
        rig_end(g);
    }
}

static void the_last_words_come_after_all_that_was_written(void **state)
{
    struct rig *g = rig_make(false);
    char classes[10];
    transport_gate(g->t, TRAFFIC_OPEN);
    write_units(g, TRAFFIC_BULK, 2);
    write_units(g, TRAFFIC_PICTURE, 2);
    write_units(g, TRAFFIC_ORDERED, 1);
    transport_finish(g->t, 0);
    read_units(g, classes, 5);
    assert_string_equal(classes, "33440");
    rig_end(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hundred_kilobytes_leave_in_sixteen_sends_at_most),
        cmocka_unit_test(what_is_urgent_overtakes_what_waits_for_the_socket),
        cmocka_unit_test(who_does_not_read_is_given_up_at_the_ceiling),
        cmocka_unit_test(bulk_gets_through_whatever_the_stream_is),
        cmocka_unit_test(the_last_words_come_after_all_that_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
