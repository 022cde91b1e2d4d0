/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Typing characters that may be on no key. Private to session/display/x11*.c.
 *
 * A character that the present keymap has is typed by that key (with Shift if need be). Another one is put on one of
 * eight spare keycodes in turn: programs learn of a changed keycode late, so no keycode is changed twice within RING *
 * PACE_US, and nothing is typed within PACE_US of a change. Keys that come meanwhile wait behind, so that the order
 * stays. */
#ifndef ORIEL_SESSION_DISPLAY_X11_UNICODE_H
#define ORIEL_SESSION_DISPLAY_X11_UNICODE_H

#include "session/display/x11.h"

struct x11_unicode;
struct x11_unicode *x11_unicode_create(struct backend *b);
/* Gives the spare keycodes back, too. NULL is fine. */
void x11_unicode_destroy(struct backend *b, struct x11_unicode *u);
void x11_unicode_char(struct backend *b, struct x11_unicode *u, uint32_t code_point);
void x11_unicode_key(struct backend *b, struct x11_unicode *u, uint8_t keycode, bool down);
/* The keymap is another one; `whole`: not just by a changed keycode of our own. */
void x11_unicode_keymap_changed(struct x11_unicode *u, bool whole);
/* Give the spare keycodes back. */
void x11_unicode_forget(struct backend *b, struct x11_unicode *u);

#endif
