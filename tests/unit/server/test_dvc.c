/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/dvc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct side {
    struct dvc *d;
    struct dvc_channel *c;
    uint8_t sent[512 * 1024];
    size_t lengths[512], nsent, bytes;
    uint8_t got[DVC_MESSAGE_MAX];
    size_t got_len;
    int messages, opened, closed;
};
static struct side side;

static int on_send(void *user, const uint8_t *data, size_t len)
{
    assert_in_range(len, 1, DVC_PDU_MAX);
    memcpy(side.sent + side.bytes, data, len);
    side.bytes += len;
    side.lengths[side.nsent++] = len;
    return 0;
}
static void on_opened(void *user)
{
    side.opened++;
}
static void on_closed(void *user)
{
    side.closed++;
}
static int on_message(void *user, const uint8_t *data, size_t len)
{
    memcpy(side.got, data, len);
    side.got_len = len;
    side.messages++;
    return 0;
}
static const struct dvc_ops ops = {.opened = on_opened, .closed = on_closed, .message = on_message};

static int feed(const void *data, size_t len)
{
    return dvc_receive(side.d, data, len);
}

static void begin(void)
{
    memset(&side, 0, sizeof side);
    side.d = dvc_create(on_send, NULL);
    assert_non_null(side.d);
    assert_int_equal(dvc_start(side.d), 0);
    assert_memory_equal(side.sent, "\x50\0\x01\0", 4);
    side.c = dvc_open(side.d, "test", &ops, NULL);
    assert_non_null(side.c);
}

static void open_channel(void)
{
    begin();
    assert_int_equal(feed("\x50\0\x01\0", 4), 0);
    assert_memory_equal(side.sent + 4, "\x10\x01test\0", 7);
    assert_int_equal(feed("\x10\x01\0\0\0\0", 6), 0);
    assert_int_equal(side.opened, 1);
    side.bytes = side.nsent = 0;
}

static int end(void **state)
{
    dvc_destroy(side.d);
    side.d = NULL;
    return 0;
}

static void nothing_is_asked_before_the_client_answered(void **state)
{
    begin();
    assert_int_equal(side.nsent, 1);
    assert_false(dvc_is_open(side.c));
    assert_int_equal(dvc_send(side.c, (const uint8_t *)"x", 1), -ENOTCONN);
    assert_int_equal(feed("\x10\x01\0\0\0\0", 6), -EPROTO);
}

static void a_refused_channel_is_closed(void **state)
{
    begin();
    assert_int_equal(feed("\x50\0\x01\0", 4), 0);
    assert_int_equal(feed("\x10\x01\x01\0\0\x80", 6), 0);
    assert_int_equal(side.closed, 1);
    assert_int_equal(feed("\x30\x01zzz", 5), 0);
    assert_int_equal(side.messages, 0);
}

/* Put what was sent together again, as a client does. */
static size_t reassemble(uint8_t *out)
{
    size_t at = 0, n = 0, total = 0;
    for (size_t i = 0; i < side.nsent; at += side.lengths[i++]) {
        const uint8_t *p = side.sent + at;
        size_t head = 2;
        if (p[0] >> 4 == 2) {
            int code = p[0] >> 2 & 3;
            total = p[2] | (code ? (size_t)p[3] << 8 : 0);
            if (code == 2)
                total |= (size_t)p[4] << 16;
            head += code == 2 ? 4 : code == 1 ? 2 : 1;
        } else
            assert_int_equal(p[0] >> 4, 3);
        assert_int_equal(p[1], 1);
        memcpy(out + n, p + head, side.lengths[i] - head);
        n += side.lengths[i] - head;
    }
    if (side.nsent > 1)
        assert_int_equal(total, n);
    return n;
}

static void messages_of_every_length_arrive_whole(void **state)
{
    static uint8_t data[70000], back[70000];
    static const size_t sizes[] = {1, 255, 256, 1597, 1598, 1599, 1600, 3200, 65535, 65536, 70000};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    open_channel();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        side.bytes = side.nsent = 0;
        assert_int_equal(dvc_send(side.c, data, sizes[i]), 0);
        assert_int_equal(reassemble(back), sizes[i]);
        assert_memory_equal(back, data, sizes[i]);
    }
}

static void a_message_in_parts_is_put_together(void **state)
{
    open_channel();
    assert_int_equal(feed("\x20\x01\x06"
                          "abc",
                         6),
        0);
    assert_int_equal(side.messages, 0);
    assert_int_equal(feed("\x30\x01"
                          "de",
                         4),
        0);
    assert_int_equal(feed("\x30\x01"
                          "f",
                         3),
        0);
    assert_int_equal(side.messages, 1);
    assert_int_equal(side.got_len, 6);
    assert_memory_equal(side.got, "abcdef", 6);
}

static void a_message_inside_another_one_is_refused(void **state)
{
    open_channel();
    assert_int_equal(feed("\x20\x01\x06"
                          "abc",
                         6),
        0);
    assert_int_equal(feed("\x20\x01\x06"
                          "abc",
                         6),
        -EPROTO);
    assert_int_equal(side.messages, 0);
}

struct other {
    uint8_t got[8];
    size_t len;
    int messages;
};
static int other_message(void *user, const uint8_t *data, size_t len)
{
    struct other *o = user;
    assert_true(len <= sizeof o->got);
    memcpy(o->got, data, len);
    o->len = len;
    o->messages++;
    return 0;
}

/* MS-RDPEDYC 3.1.5.2.3: each channel has a message of its own that is being put together. */
static void fragments_of_different_channels_may_mix(void **state)
{
    static const struct dvc_ops other_ops = {.opened = on_opened, .closed = on_closed, .message = other_message};
    struct other other = {0};
    open_channel();
    assert_non_null(dvc_open(side.d, "other", &other_ops, &other));
    assert_int_equal(feed("\x10\x02\0\0\0\0", 6), 0);
    assert_int_equal(feed("\x20\x01\x06"
                          "abc",
                         6),
        0);
    assert_int_equal(feed("\x20\x02\x05"
                          "123",
                         6),
        0);
    assert_int_equal(feed("\x30\x01"
                          "d",
                         3),
        0);
    assert_int_equal(feed("\x30\x02"
                          "45",
                         4),
        0);
    assert_int_equal(other.messages, 1);
    assert_int_equal(other.len, 5);
    assert_memory_equal(other.got, "12345", 5);
    assert_int_equal(feed("\x30\x02"
                          "67",
                         4),
        0); /* a whole message between two fragments of the other channel */
    assert_int_equal(other.messages, 2);
    assert_memory_equal(other.got, "67", 2);
    assert_int_equal(side.messages, 0);
    assert_int_equal(feed("\x30\x01"
                          "ef",
                         4),
        0);
    assert_int_equal(side.messages, 1);
    assert_int_equal(side.got_len, 6);
    assert_memory_equal(side.got, "abcdef", 6);
}

/* What a channel was receiving goes with it: the next one of its number begins anew. */
static void a_half_message_ends_with_its_channel(void **state)
{
    open_channel();
    assert_int_equal(feed("\x20\x01\x06"
                          "abc",
                         6),
        0);
    assert_int_equal(feed("\x40\x01", 2), 0);
    side.c = dvc_open(side.d, "again", &ops, NULL);
    assert_non_null(side.c);
    assert_int_equal(feed("\x10\x01\0\0\0\0", 6), 0);
    assert_int_equal(feed("\x30\x01"
                          "xy",
                         4),
        0);
    assert_int_equal(side.messages, 1);
    assert_int_equal(side.got_len, 2);
}

static void announced_lengths_have_a_ceiling(void **state)
{
    open_channel();
    assert_int_equal(feed("\x28\x01\xff\xff\xff\x7f"
                          "abc",
                         9),
        -EPROTO);
}

static void more_than_announced_is_refused(void **state)
{
    open_channel();
    assert_int_equal(feed("\x20\x01\x04"
                          "abc",
                         6),
        0);
    assert_int_equal(feed("\x30\x01"
                          "de",
                         4),
        -EPROTO);
}

static void a_channel_that_the_client_closed_can_be_opened_again(void **state)
{
    open_channel();
    assert_int_equal(feed("\x40\x01", 2), 0);
    assert_int_equal(side.closed, 1);
    assert_int_equal(dvc_send(side.c, (const uint8_t *)"x", 1), -ENOTCONN);
    side.c = dvc_open(side.d, "again", &ops, NULL);
    assert_non_null(side.c);
    assert_int_equal(feed("\x10\x01\0\0\0\0", 6), 0);
    assert_true(dvc_is_open(side.c));
}

static void channels_are_limited(void **state)
{
    begin();
    for (int i = 1; i < DVC_CHANNELS_MAX; i++)
        assert_non_null(dvc_open(side.d, "x", &ops, NULL));
    assert_null(dvc_open(side.d, "x", &ops, NULL));
}

static void garbage_is_survived(void **state)
{
    srandom(7);
    for (int round = 0; round < 2000; round++) {
        open_channel();
        for (int i = 0; i < 20; i++) {
            uint8_t g[40];
            for (size_t k = 0; k < sizeof g; k++)
                g[k] = (uint8_t)random();
            g[0] = (uint8_t)(random() % 2 ? g[0] : 0x20 | (g[0] & 12));
            g[1] = (uint8_t)(random() % 4 ? 1 : g[1]);
            if (feed(g, (size_t)random() % sizeof g) < 0)
                break;
        }
        dvc_destroy(side.d);
        side.d = NULL;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_is_asked_before_the_client_answered, end),
        cmocka_unit_test_teardown(a_refused_channel_is_closed, end),
        cmocka_unit_test_teardown(messages_of_every_length_arrive_whole, end),
        cmocka_unit_test_teardown(a_message_in_parts_is_put_together, end),
        cmocka_unit_test_teardown(a_message_inside_another_one_is_refused, end),
        cmocka_unit_test_teardown(fragments_of_different_channels_may_mix, end),
        cmocka_unit_test_teardown(a_half_message_ends_with_its_channel, end),
        cmocka_unit_test_teardown(announced_lengths_have_a_ceiling, end),
        cmocka_unit_test_teardown(more_than_announced_is_refused, end),
        cmocka_unit_test_teardown(a_channel_that_the_client_closed_can_be_opened_again, end),
        cmocka_unit_test_teardown(channels_are_limited, end),
        cmocka_unit_test_teardown(garbage_is_survived, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
