/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/svc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WHOLE (SVC_FIRST | SVC_LAST)
#define ONE 1004 /* ids as a server gives them */
#define TWO 1005
#define CEILING 10000
#define SMALL 8

struct sent {
    uint16_t id;
    size_t len, total;
    uint32_t flags;
};
static struct {
    struct svc *s;
    struct svc_channel *one, *two;
    int opened, closed, answer, fail_send;
    struct sent sent[64];
    size_t nsent, bytes;
    uint8_t wire[65536];
    uint8_t got[2][CEILING]; /* the last message of each row */
    size_t got_len[2];
    int messages[2];
    bool close_in_message;
} side;

static int on_send(void *user, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total)
{
    assert_ptr_equal(user, &side);
    assert_in_range(len, 1, SVC_CHUNK);
    side.sent[side.nsent++] = (struct sent){id, len, total, flags};
    memcpy(side.wire + side.bytes, data, len);
    side.bytes += len;
    return side.fail_send;
}
static void one_opened(void *user, struct svc_channel *c)
{
    assert_ptr_equal(user, &side);
    side.one = c;
    side.opened++;
}
static void two_opened(void *user, struct svc_channel *c)
{
    assert_ptr_equal(user, &side);
    side.two = c;
    side.opened++;
}
static void on_closed(void *user)
{
    assert_ptr_equal(user, &side);
    side.closed++;
}
static int keep(int row, const uint8_t *data, size_t len)
{
    if (len) /* of an empty message there is no address */
        memcpy(side.got[row], data, len);
    side.got_len[row] = len;
    side.messages[row]++;
    if (side.close_in_message)
        svc_close(row ? side.two : side.one);
    return side.answer;
}
static int one_message(void *user, const uint8_t *data, size_t len)
{
    assert_ptr_equal(user, &side);
    return keep(0, data, len);
}
static int two_message(void *user, const uint8_t *data, size_t len)
{
    assert_ptr_equal(user, &side);
    return keep(1, data, len);
}

static const struct svc_def table[] = {
    {.name = "one", .ceiling = CEILING, .opened = one_opened, .message = one_message, .closed = on_closed},
    {.name = "two", .ceiling = SMALL, .opened = two_opened, .message = two_message, .closed = on_closed},
};

static int begin(void **state)
{
    memset(&side, 0, sizeof side);
    side.s = svc_create(table, 2, on_send, &side);
    assert_non_null(side.s);
    assert_int_equal(svc_open(side.s, 0, ONE), 0);
    assert_int_equal(svc_open(side.s, 1, TWO), 0);
    return 0;
}
static int end(void **state)
{
    svc_destroy(side.s);
    side.s = NULL;
    return 0;
}

static int feed(uint16_t id, const char *data, uint32_t flags, size_t total)
{
    return svc_receive(side.s, id, (const uint8_t *)data, strlen(data), flags, total);
}

static void refused(int r, const char *why)
{
    assert_int_equal(r, -EPROTO);
    assert_string_equal(svc_why(side.s), why);
}

static void a_message_in_one_chunk_arrives(void **state)
{
    assert_int_equal(feed(ONE, "hello", WHOLE, 5), 0);
    assert_int_equal(side.got_len[0], 5);
    assert_memory_equal(side.got[0], "hello", 5);
    assert_int_equal(feed(ONE, "", WHOLE, 0), 0);
    assert_int_equal(side.messages[0], 2);
    assert_int_equal(side.got_len[0], 0);
    assert_int_equal(side.messages[1], 0);
    assert_string_equal(svc_why(side.s), "");
}

static void a_message_in_chunks_is_put_together(void **state)
{
    static uint8_t data[CEILING];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    for (int round = 0; round < 3; round++) {
        for (size_t at = 0, n; at < sizeof data; at += n) {
            assert_int_equal(side.messages[0], round);
            n = sizeof data - at < SVC_CHUNK ? sizeof data - at : SVC_CHUNK;
            uint32_t flags = (at ? 0u : SVC_FIRST) | (at + n == sizeof data ? SVC_LAST : 0u);
            assert_int_equal(svc_receive(side.s, ONE, data + at, n, flags, sizeof data), 0);
        }
        assert_int_equal(side.got_len[0], sizeof data);
        assert_memory_equal(side.got[0], data, sizeof data);
    }
}

static void empty_chunks_change_nothing(void **state)
{
    assert_int_equal(feed(ONE, "", SVC_FIRST, 3), 0);
    assert_int_equal(feed(ONE, "abc", 0, 3), 0);
    assert_int_equal(feed(ONE, "", 0, 3), 0);
    assert_int_equal(feed(ONE, "", SVC_LAST, 3), 0);
    assert_int_equal(side.messages[0], 1);
    assert_memory_equal(side.got[0], "abc", 3);
    assert_int_equal(feed(ONE, "", SVC_FIRST, 0), 0);
    assert_int_equal(feed(ONE, "", SVC_LAST, 0), 0);
    assert_int_equal(side.messages[0], 2);
    assert_int_equal(side.got_len[0], 0);
}

static void chunks_of_different_channels_may_mix(void **state)
{
    assert_int_equal(feed(ONE, "abc", SVC_FIRST, 9), 0);
    assert_int_equal(feed(TWO, "1234", SVC_FIRST, 8), 0);
    assert_int_equal(feed(ONE, "def", 0, 9), 0);
    assert_int_equal(feed(TWO, "5678", SVC_LAST, 8), 0);
    assert_int_equal(side.messages[0], 0);
    assert_memory_equal(side.got[1], "12345678", 8);
    assert_int_equal(feed(TWO, "x", WHOLE, 1), 0);
    assert_int_equal(feed(ONE, "ghi", SVC_LAST, 9), 0);
    assert_memory_equal(side.got[0], "abcdefghi", 9);
    assert_int_equal(side.messages[1], 2);
}

static void messages_of_one_channel_may_not_mix(void **state)
{
    assert_int_equal(feed(ONE, "abc", SVC_FIRST, 9), 0);
    refused(feed(ONE, "abc", SVC_FIRST, 9), "a message begins inside another one");
    refused(feed(ONE, "abc", WHOLE, 3), "a message begins inside another one");
}

static void what_is_out_of_place_is_refused_in_words(void **state)
{
    refused(feed(ONE, "abc", 0, 9), "a message without its first chunk");
    refused(feed(ONE, "abc", SVC_LAST, 3), "a message without its first chunk");
    refused(feed(ONE, "abc", WHOLE, 2), "more data than announced");
    refused(feed(ONE, "abc", WHOLE, 4), "less data than announced");
    refused(feed(ONE, "abc", SVC_FIRST, 2), "more data than announced");
    assert_int_equal(feed(ONE, "abc", SVC_FIRST, 5), 0);
    refused(feed(ONE, "de", 0, 6), "chunks of one message that announce different lengths");
    refused(feed(ONE, "def", SVC_LAST, 5), "more data than announced");
    refused(feed(ONE, "d", SVC_LAST, 5), "less data than announced");
    assert_int_equal(side.messages[0], 0);
    assert_int_equal(feed(ONE, "de", SVC_LAST, 5), 0); /* what was refused left nothing behind */
    assert_memory_equal(side.got[0], "abcde", 5);
}

static void each_channel_has_a_ceiling_of_its_own(void **state)
{
    refused(feed(ONE, "abc", SVC_FIRST, CEILING + 1), "longer than the channel's ceiling");
    refused(feed(ONE, "abc", SVC_FIRST, UINT32_MAX), "longer than the channel's ceiling");
    assert_int_equal(feed(ONE, "abc", SVC_FIRST, CEILING), 0);
    assert_int_equal(feed(TWO, "12345678", WHOLE, SMALL), 0);
    refused(feed(TWO, "123456789", WHOLE, SMALL + 1), "longer than the channel's ceiling");
    refused(feed(TWO, "123456789", WHOLE, SMALL), "more data than announced");
}

static void compressed_chunks_are_refused(void **state)
{
    refused(feed(ONE, "abc", WHOLE | SVC_COMPRESSED, 3), "compressed data, which was never offered");
    refused(feed(ONE, "abc", WHOLE | SVC_COMPRESSED | 0x400000 | 0x20000, 90),
        "compressed data, which was never offered");
    assert_int_equal(side.messages[0], 0);
}

static void flags_that_are_not_the_clients_are_ignored(void **state)
{
    const uint32_t others = SVC_SUSPEND | SVC_RESUME | SVC_SHOW_PROTOCOL | 0x80 /* SHADOW_PERSISTENT */;
    assert_int_equal(feed(ONE, "", SVC_SUSPEND, 0), 0);
    assert_int_equal(feed(ONE, "ab", SVC_FIRST | others, 4), 0);
    assert_int_equal(feed(ONE, "", SVC_RESUME, 0), 0);
    assert_int_equal(feed(ONE, "cd", SVC_LAST | others, 4), 0);
    assert_int_equal(side.got_len[0], 4);
    assert_memory_equal(side.got[0], "abcd", 4);
    refused(feed(ONE, "ab", SVC_SUSPEND, 2), "a message without its first chunk");
}

static void unserved_channels_are_dropped_and_counted(void **state)
{
    assert_int_equal(feed(1006, "abc", WHOLE, 3), 0);
    assert_int_equal(feed(1006, "abc", SVC_COMPRESSED, 1u << 30), 0);
    assert_int_equal(feed(0, "x", WHOLE, 1), 0);
    svc_close(side.two);
    assert_int_equal(feed(TWO, "12", WHOLE, 2), 0);
    assert_int_equal(svc_dropped(side.s).chunks, 4);
    assert_int_equal(svc_dropped(side.s).bytes, 9);
    assert_int_equal(side.messages[0] + side.messages[1], 0);
    assert_int_equal(side.nsent, 0);
    assert_null(svc_at(side.s, 1006));
    assert_null(svc_at(side.s, TWO));
    assert_ptr_equal(svc_at(side.s, ONE), &table[0]);
}

static void nothing_is_open_before_it_is_opened(void **state)
{
    struct svc *s = svc_create(table, 2, on_send, &side);
    assert_int_equal(svc_receive(s, ONE, (const uint8_t *)"x", 1, WHOLE, 1), 0);
    assert_int_equal(svc_dropped(s).chunks, 1);
    assert_int_equal(svc_open(s, 2, ONE), -EINVAL);
    assert_int_equal(svc_open(s, 0, 0), -EINVAL);
    assert_int_equal(svc_open(s, 0, ONE), 0);
    assert_int_equal(svc_open(s, 0, TWO), -EALREADY);
    assert_int_equal(svc_open(s, 1, ONE), -EINVAL);
    svc_destroy(s);
    assert_int_equal(side.closed, 1);
    assert_null(svc_create(table, SVC_CHANNELS_MAX + 1, on_send, &side));
}

static void a_channel_that_lacks_a_function_is_not_served(void **state)
{
    struct svc_def half[2] = {table[0], table[1]};
    half[1].closed = NULL;
    assert_null(svc_create(half, 2, on_send, &side));
}

static void a_closed_channel_sends_nothing_and_forgets_its_half_message(void **state)
{
    assert_int_equal(feed(ONE, "abc", SVC_FIRST, 5), 0);
    svc_close(side.one);
    svc_close(side.one);
    assert_int_equal(side.closed, 1);
    assert_int_equal(svc_send(side.one, (const uint8_t *)"x", 1), -ENOTCONN);
    assert_int_equal(svc_send(NULL, (const uint8_t *)"x", 1), -ENOTCONN);
    assert_int_equal(svc_open(side.s, 0, ONE), 0);
    assert_int_equal(feed(ONE, "xyz", WHOLE, 3), 0);
    assert_memory_equal(side.got[0], "xyz", 3);
}

static void a_message_may_close_its_channel(void **state)
{
    side.close_in_message = true;
    assert_int_equal(feed(ONE, "abc", SVC_FIRST, 5), 0);
    assert_int_equal(feed(ONE, "de", SVC_LAST, 5), 0);
    assert_int_equal(feed(TWO, "12", WHOLE, 2), 0);
    assert_int_equal(side.closed, 2);
    assert_int_equal(side.messages[0] + side.messages[1], 2);
}

static void an_error_of_a_channel_is_handed_on(void **state)
{
    side.answer = -EPROTO;
    assert_int_equal(feed(ONE, "abc", WHOLE, 3), -EPROTO);
    assert_string_equal(svc_why(side.s), "");
}

static void what_is_sent_is_cut_at_1600_bytes(void **state)
{
    static uint8_t data[5000];
    static const size_t sizes[] = {1, 1599, 1600, 1601, 3200, 5000};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 >> 2);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        side.nsent = side.bytes = 0;
        assert_int_equal(svc_send(side.one, data, sizes[k]), 0);
        assert_int_equal(side.nsent, (sizes[k] + SVC_CHUNK - 1) / SVC_CHUNK);
        assert_int_equal(side.bytes, sizes[k]);
        assert_memory_equal(side.wire, data, sizes[k]);
        for (size_t i = 0; i < side.nsent; i++) {
            bool last = i == side.nsent - 1;
            assert_int_equal(side.sent[i].id, ONE);
            assert_int_equal(side.sent[i].total, sizes[k]);
            assert_int_equal(side.sent[i].flags, (i == 0 ? SVC_FIRST : 0u) | (last ? SVC_LAST : 0u));
            if (!last)
                assert_int_equal(side.sent[i].len, SVC_CHUNK);
        }
    }
    assert_int_equal(svc_send(side.one, data, 0), -EINVAL);
    side.fail_send = -EIO;
    side.nsent = 0;
    assert_int_equal(svc_send(side.one, data, 5000), -EIO);
    assert_int_equal(side.nsent, 1);
}

static void garbage_is_survived(void **state)
{
    srandom(7);
    for (int round = 0; round < 20000; round++) {
        uint8_t g[40];
        for (size_t k = 0; k < sizeof g; k++)
            g[k] = (uint8_t)random();
        uint32_t flags = random() % 4 ? (uint32_t)random() % 4 : (uint32_t)random();
        size_t total = random() % 4 ? (size_t)random() % 60 : (size_t)(uint32_t)random();
        (void)svc_receive(side.s, random() % 2 ? ONE : TWO, g, (size_t)random() % sizeof g, flags, total);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(a_message_in_one_chunk_arrives),
        T(a_message_in_chunks_is_put_together),
        T(empty_chunks_change_nothing),
        T(chunks_of_different_channels_may_mix),
        T(messages_of_one_channel_may_not_mix),
        T(what_is_out_of_place_is_refused_in_words),
        T(each_channel_has_a_ceiling_of_its_own),
        T(compressed_chunks_are_refused),
        T(flags_that_are_not_the_clients_are_ignored),
        T(unserved_channels_are_dropped_and_counted),
        T(nothing_is_open_before_it_is_opened),
        T(a_channel_that_lacks_a_function_is_not_served),
        T(a_closed_channel_sends_nothing_and_forgets_its_half_message),
        T(a_message_may_close_its_channel),
        T(an_error_of_a_channel_is_handed_on),
        T(what_is_sent_is_cut_at_1600_bytes),
        T(garbage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
