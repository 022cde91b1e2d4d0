/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures in front of everything. Private to session/display/x11*.c. */
#ifndef ORIEL_SESSION_DISPLAY_X11_NOTICE_H
#define ORIEL_SESSION_DISPLAY_X11_NOTICE_H

#include "session/display/x11.h"

int x11_notice_show(struct backend *b, int fd, uint32_t width, uint32_t height, uint32_t stride, unsigned seconds);
void x11_notice_event(struct backend *b, const xcb_generic_event_t *e);
void x11_notice_destroy(struct backend *b);

#endif
