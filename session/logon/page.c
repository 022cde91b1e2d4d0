/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/page.h"

#include "session/logon/look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void page_init(struct page *p, PangoContext *pango)
{
    *p = (struct page){.focus = -1, .hover = -1, .pressed = -1, .scale = 1, .fit = 1, .pango = pango, .caret_on = true};
}

static void drop_layout(struct widget *w)
{
    if (w->layout)
        g_object_unref(w->layout);
    w->layout = NULL;
}

void page_clear(struct page *p)
{
    for (unsigned i = 0; i < p->nwidgets; i++) {
        drop_layout(&p->widgets[i]);
        g_free(p->widgets[i].text);
    }
    memset(p->widgets, 0, sizeof p->widgets);
    p->nwidgets = 0;
    p->focus = p->hover = p->pressed = -1;
    p->scroll = 0;
    p->wide = false;
}

/* Others wrote it: PAM modules, logs. Line breaks and tabs stay, other controls become blanks. */
static char *printable(const char *text)
{
    char *s = g_utf8_make_valid(text ? text : "", -1);
    size_t n = 0;
    for (char *c = s; *c; c++) {
        bool keep = *c == '\n' || *c == '\t' || (unsigned char)*c >= 0x20;
        if (*c != '\r')
            s[n++] = keep && *c != 0x7f ? *c : ' ';
    }
    s[n] = '\0';
    return g_strchomp(s);
}

void page_set_text(struct widget *w, const char *text)
{
    g_free(w->text);
    w->text = printable(text);
}

struct widget *page_add(struct page *p, enum widget_kind kind, int id, const char *text)
{
    if (p->nwidgets == PAGE_WIDGETS_MAX)
        return NULL;
    struct widget *w = &p->widgets[p->nwidgets++];
    *w = (struct widget){.kind = kind, .id = id};
    page_set_text(w, text);
    return w;
}

struct widget *page_find(struct page *p, int id)
{
    for (unsigned i = 0; i < p->nwidgets; i++)
        if (p->widgets[i].id == id)
            return &p->widgets[i];
    return NULL;
}

/* ---- arranging ---- */

static int px(const struct page *p, double units)
{
    return (int)lround(units * p->fit);
}

static enum font font_of(enum widget_kind kind)
{
    switch (kind) {
    case WIDGET_TITLE:
        return FONT_TITLE;
    case WIDGET_LABEL:
        return FONT_SMALL;
    case WIDGET_FOOTER:
        return FONT_SMALL;
    case WIDGET_BUTTON:
        return FONT_STRONG;
    case WIDGET_LOG:
        return FONT_LOG;
    default:
        return FONT_TEXT;
    }
}

/* Space above a widget, in units. */
static double gap_before(const struct page *p, const struct widget *w, const struct widget *prev)
{
    static const double roomy[] = {
        [WIDGET_EMBLEM] = 0,
        [WIDGET_TITLE] = 10,
        [WIDGET_TEXT] = 4,
        [WIDGET_LABEL] = 16,
        [WIDGET_MESSAGE] = 16,
        [WIDGET_FIELD] = 6,
        [WIDGET_BUTTON] = 22,
        [WIDGET_LOG] = 14,
        [WIDGET_FOOTER] = 20,
        [WIDGET_CHOICE] = 6,
    };
    if (!prev)
        return 0;
    double g = roomy[w->kind];
    if (w->kind == WIDGET_TEXT && prev->kind != WIDGET_TITLE)
        g = 14;
    if (w->kind == WIDGET_FIELD && prev->kind != WIDGET_LABEL)
        g = 16;
    if (w->kind == WIDGET_CHOICE && prev->kind != WIDGET_LABEL && prev->kind != WIDGET_CHOICE)
        g = 14;
    return p->compact ? g * 0.45 : g;
}

static int text_height(struct page *p, struct widget *w, int width)
{
    int h;
    drop_layout(w);
    w->layout = look_text(p->pango, font_of(w->kind), p->fit, width, w->text);
    pango_layout_get_pixel_size(w->layout, NULL, &h);
    return h;
}

/* One line: a long name ends in dots. */
static int choice_height(struct page *p, struct widget *w, int width)
{
    int room = width - px(p, 2 * LOOK_FIELD_PAD + LOOK_CHOICE_MARK);
    (void)text_height(p, w, room > 1 ? room : 1);
    pango_layout_set_ellipsize(w->layout, PANGO_ELLIPSIZE_END);
    return px(p, w->more ? LOOK_FIELD : LOOK_CHOICE);
}

static int widget_height(struct page *p, struct widget *w, int width)
{
    switch (w->kind) {
    case WIDGET_CHOICE:
        return choice_height(p, w, width);
    case WIDGET_EMBLEM:
        return p->compact ? 0 : px(p, LOOK_EMBLEM);
    case WIDGET_FIELD:
        return px(p, LOOK_FIELD);
    case WIDGET_BUTTON:
        return px(p, LOOK_BUTTON);
    case WIDGET_FOOTER:
        return px(p, LOOK_FOOTER);
    case WIDGET_MESSAGE:
        return text_height(p, w, width - 2 * px(p, LOOK_STRIP_PAD)) + 2 * px(p, LOOK_STRIP_PAD) * 3 / 4;
    case WIDGET_LOG:
        return text_height(p, w, width - 2 * px(p, LOOK_LOG_PAD)) + 2 * px(p, LOOK_LOG_PAD);
    default:
        break;
    }
    if (w->text[0])
        return text_height(p, w, width);
    drop_layout(w);
    return 0;
}

/* A run of buttons from `first` shares one row. Returns the index after it. */
static unsigned place_buttons(struct page *p, unsigned first, int x, int y, int width)
{
    unsigned end = first;
    while (end < p->nwidgets && p->widgets[end].kind == WIDGET_BUTTON)
        end++;
    int n = (int)(end - first), gap = px(p, LOOK_BUTTON_GAP);
    int w = (width - gap * (n - 1)) / n, h = px(p, LOOK_BUTTON);
    int most = px(p, 220), from = x;
    if (p->wide && w > most) {
        w = most;
        from = x + width - n * w - (n - 1) * gap;
    }
    for (int i = 0; i < n; i++) {
        p->widgets[first + i].at = (struct area){from + i * (w + gap), y, w, h};
        text_height(p, &p->widgets[first + i], -1);
    }
    return end;
}

/* One pass at p->fit and p->compact; positions are relative to the card. Returns the height. */
static int stack(struct page *p, int width, int log_cut)
{
    int pad = px(p, p->compact ? LOOK_PAD_COMPACT : LOOK_PAD), y = pad, inner = width - 2 * pad;
    const struct widget *prev = NULL;
    for (unsigned i = 0; i < p->nwidgets;) {
        struct widget *w = &p->widgets[i];
        int h = widget_height(p, w, inner);
        if (w->kind == WIDGET_LOG) {
            h -= log_cut;
            if (h < px(p, LOOK_LOG_MIN))
                h = px(p, LOOK_LOG_MIN);
        }
        if (h > 0)
            y += px(p, gap_before(p, w, prev));
        w->at = (struct area){pad, y, inner, h};
        i = w->kind == WIDGET_BUTTON ? place_buttons(p, i, pad, y, inner) : i + 1;
        y += h;
        if (h > 0)
            prev = w;
    }
    return y + pad;
}

static int card_width(const struct page *p)
{
    int w = px(p, p->wide ? LOOK_CARD_WIDE : LOOK_CARD_WIDTH), most = p->monitor.w;
    if (!p->compact)
        most -= 2 * px(p, LOOK_MARGIN);
    return w < most ? w : most;
}

static const struct widget *log_of(const struct page *p)
{
    for (unsigned i = 0; i < p->nwidgets; i++)
        if (p->widgets[i].kind == WIDGET_LOG)
            return &p->widgets[i];
    return NULL;
}

/* Returns whether all fits on the monitor. */
static bool try_fit(struct page *p, double fit, bool compact)
{
    p->fit = fit;
    p->compact = compact;
    int width = card_width(p), room = p->monitor.h - (compact ? 0 : 2 * px(p, LOOK_MARGIN));
    int h = stack(p, width, 0);
    if (h > room && log_of(p))
        h = stack(p, width, h - room);
    p->content = h;
    p->card = (struct area){0, 0, width, h < room ? h : room};
    return h <= room && (width >= px(p, LOOK_CARD_WIDTH * 0.7) || fit * LOOK_TEXT_PX <= LOOK_READABLE_PX);
}

void page_arrange(struct page *p)
{
    static const double steps[] = {1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2};
    double least = LOOK_READABLE_PX / LOOK_TEXT_PX;
    bool fits = try_fit(p, p->scale, false) || try_fit(p, p->scale, true);
    for (unsigned i = 1; i < sizeof steps / sizeof steps[0] && !fits; i++) {
        double f = p->scale * steps[i];
        fits = try_fit(p, f > least ? f : least, true);
        if (f <= least)
            break;
    }
    p->card.x = p->monitor.x + (p->monitor.w - p->card.w) / 2;
    p->card.y = p->monitor.y + (p->monitor.h - p->card.h) * 9 / 20;
    p->scroll = 0;
    if (p->focus >= 0)
        (void)page_focus(p, p->focus);
    for (unsigned i = 0; i < p->nwidgets; i++) {
        if (p->widgets[i].kind == WIDGET_FIELD)
            page_field_follow(p, (int)i);
        else if (p->widgets[i].kind == WIDGET_LOG)
            (void)page_scroll(p, 0);
    }
}

/* ---- focus, hits, scrolling ---- */

bool page_takes_focus(const struct page *p, unsigned index)
{
    const struct widget *w = &p->widgets[index];
    if (w->disabled)
        return false;
    return w->kind == WIDGET_FIELD || w->kind == WIDGET_BUTTON || w->kind == WIDGET_CHOICE ||
        (w->kind == WIDGET_FOOTER && p->footer_acts);
}

struct area page_area(const struct page *p, int index)
{
    if (index < 0)
        return (struct area){0, 0, 0, 0};
    struct area b = p->widgets[index].at;
    int ring = px(p, 3) + 1;
    return (struct area){b.x + p->card.x - ring, b.y + p->card.y - p->scroll - ring, b.w + 2 * ring, b.h + 2 * ring};
}

int page_at(const struct page *p, int x, int y)
{
    if (!area_has(p->card, x, y))
        return -1;
    for (unsigned i = 0; i < p->nwidgets; i++)
        if (page_takes_focus(p, i) && area_has(p->widgets[i].at, x - p->card.x, y - p->card.y + p->scroll))
            return (int)i;
    return -1;
}

static bool set_scroll(struct page *p, int to)
{
    int most = p->content - p->card.h;
    to = to > most ? most : to;
    to = to < 0 ? 0 : to;
    bool moved = to != p->scroll;
    p->scroll = to;
    return moved;
}

bool page_focus(struct page *p, int index)
{
    p->focus = index;
    if (index < 0)
        return false;
    struct area b = p->widgets[index].at;
    int room = px(p, 8), label = px(p, LOOK_SMALL_PX * 2);
    if (b.y - label < p->scroll)
        return set_scroll(p, b.y - label);
    if (b.y + b.h + room > p->scroll + p->card.h)
        return set_scroll(p, b.y + b.h + room - p->card.h);
    return false;
}

bool page_step_focus(struct page *p, bool back)
{
    int n = (int)p->nwidgets;
    for (int i = 1; i <= n; i++) {
        int at = ((p->focus < 0 && back ? 0 : p->focus) + (back ? -i : i) + 2 * n) % n;
        if (page_takes_focus(p, (unsigned)at)) {
            bool moved = at != p->focus;
            (void)page_focus(p, at);
            return moved;
        }
    }
    return false;
}

bool page_scroll(struct page *p, int dy)
{
    for (unsigned i = 0; i < p->nwidgets; i++) {
        struct widget *w = &p->widgets[i];
        int h, before = w->scroll;
        if (w->kind != WIDGET_LOG || !w->layout)
            continue;
        pango_layout_get_pixel_size(w->layout, NULL, &h);
        int most = h + 2 * px(p, LOOK_LOG_PAD) - w->at.h;
        w->scroll += dy;
        w->scroll = w->scroll > most ? most : w->scroll;
        w->scroll = w->scroll < 0 ? 0 : w->scroll;
        return w->scroll != before;
    }
    return dy != 0 && set_scroll(p, p->scroll + dy);
}
