/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/entry.h"
#include "session/logon/look.h"
#include "session/logon/page.h"

#include <math.h>

static double un(const struct page *p, double units)
{
    return units * p->fit;
}

static void fill_rounded(cairo_t *cr, struct area b, double r, struct colour c)
{
    look_rounded(cr, b.x, b.y, b.w, b.h, r);
    look_source(cr, c);
    cairo_fill(cr);
}

static void stroke_rounded(cairo_t *cr, struct area b, double r, double line, struct colour c)
{
    look_rounded(cr, b.x + line / 2, b.y + line / 2, b.w - line, b.h - line, r);
    look_source(cr, c);
    cairo_set_line_width(cr, line);
    cairo_stroke(cr);
}

static void show(cairo_t *cr, PangoLayout *l, double x, double y, struct colour c)
{
    look_source(cr, c);
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, l);
    cairo_new_path(cr);
}

static void focus_ring(const struct page *p, cairo_t *cr, struct area b)
{
    double line = fmax(1, round(un(p, 2)));
    struct area ring = {b.x - (int)line, b.y - (int)line, b.w + 2 * (int)line, b.h + 2 * (int)line};
    stroke_rounded(cr, ring, un(p, LOOK_CORNER) + line, line, LOOK_ACCENT);
}

static void paint_message(const struct page *p, cairo_t *cr, const struct widget *w)
{
    static const struct {
        unsigned fill, bar, ink;
    } tones[] = {
        [TONE_INFO] = {0xe9f1fb, 0x1f63c1, 0x17457f},
        [TONE_ERROR] = {0xfdeceb, 0xc62f2b, 0x8c1d1a},
        [TONE_WARNING] = {0xfff4da, 0xd48b06, 0x6e4a04},
    };
    int strip = (int)lround(un(p, LOOK_STRIP_PAD)), bar = (int)fmax(2, lround(un(p, 4)));
    fill_rounded(cr, w->at, un(p, 4), RGB(tones[w->tone].fill));
    look_source(cr, RGB(tones[w->tone].bar));
    cairo_rectangle(cr, w->at.x, w->at.y, bar, w->at.h);
    cairo_fill(cr);
    show(cr, w->layout, w->at.x + strip + bar / 2, w->at.y + strip * 3 / 4, RGB(tones[w->tone].ink));
}

/* Paint the highlighted byte range of a shaped line: several boxes where directions mix. */
static void paint_selection(cairo_t *cr, const struct page *p, const struct field *f, PangoLayout *l, int x,
    struct area in)
{
    size_t from = f->cursor < f->anchor ? f->cursor : f->anchor, to = f->cursor < f->anchor ? f->anchor : f->cursor;
    int inset = (int)lround(un(p, 7));
    if (from == to)
        return;
    look_source(cr, LOOK_SELECTION);
    if (!l) {
        int step = entry_dot_step(p);
        cairo_rectangle(cr, x + (int)field_chars(f, from) * step, in.y + inset,
            (int)(field_chars(f, to) - field_chars(f, from)) * step, in.h - 2 * inset);
    } else {
        int *ranges, n;
        PangoLayoutLine *line = pango_layout_get_line_readonly(l, 0);
        pango_layout_line_get_x_ranges(line, (int)from, (int)to, &ranges, &n);
        for (int i = 0; i < n; i++)
            cairo_rectangle(cr, x + PANGO_PIXELS(ranges[2 * i]), in.y + inset,
                PANGO_PIXELS(ranges[2 * i + 1] - ranges[2 * i]), in.h - 2 * inset);
        g_free(ranges);
    }
    cairo_fill(cr);
}

static void paint_dots(cairo_t *cr, const struct page *p, const struct field *f, int x, struct area in)
{
    int n = (int)field_chars(f, f->len), step = entry_dot_step(p);
    look_source(cr, LOOK_INK);
    for (int i = 0; i < n; i++) {
        cairo_arc(cr, x + i * step + step / 2.0, in.y + in.h / 2.0, un(p, 3.6), 0, 2 * M_PI);
        cairo_fill(cr);
    }
}

static void paint_caps_mark(cairo_t *cr, const struct page *p, const struct widget *w)
{
    double x = w->at.x + w->at.w - un(p, 22), y = w->at.y + w->at.h / 2.0, u = p->fit;
    look_source(cr, RGB(0xb06f00));
    cairo_move_to(cr, x, y - 7 * u);
    cairo_line_to(cr, x + 7 * u, y);
    cairo_line_to(cr, x + 3 * u, y);
    cairo_line_to(cr, x + 3 * u, y + 4 * u);
    cairo_line_to(cr, x - 3 * u, y + 4 * u);
    cairo_line_to(cr, x - 3 * u, y);
    cairo_line_to(cr, x - 7 * u, y);
    cairo_close_path(cr);
    cairo_rectangle(cr, x - 3 * u, y + 5.5 * u, 6 * u, 2 * u);
    cairo_fill(cr);
}

static void paint_field(const struct page *p, cairo_t *cr, const struct widget *w, bool focused)
{
    const struct field *f = w->field;
    struct area in = entry_inner(p, w);
    PangoLayout *l = f->secret ? NULL : entry_layout(p, f);
    int h = 0, x = in.x - w->scroll;
    fill_rounded(cr, w->at, un(p, LOOK_CORNER), w->disabled ? LOOK_DISABLED : LOOK_CARD);
    stroke_rounded(cr, w->at, un(p, LOOK_CORNER), fmax(1, round(un(p, focused ? 2 : 1))),
        focused ? LOOK_ACCENT : LOOK_LINE);
    cairo_save(cr);
    cairo_rectangle(cr, in.x - un(p, 2), in.y, in.w + un(p, 4), in.h);
    cairo_clip(cr);
    if (focused)
        paint_selection(cr, p, f, l, x, in);
    if (l) {
        pango_layout_get_pixel_size(l, NULL, &h);
        show(cr, l, x, in.y + (in.h - h) / 2.0, w->disabled ? LOOK_MUTED : LOOK_INK);
        g_object_unref(l);
    } else {
        paint_dots(cr, p, f, x, in);
    }
    if (focused && p->caret_on) {
        int inset = (int)lround(un(p, 9));
        look_source(cr, LOOK_INK);
        cairo_rectangle(cr, x + entry_caret_x(p, f), in.y + inset, fmax(1, round(un(p, 1.4))), in.h - 2 * inset);
        cairo_fill(cr);
    }
    cairo_restore(cr);
    if (p->caps && f->secret)
        paint_caps_mark(cr, p, w);
}

static void paint_button(const struct page *p, cairo_t *cr, const struct widget *w, int index)
{
    bool down = p->pressed == index && p->hover == index, over = p->hover == index;
    struct colour c = w->primary ? (down          ? LOOK_ACCENT_DOWN
                                           : over ? LOOK_ACCENT_HOVER
                                                  : LOOK_ACCENT)
                                 : (down          ? LOOK_PLAIN_DOWN
                                           : over ? LOOK_PLAIN_HOVER
                                                  : LOOK_PLAIN);
    struct colour ink = w->primary ? LOOK_ACCENT_INK : LOOK_INK;
    if (w->disabled) {
        c = LOOK_PLAIN;
        ink = LOOK_MUTED;
    }
    int tw, th;
    fill_rounded(cr, w->at, un(p, LOOK_CORNER), c);
    if (p->focus == index) {
        struct area in = {w->at.x, w->at.y, w->at.w, w->at.h};
        focus_ring(p, cr, in);
    }
    cairo_save(cr);
    cairo_rectangle(cr, w->at.x, w->at.y, w->at.w, w->at.h);
    cairo_clip(cr);
    pango_layout_get_pixel_size(w->layout, &tw, &th);
    show(cr, w->layout, w->at.x + (w->at.w - tw) / 2, w->at.y + (w->at.h - th) / 2, ink);
    cairo_restore(cr);
}

/* The mark at the right: an arrow down where there is more, a tick at the one in force. */
static void paint_choice_mark(const struct page *p, cairo_t *cr, const struct widget *w)
{
    double x = w->at.x + w->at.w - un(p, LOOK_FIELD_PAD + 10), y = w->at.y + w->at.h / 2.0, u = p->fit;
    if (w->more) {
        cairo_move_to(cr, x, y - 2.5 * u);
        cairo_line_to(cr, x + 5 * u, y + 2.5 * u);
        cairo_line_to(cr, x + 10 * u, y - 2.5 * u);
    } else {
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, x + 3.5 * u, y + 3.5 * u);
        cairo_line_to(cr, x + 10 * u, y - 4.5 * u);
    }
    cairo_set_line_width(cr, fmax(1, un(p, 1.8)));
    cairo_stroke(cr);
}

static void paint_choice(const struct page *p, cairo_t *cr, const struct widget *w, int index)
{
    bool focused = p->focus == index, over = p->hover == index && !w->disabled, down = over && p->pressed == index;
    struct colour fill = w->disabled ? LOOK_DISABLED
        : down                       ? LOOK_PLAIN_HOVER
        : over                       ? LOOK_PLAIN
        : w->primary                 ? LOOK_CHOSEN
                                     : LOOK_CARD;
    struct colour ink = w->disabled ? LOOK_MUTED : LOOK_INK;
    int h;
    fill_rounded(cr, w->at, un(p, LOOK_CORNER), fill);
    if (w->more || focused)
        stroke_rounded(cr, w->at, un(p, LOOK_CORNER), fmax(1, round(un(p, focused ? 2 : 1))),
            focused ? LOOK_ACCENT : LOOK_LINE);
    pango_layout_get_pixel_size(w->layout, NULL, &h);
    show(cr, w->layout, w->at.x + un(p, LOOK_FIELD_PAD), w->at.y + (w->at.h - h) / 2.0, ink);
    look_source(cr, w->disabled ? LOOK_LINE : w->more ? LOOK_MUTED : LOOK_ACCENT);
    if (w->more || w->primary)
        paint_choice_mark(p, cr, w);
}

static void paint_scrollbar(const struct page *p, cairo_t *cr, struct area track, int content, int scroll)
{
    if (content <= track.h || track.h <= 0)
        return;
    double h = fmax(un(p, 16), (double)track.h * track.h / content);
    double y = track.y + (track.h - h) * scroll / (content - track.h);
    look_rounded(cr, track.x, y, track.w, h, track.w / 2.0);
    look_source(cr, LOOK_LINE);
    cairo_fill(cr);
}

static void paint_log(const struct page *p, cairo_t *cr, const struct widget *w)
{
    int pad = (int)lround(un(p, LOOK_LOG_PAD)), h, bar = (int)fmax(3, lround(un(p, 5)));
    fill_rounded(cr, w->at, un(p, LOOK_CORNER), RGB(0xf4f6f8));
    stroke_rounded(cr, w->at, un(p, LOOK_CORNER), 1, RGB(0xd9e0e7));
    cairo_save(cr);
    cairo_rectangle(cr, w->at.x + 1, w->at.y + 1, w->at.w - 2, w->at.h - 2);
    cairo_clip(cr);
    show(cr, w->layout, w->at.x + pad, w->at.y + pad - w->scroll, LOOK_INK);
    cairo_restore(cr);
    pango_layout_get_pixel_size(w->layout, NULL, &h);
    struct area track = {w->at.x + w->at.w - bar - 3, w->at.y + 3, bar, w->at.h - 6};
    paint_scrollbar(p, cr, track, h + 2 * pad - 6, w->scroll);
}

static void paint_footer(const struct page *p, cairo_t *cr, const struct widget *w, int index)
{
    struct area b = w->at;
    PangoLayout *name = look_text(p->pango, FONT_SMALL, p->fit, -1, w->text);
    int tw, th;
    pango_layout_get_pixel_size(name, &tw, &th);
    double y = b.y + (b.h - th) / 2.0, kw = un(p, 18), kh = un(p, 11), ky = b.y + (b.h - kh) / 2;
    struct colour c = p->footer_acts && (p->hover == index || p->focus == index) ? LOOK_ACCENT : LOOK_MUTED;
    look_rounded(cr, b.x + 0.5, ky + 0.5, kw, kh, un(p, 2));
    look_source(cr, c);
    cairo_set_line_width(cr, fmax(1, un(p, 1.2)));
    cairo_stroke(cr);
    for (int i = 0; i < 4; i++)
        cairo_rectangle(cr, b.x + un(p, 2.6 + 3.8 * i), ky + un(p, 2.6), un(p, 2), un(p, 2));
    cairo_rectangle(cr, b.x + un(p, 5), ky + un(p, 7), un(p, 8.5), un(p, 1.8));
    cairo_fill(cr);
    show(cr, name, b.x + un(p, 26), y, c);
    g_object_unref(name);
    if (!p->caps)
        return;
    PangoLayout *caps = look_text(p->pango, FONT_SMALL, p->fit, -1, "Caps Lock is on");
    pango_layout_get_pixel_size(caps, &tw, &th);
    show(cr, caps, b.x + b.w - tw, y, RGB(0x8a5600));
    g_object_unref(caps);
}

static void paint_widget(struct page *p, cairo_t *cr, int i)
{
    struct widget *w = &p->widgets[i];
    switch (w->kind) {
    case WIDGET_EMBLEM:
        if (w->at.h > 0)
            look_emblem(cr, w->at.x, w->at.y, w->at.h);
        break;
    case WIDGET_MESSAGE:
        paint_message(p, cr, w);
        break;
    case WIDGET_FIELD:
        paint_field(p, cr, w, p->focus == i);
        break;
    case WIDGET_BUTTON:
        paint_button(p, cr, w, i);
        break;
    case WIDGET_CHOICE:
        paint_choice(p, cr, w, i);
        break;
    case WIDGET_LOG:
        paint_log(p, cr, w);
        break;
    case WIDGET_FOOTER:
        paint_footer(p, cr, w, i);
        break;
    case WIDGET_TITLE:
        if (w->layout)
            show(cr, w->layout, w->at.x, w->at.y, LOOK_INK);
        break;
    case WIDGET_LABEL:
        if (w->layout)
            show(cr, w->layout, w->at.x, w->at.y, LOOK_INK);
        break;
    case WIDGET_TEXT:
        if (w->layout)
            show(cr, w->layout, w->at.x, w->at.y, LOOK_MUTED);
        break;
    }
}

static bool touches(cairo_t *cr, const struct page *p, int i)
{
    double x1, y1, x2, y2;
    struct area b = p->widgets[i].at;
    double ring = un(p, 4) + 1;
    cairo_clip_extents(cr, &x1, &y1, &x2, &y2);
    return b.x - ring < x2 && b.x + b.w + ring > x1 && b.y - ring < y2 && b.y + b.h + ring > y1;
}

void page_paint(struct page *p, cairo_t *cr)
{
    double r = p->compact || p->rendered ? 0 : un(p, LOOK_RADIUS);
    look_source(cr, LOOK_BACKGROUND);
    cairo_paint(cr);
    if (p->nwidgets == 0)
        return;
    fill_rounded(cr, p->card, r, LOOK_CARD);
    cairo_save(cr);
    cairo_rectangle(cr, p->card.x, p->card.y, p->card.w, p->card.h);
    cairo_clip(cr);
    cairo_translate(cr, p->card.x, p->card.y - p->scroll);
    for (unsigned i = 0; i < p->nwidgets; i++)
        if (touches(cr, p, (int)i))
            paint_widget(p, cr, (int)i);
    cairo_restore(cr);
    int bar = (int)fmax(3, lround(un(p, 4)));
    struct area track = {p->card.x + p->card.w - bar - 2, p->card.y + 2, bar, p->card.h - 4};
    paint_scrollbar(p, cr, track, p->content - 4, p->scroll);
}
