/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/link.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct note {
    uint32_t number;
    uint32_t ntext;
    uint8_t text[4096];
};
static const struct wire_field note_fields[] = {WF_U32(note, number, 1000000), WF_BYTES(note, text, ntext)};
static WIRE_DEF(note, 1, 0);
struct gift {
    uint8_t unused;
};
static WIRE_DEF_EMPTY(gift, 2, 1);
static const struct wire_def *const defs[] = {&note_def, &gift_def};
static const struct wire_proto proto_test = {"test", defs, 2};

struct seen {
    unsigned messages, closed;
    int err;
    uint32_t last;
    int fd;
    bool destroy_in_message, destroy_in_closed, destroy_in_drained;
    uint32_t pause_at; /* in the message of this number */
    unsigned drained;
};

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct seen *s = user;
    s->messages++;
    if (def == &note_def)
        s->last = ((struct note *)msg)->number;
    else
        s->fd = fds[0];
    if (s->destroy_in_message)
        link_destroy(l);
    else if (s->pause_at && s->last == s->pause_at)
        link_pause(l);
}

static void on_closed(void *user, struct link *l, int err)
{
    struct seen *s = user;
    s->closed++;
    s->err = err;
    if (s->destroy_in_closed)
        link_destroy(l);
}

static void on_drained(void *user, struct link *l)
{
    struct seen *s = user;
    s->drained++;
    if (s->destroy_in_drained)
        link_destroy(l);
}

static const struct link_ops ops = {.message = on_message, .closed = on_closed, .drained = on_drained};
static struct event_base *base;
static int sv[2];
static struct seen seen;

static int set_up(void **state)
{
    seen = (struct seen){.fd = -1};
    base = event_base_new();
    return base ? link_pair(sv) : -1;
}

static int tear_down(void **state)
{
    event_base_free(base);
    return 0;
}

static struct link *open_link(size_t queue)
{
    struct link *l = link_create(base, sv[0], &proto_test, &ops, &seen, queue);
    assert_non_null(l);
    return l;
}

static void turn(unsigned times)
{
    while (times--)
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void send_note(int fd, uint32_t number)
{
    struct note n = {.number = number};
    assert_int_equal(wire_send(fd, &note_def, &n, NULL), 0);
}

static void messages_arrive_in_order_and_many_do_not_starve_the_loop(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    for (uint32_t i = 1; i <= 40; i++)
        send_note(sv[1], i);
    turn(1);
    assert_int_equal(seen.messages, 32);
    turn(1);
    assert_int_equal(seen.messages, 40);
    assert_int_equal(seen.last, 40);
    link_destroy(l);
    close(sv[1]);
}

static void descriptors_travel_and_stay_the_senders(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    struct gift g = {0};
    struct stat a, b;
    int fd = open("/dev/null", O_RDONLY);
    assert_int_equal(wire_send(sv[1], &gift_def, &g, &fd), 0);
    turn(1);
    assert_true(seen.fd >= 0);
    assert_int_equal(fstat(fd, &a), 0);
    assert_int_equal(fstat(seen.fd, &b), 0);
    assert_int_equal(a.st_rdev, b.st_rdev);
    assert_int_equal(fcntl(seen.fd, F_GETFD), FD_CLOEXEC);
    close(fd), close(seen.fd);
    link_destroy(l);
    close(sv[1]);
}

static void a_descriptor_too_many_or_too_few_ends_the_link(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    uint8_t buf[64];
    struct gift g = {0};
    ssize_t n = wire_encode(&gift_def, &g, buf, sizeof buf);
    assert_int_equal(wire_send_raw(sv[1], buf, (size_t)n, NULL, 0, 0), 0);
    turn(2);
    assert_int_equal(seen.err, -EPROTO);
    assert_int_equal(seen.messages, 0);
    link_destroy(l);
    close(sv[1]);
}

static void rubbish_ends_the_link_once(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    struct note n = {0};
    assert_int_equal(send(sv[1], "rubbish rubbish", 15, 0), 15);
    send_note(sv[1], 1);
    turn(3);
    assert_int_equal(seen.closed, 1);
    assert_int_equal(seen.err, -EPROTO);
    assert_int_equal(seen.messages, 0); /* nothing after it is believed */
    assert_int_equal(link_send(l, &note_def, &n, NULL), -EPIPE);
    turn(3);
    assert_int_equal(seen.closed, 1);
    link_destroy(l);
    close(sv[1]);
}

static void the_other_end_going_is_told_after_its_last_words(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    send_note(sv[1], 9);
    close(sv[1]);
    turn(3);
    assert_int_equal(seen.last, 9);
    assert_int_equal(seen.closed, 1);
    assert_int_equal(seen.err, -EPIPE);
    link_destroy(l);
}

static void a_link_may_be_destroyed_in_its_callbacks(void **state)
{
    (void)open_link(LINK_QUEUE_DEFAULT);
    seen.destroy_in_message = true;
    send_note(sv[1], 1);
    send_note(sv[1], 2);
    turn(3);
    assert_int_equal(seen.messages, 1);
    assert_int_equal(seen.closed, 0);
    close(sv[1]);
    assert_int_equal(link_pair(sv), 0);
    (void)open_link(LINK_QUEUE_DEFAULT);
    seen.destroy_in_closed = true;
    close(sv[1]);
    turn(3);
    assert_int_equal(seen.closed, 1);
    link_destroy(NULL);
}

static void a_reader_that_sleeps_fills_the_queue_and_then_loses_the_link(void **state)
{
    struct link *l = open_link(64 * 1024);
    struct note n = {.ntext = sizeof n.text};
    int r = 0;
    unsigned sent = 0;
    size_t most = 0;
    while (r == 0 && sent < 10000) {
        r = link_send(l, &note_def, &n, NULL);
        sent += r == 0;
        most = link_queued(l) > most ? link_queued(l) : most;
    }
    assert_int_equal(r, -EPIPE);
    assert_in_range(most, 1, 64 * 1024);
    assert_int_equal(seen.closed, 0); /* not from under link_send */
    turn(2);
    assert_int_equal(seen.closed, 1);
    assert_int_equal(seen.err, -ENOBUFS);
    link_destroy(l);
    close(sv[1]);
}

static void what_was_queued_goes_out_when_the_reader_wakes(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    struct note n = {.ntext = sizeof n.text}, got;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX], null = open("/dev/null", O_RDONLY);
    struct gift g = {0};
    uint32_t sent = 0;
    while (link_queued(l) < 50000) {
        n.number = ++sent;
        assert_int_equal(link_send(l, &note_def, &n, NULL), 0);
    }
    assert_int_equal(link_send(l, &gift_def, &g, &null), 0); /* its descriptor waits in the queue, too */
    close(null);
    assert_int_equal(link_flush(l, 20), -ETIMEDOUT);
    for (uint32_t i = 1; i <= sent; i++) {
        assert_int_equal(wire_recv(sv[1], &proto_test, &def, &got, fds, 1000), 0);
        assert_int_equal(got.number, i);
        turn(1);
    }
    assert_int_equal(link_flush(l, 1000), 0);
    assert_int_equal(link_queued(l), 0);
    assert_int_equal(wire_recv(sv[1], &proto_test, &def, &got, fds, 1000), 0);
    assert_ptr_equal(def, &gift_def);
    assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    close(fds[0]);
    link_destroy(l);
    close(sv[1]);
}

static void a_paused_link_reads_nothing_until_it_is_resumed(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    link_pause(l);
    link_pause(l);
    for (uint32_t i = 1; i <= 3; i++)
        send_note(sv[1], i);
    turn(3);
    assert_int_equal(seen.messages, 0);
    seen.pause_at = 2; /* takes effect at once, in the middle of what is there */
    link_resume(l);
    link_resume(l);
    turn(3);
    assert_int_equal(seen.messages, 2);
    link_resume(l);
    turn(3);
    assert_int_equal(seen.messages, 3);
    assert_int_equal(seen.last, 3);
    link_destroy(l);
    close(sv[1]);
}

static void a_paused_link_still_sends_and_hears_later_that_the_other_end_went(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    struct note n = {.number = 5}, got;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    link_pause(l);
    assert_int_equal(link_send(l, &note_def, &n, NULL), 0);
    assert_int_equal(wire_recv(sv[1], &proto_test, &def, &got, fds, 1000), 0);
    assert_int_equal(got.number, 5);
    send_note(sv[1], 9);
    close(sv[1]);
    turn(3);
    assert_int_equal(seen.messages + seen.closed, 0);
    link_resume(l);
    turn(3);
    assert_int_equal(seen.last, 9); /* its last words first */
    assert_int_equal(seen.closed, 1);
    assert_int_equal(seen.err, -EPIPE);
    link_resume(l);
    turn(3);
    assert_int_equal(seen.closed, 1);
    link_destroy(l);
}

static void a_paused_link_tells_when_sending_fails(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    struct note n = {0};
    link_pause(l);
    close(sv[1]);
    assert_int_equal(link_send(l, &note_def, &n, NULL), -EPIPE);
    link_pause(l); /* does not take back what is on its way */
    turn(2);
    assert_int_equal(seen.closed, 1);
    link_destroy(l);
}

/* A reader that pauses costs its sender no more than a socket and a queue of the sender's choice, and nothing is lost.
 */
static void the_socket_is_the_back_pressure(void **state)
{
    struct seen told = {.fd = -1};
    struct link *reader = open_link(LINK_QUEUE_DEFAULT);
    struct link *sender = link_create(base, sv[1], &proto_test, &ops, &told, LINK_QUEUE_DEFAULT);
    struct note n = {.ntext = sizeof n.text};
    assert_non_null(sender);
    link_pause(reader);
    while (n.number < 1000000 && link_queued(sender) == 0) {
        n.number++;
        assert_int_equal(link_send(sender, &note_def, &n, NULL), 0);
        turn(1);
    }
    assert_in_range(link_queued(sender), 1, 8192);
    assert_int_equal(seen.messages + told.drained, 0);
    link_resume(reader);
    for (int i = 0; i < 10000 && seen.messages < n.number; i++)
        turn(1);
    turn(2);
    assert_int_equal(seen.messages, n.number);
    assert_int_equal(seen.last, n.number);
    assert_int_equal(told.drained, 1);
    assert_int_equal(link_queued(sender), 0);
    link_destroy(reader);
    link_destroy(sender);
}

static void a_link_may_be_destroyed_when_it_drained(void **state)
{
    struct link *l = open_link(LINK_QUEUE_DEFAULT);
    struct note n = {.ntext = sizeof n.text}, got;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    seen.destroy_in_drained = true;
    while (link_queued(l) == 0)
        assert_int_equal(link_send(l, &note_def, &n, NULL), 0);
    while (wire_recv(sv[1], &proto_test, &def, &got, fds, 0) == 0)
        turn(1);
    turn(2);
    assert_int_equal(seen.drained, 1);
    close(sv[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_arrive_in_order_and_many_do_not_starve_the_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(descriptors_travel_and_stay_the_senders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_descriptor_too_many_or_too_few_ends_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rubbish_ends_the_link_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_other_end_going_is_told_after_its_last_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_may_be_destroyed_in_its_callbacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_sleeps_fills_the_queue_and_then_loses_the_link, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(what_was_queued_goes_out_when_the_reader_wakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_paused_link_reads_nothing_until_it_is_resumed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_paused_link_still_sends_and_hears_later_that_the_other_end_went, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_paused_link_tells_when_sending_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_socket_is_the_back_pressure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_may_be_destroyed_when_it_drained, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
