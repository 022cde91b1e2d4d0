/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/render.h"

#include "session/logon/look.h"
#include "session/logon/page.h"

#include <math.h>

static void fill_page(struct page *p, const char *title, const char *text)
{
    if (title[0])
        page_add(p, WIDGET_TITLE, 0, title);
    page_add(p, WIDGET_TEXT, 0, text);
    struct widget *ok = page_add(p, WIDGET_BUTTON, 0, "OK");
    if (ok)
        ok->primary = true;
}

int render_notice(PangoContext *pango, const char *title, const char *text, double scale, struct canvas *out)
{
    struct page p;
    int width = (int)lround(RENDER_WIDTH * scale);
    page_init(&p, pango);
    p.rendered = true;
    p.wide = true;
    p.scale = scale;
    p.monitor = (struct area){0, 0, width, (int)lround(RENDER_HEIGHT_MAX * scale)};
    fill_page(&p, title, text);
    page_arrange(&p);
    p.card = (struct area){0, 0, width, p.card.h};
    int r = canvas_init(out, (uint32_t)width, (uint32_t)p.card.h);
    if (r == 0) {
        cairo_t *cr = cairo_create(out->surface);
        page_paint(&p, cr);
        look_source(cr, LOOK_CARD_EDGE);
        cairo_set_line_width(cr, 1);
        cairo_rectangle(cr, 0.5, 0.5, width - 1, p.card.h - 1);
        cairo_stroke(cr);
        cairo_destroy(cr);
        cairo_surface_flush(out->surface);
    }
    page_clear(&p);
    return r;
}
