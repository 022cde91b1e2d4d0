/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/client_info.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FLAG_UNICODE 0x10u
#define FLAG_AUTOLOGON 0x8u
#define HEAD_BYTES 19 /* up to CodePage */

struct field {
    const void *p;
    size_t n;
};

/* A Client Info PDU as a client sends it; `cookie`: 16 bytes or NULL. Returns its length. */
static size_t make(uint8_t *out, size_t cap, uint32_t flags, struct field domain, struct field user,
    struct field password, const void *cookie)
{
    struct field fields[5] = {domain, user, password, {"", 0}, {"", 0}};
    static const uint8_t head[] = {3, 0, 0, 0, 2, 0xf0, 0x80, 0x64, 0, 7, 3, 0xeb, 0x70, 0x80, 0, 0x40, 0, 0, 0};
    static const uint8_t nothing[172];
    struct wr w;
    wr_init(&w, out, cap);
    wr_bytes(&w, head, sizeof head);
    wr_u32(&w, 0);
    wr_u32(&w, flags);
    for (int i = 0; i < 5; i++)
        wr_u16(&w, (uint16_t)fields[i].n);
    for (int i = 0; i < 5; i++) {
        wr_bytes(&w, fields[i].p, fields[i].n);
        wr_bytes(&w, "\0\0", flags & FLAG_UNICODE ? 2 : 1);
    }
    wr_u16(&w, 2);
    wr_u16(&w, 4);
    wr_bytes(&w, "1\0\0\0", 4);
    wr_u16(&w, 0);
    wr_bytes(&w, nothing, sizeof nothing);
    wr_u32(&w, 0);
    wr_u32(&w, 0);
    wr_u16(&w, cookie ? 28 : 0);
    if (cookie) {
        wr_u32(&w, 28);
        wr_u32(&w, 1);
        wr_u32(&w, 77);
        wr_bytes(&w, cookie, 16);
    }
    assert_false(w.bad);
    out[2] = (uint8_t)(w.len >> 8);
    out[3] = (uint8_t)w.len;
    return w.len;
}

#define U(s) ((struct field){u"" s, sizeof(u"" s) - 2})
#define NONE ((struct field){"", 0})

static bool contains(const uint8_t *hay, size_t n, const void *needle, size_t m)
{
    return memmem(hay, n, needle, m) != NULL;
}

static void names_and_password_come_out_in_utf8(void **state)
{
    uint8_t pdu[2048];
    struct credentials ci;
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE, U("WERK"), U("J\u00fcrgen"), U("p\u00e4ss\U0001F511"), NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_string_equal(ci.domain, "WERK");
    assert_string_equal(ci.user, "J\u00fcrgen");
    assert_int_equal(ci.npassword, strlen("p\u00e4ss\U0001F511"));
    assert_memory_equal(ci.password, "p\u00e4ss\U0001F511", ci.npassword);
    assert_true(ci.have_password);
    assert_false(ci.bad_credentials);
    assert_false(ci.have_cookie);
}

static void the_password_and_the_cookie_are_gone_from_the_pdu(void **state)
{
    uint8_t pdu[2048];
    struct credentials ci;
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, U("u"), U("hunter2"), "0123456789abcdef");
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_false(contains(pdu, n, u"hunter2", 14));
    assert_false(contains(pdu, n, "0123456789abcdef", 16));
    assert_true(ci.have_cookie);
    assert_int_equal(ci.logon_id, 77);
    assert_memory_equal(ci.verifier, "0123456789abcdef", 16);
    credentials_wipe(&ci);
    assert_false(contains((uint8_t *)&ci, sizeof ci, "hunter2", 7));
    assert_false(contains((uint8_t *)&ci, sizeof ci, "0123456789abcdef", 16));
}

static void eight_bit_clients_are_understood(void **state)
{
    uint8_t pdu[2048];
    struct credentials ci;
    size_t n = make(pdu, sizeof pdu, 0, NONE, (struct field){"bob\0", 4}, (struct field){"\xe4", 1}, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_string_equal(ci.user, "bob");
    assert_int_equal(ci.npassword, 2);
}

static void a_counted_terminator_belongs_to_no_string(void **state)
{
    uint8_t pdu[2048];
    struct credentials ci;
    static const struct field counted = {u"hunter2", 16};
    size_t n =
        make(pdu, sizeof pdu, FLAG_UNICODE, (struct field){u"WERK", 10}, (struct field){u"anna", 10}, counted, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_string_equal(ci.domain, "WERK");
    assert_string_equal(ci.user, "anna");
    assert_int_equal(ci.npassword, 7);
    assert_memory_equal(ci.password, "hunter2", 7);
    assert_false(ci.bad_credentials);
    assert_false(contains(pdu, n, u"hunter2", 14));
    n = make(pdu, sizeof pdu, 0, (struct field){"WERK", 5}, (struct field){"anna", 5}, (struct field){"hunter2", 8},
        NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_string_equal(ci.domain, "WERK");
    assert_int_equal(ci.npassword, 7);
    /* a password of one NUL is none */
    n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, U("anna"), (struct field){u"", 2}, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_int_equal(ci.npassword, 0);
    assert_false(ci.have_password);
}

/* What the library makes of the strings: five even lengths of at most 510 bytes, and each terminator in its place. */
static void assert_library_takes(const uint8_t *pdu, size_t n, size_t before)
{
    struct rd r;
    rd_init(&r, pdu, n);
    rd_skip(&r, HEAD_BYTES + 4);
    bool unicode = rd_u32(&r) & FLAG_UNICODE;
    uint16_t bytes[5];
    for (int i = 0; i < 5; i++)
        bytes[i] = rd_u16(&r);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(bytes[i] % 2, 0);
        assert_in_range(bytes[i], 0, 510);
        const uint8_t *text = rd_bytes(&r, bytes[i]);
        assert_non_null(text);
        for (int at = 0; at < bytes[i]; at++)
            assert_int_equal(text[at], unicode && at % 2 ? 0 : 'x');
        assert_int_equal(unicode ? rd_u16(&r) : rd_u8(&r), 0);
    }
    assert_int_equal(rd_u16(&r), 2); /* the extended part is where it was */
    assert_int_equal(r.left, before);
}

static void strings_that_the_library_refuses_are_taken_or_told_of_in_words(void **state)
{
    static uint8_t pdu[4096], longest[512];
    static char name[512];
    static const uint8_t lone[] = {'a', 0, 0x00, 0xd8};
    const size_t tail = 2 + 4 + 2 + 172 + 4 + 4 + 2;
    struct credentials ci;
    for (size_t i = 0; i < 510; i++)
        longest[i] = i % 2 ? 0 : 'p'; /* 255 characters and their terminator */
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, U("anna"), (struct field){longest, 512}, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_int_equal(ci.npassword, 255);
    assert_false(ci.bad_credentials);
    assert_library_takes(pdu, n, tail);
    /* the longest name and domain there can be: they are text */
    n = make(pdu, sizeof pdu, FLAG_UNICODE, (struct field){longest, 512}, (struct field){longest, 510}, U("p"), NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    memset(name, 'p', 255);
    assert_string_equal(ci.user, name);
    assert_string_equal(ci.domain, name);
    assert_library_takes(pdu, n, tail);
    /* eight bits, an odd length */
    n = make(pdu, sizeof pdu, 0, NONE, (struct field){"bob", 3}, (struct field){"hunter2", 7}, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_string_equal(ci.user, "bob");
    assert_int_equal(ci.npassword, 7);
    assert_library_takes(pdu, n, tail);
    n = make(pdu, sizeof pdu, 0, NONE, (struct field){"carl", 4}, (struct field){"hunter2", 7}, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_library_takes(pdu, n, tail);
    /* half a character */
    n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, (struct field){lone, 4}, U("hunter2"), NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_true(ci.bad_credentials);
    assert_string_equal(ci.user, "");
    assert_library_takes(pdu, n, tail);
    n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, (struct field){u"anna", 7}, U("hunter2"), NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_true(ci.bad_credentials);
    assert_library_takes(pdu, n, tail);
}

static void a_string_without_its_terminator_breaks_the_protocol(void **state)
{
    uint8_t pdu[2048];
    struct credentials ci;
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE, U("WERK"), U("anna"), U("p"), NULL);
    pdu[HEAD_BYTES + 18 + 8] = 'x';
    assert_int_equal(client_info_take(pdu, n, &ci), -EPROTO);
}

static void a_nul_inside_a_name_is_no_name(void **state)
{
    uint8_t pdu[2048];
    struct credentials ci;
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, (struct field){u"root\0x", 12}, U("p"), NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_string_equal(ci.user, "");
    assert_true(ci.bad_credentials);
}

static void a_nul_inside_a_password_stays_inside_it(void **state)
{
    uint8_t pdu[2048];
    struct credentials ci;
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, U("u"), (struct field){u"ab\0cd", 10}, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_int_equal(ci.npassword, 5);
    assert_memory_equal(ci.password, "ab\0cd", 5);
}

static void a_password_of_half_characters_is_bad(void **state)
{
    uint8_t pdu[2048];
    struct credentials ci;
    static const uint8_t lone[] = {0x00, 0xd8};
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE | FLAG_AUTOLOGON, NONE, U("u"), (struct field){lone, 2}, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), 0);
    assert_true(ci.bad_credentials);
    assert_int_equal(ci.npassword, 0);
}

static void a_string_over_512_bytes_breaks_the_protocol(void **state)
{
    static uint8_t pdu[4096], longer[514];
    struct credentials ci;
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, U("u"), (struct field){longer, sizeof longer}, NULL);
    assert_int_equal(client_info_take(pdu, n, &ci), -EPROTO);
}

static void another_pdu_is_left_alone(void **state)
{
    uint8_t pdu[2048], before[2048];
    struct credentials ci;
    size_t n = make(pdu, sizeof pdu, FLAG_UNICODE, NONE, U("u"), U("p"), NULL);
    pdu[15] = 0x80; /* SEC_LICENSE_PKT */
    memcpy(before, pdu, n);
    assert_int_equal(client_info_take(pdu, n, &ci), -ENOENT);
    assert_memory_equal(before, pdu, n);
}

static void every_truncation_is_survived_and_no_secret_is_left(void **state)
{
    uint8_t whole[2048];
    size_t n = make(whole, sizeof whole, FLAG_UNICODE, U("d"), U("u"), U("hunter2"), "0123456789abcdef");
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t pdu[2048];
        struct credentials ci;
        memcpy(pdu, whole, cut);
        if (cut > 3) {
            pdu[2] = (uint8_t)(cut >> 8);
            pdu[3] = (uint8_t)cut;
        }
        int r = client_info_take(pdu, cut, &ci);
        if (r == 0)
            assert_false(contains(pdu, cut, u"hunter2", 14));
        else
            assert_true(r == -EPROTO || r == -ENOENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_password_come_out_in_utf8),
        cmocka_unit_test(the_password_and_the_cookie_are_gone_from_the_pdu),
        cmocka_unit_test(eight_bit_clients_are_understood),
        cmocka_unit_test(a_counted_terminator_belongs_to_no_string),
        cmocka_unit_test(strings_that_the_library_refuses_are_taken_or_told_of_in_words),
        cmocka_unit_test(a_string_without_its_terminator_breaks_the_protocol),
        cmocka_unit_test(a_nul_inside_a_name_is_no_name),
        cmocka_unit_test(a_nul_inside_a_password_stays_inside_it),
        cmocka_unit_test(a_password_of_half_characters_is_bad),
        cmocka_unit_test(a_string_over_512_bytes_breaks_the_protocol),
        cmocka_unit_test(another_pdu_is_left_alone),
        cmocka_unit_test(every_truncation_is_survived_and_no_secret_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
