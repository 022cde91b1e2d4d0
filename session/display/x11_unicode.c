/* SPDX-License-Identifier: GPL-3.0-or-later */
#define explicit explicit_ /* a field of xcb/xkb.h is named as a C++ word */
#include <xcb/xkb.h>
#undef explicit

#include "common/clock.h"
#include "common/loop.h"
#include "session/display/x11_conn.h"
#include "session/display/x11_unicode.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <xkbcommon/xkbcommon-x11.h>
#include <xkbcommon/xkbcommon.h>

/* measured: with one spare keycode 119 of 120 characters came out wrong, with eight none */
#define RING 8
#define PACE_US 5000
#define REST_US 10000000 /* unused for so long, spare keycodes are given back */
/* A pasted page; a client that sends faster than it can be typed loses characters */
#define QUEUE_MAX 4096
#define SHIFT_KEYCODE 50 /* left Shift of XKB's evdev keycodes */
#define CHAR_BIT_FLAG 0x80000000u

struct spare {
    uint8_t keycode;
    xcb_keysym_t keysym; /* on it now, small if there are small and capital ones; 0 none */
    uint64_t changed_us, used_us;
};
struct x11_unicode {
    struct backend *b;
    struct xkb_context *context;
    struct xkb_keymap *keymap; /* NULL: read it when needed */
    struct spare ring[RING];
    unsigned nring, next;
    bool ring_known;
    uint32_t queue[QUEUE_MAX]; /* CHAR_BIT_FLAG | code point, or keycode << 1 | down */
    unsigned head, count;
    struct event *timer;
};

static void on_timer(evutil_socket_t fd, short what, void *arg);

struct x11_unicode *x11_unicode_create(struct backend *b)
{
    struct x11_unicode *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->b = b;
    u->context = xkb_context_new(XKB_CONTEXT_NO_DEFAULT_INCLUDES | XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    u->timer = evtimer_new(b->base, on_timer, u);
    if (u->context && u->timer)
        return u;
    x11_unicode_destroy(b, u);
    return NULL;
}

static void set_spare(struct x11_unicode *u, struct spare *s, xcb_keysym_t keysym)
{
    xcb_keysym_t levels[2] = {xkb_keysym_to_lower(keysym), xkb_keysym_to_upper(keysym)};
    xcb_change_keyboard_mapping(u->b->c, 1, s->keycode, 2, levels);
    s->keysym = levels[0];
    s->changed_us = clock_us();
}

void x11_unicode_forget(struct backend *b, struct x11_unicode *u)
{
    for (unsigned i = 0; i < u->nring; i++)
        if (u->ring[i].keysym)
            set_spare(u, &u->ring[i], 0);
    x11_flush(b);
}

void x11_unicode_destroy(struct backend *b, struct x11_unicode *u)
{
    if (!u)
        return;
    if (!xcb_connection_has_error(b->c))
        x11_unicode_forget(b, u);
    if (u->timer)
        event_free(u->timer);
    xkb_keymap_unref(u->keymap);
    xkb_context_unref(u->context);
    free(u);
}

void x11_unicode_keymap_changed(struct x11_unicode *u, bool whole)
{
    bool ours = false; /* our own changes are no reason to read the whole keymap again */
    for (unsigned i = 0; i < u->nring; i++)
        ours = ours || u->ring[i].keysym;
    if (ours && !whole)
        return;
    xkb_keymap_unref(u->keymap);
    u->keymap = NULL;
    u->ring_known = false;
}

static void find_spares(struct x11_unicode *u)
{
    const xcb_setup_t *s = xcb_get_setup(u->b->c);
    uint8_t count = (uint8_t)(s->max_keycode - s->min_keycode + 1);
    xcb_get_keyboard_mapping_reply_t *map =
        xcb_get_keyboard_mapping_reply(u->b->c, xcb_get_keyboard_mapping(u->b->c, s->min_keycode, count), NULL);
    u->nring = u->next = 0;
    u->ring_known = true;
    if (!map)
        return;
    const xcb_keysym_t *syms = xcb_get_keyboard_mapping_keysyms(map);
    for (unsigned i = count; i-- > 0 && u->nring < RING;) {
        bool empty = true;
        for (unsigned j = 0; j < map->keysyms_per_keycode; j++)
            empty = empty && !syms[i * map->keysyms_per_keycode + j];
        if (empty)
            u->ring[u->nring++] = (struct spare){.keycode = (uint8_t)(s->min_keycode + i)};
    }
    free(map);
}

static bool read_keymap(struct x11_unicode *u)
{
    if (u->keymap)
        return true;
    int32_t device = xkb_x11_get_core_keyboard_device_id(u->b->c);
    u->keymap =
        device < 0 ? NULL : xkb_x11_keymap_new_from_device(u->context, u->b->c, device, XKB_KEYMAP_COMPILE_NO_FLAGS);
    x11_replied(u->b);
    return u->keymap != NULL;
}

static bool is_spare(const struct x11_unicode *u, uint32_t keycode)
{
    for (unsigned i = 0; i < u->nring; i++)
        if (u->ring[i].keycode == keycode)
            return true;
    return false;
}

static uint8_t find_key(const struct x11_unicode *u, struct xkb_state *state, xcb_keysym_t keysym)
{
    uint32_t code = xkb_keymap_min_keycode(u->keymap);
    for (; code <= xkb_keymap_max_keycode(u->keymap) && code <= 255; code++)
        if (!is_spare(u, code) && xkb_state_key_get_one_sym(state, code) == keysym)
            return (uint8_t)code;
    return 0;
}

static void tap(struct x11_unicode *u, uint8_t keycode, bool shift)
{
    if (shift)
        x11_keycode(u->b, SHIFT_KEYCODE, true);
    x11_keycode(u->b, keycode, true);
    x11_keycode(u->b, keycode, false);
    if (shift)
        x11_keycode(u->b, SHIFT_KEYCODE, false);
}

/* With Shift? Small and capital letters share a key as on any keyboard, and Caps Lock turns them round. */
static bool needs_shift(struct x11_unicode *u, xcb_keysym_t keysym)
{
    if (keysym == xkb_keysym_to_lower(keysym) && keysym == xkb_keysym_to_upper(keysym))
        return false;
    xcb_xkb_get_state_reply_t *r =
        xcb_xkb_get_state_reply(u->b->c, xcb_xkb_get_state(u->b->c, XCB_XKB_ID_USE_CORE_KBD), NULL);
    x11_replied(u->b);
    bool capital = keysym != xkb_keysym_to_lower(keysym), locked = r && r->lockedMods & XCB_MOD_MASK_LOCK;
    bool held = r && r->baseMods & XCB_MOD_MASK_SHIFT;
    free(r);
    return capital != locked && !held;
}

/* Type it with a key of the present keymap, in the state the keyboard is in. */
static bool type_by_keymap(struct x11_unicode *u, xcb_keysym_t keysym)
{
    if (!read_keymap(u))
        return false;
    xcb_xkb_get_state_reply_t *r =
        xcb_xkb_get_state_reply(u->b->c, xcb_xkb_get_state(u->b->c, XCB_XKB_ID_USE_CORE_KBD), NULL);
    x11_replied(u->b);
    struct xkb_state *state = r ? xkb_state_new(u->keymap) : NULL;
    uint8_t keycode = 0;
    bool shift = false;
    if (state) {
        xkb_state_update_mask(state, r->baseMods, r->latchedMods, r->lockedMods, 0, 0, r->group);
        keycode = find_key(u, state, keysym);
        if (!keycode && !(r->baseMods & XCB_MOD_MASK_SHIFT)) {
            shift = true;
            xkb_state_update_mask(state, r->baseMods | XCB_MOD_MASK_SHIFT, r->latchedMods, r->lockedMods, 0, 0,
                r->group);
            keycode = find_key(u, state, keysym);
        }
    }
    xkb_state_unref(state);
    free(r);
    if (keycode)
        tap(u, keycode, shift);
    return keycode != 0;
}

/* Returns 0 when typed (or not typeable), else µs to wait before trying again. */
static uint64_t type_by_ring(struct x11_unicode *u, xcb_keysym_t keysym)
{
    uint64_t now = clock_us();
    if (!u->nring)
        return 0;
    for (unsigned i = 0; i < u->nring; i++) {
        struct spare *s = &u->ring[i];
        if (s->keysym != xkb_keysym_to_lower(keysym))
            continue;
        if (now - s->changed_us < PACE_US)
            return PACE_US - (now - s->changed_us);
        tap(u, s->keycode, needs_shift(u, keysym));
        s->used_us = now;
        return 0;
    }
    struct spare *s = &u->ring[u->next];
    if (now - s->used_us < u->nring * PACE_US)
        return u->nring * PACE_US - (now - s->used_us);
    u->next = (u->next + 1) % u->nring;
    set_spare(u, s, keysym);
    return PACE_US;
}

static bool on_ring(const struct x11_unicode *u, xcb_keysym_t keysym)
{
    for (unsigned i = 0; i < u->nring; i++)
        if (u->ring[i].keysym == xkb_keysym_to_lower(keysym))
            return true;
    return false;
}

static uint64_t type_char(struct x11_unicode *u, uint32_t code_point)
{
    xcb_keysym_t keysym = xkb_utf32_to_keysym(code_point);
    if (!keysym)
        return 0;
    if (!u->ring_known)
        find_spares(u);
    if (!on_ring(u, keysym) && type_by_keymap(u, keysym))
        return 0;
    return type_by_ring(u, keysym);
}

static uint64_t do_item(struct x11_unicode *u, uint32_t item)
{
    if (item & CHAR_BIT_FLAG)
        return type_char(u, item & ~CHAR_BIT_FLAG);
    x11_keycode(u->b, (uint8_t)(item >> 1), item & 1);
    return 0;
}

static void work(struct x11_unicode *u)
{
    uint64_t wait = 0;
    while (u->count && !(wait = do_item(u, u->queue[u->head]))) {
        u->head = (u->head + 1) % QUEUE_MAX;
        u->count--;
    }
    x11_flush(u->b);
    bool set = false;
    for (unsigned i = 0; i < u->nring; i++)
        set = set || u->ring[i].keysym;
    if (wait || set)
        (void)loop_arm_us(u->timer, wait ? wait : REST_US);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct x11_unicode *u = arg;
    if (u->b->dead)
        return;
    if (u->count)
        work(u);
    else
        x11_unicode_forget(u->b, u);
}

/* Full: characters are given up, keys are not, or one would stay down. */
static void drop_chars(struct x11_unicode *u)
{
    for (; u->count; u->count--, u->head = (u->head + 1) % QUEUE_MAX)
        if (!(u->queue[u->head] & CHAR_BIT_FLAG))
            (void)do_item(u, u->queue[u->head]);
}

static void push(struct x11_unicode *u, uint32_t item)
{
    if (u->count == QUEUE_MAX)
        drop_chars(u);
    u->queue[(u->head + u->count++) % QUEUE_MAX] = item;
    if (u->count == 1)
        work(u);
}

void x11_unicode_char(struct backend *b, struct x11_unicode *u, uint32_t code_point)
{
    push(u, CHAR_BIT_FLAG | code_point);
}

void x11_unicode_key(struct backend *b, struct x11_unicode *u, uint8_t keycode, bool down)
{
    if (u->count)
        push(u, (uint32_t)keycode << 1 | down);
    else
        x11_keycode(b, keycode, down);
}
