/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keymap, lock keys, key repeat. Characters are typed in x11_unicode.c. */
#define explicit explicit_ /* a field of xcb/xkb.h is named as a C++ word */
#include <xcb/xkb.h>
#undef explicit

#include "common/log.h"
#include "session/display/x11_conn.h"
#include "session/display/x11_keys.h"
#include "session/display/x11_unicode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <xcb/xcbext.h>

#define CORE_KEYBOARD XCB_XKB_ID_USE_CORE_KBD
#define REPEAT_NEVER_MS 65535 /* the largest delay there is */
/* All parts of a keymap but the geometry (XkbGBN_AllComponentsMask) */
#define LOAD_ALL 0xbf
#define NUM_LOCK_KEYSYM 0xff7f
#define RULES_NAMES "_XKB_RULES_NAMES"

struct x11_keys {
    struct x11_unicode *unicode;
    uint8_t num_mask; /* the modifier that Num Lock toggles; 0 none */
    uint8_t scroll;   /* X has no Scroll Lock modifier: remembered, so that clients get back what they set */
    uint8_t told;     /* locks as last raised */
    bool told_any;
};

static uint8_t mask_of_keycode(const xcb_get_modifier_mapping_reply_t *m, uint8_t keycode)
{
    const xcb_keycode_t *codes = xcb_get_modifier_mapping_keycodes(m);
    for (unsigned mod = 0; mod < 8; mod++)
        for (unsigned i = 0; i < m->keycodes_per_modifier; i++)
            if (codes[mod * m->keycodes_per_modifier + i] == keycode)
                return (uint8_t)(1u << mod);
    return 0;
}

static uint8_t find_num_mask(struct backend *b)
{
    const xcb_setup_t *s = xcb_get_setup(b->c);
    uint8_t count = (uint8_t)(s->max_keycode - s->min_keycode + 1), mask = 0;
    xcb_get_keyboard_mapping_cookie_t kc = xcb_get_keyboard_mapping(b->c, s->min_keycode, count);
    xcb_get_modifier_mapping_reply_t *mods = xcb_get_modifier_mapping_reply(b->c, xcb_get_modifier_mapping(b->c), NULL);
    xcb_get_keyboard_mapping_reply_t *map = xcb_get_keyboard_mapping_reply(b->c, kc, NULL);
    x11_replied(b);
    if (map && mods) {
        const xcb_keysym_t *syms = xcb_get_keyboard_mapping_keysyms(map);
        for (unsigned i = 0; i < count && !mask; i++)
            for (unsigned j = 0; j < map->keysyms_per_keycode && !mask; j++)
                if (syms[i * map->keysyms_per_keycode + j] == NUM_LOCK_KEYSYM)
                    mask = mask_of_keycode(mods, (uint8_t)(s->min_keycode + i));
    }
    free(map);
    free(mods);
    return mask;
}

/* Clients repeat keys, at their own rate. Repetition is not switched off, for users look at that setting; it just never
 * begins. */
static void stop_own_repeat(struct backend *b)
{
    xcb_xkb_get_controls_reply_t *r = xcb_xkb_get_controls_reply(b->c, xcb_xkb_get_controls(b->c, CORE_KEYBOARD), NULL);
    x11_replied(b);
    bool done = r && r->repeatDelay == REPEAT_NEVER_MS;
    if (r && !done) {
        static const uint8_t same[32];
        xcb_xkb_set_controls(b->c, CORE_KEYBOARD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, XCB_XKB_BOOL_CTRL_REPEAT_KEYS,
            REPEAT_NEVER_MS, REPEAT_NEVER_MS, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, same);
    }
    free(r);
}

static void select_events(struct backend *b)
{
    uint16_t events =
        XCB_XKB_EVENT_TYPE_NEW_KEYBOARD_NOTIFY | XCB_XKB_EVENT_TYPE_STATE_NOTIFY | XCB_XKB_EVENT_TYPE_CONTROLS_NOTIFY;
    xcb_xkb_select_events_details_t details = {
        .affectNewKeyboard = XCB_XKB_NKN_DETAIL_KEYCODES,
        .newKeyboardDetails = XCB_XKB_NKN_DETAIL_KEYCODES,
        .affectState = XCB_XKB_STATE_PART_MODIFIER_LOCK,
        .stateDetails = XCB_XKB_STATE_PART_MODIFIER_LOCK,
        .affectCtrls = XCB_XKB_BOOL_CTRL_REPEAT_KEYS,
        .ctrlDetails = XCB_XKB_BOOL_CTRL_REPEAT_KEYS,
    };
    xcb_xkb_select_events_aux(b->c, CORE_KEYBOARD, events, 0, 0, 0, 0, &details);
}

int x11_keys_create(struct backend *b, char *why, size_t why_cap)
{
    const xcb_query_extension_reply_t *ext = xcb_get_extension_data(b->c, &xcb_xkb_id);
    xcb_xkb_use_extension_reply_t *use =
        ext && ext->present ? xcb_xkb_use_extension_reply(b->c, xcb_xkb_use_extension(b->c, 1, 0), NULL) : NULL;
    bool supported = use && use->supported;
    free(use);
    if (!supported) {
        snprintf(why, why_cap, "the X server lacks the extension XKEYBOARD");
        return -ENOSYS;
    }
    b->xkb_event = ext->first_event;
    b->keys = calloc(1, sizeof *b->keys);
    if (!b->keys || !(b->keys->unicode = x11_unicode_create(b))) {
        snprintf(why, why_cap, "out of memory");
        return -ENOMEM;
    }
    select_events(b);
    b->keys->num_mask = find_num_mask(b);
    stop_own_repeat(b);
    return 0;
}

void x11_keys_destroy(struct backend *b)
{
    if (!b->keys)
        return;
    x11_unicode_destroy(b, b->keys->unicode);
    free(b->keys);
    b->keys = NULL;
}

static uint8_t locks_of(const struct x11_keys *k, uint8_t locked_mods)
{
    uint8_t locks = k->scroll;
    if (locked_mods & XCB_MOD_MASK_LOCK)
        locks |= INPUT_LOCK_CAPS;
    if (k->num_mask && locked_mods & k->num_mask)
        locks |= INPUT_LOCK_NUM;
    return locks;
}

static void say_locks(struct backend *b, uint8_t locks)
{
    struct x11_keys *k = b->keys;
    if (k->told_any && k->told == locks)
        return;
    k->told_any = true;
    k->told = locks;
    b->events->leds(b->user, locks);
}

void x11_keys_report(struct backend *b)
{
    xcb_xkb_get_state_reply_t *r = xcb_xkb_get_state_reply(b->c, xcb_xkb_get_state(b->c, CORE_KEYBOARD), NULL);
    x11_replied(b);
    if (r)
        say_locks(b, locks_of(b->keys, r->lockedMods));
    free(r);
}

void x11_keys_event(struct backend *b, const xcb_generic_event_t *e)
{
    if ((e->response_type & 0x7f) == XCB_MAPPING_NOTIFY) {
        x11_unicode_keymap_changed(b->keys->unicode, false);
        return;
    }
    const xcb_xkb_state_notify_event_t *s = (const xcb_xkb_state_notify_event_t *)e;
    if (s->xkbType == XCB_XKB_STATE_NOTIFY) {
        say_locks(b, locks_of(b->keys, s->lockedMods));
    } else if (s->xkbType == XCB_XKB_CONTROLS_NOTIFY) {
        stop_own_repeat(b);
    } else if (s->xkbType == XCB_XKB_NEW_KEYBOARD_NOTIFY) {
        b->keys->num_mask = find_num_mask(b);
        x11_unicode_keymap_changed(b->keys->unicode, true);
        stop_own_repeat(b);
    }
}

void x11_keys_input(struct backend *b, uint8_t keycode, bool down)
{
    x11_unicode_key(b, b->keys->unicode, keycode, down);
}

void x11_unicode(struct backend *b, uint32_t code_point)
{
    x11_unicode_char(b, b->keys->unicode, code_point);
}

void x11_set_locks(struct backend *b, uint8_t locks)
{
    struct x11_keys *k = b->keys;
    uint8_t affect = (uint8_t)(XCB_MOD_MASK_LOCK | k->num_mask), on = 0;
    if (locks & INPUT_LOCK_CAPS)
        on |= XCB_MOD_MASK_LOCK;
    if (locks & INPUT_LOCK_NUM)
        on |= k->num_mask;
    k->scroll = locks & INPUT_LOCK_SCROLL;
    k->told = locks_of(k, on); /* the client knows what it set */
    k->told_any = true;
    xcb_xkb_latch_lock_state(b->c, CORE_KEYBOARD, affect, on, 0, 0, 0, 0, 0);
}

/* ---- loading a keymap: XkbGetKbdByName (XKB protocol, 16.3.12). libxcb's wrapper leaves the names out, so the request
 * is put together here. The server finds the parts by name with its own keymap compiler. ---- */

struct load_request {
    uint8_t major, minor;
    uint16_t length; /* these four are filled in by libxcb */
    uint16_t device, need, want;
    uint8_t load, pad;
};

static void put_name(struct wr *w, const char *name)
{
    size_t n = strlen(name);
    wr_u8(w, (uint8_t)n);
    wr_bytes(w, name, n);
}

static int load_components(struct backend *b, const char *symbols)
{
    static const xcb_protocol_request_t request = {.count = 2, .ext = &xcb_xkb_id, .opcode = 23, .isvoid = 0};
    struct load_request head = {.device = CORE_KEYBOARD, .need = LOAD_ALL, .load = 1};
    uint8_t names[640] = {0};
    struct wr w;
    wr_init(&w, names, sizeof names - 3);
    const char *parts[] = {"", "evdev+aliases(qwerty)", "complete", "complete", symbols, ""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        put_name(&w, parts[i]);
    if (w.bad || strlen(symbols) > 255)
        return -EINVAL;
    struct iovec iov[4] = {[2] = {&head, sizeof head}, [3] = {names, (w.len + 3) & ~(size_t)3}};
    unsigned sequence = xcb_send_request(b->c, XCB_REQUEST_CHECKED, iov + 2, &request);
    xcb_generic_error_t *e = NULL;
    uint8_t *reply = xcb_wait_for_reply(b->c, sequence, &e);
    x11_replied(b);
    bool loaded = reply && reply[10];
    free(reply);
    free(e);
    return loaded ? 0 : -EIO;
}

/* Write group `i` of a comma list to `out`. */
static void nth(const char *list, unsigned i, char *out, size_t cap)
{
    while (i-- && list)
        list = (list = strchr(list, ',')) ? list + 1 : NULL;
    size_t n = list ? strcspn(list, ",") : 0;
    snprintf(out, cap, "%.*s", (int)n, list ? list : "");
}

static void compose_symbols(const struct backend_keymap *k, char *out, size_t cap)
{
    size_t n = (size_t)snprintf(out, cap, "pc");
    for (unsigned i = 0; i < 4 && n < cap; i++) {
        char layout[32], variant[32], group[8] = "";
        nth(k->layout, i, layout, sizeof layout);
        nth(k->variant, i, variant, sizeof variant);
        if (!layout[0])
            break;
        if (i)
            snprintf(group, sizeof group, ":%u", i + 1);
        n += (size_t)snprintf(out + n, cap - n, variant[0] ? "+%s(%s)%s" : "+%s%s%s", layout, variant, group);
    }
    if (n < cap)
        snprintf(out + n, cap - n, "+inet(evdev)");
}

/* xkeyboard-config moves a layout into another file now and then. Its rules know; here the files are named without
 * them, so each move is written down, and tried where the old place is empty. */
static const struct {
    const char *was, *is;
} moved[] = {
    {"pc+mao(basic)+inet(evdev)", "pc+nz(mao)+inet(evdev)"}, /* 2.42 */
};

static int load_symbols(struct backend *b, const char *symbols)
{
    int r = load_components(b, symbols);
    for (size_t i = 0; i < sizeof moved / sizeof moved[0] && r < 0; i++)
        if (strcmp(symbols, moved[i].was) == 0)
            r = load_components(b, moved[i].is);
    return r;
}

/* What setxkbmap leaves on the root window for programs that want to know. Returns the length, 0 if it does not fit. */
static size_t names_of(const struct backend_keymap *k, char *out, size_t cap)
{
    struct wr w;
    wr_init(&w, out, cap);
    const char *parts[] = {"evdev", k->model, k->layout, k->variant, k->options};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        wr_bytes(&w, parts[i], strlen(parts[i]) + 1);
    return w.bad ? 0 : w.len;
}

static void publish_names(struct backend *b, const struct backend_keymap *k)
{
    char names[256];
    size_t len = names_of(k, names, sizeof names);
    if (len)
        xcb_change_property(b->c, XCB_PROP_MODE_REPLACE, b->root, x11_atom(b, RULES_NAMES), XCB_ATOM_STRING, 8,
            (uint32_t)len, names);
}

/* Loading takes the server 50 ms, for it starts a compiler: not for the keymap it has. */
static bool is_loaded(struct backend *b, const struct backend_keymap *k)
{
    char names[256];
    size_t len = names_of(k, names, sizeof names);
    xcb_get_property_cookie_t cookie =
        xcb_get_property(b->c, 0, b->root, x11_atom(b, RULES_NAMES), XCB_ATOM_STRING, 0, sizeof names / 4);
    xcb_get_property_reply_t *r = xcb_get_property_reply(b->c, cookie, NULL);
    x11_replied(b);
    bool same = r && len && (size_t)xcb_get_property_value_length(r) == len &&
        memcmp(xcb_get_property_value(r), names, len) == 0;
    free(r);
    return same;
}

int x11_set_keymap(struct backend *b, const struct backend_keymap *k)
{
    char symbols[256];
    if (is_loaded(b, k))
        return 0;
    compose_symbols(k, symbols, sizeof symbols);
    x11_unicode_forget(b, b->keys->unicode);
    int r = load_symbols(b, symbols);
    if (r < 0) {
        log_warning("keymap refused", "symbols=%s", symbols);
        return r;
    }
    publish_names(b, k);
    b->keys->num_mask = find_num_mask(b);
    stop_own_repeat(b);
    x11_unicode_keymap_changed(b->keys->unicode, true);
    x11_flush(b);
    return 0;
}
