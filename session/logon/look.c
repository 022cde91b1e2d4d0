/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/look.h"

#include <math.h>

struct face {
    const char *family;
    double px;
    PangoWeight weight;
};
static const struct face faces[] = {
    [FONT_TEXT] = {"sans-serif", LOOK_TEXT_PX, PANGO_WEIGHT_NORMAL},
    [FONT_TITLE] = {"sans-serif", LOOK_TITLE_PX, PANGO_WEIGHT_SEMIBOLD},
    [FONT_SMALL] = {"sans-serif", LOOK_SMALL_PX, PANGO_WEIGHT_NORMAL},
    [FONT_STRONG] = {"sans-serif", LOOK_TEXT_PX, PANGO_WEIGHT_SEMIBOLD},
    [FONT_LOG] = {"monospace", LOOK_LOG_PX, PANGO_WEIGHT_NORMAL},
};

PangoLayout *look_text(PangoContext *pc, enum font font, double scale, int width, const char *text)
{
    const struct face *f = &faces[font];
    PangoLayout *l = pango_layout_new(pc);
    PangoFontDescription *d = pango_font_description_from_string(f->family);
    pango_font_description_set_weight(d, f->weight);
    pango_font_description_set_absolute_size(d, round(f->px * scale) * PANGO_SCALE);
    pango_layout_set_font_description(l, d);
    pango_font_description_free(d);
    if (width >= 0) {
        pango_layout_set_width(l, (width > 0 ? width : 1) * PANGO_SCALE);
        pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    } else {
        pango_layout_set_single_paragraph_mode(l, TRUE);
    }
    pango_layout_set_text(l, text, -1);
    return l;
}

PangoContext *look_context(void)
{
    PangoContext *pc = pango_font_map_create_context(pango_cairo_font_map_get_default());
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_SLIGHT);
    pango_cairo_context_set_font_options(pc, o);
    cairo_font_options_destroy(o);
    pango_cairo_context_set_resolution(pc, 96);
    for (enum font f = FONT_TEXT; f <= FONT_LOG; f++) {
        PangoLayout *l = look_text(pc, f, 1, -1, "Oriel");
        int w, h;
        pango_layout_get_pixel_size(l, &w, &h);
        g_object_unref(l);
    }
    return pc;
}

void look_source(cairo_t *cr, struct colour c)
{
    cairo_set_source_rgb(cr, c.r, c.g, c.b);
}

void look_rounded(cairo_t *cr, double x, double y, double w, double h, double r)
{
    if (r > w / 2)
        r = w / 2;
    if (r > h / 2)
        r = h / 2;
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + w - r, y + r, r, -M_PI / 2, 0);
    cairo_arc(cr, x + w - r, y + h - r, r, 0, M_PI / 2);
    cairo_arc(cr, x + r, y + h - r, r, M_PI / 2, M_PI);
    cairo_arc(cr, x + r, y + r, r, M_PI, 1.5 * M_PI);
    cairo_close_path(cr);
}

/* An oriel window seen from the front: three lights under one arch. */
void look_emblem(cairo_t *cr, double x, double y, double side)
{
    double u = side / 40, top = 6 * u, gap = 2 * u, side_w = 9 * u, mid_w = 14 * u, bottom = 30 * u;
    cairo_save(cr);
    cairo_translate(cr, x, y);
    look_source(cr, LOOK_ACCENT);
    cairo_move_to(cr, 2 * u, bottom);
    cairo_line_to(cr, 2 * u, top + 8 * u);
    cairo_line_to(cr, 2 * u + side_w, top + 3 * u);
    cairo_line_to(cr, 2 * u + side_w, bottom);
    cairo_close_path(cr);
    double mx = 2 * u + side_w + gap;
    cairo_rectangle(cr, mx, top, mid_w, bottom - top);
    double rx = mx + mid_w + gap;
    cairo_move_to(cr, rx, bottom);
    cairo_line_to(cr, rx, top + 3 * u);
    cairo_line_to(cr, rx + side_w, top + 8 * u);
    cairo_line_to(cr, rx + side_w, bottom);
    cairo_close_path(cr);
    cairo_fill(cr);
    look_source(cr, LOOK_ACCENT_DOWN);
    cairo_move_to(cr, 2 * u, bottom + gap);
    cairo_line_to(cr, 38 * u, bottom + gap);
    cairo_line_to(cr, 32 * u, bottom + gap + 4 * u);
    cairo_line_to(cr, 8 * u, bottom + gap + 4 * u);
    cairo_close_path(cr);
    cairo_fill(cr);
    cairo_restore(cr);
}
