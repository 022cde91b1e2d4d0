/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text fields on the screen: which place is which byte. A secret's text never reaches Pango: its dots are counted, not
 * shaped. */
#include "session/logon/entry.h"

#include "session/logon/look.h"

#include <math.h>

int entry_dot_step(const struct page *p)
{
    return (int)lround(11 * p->fit);
}

static int pad(const struct page *p)
{
    return (int)lround(LOOK_FIELD_PAD * p->fit);
}

PangoLayout *entry_layout(const struct page *p, const struct field *f)
{
    return look_text(p->pango, FONT_TEXT, p->fit, -1, f->text);
}

struct area entry_inner(const struct page *p, const struct widget *w)
{
    int m = pad(p), caps = p->caps && w->field->secret ? (int)lround(22 * p->fit) : 0;
    return (struct area){w->at.x + m, w->at.y, w->at.w - 2 * m - caps, w->at.h};
}

int entry_caret_x(const struct page *p, const struct field *f)
{
    PangoRectangle strong;
    if (f->secret)
        return (int)field_chars(f, f->cursor) * entry_dot_step(p);
    PangoLayout *l = entry_layout(p, f);
    pango_layout_get_cursor_pos(l, (int)f->cursor, &strong, NULL);
    g_object_unref(l);
    return PANGO_PIXELS(strong.x);
}

int entry_text_width(const struct page *p, const struct field *f)
{
    int w;
    if (f->secret)
        return (int)field_chars(f, f->len) * entry_dot_step(p);
    PangoLayout *l = entry_layout(p, f);
    pango_layout_get_pixel_size(l, &w, NULL);
    g_object_unref(l);
    return w;
}

void page_field_follow(struct page *p, int index)
{
    struct widget *w = &p->widgets[index];
    int room = entry_inner(p, w).w, x = entry_caret_x(p, w->field), all = entry_text_width(p, w->field);
    int caret = (int)ceil(2 * p->fit);
    if (x < w->scroll)
        w->scroll = x;
    if (x + caret > w->scroll + room)
        w->scroll = x + caret - room;
    if (w->scroll > 0 && w->scroll + room > all + caret)
        w->scroll = all + caret - room > 0 ? all + caret - room : 0;
}

static size_t nth_char(const struct field *f, int n)
{
    size_t pos = 0;
    while (n-- > 0 && pos < f->len)
        pos = field_next(f, pos);
    return pos;
}

size_t page_field_index(struct page *p, int index, int x)
{
    struct widget *w = &p->widgets[index];
    int at = x - p->card.x - entry_inner(p, w).x + w->scroll, byte = 0, trailing = 0;
    if (w->field->secret)
        return nth_char(w->field, (at + entry_dot_step(p) / 2) / (entry_dot_step(p) > 0 ? entry_dot_step(p) : 1));
    PangoLayout *l = entry_layout(p, w->field);
    pango_layout_xy_to_index(l, at * PANGO_SCALE, 0, &byte, &trailing);
    g_object_unref(l);
    size_t pos = (size_t)byte;
    while (trailing-- > 0)
        pos = field_next(w->field, pos);
    return pos;
}

size_t page_field_step(struct page *p, int index, bool right)
{
    struct field *f = p->widgets[index].field;
    int byte = (int)f->cursor, trailing = 0;
    if (f->secret)
        return right ? field_next(f, f->cursor) : field_prev(f, f->cursor);
    PangoLayout *l = entry_layout(p, f);
    pango_layout_move_cursor_visually(l, TRUE, byte, 0, right ? 1 : -1, &byte, &trailing);
    g_object_unref(l);
    if (byte < 0 || byte == G_MAXINT)
        return f->cursor;
    size_t pos = (size_t)byte;
    while (trailing-- > 0)
        pos = field_next(f, pos);
    return pos;
}

size_t page_field_cluster(struct page *p, int index)
{
    struct field *f = p->widgets[index].field;
    size_t pos = field_next(f, f->cursor);
    if (f->secret)
        return pos;
    PangoLayout *l = entry_layout(p, f);
    int n;
    const PangoLogAttr *attrs = pango_layout_get_log_attrs_readonly(l, &n);
    int i = (int)field_chars(f, pos);
    while (pos < f->len && i < n && !attrs[i].is_cursor_position) {
        pos = field_next(f, pos);
        i++;
    }
    g_object_unref(l);
    return pos;
}
