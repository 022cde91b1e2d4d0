/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two pointer shapes of the logon screen, drawn rather than loaded. */
#ifndef ORIEL_SESSION_LOGON_POINTER_H
#define ORIEL_SESSION_LOGON_POINTER_H

#include "session/logon/screen.h"
#include "session/proto/display.h"

/* Fill `c`, serial included (one per shape and size). `scale` is clamped so that the shape fits DISPLAY_CURSOR_SIDE. */
void pointer_shape(enum screen_cursor shape, double scale, struct display_cursor *c);

#endif
