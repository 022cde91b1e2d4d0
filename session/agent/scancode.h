/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Set-1 scancodes, as RDP carries them, to evdev key codes. */
#ifndef ORIEL_SESSION_AGENT_SCANCODE_H
#define ORIEL_SESSION_AGENT_SCANCODE_H

#include <stdbool.h>
#include <stdint.h>

/* The Pause key comes as E1 1D, then a plain 45 that means nothing: one of these per client remembers that. Zero it
 * first. */
struct scancode_state {
    bool swallow_down, swallow_up;
};

/* The evdev code (linux/input-event-codes.h) of one key event, or 0: no such key, or part of a longer sequence. */
uint32_t scancode_to_evdev(struct scancode_state *s, uint32_t code, bool extended, bool extended1, bool down);

#endif
