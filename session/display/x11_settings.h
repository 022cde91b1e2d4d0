/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Telling programs the scale: the Xft.dpi resource and XSETTINGS. Private to session/display/x11*.c. */
#ifndef ORIEL_SESSION_DISPLAY_X11_SETTINGS_H
#define ORIEL_SESSION_DISPLAY_X11_SETTINGS_H

#include "session/display/x11.h"

int x11_settings_scale(struct backend *b, uint32_t percent);
/* Returns whether the event was its own. */
bool x11_settings_event(struct backend *b, const xcb_generic_event_t *e);
void x11_settings_destroy(struct backend *b);

#endif
