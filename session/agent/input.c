/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a control client does with keys, pointer and wheel. Everything here is from outside: unknown codes are dropped,
 * positions clamped to the monitors. */
#include "session/agent/agent.h"

#include <linux/input-event-codes.h>

#define KEYS_MAX 256 /* evdev codes that X11 can carry end at 247 */

static bool legal_button(uint32_t button)
{
    return (button >= 1 && button <= 3) || button == 8 || button == 9;
}

static bool is_modifier(uint32_t code)
{
    switch (code) {
    case KEY_LEFTCTRL:
    case KEY_RIGHTCTRL:
    case KEY_LEFTSHIFT:
    case KEY_RIGHTSHIFT:
    case KEY_LEFTALT:
    case KEY_RIGHTALT:
    case KEY_LEFTMETA:
    case KEY_RIGHTMETA:
    case KEY_CAPSLOCK:
    case KEY_NUMLOCK:
    case KEY_SCROLLLOCK:
        return true;
    default:
        return false;
    }
}

/* Windows clients repeat modifiers, too; a repeated press means a release before it, and releasing Super opens a menu.
 */
static void press(struct client *c, uint32_t code, bool down)
{
    uint8_t bit = (uint8_t)(1u << (code & 7)), *byte = &c->keys[code / 8];
    bool is_down = *byte & bit;
    if (!down && !is_down)
        return; /* released already: locks, detach or a client that only saw the end of it */
    if (down && is_down && is_modifier(code))
        return;
    *byte = (uint8_t)(down ? *byte | bit : *byte & ~bit);
    if (down && is_down)
        c->agent->ops->key(c->agent->backend, code, false);
    c->agent->ops->key(c->agent->backend, code, down);
}

static void on_key(struct client *c, const struct display_event *e)
{
    bool down = e->flags & INPUT_DOWN;
    uint32_t code =
        scancode_to_evdev(&c->scancodes, e->code, e->flags & INPUT_EXTENDED, e->flags & INPUT_EXTENDED1, down);
    if (code && code < KEYS_MAX)
        press(c, code, down);
}

static void move_to(struct client *c, int32_t x, int32_t y)
{
    struct agent *a = c->agent;
    layout_clamp_point(&a->layout, &x, &y);
    a->ops->move(a->backend, x, y);
}

static void on_button(struct client *c, const struct display_event *e)
{
    bool down = e->flags & INPUT_DOWN;
    uint16_t bit = (uint16_t)(legal_button(e->code) ? 1u << e->code : 0);
    if (!bit)
        return;
    move_to(c, e->x, e->y);
    if (down == !!(c->buttons & bit))
        return;
    c->buttons ^= bit;
    c->agent->ops->button(c->agent->backend, e->code, down);
}

static void on_wheel(struct client *c, const struct display_event *e)
{
    uint32_t button;
    unsigned n = wheel_add(&c->wheel, e->value, e->flags & INPUT_HORIZONTAL, &button);
    while (n--) {
        c->agent->ops->button(c->agent->backend, button, true);
        c->agent->ops->button(c->agent->backend, button, false);
    }
}

static void release_keys(struct client *c)
{
    for (uint32_t code = 0; code < KEYS_MAX; code++)
        if (c->keys[code / 8] & 1u << (code & 7))
            press(c, code, false);
    c->scancodes = (struct scancode_state){0};
}

static void on_event(struct client *c, const struct display_event *e)
{
    struct agent *a = c->agent;
    switch ((enum display_input_type)e->type) {
    case INPUT_KEY:
        on_key(c, e);
        break;
    case INPUT_UNICODE:
        if (e->flags & INPUT_DOWN)
            a->ops->unicode(a->backend, e->code);
        break;
    case INPUT_MOVE:
        move_to(c, e->x, e->y);
        break;
    case INPUT_BUTTON:
        on_button(c, e);
        break;
    case INPUT_WHEEL:
        on_wheel(c, e);
        break;
    case INPUT_LOCKS:
        release_keys(c);
        a->ops->set_locks(a->backend, (uint8_t)(e->code & 15));
        break;
    }
}

void input_handle(struct client *c, const struct display_input *in)
{
    for (uint32_t i = 0; i < in->nevents; i++)
        on_event(c, &in->events[i]);
    c->agent->ops->input_done(c->agent->backend);
    agent_note_input(c->agent);
}

void input_release_all(struct client *c)
{
    if (!c->agent->backend)
        return;
    release_keys(c);
    for (uint32_t button = 0; button < 16; button++)
        if (c->buttons & 1u << button)
            c->agent->ops->button(c->agent->backend, button, false);
    c->buttons = 0;
    c->agent->ops->input_done(c->agent->backend);
}
