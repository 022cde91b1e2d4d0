/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours and measures of the logon screen, at 100 %. */
#ifndef ORIEL_SESSION_LOGON_LOOK_H
#define ORIEL_SESSION_LOGON_LOOK_H

#include <pango/pangocairo.h>

struct colour {
    double r, g, b;
};
#define RGB(hex) ((struct colour){((hex) >> 16 & 255) / 255.0, ((hex) >> 8 & 255) / 255.0, ((hex) % 256) / 255.0})

#define LOOK_BACKGROUND RGB(0x22384d)
#define LOOK_CARD RGB(0xffffff)
#define LOOK_CARD_EDGE RGB(0x1a2c3d)
#define LOOK_INK RGB(0x18222d)
#define LOOK_MUTED RGB(0x5a6877)
#define LOOK_LINE RGB(0xb4bfca)
#define LOOK_ACCENT RGB(0x1f63c1)
#define LOOK_ACCENT_HOVER RGB(0x1a55a6)
#define LOOK_ACCENT_DOWN RGB(0x154689)
#define LOOK_ACCENT_INK RGB(0xffffff)
#define LOOK_PLAIN RGB(0xeef2f6)
#define LOOK_PLAIN_HOVER RGB(0xe2e8ee)
#define LOOK_PLAIN_DOWN RGB(0xd3dbe3)
#define LOOK_DISABLED RGB(0xf3f5f7)
#define LOOK_CHOSEN RGB(0xe9f1fb)
#define LOOK_SELECTION RGB(0xbcd6f7)

enum {
    LOOK_CARD_WIDTH = 400,
    LOOK_CARD_WIDE = 780,
    LOOK_MARGIN = 16,
    LOOK_PAD = 32,
    LOOK_PAD_COMPACT = 12,
    LOOK_RADIUS = 12,
    LOOK_FIELD = 40,
    LOOK_FIELD_PAD = 12,
    LOOK_BUTTON = 42,
    LOOK_BUTTON_GAP = 12,
    LOOK_CORNER = 6,
    LOOK_STRIP_PAD = 11,
    LOOK_EMBLEM = 40,
    LOOK_FOOTER = 22,
    LOOK_CHOICE = 36,
    LOOK_CHOICE_MARK = 18,
    LOOK_LOG_MIN = 90,
    LOOK_LOG_PAD = 10,
};
#define LOOK_TEXT_PX 14.0
#define LOOK_TITLE_PX 22.0
#define LOOK_SMALL_PX 12.5
#define LOOK_LOG_PX 12.5
#define LOOK_READABLE_PX 9.5 /* running text is never drawn smaller */

enum font { FONT_TEXT, FONT_TITLE, FONT_SMALL, FONT_STRONG, FONT_LOG };

/* A layout of `text` in one of the page's fonts, wrapped at `width` pixels (-1: one line). Owned by the caller. */
PangoLayout *look_text(PangoContext *pc, enum font font, double scale, int width, const char *text);
/* A Pango context of the default font map with the drawing options set; every face of the page's fonts has been opened.
 */
PangoContext *look_context(void);
void look_rounded(cairo_t *cr, double x, double y, double w, double h, double r);
void look_source(cairo_t *cr, struct colour c);
/* The house's mark, `side` pixels square. */
void look_emblem(cairo_t *cr, double x, double y, double side);

#endif
