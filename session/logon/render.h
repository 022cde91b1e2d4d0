/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A notice as a picture, for showing inside a session (leader_notice). */
#ifndef ORIEL_SESSION_LOGON_RENDER_H
#define ORIEL_SESSION_LOGON_RENDER_H

#include "session/logon/canvas.h"
#include "session/proto/logon.h"

#include <pango/pangocairo.h>

#define RENDER_WIDTH LOGON_NOTICE_WIDTH
#define RENDER_HEIGHT_MAX 600 /* longer texts are cut */

/* Draw title and text. 0, or negative errno; the canvas is the caller's. `scale` 1.0 … 5.0. */
int render_notice(PangoContext *pango, const char *title, const char *text, double scale, struct canvas *out);

#endif
