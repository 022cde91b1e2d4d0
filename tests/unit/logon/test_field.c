/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void type(struct field *f, const uint32_t *cps)
{
    for (; *cps; cps++)
        assert_true(field_insert(f, *cps));
}

static void text_goes_in_at_the_cursor(void **state)
{
    char mem[64];
    struct field f;
    field_init(&f, mem, sizeof mem, false);
    type(&f, (const uint32_t[]){'a', 'c', 0});
    field_move(&f, 1, false);
    type(&f, (const uint32_t[]){'b', 0});
    assert_string_equal(f.text, "abc");
    assert_int_equal(f.cursor, 2);
}

static void characters_of_one_to_four_bytes_are_valid_utf8(void **state)
{
    char mem[64];
    struct field f;
    field_init(&f, mem, sizeof mem, false);
    type(&f, (const uint32_t[]){'x', 0xe9, 0x5d0, 0x20ac, 0x1f600, 0});
    assert_string_equal(f.text, "x\u00e9\u05d0\u20ac\U0001f600");
    assert_int_equal(field_chars(&f, f.len), 5);
    assert_true(field_backspace(&f));
    assert_string_equal(f.text, "x\u00e9\u05d0\u20ac");
    field_move(&f, 1, false);
    assert_true(field_delete(&f, field_next(&f, 1)));
    assert_string_equal(f.text, "x\u05d0\u20ac");
}

static void controls_surrogates_and_noncharacters_are_refused(void **state)
{
    static const uint32_t bad[] = {0, 7, '\n', 0x7f, 0x85, 0xd800, 0xdfff, 0xfffe, 0xffff, 0x1ffff, 0xfdd0, 0x110000,
        UINT32_MAX};
    char mem[64];
    struct field f;
    field_init(&f, mem, sizeof mem, false);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(field_insert(&f, bad[i]));
    assert_int_equal(f.len, 0);
}

static void a_full_field_takes_no_more(void **state)
{
    char mem[8];
    struct field f;
    field_init(&f, mem, sizeof mem, true);
    type(&f, (const uint32_t[]){0x20ac, 0x20ac, 'a', 0});
    assert_false(field_insert(&f, 'b'));
    assert_int_equal(f.len, 7);
    assert_int_equal(mem[7], 0);
    field_select_all(&f);
    assert_true(field_insert(&f, 'z')); /* a replaced selection makes room */
    assert_string_equal(f.text, "z");
}

static void setting_a_long_text_cuts_at_a_character(void **state)
{
    char mem[5];
    struct field f;
    field_init(&f, mem, sizeof mem, false);
    field_set(&f, "ab\u20ac");
    assert_string_equal(f.text, "ab");
    field_set(&f, "a\u20ac");
    assert_string_equal(f.text, "a\u20ac");
}

static void what_was_deleted_is_wiped(void **state)
{
    char mem[32];
    struct field f;
    field_init(&f, mem, sizeof mem, true);
    field_set(&f, "secret");
    field_move(&f, 6, false);
    assert_true(field_kill(&f));
    for (size_t i = 0; i < sizeof mem; i++)
        assert_int_equal(mem[i], 0);
    field_set(&f, "secret");
    field_backspace(&f);
    assert_int_equal(mem[5], 0);
}

static void selections_are_replaced_and_deleted(void **state)
{
    char mem[32];
    struct field f;
    field_init(&f, mem, sizeof mem, false);
    field_set(&f, "hello world");
    field_move(&f, 5, false);
    field_move(&f, 0, true);
    assert_true(field_insert(&f, 'J'));
    assert_string_equal(f.text, "J world");
    field_move(&f, 1, false);
    field_move(&f, 7, true);
    assert_true(field_delete(&f, 0));
    assert_string_equal(f.text, "J");
    assert_int_equal(f.cursor, f.anchor);
}

static void moves_end_on_characters(void **state)
{
    char mem[32];
    struct field f;
    field_init(&f, mem, sizeof mem, false);
    field_set(&f, "\u05d0\u05d1");
    field_move(&f, 1, false);
    assert_int_equal(f.cursor, 0);
    field_move(&f, 3, false);
    assert_int_equal(f.cursor, 2);
    field_move(&f, 99, false);
    assert_int_equal(f.cursor, 4);
    assert_false(field_delete(&f, 99));
    field_move(&f, 0, false);
    assert_false(field_backspace(&f));
    assert_false(field_kill(&f));
}

static bool valid_utf8(const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)s[i];
        size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
        if (len == 0 || i + len > n)
            return false;
        for (size_t k = 1; k < len; k++)
            if (((unsigned char)s[i + k] & 0xc0) != 0x80)
                return false;
        i += len;
    }
    return true;
}

static void random_edits_keep_the_text_valid(void **state)
{
    static const uint32_t some[] = {'a', 0xe9, 0x5d0, 0x4e2d, 0x1f600, 0x301, 7, 0xd801};
    char mem[40];
    struct field f;
    uint32_t seed = 1;
    field_init(&f, mem, sizeof mem, false);
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t a = seed >> 24, op = seed >> 20 & 15;
        if (op < 7)
            (void)field_insert(&f, some[a % 8]);
        else if (op < 9)
            (void)field_backspace(&f);
        else if (op < 11)
            (void)field_delete(&f, a % 48);
        else if (op < 15)
            field_move(&f, a % 48, a & 1);
        else
            (void)field_kill(&f);
        assert_true(f.len < f.cap && f.cursor <= f.len && f.anchor <= f.len && mem[f.len] == '\0');
        assert_true(valid_utf8(f.text, f.len) && valid_utf8(f.text, f.cursor));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_goes_in_at_the_cursor),
        cmocka_unit_test(characters_of_one_to_four_bytes_are_valid_utf8),
        cmocka_unit_test(controls_surrogates_and_noncharacters_are_refused),
        cmocka_unit_test(a_full_field_takes_no_more),
        cmocka_unit_test(setting_a_long_text_cuts_at_a_character),
        cmocka_unit_test(what_was_deleted_is_wiped),
        cmocka_unit_test(selections_are_replaced_and_deleted),
        cmocka_unit_test(moves_end_on_characters),
        cmocka_unit_test(random_edits_keep_the_text_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
