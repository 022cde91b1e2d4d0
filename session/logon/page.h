/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page of the logon screen: a flat background and one card with widgets below each other. The page knows geometry,
 * focus and drawing; what a button means is the screen's business (screen.h).
 *
 * Coordinates are desktop pixels. Thread: the loop's. */
#ifndef ORIEL_SESSION_LOGON_PAGE_H
#define ORIEL_SESSION_LOGON_PAGE_H

#include "session/logon/field.h"

#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdint.h>

/* CONV_MAX prompts of label and field, as many messages, heading, buttons, footer */
#define PAGE_WIDGETS_MAX 64

struct area {
    int x, y, w, h;
};
static inline bool area_has(struct area b, int x, int y)
{
    return x >= b.x && y >= b.y && x < b.x + b.w && y < b.y + b.h;
}

enum widget_kind {
    WIDGET_EMBLEM, /* the house's mark */
    WIDGET_TITLE,
    WIDGET_TEXT,    /* muted running text */
    WIDGET_LABEL,   /* names the field below it */
    WIDGET_MESSAGE, /* tinted strip */
    WIDGET_FIELD,
    WIDGET_BUTTON, /* neighbours share a row */
    WIDGET_LOG,    /* monospace, scrolls by itself, takes the height that is left */
    WIDGET_FOOTER, /* keyboard layout on the left, Caps Lock on the right */
    /* One line that can be pressed: what is chosen (an arrow shows that there is more), or one of a list */
    WIDGET_CHOICE
};
enum tone { TONE_INFO, TONE_ERROR, TONE_WARNING };

struct widget {
    enum widget_kind kind;
    int id; /* the screen's; 0 for texts */
    enum tone tone;
    bool primary; /* button: Enter anywhere means it; choice: the one in force */
    bool more;    /* choice: pressing it opens the list */
    bool disabled;
    char *text;          /* owned; valid UTF-8 */
    struct field *field; /* borrowed */
    struct area at;      /* after page_arrange */
    int scroll;          /* field: pixels to the left; log: pixels above */
    PangoLayout *layout; /* texts: made by page_arrange */
};

struct page {
    struct widget widgets[PAGE_WIDGETS_MAX];
    unsigned nwidgets;
    bool wide;                 /* notices */
    bool rendered;             /* the card is the whole picture (RENDER mode) */
    int focus, hover, pressed; /* widget index, -1 none */
    bool caret_on, caps;
    bool footer_acts; /* the layout can be switched */
    double scale;     /* what the client wished, 1.0 = 100 % */
    double fit;       /* what was possible, set by page_arrange */
    bool compact;
    struct area monitor, card;
    int scroll, content; /* of the card, pixels */
    PangoContext *pango; /* borrowed */
};

void page_init(struct page *p, PangoContext *pango);
/* Drop all widgets. */
void page_clear(struct page *p);
/* Append. `text` is copied, made valid UTF-8 and freed of control characters; NULL is "". Returns NULL when the page is
 * full. */
struct widget *page_add(struct page *p, enum widget_kind kind, int id, const char *text);
/* Change a text; arrange again afterwards if its height may differ. */
void page_set_text(struct widget *w, const char *text);
struct widget *page_find(struct page *p, int id);
/* Place everything on p->monitor at p->scale, shrinking as far as letters stay readable; scroll beyond that. */
void page_arrange(struct page *p);
/* Draw what meets the clip of `cr`. */
void page_paint(struct page *p, cairo_t *cr);
/* The widget that reacts at this place, -1 none. */
int page_at(const struct page *p, int x, int y);
/* Next (or previous) widget that takes the focus; wraps around. Returns whether it moved. */
bool page_step_focus(struct page *p, bool back);
/* Focus a widget by index and scroll the card so that it shows. True: the card scrolled, everything in it changed. */
bool page_focus(struct page *p, int index);
bool page_takes_focus(const struct page *p, unsigned index);
/* Scroll the log (or else the card) by so many pixels. True when something moved. */
bool page_scroll(struct page *p, int dy);
/* Where a widget shows now, with its focus ring. */
struct area page_area(const struct page *p, int index);
/* Text position in a field for a place on the desktop. */
size_t page_field_index(struct page *p, int index, int x);
/* Cursor position one step to the left or right on the screen, also in text that runs from right to left. */
size_t page_field_step(struct page *p, int index, bool right);
/* The end of the cluster after the cursor. */
size_t page_field_cluster(struct page *p, int index);
/* Keep the caret inside the visible part of a field. Call after each change. */
void page_field_follow(struct page *p, int index);

#endif
