/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hostile peer: in every state, each message that the state does not allow ends it, and the server is told to kill
 * it. */
#include "rig.h"
#include "session/monitor/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct rig rig;

struct place {
    struct rig_peer p;
    int display;
};

static void say(struct rig_peer *p, const struct wire_def *def)
{
    static const union {
        struct peer_hello a;
        struct peer_auth b;
        struct peer_logon c;
        struct peer_resume d;
        struct peer_status e;
    } zero;
    assert_int_equal(wire_send(p->fd, def, &zero, NULL), 0);
}

static void to_fresh(struct place *at)
{
    struct server_peer_new n = {.peer = ++rig.next_peer, .address = "192.0.2.1"};
    at->p.id = n.peer;
    assert_int_equal(wire_send(rig.server, &server_peer_new_def, &n, NULL), 0);
    (void)rig_expect(rig.server, &monitor_to_server, &server_peer_link_def, &at->p.fd);
}

static void to_ready(struct place *at)
{
    at->p = rig_connect(&rig, "192.0.2.1");
}

static void to_checking(struct place *at)
{
    to_ready(at);
    rig_auth(&at->p, AUTH_PASSWORD, "sleeps", "right", 5);
}

static void to_logon(struct place *at)
{
    to_ready(at);
    say(&at->p, &peer_logon_def);
    (void)rig_peer_expect(&at->p, peer_display, &at->display);
}

static void to_starting(struct place *at)
{
    to_ready(at);
    rig_auth(&at->p, AUTH_PASSWORD, "slow", "right", 5);
    (void)rig_peer_expect(&at->p, peer_verdict, NULL);
}

static void to_attached(struct place *at)
{
    to_ready(at);
    rig_auth(&at->p, AUTH_PASSWORD, "anna", "right", 5);
    (void)rig_peer_expect(&at->p, peer_verdict, NULL);
    (void)rig_peer_expect(&at->p, peer_display, &at->display);
    (void)rig_peer_expect(&at->p, peer_cookie, NULL);
}

static void to_notice(struct place *at)
{
    to_ready(at);
    rig_auth(&at->p, AUTH_PASSWORD, "fails", "right", 5);
    (void)rig_peer_expect(&at->p, peer_verdict, NULL);
    (void)rig_peer_expect(&at->p, peer_display, &at->display);
}

static void to_ending(struct place *at)
{
    to_logon(at);
    rig_type(at->display, "cancel");
    rig_expect_end(&at->p, END_USER_DISCONNECT);
}

static void (*const bring[PEER_STATES])(
    struct place *at) = {to_fresh, to_ready, to_checking, to_logon, to_starting, to_attached, to_notice, to_ending};

static void every_forbidden_message_in_every_state_kills_the_peer(void **state)
{
    unsigned killed = 0;
    for (unsigned bit = 0; bit < PEER_STATES; bit++) {
        for (size_t i = 0; i < peer_table.nrows; i++) {
            const struct request *row = &peer_table.rows[i];
            struct place at = {.display = -1};
            if ((row->allowed | row->late) & 1u << bit)
                continue;
            bring[bit](&at);
            say(&at.p, row->def);
            rig_expect_kill(&rig, at.p.id);
            rig_expect_closed(at.p.fd);
            close(at.p.fd);
            if (at.display >= 0)
                close(at.display);
            killed++;
        }
    }
    print_message("%u cells\n", killed);
    assert_true(killed >= 20);
}

static void what_is_meant_once_kills_the_second_time(void **state)
{
    struct place at = {.display = -1};
    to_fresh(&at);
    say(&at.p, &peer_hello_def);
    say(&at.p, &peer_hello_def);
    rig_expect_kill(&rig, at.p.id);
    close(at.p.fd);
}

static void bytes_that_are_no_message_kill(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"x", 1},                                    /* no header */
        {"\x01\x00\x02\x00\xff\xff\xff\xff", 8},     /* a length that is not there */
        {"\x01\x00\x63\x00\x00\x00\x00\x00", 8},     /* an unknown message */
        {"\x07\x00\x01\x00\x00\x00\x00\x00", 8},     /* an unknown version */
        {"\x01\x00\x65\x00\x00\x00\x00\x00", 8},     /* the monitor's own kind of message */
        {"\x01\x00\x02\x00\x01\x00\x00\x00\x01", 9}, /* cut after its first field */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct place at = {.display = -1};
        to_ready(&at);
        assert_int_equal(write(at.p.fd, bad[i].bytes, bad[i].len), bad[i].len);
        rig_expect_kill(&rig, at.p.id);
        rig_expect_closed(at.p.fd);
        close(at.p.fd);
    }
}

static void a_descriptor_with_a_message_that_takes_none_kills(void **state)
{
    struct place at = {.display = -1};
    uint8_t buf[WIRE_MESSAGE_MAX];
    struct peer_status s = {0};
    int fd = 0;
    to_ready(&at);
    ssize_t n = wire_encode(&peer_status_def, &s, buf, sizeof buf);
    assert_int_equal(wire_send_raw(at.p.fd, buf, (size_t)n, &fd, 1, 0), 0);
    rig_expect_kill(&rig, at.p.id);
    close(at.p.fd);
}

static void a_killed_peers_session_goes_on(void **state)
{
    struct place at = {.display = -1};
    to_attached(&at);
    say(&at.p, &peer_auth_def);
    rig_expect_kill(&rig, at.p.id);
    rig_wait_session(&rig, 1, SESSION_DETACHED, 0);
    close(at.p.fd);
    close(at.display);
}

static void a_server_that_speaks_out_of_turn_loses_its_link(void **state)
{
    struct server_peer_new n = {.peer = 77, .address = "192.0.2.1"};
    struct server_hello h = {.version = "again"};
    assert_int_equal(wire_send(rig.server, &server_peer_new_def, &n, NULL), 0);
    (void)rig_expect(rig.server, &monitor_to_server, &server_peer_link_def, NULL);
    assert_int_equal(wire_send(rig.server, &server_hello_def, &h, NULL), 0);
    rig_expect_closed(rig.server);
}

static void a_peer_announced_twice_ends_the_server_link(void **state)
{
    struct server_peer_new n = {.peer = 77, .address = "192.0.2.1"};
    int fd = -1;
    assert_int_equal(wire_send(rig.server, &server_peer_new_def, &n, NULL), 0);
    (void)rig_expect(rig.server, &monitor_to_server, &server_peer_link_def, &fd);
    assert_int_equal(wire_send(rig.server, &server_peer_new_def, &n, NULL), 0);
    rig_expect_closed(rig.server);
    rig_expect_closed(fd);
    close(fd);
}

static int setup(void **state)
{
    rig_start(&rig, "[login]\nthrottle_burst = 1000\nallow_root = true\n");
    return 0;
}

static int teardown(void **state)
{
    rig_stop(&rig);
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_forbidden_message_in_every_state_kills_the_peer),
        T(what_is_meant_once_kills_the_second_time),
        T(bytes_that_are_no_message_kill),
        T(a_descriptor_with_a_message_that_takes_none_kills),
        T(a_killed_peers_session_goes_on),
        T(a_server_that_speaks_out_of_turn_loses_its_link),
        T(a_peer_announced_twice_ends_the_server_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
