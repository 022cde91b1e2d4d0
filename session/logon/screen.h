/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The logon screen: which page shows, what keys and clicks mean, what goes to the monitor. No descriptors, no clock:
 * main.c joins it to the two links, tests to nothing.
 *
 *   WAITING → LOGIN ⇄ BUSY ⇄ CONVERSATION,  BUSY → LOGIN (refused) | FINAL | STARTING;  LOGIN ⇄ CHOOSING;  WAITING →
 * NOTICE
 *
 * Typed text lives in a vault (vault.h); passwords and answers are wiped when they have been handed over. Thread: the
 * loop's. */
#ifndef ORIEL_SESSION_LOGON_SCREEN_H
#define ORIEL_SESSION_LOGON_SCREEN_H

#include "session/logon/page.h"
#include "session/proto/display.h"
#include "session/proto/logon.h"

#include <cairo.h>
#include <stdbool.h>

struct screen;
enum screen_cursor { SCREEN_CURSOR_ARROW = 1, SCREEN_CURSOR_TEXT };

struct screen_ops { /* all mandatory; messages are borrowed for the call and wiped after it */
    void (*submit)(void *user, const struct logon_submit *m);
    void (*answers)(void *user, const struct logon_answers *m);
    void (*cancel)(void *user);
    void (*damage)(void *user, struct area b); /* paint this again, desktop pixels, not clamped */
    void (*cursor)(void *user, enum screen_cursor c, double scale);
    void (*leds)(void *user, uint8_t locks);
};

/* `pango` is borrowed. NULL: no memory. */
struct screen *screen_create(const struct screen_ops *ops, void *user, PangoContext *pango);
void screen_destroy(struct screen *s);

/* From the monitor. LOGON and NOTICE; RENDER is render.h's. */
void screen_start(struct screen *s, const struct logon_start *m);
void screen_conv(struct screen *s, const struct logon_conv *m);
void screen_refused(struct screen *s, const struct logon_refused *m);
void screen_done(struct screen *s);

/* From the front end. `monitors` is normalised, n ≥ 1, and comes before anything else. */
void screen_layout(struct screen *s, const struct display_monitor *monitors, uint32_t n);
void screen_keyboard(struct screen *s, uint32_t klid, uint32_t type, uint32_t subtype);
void screen_event(struct screen *s, const struct display_event *ev);

/* Paint what meets the clip. */
void screen_paint(struct screen *s, cairo_t *cr);
/* The caret's half period is over. False: it rests (nothing was typed for a while) and needs no timer until the next
 * event. */
bool screen_blink(struct screen *s);
/* For tests and tools. */
struct page *screen_page(struct screen *s);

enum screen_id {
    ID_USER = 1,
    ID_PASSWORD,
    ID_OK,
    ID_CANCEL,
    ID_KEYBOARD,
    ID_LOG,
    ID_MESSAGE,
    ID_DESKTOP,
    ID_ANSWER,
    ID_CHOICE = 100
};

#endif
