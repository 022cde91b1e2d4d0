/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/keys.h"

#include "common/log.h"
#include "session/agent/layouts.h"
#include "session/agent/scancode.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include <xkbcommon/xkbcommon-compose.h>
#include <xkbcommon/xkbcommon.h>

/* Its table has the dead keys of all Latin, Greek and Cyrillic layouts */
#define COMPOSE_LOCALE "en_US.UTF-8"
#define KEYCODES_MAX 256
#define KEYCODE_XKB_OFFSET 8 /* an XKB keycode is the evdev code plus eight */

struct keys {
    struct xkb_context *ctx;
    struct xkb_keymap *map;
    struct xkb_state *state;
    struct xkb_compose_table *table;
    struct xkb_compose_state *compose;
    bool compose_tried;
    struct scancode_state scancodes;
    uint32_t klid, type, subtype;
    uint8_t down[KEYCODES_MAX / 8];
    uint32_t high_surrogate;
};

struct keys *keys_create(void)
{
    struct keys *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->ctx = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    if (!k->ctx)
        log_warning("keyboard translation is off", "reason=%s", "no XKB data");
    else
        xkb_context_set_log_level(k->ctx, XKB_LOG_LEVEL_CRITICAL);
    return k;
}

void keys_destroy(struct keys *k)
{
    if (!k)
        return;
    xkb_compose_state_unref(k->compose);
    xkb_compose_table_unref(k->table);
    xkb_state_unref(k->state);
    xkb_keymap_unref(k->map);
    xkb_context_unref(k->ctx);
    free(k);
}

/* Parsing the compose table takes milliseconds: not before the first frame. */
static void need_compose(struct keys *k)
{
    if (k->compose_tried)
        return;
    k->compose_tried = true;
    k->table = xkb_compose_table_new_from_locale(k->ctx, COMPOSE_LOCALE, XKB_COMPOSE_COMPILE_NO_FLAGS);
    if (k->table)
        k->compose = xkb_compose_state_new(k->table, XKB_COMPOSE_STATE_NO_FLAGS);
    if (!k->compose)
        log_warning("dead keys are off", "reason=%s", "no compose table (package libx11-data)");
}

int keys_set_layout(struct keys *k, uint32_t klid, uint32_t type, uint32_t subtype)
{
    struct backend_keymap m;
    if (k->map && k->klid == klid && k->type == type && k->subtype == subtype)
        return 0;
    layouts_find(klid, type, subtype, &m);
    bool two = strchr(m.layout, ',') != NULL; /* without Latin letters: "us" is the second group */
    struct xkb_rule_names names = {"evdev", m.model, m.layout, m.variant,
        two && !m.options[0] ? "grp:alt_shift_toggle" : m.options};
    struct xkb_keymap *map = k->ctx ? xkb_keymap_new_from_names(k->ctx, &names, XKB_KEYMAP_COMPILE_NO_FLAGS) : NULL;
    struct xkb_state *state = map ? xkb_state_new(map) : NULL;
    if (!state) {
        xkb_keymap_unref(map);
        log_warning("keyboard layout not available", "klid=%08x layout=%s", (unsigned)klid, m.layout);
        return -EINVAL;
    }
    uint8_t locks = keys_locks(k);
    xkb_state_unref(k->state);
    xkb_keymap_unref(k->map);
    k->map = map;
    k->state = state;
    k->klid = klid;
    k->type = type;
    k->subtype = subtype;
    struct display_event same = {.type = INPUT_LOCKS, .code = locks};
    struct key_press unused;
    (void)keys_event(k, &same, &unused);
    return 0;
}

static xkb_mod_mask_t mod_mask(const struct keys *k, const char *name)
{
    xkb_mod_index_t i = xkb_keymap_mod_get_index(k->map, name);
    return i == XKB_MOD_INVALID ? 0 : 1u << i;
}

static bool mod_on(const struct keys *k, const char *name, enum xkb_state_component c)
{
    return xkb_state_mod_name_is_active(k->state, name, c) > 0;
}

/* All keys up, locks as the client says. */
static void set_locks(struct keys *k, uint32_t locks)
{
    memset(k->down, 0, sizeof k->down);
    k->high_surrogate = 0;
    if (k->compose)
        xkb_compose_state_reset(k->compose);
    if (!k->state)
        return;
    xkb_layout_index_t group = xkb_state_serialize_layout(k->state, XKB_STATE_LAYOUT_LOCKED);
    struct xkb_state *fresh = xkb_state_new(k->map);
    if (!fresh)
        return;
    xkb_state_unref(k->state);
    k->state = fresh;
    xkb_mod_mask_t m = (locks & INPUT_LOCK_CAPS ? mod_mask(k, XKB_MOD_NAME_CAPS) : 0) |
        (locks & INPUT_LOCK_NUM ? mod_mask(k, XKB_MOD_NAME_NUM) : 0);
    xkb_state_update_mask(k->state, 0, 0, m, 0, 0, group);
}

uint8_t keys_locks(const struct keys *k)
{
    if (!k->state)
        return 0;
    return (uint8_t)((mod_on(k, XKB_MOD_NAME_CAPS, XKB_STATE_MODS_LOCKED) ? INPUT_LOCK_CAPS : 0) |
        (mod_on(k, XKB_MOD_NAME_NUM, XKB_STATE_MODS_LOCKED) ? INPUT_LOCK_NUM : 0));
}

/* The letter for a shortcut: what the key types, else what it would type on a US keyboard. */
static char shortcut_letter(uint32_t keysym, uint32_t evdev)
{
    static const char rows[] = "qwertyuiop\0\0\0\0asdfghjkl\0\0\0\0\0zxcvbnm"; /* KEY_Q … KEY_M */
    uint32_t cp = xkb_keysym_to_utf32(keysym);
    if (cp >= 'A' && cp <= 'Z')
        cp += 'a' - 'A';
    if (cp >= 'a' && cp <= 'z')
        return (char)cp;
    if (cp > 0x7f && evdev >= KEY_Q && evdev <= KEY_M)
        return rows[evdev - KEY_Q];
    return 0;
}

static void add_utf8(struct key_press *out, const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    while (*p && out->ntext < sizeof out->text / sizeof out->text[0]) {
        unsigned extra = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
        uint32_t cp = extra == 0 ? *p : *p & (0x3fu >> extra);
        p++;
        for (; extra && (*p & 0xc0) == 0x80; extra--)
            cp = cp << 6 | (*p++ & 0x3f);
        out->text[out->ntext++] = cp;
    }
}

/* Returns false while a dead key waits for the next one. */
static bool compose_feed(struct keys *k, xkb_keysym_t sym, struct key_press *out)
{
    char utf8[64];
    need_compose(k);
    if (!k->compose || xkb_compose_state_feed(k->compose, sym) == XKB_COMPOSE_FEED_IGNORED) {
        uint32_t cp = xkb_keysym_to_utf32(sym);
        if (cp)
            out->text[out->ntext++] = cp;
        return true;
    }
    switch (xkb_compose_state_get_status(k->compose)) {
    case XKB_COMPOSE_COMPOSING:
        return false;
    case XKB_COMPOSE_CANCELLED:
        xkb_compose_state_reset(k->compose);
        return false;
    case XKB_COMPOSE_COMPOSED:
        xkb_compose_state_get_utf8(k->compose, utf8, sizeof utf8);
        add_utf8(out, utf8);
        explicit_bzero(utf8, sizeof utf8);
        out->keysym = 0;
        xkb_compose_state_reset(k->compose);
        return true;
    default: {
        uint32_t cp = xkb_keysym_to_utf32(sym);
        if (cp)
            out->text[out->ntext++] = cp;
        return true;
    }
    }
}

static bool press(struct keys *k, uint32_t evdev, struct key_press *out)
{
    xkb_keysym_t sym = xkb_state_key_get_one_sym(k->state, evdev + KEYCODE_XKB_OFFSET);
    bool level3 = mod_on(k, "Mod5", XKB_STATE_MODS_EFFECTIVE); /* AltGr; Windows clients send Ctrl with it */
    out->shift = mod_on(k, XKB_MOD_NAME_SHIFT, XKB_STATE_MODS_EFFECTIVE);
    out->ctrl = mod_on(k, XKB_MOD_NAME_CTRL, XKB_STATE_MODS_EFFECTIVE) && !level3;
    out->alt = mod_on(k, XKB_MOD_NAME_ALT, XKB_STATE_MODS_EFFECTIVE) && !level3;
    out->keysym = sym;
    if (out->ctrl || out->alt) {
        out->shortcut = out->ctrl && !out->alt ? shortcut_letter(sym, evdev) : 0;
        return sym != XKB_KEY_NoSymbol;
    }
    return sym != XKB_KEY_NoSymbol && compose_feed(k, sym, out);
}

static bool key_event(struct keys *k, const struct display_event *ev, struct key_press *out)
{
    uint32_t evdev = scancode_to_evdev(&k->scancodes, ev->code, ev->flags & INPUT_EXTENDED, ev->flags & INPUT_EXTENDED1,
        ev->flags & INPUT_DOWN);
    if (!evdev || evdev >= KEYCODES_MAX || !k->state)
        return false;
    uint8_t bit = (uint8_t)(1u << (evdev % 8));
    bool was = k->down[evdev / 8] & bit;
    bool acts = false;
    if (ev->flags & INPUT_DOWN) {
        acts = press(k, evdev, out);
        k->down[evdev / 8] |= bit;
        if (!was)
            xkb_state_update_key(k->state, evdev + KEYCODE_XKB_OFFSET, XKB_KEY_DOWN);
    } else if (was) {
        k->down[evdev / 8] &= (uint8_t)~bit;
        xkb_state_update_key(k->state, evdev + KEYCODE_XKB_OFFSET, XKB_KEY_UP);
    }
    return acts;
}

/* Phones send control characters for the keys of the same meaning. */
static uint32_t control_keysym(uint32_t cp)
{
    switch (cp) {
    case '\b':
        return XKB_KEY_BackSpace;
    case '\t':
        return XKB_KEY_Tab;
    case '\r':
    case '\n':
        return XKB_KEY_Return;
    case 0x1b:
        return XKB_KEY_Escape;
    case 0x7f:
        return XKB_KEY_Delete;
    default:
        return 0;
    }
}

static bool unicode_event(struct keys *k, const struct display_event *ev, struct key_press *out)
{
    uint32_t cp = ev->code;
    if (!(ev->flags & INPUT_DOWN) || cp > 0x10ffff)
        return false;
    if (cp >= 0xd800 && cp < 0xdc00) {
        k->high_surrogate = cp;
        return false;
    }
    if (cp >= 0xdc00 && cp < 0xe000) {
        if (!k->high_surrogate)
            return false;
        cp = 0x10000 + ((k->high_surrogate - 0xd800) << 10) + (cp - 0xdc00);
    }
    k->high_surrogate = 0;
    out->keysym = control_keysym(cp);
    if (!out->keysym)
        out->text[out->ntext++] = cp;
    return true;
}

bool keys_event(struct keys *k, const struct display_event *ev, struct key_press *out)
{
    memset(out, 0, sizeof *out);
    switch (ev->type) {
    case INPUT_KEY:
        return key_event(k, ev, out);
    case INPUT_UNICODE:
        return unicode_event(k, ev, out);
    case INPUT_LOCKS:
        set_locks(k, ev->code);
        return false;
    default:
        return false;
    }
}

static unsigned group(const struct keys *k)
{
    return k->state ? xkb_state_serialize_layout(k->state, XKB_STATE_LAYOUT_EFFECTIVE) : 0;
}

const char *keys_layout_name(const struct keys *k)
{
    const char *name = k->map ? xkb_keymap_layout_get_name(k->map, group(k)) : NULL;
    return name ? name : "";
}

unsigned keys_ngroups(const struct keys *k)
{
    return k->map ? xkb_keymap_num_layouts(k->map) : 1;
}

void keys_next_group(struct keys *k)
{
    if (keys_ngroups(k) < 2)
        return;
    xkb_mod_mask_t locked = xkb_state_serialize_mods(k->state, XKB_STATE_MODS_LOCKED);
    xkb_state_update_mask(k->state, 0, 0, locked, 0, 0, group(k) == 0 ? 1 : 0);
    memset(k->down, 0, sizeof k->down);
}
