/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Typing through the real oriel-agent into a real X server. argv[1]: "xvfb" or "xorg". An X client reads back what
 * arrives: the key event's keycode and state, looked up in the keymap that the server has. */
#define explicit explicit_ /* a field of xcb/xkb.h is named as a C++ word */
#include <xcb/xkb.h>
#undef explicit

#include "session/agent/layouts.h"
#include "tests/unit/agent/display_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xkbcommon/xkbcommon-x11.h>
#include <xkbcommon/xkbcommon.h>

#define SHIFT 0x2a
#define ALTGR 0x38 /* with E0 */
#define CAPS_LOCK 0x3a
#define EVDEV 8

/* The keymap the server has now. */
static struct xkb_keymap *server_keymap(struct fixture *x, struct xkb_context *c)
{
    int32_t device = xkb_x11_get_core_keyboard_device_id(x->c);
    struct xkb_keymap *m = xkb_x11_keymap_new_from_device(c, x->c, device, XKB_KEYMAP_COMPILE_NO_FLAGS);
    assert_non_null(m);
    return m;
}

static void use_xkb(struct fixture *x)
{
    uint16_t major, minor;
    assert_int_equal(xkb_x11_setup_xkb_extension(x->c, 1, 0, XKB_X11_SETUP_XKB_EXTENSION_NO_FLAGS, &major, &minor, NULL,
                         NULL),
        1);
}

static xkb_keysym_t received(struct fixture *x, struct xkb_keymap *m)
{
    uint16_t state = 0;
    uint8_t code = fixture_next_key(x, &state);
    struct xkb_state *s = xkb_state_new(m);
    xkb_state_update_mask(s, state & 0xff, 0, 0, 0, 0, state >> 13 & 3);
    xkb_keysym_t sym = code ? xkb_state_key_get_one_sym(s, code) : XKB_KEY_NoSymbol;
    xkb_state_unref(s);
    return sym;
}

static xkb_keysym_t expected(struct xkb_keymap *m, uint32_t scancode, bool shift, bool altgr)
{
    struct xkb_state *s = xkb_state_new(m);
    if (shift)
        xkb_state_update_key(s, 42 + EVDEV, XKB_KEY_DOWN);
    if (altgr)
        xkb_state_update_key(s, 100 + EVDEV, XKB_KEY_DOWN);
    xkb_keysym_t sym = xkb_state_key_get_one_sym(s, scancode + EVDEV);
    xkb_state_unref(s);
    return sym;
}

static void press(struct front *f, uint32_t code, unsigned flags)
{
    front_key(f, code, flags | INPUT_DOWN);
}

static const uint32_t probes[] = {0x03, 0x0c, 0x0d, 0x10, 0x15, 0x1a, 0x1b, 0x27, 0x28, 0x29, 0x2b, 0x33, 0x56};

/* Where xkbcomp, which X servers use, and libxkbcommon read an empty level of the same file differently. */
static bool differs(uint32_t klid, uint32_t scancode)
{
    return ((klid & 0xffff) == 0x0401 && scancode == 0x56) || (klid == 0x105f && scancode == 0x29) ||
        (klid == 0x60408 && scancode == 0x27);
}

/* Returns how many keysyms were other than libxkbcommon's. */
static int try_level(struct fixture *x, struct front *f, struct xkb_keymap *want, struct xkb_keymap *have,
    uint32_t klid, bool shift, bool altgr)
{
    int wrong = 0;
    if (shift) {
        press(f, SHIFT, 0);
        (void)received(x, have);
    }
    if (altgr) {
        press(f, ALTGR, INPUT_EXTENDED);
        (void)received(x, have);
    }
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        press(f, probes[i], 0);
        front_key(f, probes[i], 0);
        xkb_keysym_t got = received(x, have), sym = expected(want, probes[i], shift, altgr);
        char a[64], b[64];
        xkb_keysym_get_name(got, a, sizeof a);
        xkb_keysym_get_name(sym, b, sizeof b);
        if (got != sym && differs(klid, probes[i]))
            got = sym;
        if (got != sym)
            print_error("scancode %02x shift %d altgr %d: %s, not %s\n", probes[i], shift, altgr, a, b);
        wrong += got != sym;
    }
    if (altgr)
        front_key(f, ALTGR, INPUT_EXTENDED);
    if (shift)
        front_key(f, SHIFT, 0);
    return wrong;
}

/* The agent loads the layout before it handles what comes later: a lock message after it, echoed as LEDs, marks the
 * end. */
static void set_layout(struct fixture *x, struct front *f, uint32_t klid)
{
    struct display_keyboard k = {.keyboard_layout = klid, .keyboard_type = 4};
    wire_send(f->sock, &display_keyboard_def, &k, NULL);
    front_event(f,
        &(struct display_event){.type = INPUT_MOVE, .x = (int32_t)(klid % 613), .y = (int32_t)(klid >> 16) + 7});
    fixture_wait_pointer(x, (int)(klid % 613), (int)(klid >> 16) + 7);
}

static void every_layout_types_what_libxkbcommon_says(void **state)
{
    struct fixture *x = *state;
    struct front f;
    int wrong = 0, dead = 0;
    use_xkb(x);
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    fixture_focus(x);
    struct xkb_context *c = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    for (size_t i = 0; i < layouts_count; i++) {
        const struct backend_keymap *k = &layouts_table[i].keymap;
        struct xkb_rule_names names = {"evdev", k->model, k->layout, k->variant, k->options};
        struct xkb_keymap *want = xkb_keymap_new_from_names(c, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
        assert_non_null(want);
        set_layout(x, &f, layouts_table[i].klid);
        struct xkb_keymap *have = server_keymap(x, c);
        uint32_t klid = layouts_table[i].klid;
        int w = try_level(x, &f, want, have, klid, false, false) + try_level(x, &f, want, have, klid, true, false) +
            try_level(x, &f, want, have, klid, false, true);
        if (w)
            print_error("KLID 0x%08x %s(%s): %d wrong\n", layouts_table[i].klid, k->layout, k->variant, w);
        wrong += w;
        for (size_t p = 0; p < sizeof probes / sizeof probes[0]; p++)
            dead += (expected(want, probes[p], false, false) & 0xffffff00) == 0xfe00;
        xkb_keymap_unref(have);
        xkb_keymap_unref(want);
        assert_true(front_settle(&f, 0, 100) >= 0);
    }
    print_message("%zu layouts, %zu keys each at three levels, %d dead keys among them\n", layouts_count,
        sizeof probes / sizeof probes[0], dead);
    assert_int_equal(wrong, 0);
    assert_true(dead > 20);
    xkb_context_unref(c);
    front_finish(&f);
}

/* The next character, as a program with this keymap would read it. */
static uint32_t next_character(struct fixture *x, struct xkb_context *c)
{
    uint16_t mods = 0;
    uint8_t code = fixture_next_key(x, &mods);
    if (code == 50) /* Shift, for a capital */
        code = fixture_next_key(x, &mods);
    struct xkb_keymap *have = server_keymap(x, c);
    struct xkb_state *s = xkb_state_new(have);
    xkb_state_update_mask(s, mods & 0xff, 0, 0, 0, 0, mods >> 13 & 3);
    uint32_t character = xkb_state_key_get_utf32(s, code);
    xkb_state_unref(s);
    xkb_keymap_unref(have);
    return character;
}

static void type_text(struct front *f, const uint32_t *text, int n)
{
    for (int i = 0; i < n; i++) {
        front_event(f, &(struct display_event){.type = INPUT_UNICODE, .code = text[i], .flags = INPUT_DOWN});
        front_event(f, &(struct display_event){.type = INPUT_UNICODE, .code = text[i]});
    }
    press(f, 0x1c, 0); /* Return waits behind them */
    front_key(f, 0x1c, 0);
}

static void characters_arrive_in_order(struct fixture *x, uint32_t locks)
{
    enum { N = 120 };
    struct front f;
    use_xkb(x);
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    fixture_focus(x);
    struct xkb_context *c = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    set_layout(x, &f, 0x409);
    front_event(&f, &(struct display_event){.type = INPUT_LOCKS, .code = locks});
    uint32_t text[N];
    for (uint32_t i = 0; i < N; i++) {
        const uint32_t kinds[] = {'a' + i % 26, 0x410 + i % 64, 0x4e00 + i * 7, 'A' + i % 26, 0x410 + i * 5 % 64};
        text[i] = kinds[i % 5];
    }
    type_text(&f, text, N);
    int right = 0;
    for (int i = 0; i <= N; i++)
        right += next_character(x, c) == (i < N ? text[i] : '\r');
    print_message("%d of %d characters right\n", right - 1, N);
    assert_int_equal(right, N + 1);
    front_event(&f, &(struct display_event){.type = INPUT_LOCKS});
    xkb_context_unref(c);
    front_finish(&f);
}

static void characters_that_no_key_has_arrive_in_order(void **state)
{
    characters_arrive_in_order(*state, 0);
}
static void caps_lock_does_not_change_characters(void **state)
{
    characters_arrive_in_order(*state, INPUT_LOCK_CAPS);
}

static void a_held_key_repeats_as_often_as_the_client_says(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    fixture_focus(x);
    press(&f, 0x1e, 0);
    /* The server's own repetition would have begun after 0.7 s */
    assert_int_equal(fixture_count_presses(x, 1500), 1);
    for (int i = 0; i < 5; i++)
        press(&f, 0x1e, 0);
    assert_int_equal(fixture_count_presses(x, 300), 5);
    assert_int_equal(fixture_run("xset r rate 200 30"), 0); /* what a desktop does when it starts */
    press(&f, 0x1e, 0);
    assert_int_equal(fixture_count_presses(x, 700), 1);
    front_key(&f, 0x1e, 0);
    assert_int_equal(fixture_keys_down_after(x, 2000), 0);
    front_finish(&f);
}

static void nothing_stays_pressed_after_a_client_is_gone(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    fixture_focus(x);
    press(&f, SHIFT, 0);
    press(&f, 0x1d, 0);
    press(&f, 0x38, INPUT_EXTENDED);
    press(&f, 0x1e, 0);
    front_event(&f, &(struct display_event){.type = INPUT_BUTTON, .code = 1, .flags = INPUT_DOWN, .x = 100, .y = 100});
    fixture_expect_click(x, 1);
    assert_int_equal(fixture_keys_down(x), 4);
    front_finish(&f);
    assert_int_equal(fixture_keys_down_after(x, 2000), 0);
    fixture_expect_release(x, 1);
}

/* Until the agent ended, or for a time that one which waits for its server outlasts. */
static void agent_ends_or_waits(struct fixture *x, int ms)
{
    siginfo_t info = {0};
    uint64_t since = fixture_now_us();
    for (; !info.si_pid && fixture_now_us() - since < (uint64_t)ms * 1000; usleep(2000))
        assert_int_equal(waitid(P_PID, (id_t)x->agent.pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
}

/* The server has something to say to the agent (locks, which change with each press) when it comes to the last
 * requests. */
static void nothing_stays_pressed_after_an_agent_that_a_slow_server_served(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    fixture_focus(x);
    front_event(&f, &(struct display_event){.type = INPUT_BUTTON, .code = 9, .flags = INPUT_DOWN, .x = 100, .y = 100});
    fixture_expect_click(x, 9);
    assert_int_equal(kill(x->server.pid, SIGSTOP), 0);
    for (int i = 0; i < 40; i++) {
        press(&f, CAPS_LOCK, 0);
        front_key(&f, CAPS_LOCK, 0);
    }
    front_finish(&f);
    close(x->agent.sock);
    agent_ends_or_waits(x, 200);
    assert_int_equal(kill(x->server.pid, SIGCONT), 0);
    fixture_expect_release(x, 9);
    assert_int_equal(waitpid(x->agent.pid, NULL, 0), x->agent.pid);
    x->agent.pid = -1;
}

static void a_new_agent_takes_the_display_over_as_it_is(void **state)
{
    struct fixture *x = *state;
    struct front f;
    struct front_agent second;
    struct display_layout none = {0};
    static const uint8_t buttons[] = {1, 3, 8, 9};
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(900, 700));
    fixture_focus(x);
    set_layout(x, &f, 0x407);
    press(&f, 0x1d, 0);
    press(&f, 0x1e, 0);
    fixture_next_key(x, NULL);
    fixture_next_key(x, NULL);
    for (size_t i = 0; i < sizeof buttons / sizeof buttons[0]; i++) {
        front_event(&f,
            &(struct display_event){.type = INPUT_BUTTON, .code = buttons[i], .flags = INPUT_DOWN, .x = 100, .y = 100});
        fixture_expect_click(x, buttons[i]);
    }
    fixture_kill_agent(x);
    front_finish(&f);
    assert_int_equal(fixture_keys_down(x), 2);
    assert_int_equal(front_agent_start(&second, fixture_program(), x->server.display, &none, 0, 0), 0);
    assert_int_equal(fixture_keys_down_after(x, 2000), 0);
    for (size_t i = 0; i < sizeof buttons / sizeof buttons[0]; i++)
        fixture_expect_release(x, buttons[i]);
    uint16_t w, h;
    fixture_root_size(x, &w, &h);
    assert_true(w == 900 && h == 700);
    front_init(&f, front_agent_client(&second, 1, ROLE_VIEW));
    struct display_layout l = fixture_single(640, 480);
    front_open(&f, &l, 0);
    fixture_wait_frames(&f, 1);
    assert_int_equal(f.buffer.width, 900);
    fixture_wait_same_picture(x, &f);
    front_finish(&f);
    assert_int_equal(front_agent_stop(&second), 0);
}

static uint8_t server_locks(struct fixture *x)
{
    xcb_xkb_get_state_reply_t *r =
        xcb_xkb_get_state_reply(x->c, xcb_xkb_get_state(x->c, XCB_XKB_ID_USE_CORE_KBD), NULL);
    uint8_t locks = r ? r->lockedMods : 0xff;
    free(r);
    return locks;
}

static void locks_go_both_ways(void **state)
{
    enum { CAPS = XCB_MOD_MASK_LOCK, NUM = XCB_MOD_MASK_2 };
    struct fixture *x = *state;
    struct front f;
    use_xkb(x);
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    fixture_focus(x);
    for (uint32_t locks = 0; locks < 8; locks++) {
        front_event(&f, &(struct display_event){.type = INPUT_LOCKS, .code = locks});
        front_event(&f, &(struct display_event){.type = INPUT_MOVE, .x = (int32_t)locks + 50, .y = 60});
        fixture_wait_pointer(x, (int)locks + 50, 60);
        assert_int_equal(server_locks(x), (locks & INPUT_LOCK_CAPS ? CAPS : 0) | (locks & INPUT_LOCK_NUM ? NUM : 0));
    }
    front_event(&f, &(struct display_event){.type = INPUT_LOCKS, .code = 0});
    front_settle(&f, 50, 1000);
    unsigned before = f.ledses;
    xcb_xkb_latch_lock_state(x->c, XCB_XKB_ID_USE_CORE_KBD, CAPS, CAPS, 0, 0, 0, 0, 0);
    xcb_flush(x->c);
    for (int i = 0; i < 50 && f.ledses == before; i++)
        front_step(&f, 100);
    assert_int_equal(f.leds.locks, INPUT_LOCK_CAPS);
    press(&f, CAPS_LOCK, 0); /* the key itself turns it off again */
    front_key(&f, CAPS_LOCK, 0);
    for (int i = 0; i < 50 && f.leds.locks; i++)
        front_step(&f, 100);
    assert_int_equal(f.leds.locks, 0);
    assert_int_equal(server_locks(x), 0);
    front_finish(&f);
}

static void a_lock_message_releases_keys(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    fixture_focus(x);
    press(&f, 0x38, 0);
    press(&f, 0x0f, 0); /* Alt+Tab away: the client sees no release */
    fixture_next_key(x, NULL);
    fixture_next_key(x, NULL);
    front_event(&f, &(struct display_event){.type = INPUT_LOCKS});
    assert_int_equal(fixture_keys_down_after(x, 2000), 0);
    front_finish(&f);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
    fixture_kind = strcmp(argv[1], "xorg") == 0 ? XSERVER_XORG : XSERVER_XVFB;
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(every_layout_types_what_libxkbcommon_says),
        CASE(characters_that_no_key_has_arrive_in_order),
        CASE(caps_lock_does_not_change_characters),
        CASE(a_held_key_repeats_as_often_as_the_client_says),
        CASE(nothing_stays_pressed_after_a_client_is_gone),
        CASE(nothing_stays_pressed_after_an_agent_that_a_slow_server_served),
        CASE(a_new_agent_takes_the_display_over_as_it_is),
        CASE(locks_go_both_ways),
        CASE(a_lock_message_releases_keys),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
