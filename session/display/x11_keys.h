/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keymap, lock keys, key repeat and characters of the X11 back end. Private to session/display/x11*.c. */
#ifndef ORIEL_SESSION_DISPLAY_X11_KEYS_H
#define ORIEL_SESSION_DISPLAY_X11_KEYS_H

#include "session/display/x11.h"

int x11_keys_create(struct backend *b, char *why, size_t why_cap);
void x11_keys_destroy(struct backend *b);
/* An XKB event or a MappingNotify. */
void x11_keys_event(struct backend *b, const xcb_generic_event_t *e);
/* Raise `leds` if the locks are others than last said. */
void x11_keys_report(struct backend *b);
/* A key: at once, or behind characters that are still being typed. */
void x11_keys_input(struct backend *b, uint8_t keycode, bool down);
void x11_unicode(struct backend *b, uint32_t code_point);
void x11_set_locks(struct backend *b, uint8_t locks);
int x11_set_keymap(struct backend *b, const struct backend_keymap *k);

#endif
