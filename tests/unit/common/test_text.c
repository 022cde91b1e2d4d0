/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t put(uint32_t c, char *out)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(n == 1 ? c : (0xf00u >> n) | c);
    return n;
}

static void every_character_is_read_and_nothing_else(void **state)
{
    char s[4];
    for (uint32_t c = 0; c <= 0x110000; c++) {
        uint32_t got = 7;
        size_t n = put(c, s);
        bool is_one = (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff;
        assert_int_equal(text_char(s, n, &got), is_one ? n : 0);
        assert_int_equal(got, is_one ? c : 7);
        assert_int_equal(text_char(s, n - 1, NULL), 0); /* it ends too early */
    }
}

static void overlong_forms_and_stray_bytes_are_none(void **state)
{
    static const char *const bad[] = {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", "\x80", "\xbf", "\xff", "\xfe\x80\x80\x80", "\xf5\x80\x80\x80",
        "\xc2"
        "a",
        "\xe2\x80"
        "a",
        "\xf0\x9f\x98"
        "a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(text_char(bad[i], strlen(bad[i]), NULL), 0);
}

static void what_acts_on_a_terminal_or_its_neighbours_is_not_plain(void **state)
{
    static const uint32_t acting[] = {0x7f, 0x9b, 0x9d, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e,
        0x2060, 0x2066, 0x2069, 0xfeff, 0xe0041};
    static const uint32_t plain[] = {' ', '~', 0xa0, 0xe4, 0x5d0, 0x627, 0x200c, 0x200d /* of Persian and of emoji */,
        0x4e2d, 0x1f600};
    for (uint32_t c = 0; c < 0xa0; c++)
        assert_int_equal(text_is_plain(c), c >= 0x20 && c < 0x7f);
    for (size_t i = 0; i < sizeof acting / sizeof acting[0]; i++)
        assert_false(text_is_plain(acting[i]));
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        assert_true(text_is_plain(plain[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_read_and_nothing_else),
        cmocka_unit_test(overlong_forms_and_stray_bytes_are_none),
        cmocka_unit_test(what_acts_on_a_terminal_or_its_neighbours_is_not_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
