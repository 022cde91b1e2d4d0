/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A back end without a display server: surfaces are made, moved and drawn by the test. Never installed. One at a time;
 * thread: the loop's. Events come from the loop, as those of a display server do. */
#ifndef ORIEL_TESTS_TOOLS_BACKEND_DRAWN_H
#define ORIEL_TESTS_TOOLS_BACKEND_DRAWN_H

#include "session/display/backend.h"

extern const struct backend_ops backend_drawn;

/* Whether set_layout makes a desktop's surface of the layout's size, filled with grey. To be said before `open`. */
void drawn_desktop(bool wanted);
/* A surface of this id appears, black, or the one that there is becomes that: moved, hidden, resized (keeping what fits
 * of its picture). */
void drawn_surface(const struct display_surface *s);
void drawn_gone(uint32_t surface);
/* The picture, BGRX, rows of width * 4 bytes. NULL: no such surface. Whoever changes it tells with drawn_damage. */
uint32_t *drawn_pixels(uint32_t surface, uint32_t *width, uint32_t *height);
void drawn_damage(uint32_t surface, int x, int y, unsigned width, unsigned height);
void drawn_fill(uint32_t surface, int x, int y, unsigned width, unsigned height, uint32_t colour);
/* Have a session do to the layout what a user of RandR does. */
void drawn_layout(const struct display_layout *l);
/* The display ends: `died` is raised. */
void drawn_die(void);
/* Copies asked for so far. */
unsigned drawn_copies(void);

#endif
