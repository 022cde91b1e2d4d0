/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/screen_input.h"

#include <string.h>
#include <xkbcommon/xkbcommon-keysyms.h>

static struct widget *focused_field(struct screen *s)
{
    int f = s->page.focus;
    if (f < 0 || s->page.widgets[f].kind != WIDGET_FIELD || s->page.widgets[f].disabled)
        return NULL;
    return &s->page.widgets[f];
}

static void field_changed(struct screen *s)
{
    page_field_follow(&s->page, s->page.focus);
    screen_touch(s, s->page.focus);
}

static void focus_to(struct screen *s, int index)
{
    int old = s->page.focus;
    if (index == old)
        return;
    if (page_focus(&s->page, index))
        screen_touch_card(s);
    screen_touch(s, old);
    screen_touch(s, index);
}

static void step_focus(struct screen *s, bool back)
{
    int old = s->page.focus, scroll = s->page.scroll;
    (void)page_step_focus(&s->page, back);
    struct widget *w = focused_field(s);
    if (w && s->page.focus != old)
        field_select_all(w->field);
    if (scroll != s->page.scroll)
        screen_touch_card(s);
    screen_touch(s, old);
    screen_touch(s, s->page.focus);
}

/* ---- buttons ---- */

static void activate(struct screen *s, int index)
{
    int id = s->page.widgets[index].id;
    if (id >= ID_CHOICE) {
        screen_choose(s, (unsigned)(id - ID_CHOICE));
        return;
    }
    switch (id) {
    case ID_DESKTOP:
        screen_open_choice(s);
        break;
    case ID_OK:
        screen_ok(s);
        break;
    case ID_CANCEL:
        screen_cancel(s);
        break;
    case ID_KEYBOARD:
        keys_next_group(s->keys);
        screen_locks_changed(s);
        break;
    default:
        break;
    }
}

/* Enter in a field goes on to the next empty one, else means the page's main button. */
static void enter(struct screen *s)
{
    int f = s->page.focus;
    if (f >= 0 && s->page.widgets[f].kind != WIDGET_FIELD) {
        activate(s, f);
        return;
    }
    for (unsigned i = (unsigned)(f + 1); f >= 0 && i < s->page.nwidgets; i++) {
        struct widget *w = &s->page.widgets[i];
        if (w->kind == WIDGET_FIELD && w->field->len == 0 && s->page.widgets[f].field->len > 0) {
            focus_to(s, (int)i);
            return;
        }
    }
    screen_ok(s);
}

static void escape(struct screen *s)
{
    struct widget *w = focused_field(s);
    if (s->state == SCREEN_LOGIN) { /* disconnecting by accident would be rude: Esc empties, the button disconnects */
        if (w) {
            field_clear(w->field);
            field_changed(s);
        }
    } else if (s->state != SCREEN_STARTING && s->state != SCREEN_WAITING) {
        screen_cancel(s);
    }
}

/* ---- keys ---- */

static size_t word_edge(const struct field *f, bool right)
{
    size_t at = f->cursor;
    if (f->secret)
        return right ? f->len : 0;
    if (right) {
        while (at < f->len && f->text[at] == ' ')
            at++;
        while (at < f->len && f->text[at] != ' ')
            at++;
    } else {
        while (at > 0 && f->text[at - 1] == ' ')
            at--;
        while (at > 0 && f->text[at - 1] != ' ')
            at--;
    }
    return at;
}

static void arrow(struct screen *s, struct field *f, bool right, const struct key_press *k)
{
    if (k->ctrl)
        field_move(f, word_edge(f, right), k->shift);
    else
        field_move(f, page_field_step(&s->page, s->page.focus, right), k->shift);
}

/* Keys that edit or move in the focused field. False: not one of them. */
static bool edit(struct screen *s, struct field *f, const struct key_press *k)
{
    switch (k->keysym) {
    case XKB_KEY_BackSpace:
        (void)field_backspace(f);
        return true;
    case XKB_KEY_Delete:
    case XKB_KEY_KP_Delete:
        (void)field_delete(f, page_field_cluster(&s->page, s->page.focus));
        return true;
    case XKB_KEY_Left:
    case XKB_KEY_KP_Left:
        arrow(s, f, false, k);
        return true;
    case XKB_KEY_Right:
    case XKB_KEY_KP_Right:
        arrow(s, f, true, k);
        return true;
    case XKB_KEY_Home:
    case XKB_KEY_KP_Home:
        field_move(f, 0, k->shift);
        return true;
    case XKB_KEY_End:
    case XKB_KEY_KP_End:
        field_move(f, f->len, k->shift);
        return true;
    default:
        break;
    }
    if (k->shortcut == 'a')
        field_select_all(f);
    else if (k->shortcut == 'u')
        (void)field_kill(f);
    else
        return k->shortcut != 0;
    return true;
}

static void scroll_by(struct screen *s, int dy)
{
    if (page_scroll(&s->page, dy))
        screen_touch_card(s);
}

static bool scroll_key(struct screen *s, uint32_t keysym)
{
    int line = (int)(20 * s->page.fit), screenful = s->page.card.h * 2 / 3;
    switch (keysym) {
    case XKB_KEY_Up:
        scroll_by(s, -line);
        return true;
    case XKB_KEY_Down:
        scroll_by(s, line);
        return true;
    case XKB_KEY_Page_Up:
        scroll_by(s, -screenful);
        return true;
    case XKB_KEY_Page_Down:
        scroll_by(s, screenful);
        return true;
    case XKB_KEY_Home:
        scroll_by(s, -(1 << 24));
        return true;
    case XKB_KEY_End:
        scroll_by(s, 1 << 24);
        return true;
    default:
        return false;
    }
}

static void type(struct screen *s, struct field *f, const struct key_press *k)
{
    for (unsigned i = 0; i < k->ntext; i++)
        (void)field_insert(f, k->text[i]);
}

/* Up and Down go through the desktops: on the first page without opening the list, in the list from line to line. */
static bool choice_key(struct screen *s, uint32_t keysym)
{
    int f = s->page.focus,
        by = keysym == XKB_KEY_Down || keysym == XKB_KEY_KP_Down ? 1
        : keysym == XKB_KEY_Up || keysym == XKB_KEY_KP_Up        ? -1
                                                                 : 0;
    if (f < 0 || by == 0 || s->page.widgets[f].kind != WIDGET_CHOICE)
        return false;
    if (s->page.widgets[f].more)
        screen_step_choice(s, by);
    else
        step_focus(s, by < 0);
    return true;
}

static void press(struct screen *s, const struct key_press *k)
{
    struct widget *w = focused_field(s);
    screen_awake(s);
    switch (k->keysym) {
    case XKB_KEY_Tab:
    case XKB_KEY_ISO_Left_Tab:
        step_focus(s, k->shift || k->keysym == XKB_KEY_ISO_Left_Tab);
        return;
    case XKB_KEY_Return:
    case XKB_KEY_KP_Enter:
        enter(s);
        return;
    case XKB_KEY_Escape:
        escape(s);
        return;
    default:
        break;
    }
    if (w) {
        if (!edit(s, w->field, k))
            type(s, w->field, k);
        field_changed(s);
    } else if (s->page.focus >= 0 && k->ntext == 1 && k->text[0] == ' ') {
        activate(s, s->page.focus);
    } else if (!choice_key(s, k->keysym)) {
        (void)scroll_key(s, k->keysym);
    }
}

/* ---- mouse ---- */

void screen_point(struct screen *s, int x, int y)
{
    int at = page_at(&s->page, x, y), old = s->page.hover;
    s->pointer_x = x;
    s->pointer_y = y;
    if (at != old) {
        s->page.hover = at;
        screen_touch(s, old);
        screen_touch(s, at);
    }
    enum screen_cursor c =
        at >= 0 && s->page.widgets[at].kind == WIDGET_FIELD ? SCREEN_CURSOR_TEXT : SCREEN_CURSOR_ARROW;
    if (c != s->cursor && s->page.monitor.w > 0) {
        s->cursor = c;
        s->ops->cursor(s->user, c, s->page.scale);
    }
}

static void drag(struct screen *s, int x)
{
    struct widget *w = focused_field(s);
    if (!w)
        return;
    field_move(w->field, page_field_index(&s->page, s->page.focus, x), true);
    field_changed(s);
}

static void button_down(struct screen *s)
{
    int at = s->page.hover;
    screen_awake(s);
    if (at < 0)
        return;
    focus_to(s, at);
    if (s->page.widgets[at].kind == WIDGET_FIELD) {
        struct field *f = s->page.widgets[at].field;
        field_move(f, page_field_index(&s->page, at, s->pointer_x), false);
        s->selecting = true;
        field_changed(s);
    } else {
        s->page.pressed = at;
        screen_touch(s, at);
    }
}

static void button_up(struct screen *s)
{
    int was = s->page.pressed;
    s->selecting = false;
    s->page.pressed = -1;
    screen_touch(s, was);
    if (was >= 0 && was == s->page.hover)
        activate(s, was);
}

#define WHEEL_NOTCH 120

static void wheel(struct screen *s, const struct display_event *ev)
{
    if (ev->flags & INPUT_HORIZONTAL || ev->value > 32767 || ev->value < -32767)
        return;
    int lines = 3 * (int)(20 * s->page.fit);
    s->wheel += ev->value * lines;
    int dy = s->wheel / WHEEL_NOTCH;
    s->wheel -= dy * WHEEL_NOTCH;
    scroll_by(s, -dy);
}

void screen_event(struct screen *s, const struct display_event *ev)
{
    struct key_press k;
    switch (ev->type) {
    case INPUT_MOVE:
        screen_point(s, ev->x, ev->y);
        if (s->selecting)
            drag(s, ev->x);
        break;
    case INPUT_BUTTON:
        screen_point(s, ev->x, ev->y);
        if (ev->code == 1 && ev->flags & INPUT_DOWN)
            button_down(s);
        else if (ev->code == 1)
            button_up(s);
        break;
    case INPUT_WHEEL:
        wheel(s, ev);
        break;
    default:
        if (keys_event(s->keys, ev, &k))
            press(s, &k);
        explicit_bzero(&k, sizeof k);
        if (keys_locks(s->keys) != s->locks_told || keys_layout_name(s->keys) != s->layout_told)
            screen_locks_changed(s);
        break;
    }
}
