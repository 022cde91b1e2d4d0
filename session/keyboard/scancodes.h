/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RDP scancodes (PC/AT set 1, as TS_KEYBOARD_EVENT carries them: MS-RDPBCGR 2.2.8.1.1.3.1.1.1) to evdev key codes. */
#ifndef ORIEL_SESSION_KEYBOARD_SCANCODES_H
#define ORIEL_SESSION_KEYBOARD_SCANCODES_H

#include <stdint.h>

#define KEYCODE_XKB_OFFSET 8 /* an X or XKB keycode is the evdev code plus eight */

/* `code`: 0 … 0x7f; `flags`: INPUT_EXTENDED, INPUT_EXTENDED1 of session/proto/display.h.
 * Returns a code of linux/input-event-codes.h, 0 for a key that does not exist. */
uint16_t keyboard_evdev(uint32_t code, uint8_t flags);

#endif
