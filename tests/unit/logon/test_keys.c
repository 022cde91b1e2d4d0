/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/agent/layouts.h"
#include "session/logon/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xkbcommon/xkbcommon-keysyms.h>
#include <xkbcommon/xkbcommon.h>

#include <cmocka.h>

#define SHIFT 1u
#define ALTGR 2u /* as Windows clients send it: left Ctrl, then right Alt */
#define SC_LCTRL 0x1d
#define SC_LSHIFT 0x2a
#define SC_ALT 0x38
#define SC_CAPS 0x3a

static bool one(struct keys *k, uint32_t code, uint8_t flags, bool down, struct key_press *out)
{
    struct display_event e = {.type = INPUT_KEY, .code = code, .flags = (uint8_t)(flags | (down ? INPUT_DOWN : 0))};
    return keys_event(k, &e, out);
}

static void modifiers(struct keys *k, unsigned mods, bool down)
{
    struct key_press p;
    if (mods & SHIFT)
        one(k, SC_LSHIFT, 0, down, &p);
    if (mods & ALTGR) {
        one(k, SC_LCTRL, 0, down, &p);
        one(k, SC_ALT, INPUT_EXTENDED, down, &p);
    }
}

/* What a key types; 0: nothing. */
static uint32_t typed(struct keys *k, uint32_t code, unsigned mods)
{
    struct key_press p, up;
    modifiers(k, mods, true);
    bool acts = one(k, code, 0, true, &p);
    one(k, code, 0, false, &up);
    modifiers(k, mods, false);
    return acts && p.ntext == 1 ? p.text[0] : 0;
}

static const struct {
    uint32_t klid, code;
    unsigned mods;
    uint32_t want;
} table[] = {
    {0x409, 0x10, 0, 'q'},
    {0x409, 0x03, SHIFT, '@'},
    {0x409, 0x2b, 0, '\\'},
    {0x407, 0x15, 0, 'z'},
    {0x407, 0x10, ALTGR, '@'},
    {0x407, 0x12, ALTGR, 0x20ac},
    {0x407, 0x1a, 0, 0xfc},
    {0x407, 0x0c, 0, 0xdf},
    {0x407, 0x56, ALTGR, '|'},
    {0x40c, 0x10, 0, 'a'},
    {0x40c, 0x03, 0, 0xe9},
    {0x40c, 0x0b, ALTGR, '@'},
    {0x40c, 0x27, 0, 'm'},
    {0x809, 0x03, SHIFT, '"'},
    {0x809, 0x04, SHIFT, 0xa3},
    {0x40a, 0x27, 0, 0xf1},
    {0x80a, 0x27, 0, 0xf1},
    {0x410, 0x1a, 0, 0xe8},
    {0x816, 0x27, 0, 0xe7},
    {0x416, 0x73, 0, '/'},
    {0x419, 0x10, 0, 0x439},
    {0x422, 0x1f, 0, 0x456},
    {0x408, 0x1e, 0, 0x3b1},
    {0x40d, 0x1e, 0, 0x5e9},
    {0x401, 0x1e, 0, 0x634},
    {0x439, 0x25, 0, 0x915},
    {0x41f, 0x17, 0, 0x131},
    {0x405, 0x03, 0, 0x11b},
    {0x40e, 0x27, 0, 0xe9},
    {0x415, 0x1e, ALTGR, 0x105},
    {0x41d, 0x1a, 0, 0xe5},
    {0x414, 0x28, 0, 0xe6},
    {0x406, 0x27, 0, 0xe6},
    {0x807, 0x1a, 0, 0xfc},
    {0x100c, 0x1a, 0, 0xe8},
    {0x813, 0x10, 0, 'a'},
    {0x411, 0x03, SHIFT, '"'},
    {0x412, 0x10, 0, 'q'},
    {0x10409, 0x10, 0, '\''},
    {0x1041f, 0x10, 0, 'f'},
};

static void client_layouts_type_their_letters(void **state)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct keys *k = keys_create();
        assert_int_equal(keys_set_layout(k, table[i].klid, 4, 0), 0);
        uint32_t got = typed(k, table[i].code, table[i].mods);
        if (got != table[i].want)
            fail_msg("layout %x scancode %x mods %x: U+%04X, not U+%04X", table[i].klid, table[i].code, table[i].mods,
                got, table[i].want);
        keys_destroy(k);
    }
}

static const struct {
    uint32_t klid, dead;
    unsigned mods;
    uint32_t base, want;
} deads[] = {
    {0x407, 0x0d, 0, 0x12, 0xe9},     /* ´ e */
    {0x407, 0x0d, SHIFT, 0x1e, 0xe0}, /* ` a */
    {0x407, 0x29, 0, 0x18, 0xf4},     /* ^ o */
    {0x40c, 0x1a, 0, 0x12, 0xea},     /* ^ e */
    {0x40c, 0x1a, SHIFT, 0x17, 0xef}, /* ¨ i */
    {0x20409, 0x28, 0, 0x12, 0xe9},   /* ' e, US International */
    {0x40a, 0x28, 0, 0x1e, 0xe1},
    {0x408, 0x27, 0, 0x1e, 0x3ac}, /* tonos alpha */
    {0x416, 0x28, 0, 0x1e, 0xe3},  /* ~ a */
    {0x41d, 0x1b, 0, 0x12, 0xeb},
};

static void dead_keys_combine(void **state)
{
    for (size_t i = 0; i < sizeof deads / sizeof deads[0]; i++) {
        struct keys *k = keys_create();
        assert_int_equal(keys_set_layout(k, deads[i].klid, 4, 0), 0);
        assert_int_equal(typed(k, deads[i].dead, deads[i].mods), 0);
        uint32_t got = typed(k, deads[i].base, 0);
        if (got != deads[i].want)
            fail_msg("layout %x dead %x: U+%04X, not U+%04X", deads[i].klid, deads[i].dead, got, deads[i].want);
        keys_destroy(k);
    }
}

static void every_known_layout_exists_and_types_something(void **state)
{
    assert_true(layouts_count >= 60);
    for (size_t i = 0; i < layouts_count; i++) {
        struct keys *k = keys_create();
        unsigned n = 0;
        if (keys_set_layout(k, layouts_table[i].klid, 4, 0) < 0)
            fail_msg("layout %x: %s(%s) does not compile", layouts_table[i].klid, layouts_table[i].keymap.layout,
                layouts_table[i].keymap.variant);
        for (uint32_t c = 0x10; c <= 0x32; c++)
            n += typed(k, c, 0) != 0;
        if (n < 20)
            fail_msg("layout %x types only %u letters", layouts_table[i].klid, n);
        keys_destroy(k);
    }
}

static void a_layout_without_latin_letters_has_us_english_beside_it(void **state)
{
    struct keys *k = keys_create();
    assert_int_equal(keys_set_layout(k, 0x419, 4, 0), 0);
    assert_int_equal(keys_ngroups(k), 2);
    assert_string_equal(keys_layout_name(k), "Russian");
    keys_next_group(k);
    assert_string_equal(keys_layout_name(k), "English (US)");
    assert_int_equal(typed(k, 0x10, 0), 'q');
    keys_next_group(k);
    assert_int_equal(typed(k, 0x10, 0), 0x439);
    struct key_press p;
    one(k, SC_ALT, 0, true, &p); /* and by Alt+Shift */
    one(k, SC_LSHIFT, 0, true, &p);
    one(k, SC_LSHIFT, 0, false, &p);
    one(k, SC_ALT, 0, false, &p);
    assert_int_equal(typed(k, 0x10, 0), 'q');
    keys_destroy(k);
}

static void locks_follow_the_client_and_the_keys(void **state)
{
    struct keys *k = keys_create();
    struct key_press p;
    struct display_event locks = {.type = INPUT_LOCKS, .code = INPUT_LOCK_CAPS | INPUT_LOCK_NUM};
    keys_set_layout(k, 0x409, 4, 0);
    keys_event(k, &locks, &p);
    assert_int_equal(keys_locks(k), INPUT_LOCK_CAPS | INPUT_LOCK_NUM);
    assert_int_equal(typed(k, 0x1e, 0), 'A');
    one(k, SC_CAPS, 0, true, &p);
    one(k, SC_CAPS, 0, false, &p);
    assert_int_equal(keys_locks(k), INPUT_LOCK_NUM);
    assert_int_equal(typed(k, 0x1e, 0), 'a');
    assert_int_equal(typed(k, 0x4f, 0), '1'); /* keypad */
    keys_set_layout(k, 0x407, 4, 0);          /* locks outlive a change of layout */
    assert_int_equal(keys_locks(k), INPUT_LOCK_NUM);
    keys_destroy(k);
}

static void a_lost_modifier_is_released_by_the_next_synchronisation(void **state)
{
    struct keys *k = keys_create();
    struct key_press p;
    struct display_event none = {.type = INPUT_LOCKS};
    keys_set_layout(k, 0x409, 4, 0);
    one(k, SC_LSHIFT, 0, true, &p);
    keys_event(k, &none, &p);
    assert_int_equal(typed(k, 0x1e, 0), 'a');
    keys_destroy(k);
}

static void shortcuts_work_in_any_script(void **state)
{
    static const uint32_t klids[] = {0x409, 0x419, 0x408, 0x40d, 0x401};
    for (size_t i = 0; i < sizeof klids / sizeof klids[0]; i++) {
        struct keys *k = keys_create();
        struct key_press p;
        keys_set_layout(k, klids[i], 4, 0);
        one(k, SC_LCTRL, 0, true, &p);
        assert_true(one(k, 0x1e, 0, true, &p));
        assert_int_equal(p.shortcut, 'a');
        assert_int_equal(p.ntext, 0);
        keys_destroy(k);
    }
}

static bool unicode(struct keys *k, uint32_t code, struct key_press *p)
{
    struct display_event e = {.type = INPUT_UNICODE, .code = code, .flags = INPUT_DOWN};
    return keys_event(k, &e, p);
}

static void unicode_input_knows_surrogates_and_control_keys(void **state)
{
    struct keys *k = keys_create();
    struct key_press p;
    assert_true(unicode(k, 0x5d0, &p));
    assert_int_equal(p.text[0], 0x5d0);
    assert_false(unicode(k, 0xd83d, &p));
    assert_true(unicode(k, 0xde00, &p));
    assert_int_equal(p.text[0], 0x1f600);
    assert_false(unicode(k, 0xde00, &p));
    assert_true(unicode(k, '\r', &p));
    assert_int_equal(p.keysym, XKB_KEY_Return);
    assert_int_equal(p.ntext, 0);
    assert_true(unicode(k, '\b', &p));
    assert_int_equal(p.keysym, XKB_KEY_BackSpace);
    keys_destroy(k);
}

static void any_event_is_survived(void **state)
{
    struct keys *k = keys_create();
    struct key_press p;
    uint32_t seed = 7;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525 + 1013904223;
        struct display_event e = {.type = (uint8_t)(seed >> 28), .flags = (uint8_t)(seed >> 16), .code = seed >> 12};
        if (i % 1000 == 0)
            (void)keys_set_layout(k, layouts_table[(seed >> 8) % layouts_count].klid, seed >> 20 & 15, 0);
        (void)keys_event(k, &e, &p);
        assert_true(p.ntext <= 8);
    }
    keys_destroy(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_layouts_type_their_letters),
        cmocka_unit_test(dead_keys_combine),
        cmocka_unit_test(every_known_layout_exists_and_types_something),
        cmocka_unit_test(a_layout_without_latin_letters_has_us_english_beside_it),
        cmocka_unit_test(locks_follow_the_client_and_the_keys),
        cmocka_unit_test(a_lost_modifier_is_released_by_the_next_synchronisation),
        cmocka_unit_test(shortcuts_work_in_any_script),
        cmocka_unit_test(unicode_input_knows_surrogates_and_control_keys),
        cmocka_unit_test(any_event_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
