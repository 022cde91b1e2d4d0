/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/screen.h"

#include "common/slots.h"
#include "session/logon/screen_input.h"
#include "session/logon/vault.h"
#include "session/logon/words.h"
#include "session/proto/layout.h"

#include <security/_pam_types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct screen *screen_create(const struct screen_ops *ops, void *user, PangoContext *pango)
{
    static const struct slot must[] = {SLOT(screen_ops, submit), SLOT(screen_ops, answers), SLOT(screen_ops, cancel),
        SLOT(screen_ops, damage), SLOT(screen_ops, cursor), SLOT(screen_ops, leds)};
    bool whole = SLOTS_CHECK("logon screen", ops, must) == 0;
    struct screen *s = whole ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    s->ops = ops;
    s->user = user;
    page_init(&s->page, pango);
    s->keys = keys_create();
    s->vault = vault_alloc(sizeof *s->vault);
    if (!s->keys || !s->vault) {
        screen_destroy(s);
        return NULL;
    }
    field_init(&s->name, s->vault->name, sizeof s->vault->name, false);
    field_init(&s->password, s->vault->password, sizeof s->vault->password, true);
    return s;
}

void screen_destroy(struct screen *s)
{
    if (!s)
        return;
    page_clear(&s->page);
    keys_destroy(s->keys);
    vault_free(s->vault, sizeof *s->vault);
    free(s);
}

struct page *screen_page(struct screen *s)
{
    return &s->page;
}

/* ---- building pages ---- */

static void begin(struct screen *s, enum screen_state state)
{
    s->old_card = s->page.card;
    page_clear(&s->page);
    s->state = state;
    s->selecting = false;
}

static struct area around(struct area a, struct area b)
{
    if (a.w == 0)
        return b;
    int x = a.x < b.x ? a.x : b.x, y = a.y < b.y ? a.y : b.y;
    int r = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w, d = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;
    return (struct area){x, y, r - x, d - y};
}

static void update_footer(struct screen *s)
{
    struct widget *w = page_find(&s->page, ID_KEYBOARD);
    s->page.footer_acts = keys_ngroups(s->keys) > 1;
    s->page.caps = keys_locks(s->keys) & INPUT_LOCK_CAPS;
    if (w)
        page_set_text(w, keys_layout_name(s->keys));
}

static int index_of(const struct screen *s, const struct widget *w)
{
    return w ? (int)(w - s->page.widgets) : -1;
}

/* Arrange, focus `focus` (or what takes it first) and paint old and new card. */
static void finish(struct screen *s, struct widget *focus)
{
    update_footer(s);
    s->page.focus = index_of(s, focus);
    if (s->page.focus < 0 && s->state != SCREEN_BUSY) /* a second Enter must not cancel what the first one began */
        (void)page_step_focus(&s->page, false);
    if (s->page.monitor.w == 0)
        return;
    page_arrange(&s->page);
    screen_awake(s);
    struct area b = around(s->old_card, s->page.card);
    s->ops->damage(s->user, (struct area){b.x - 1, b.y - 1, b.w + 2, b.h + 2});
    screen_point(s, s->pointer_x, s->pointer_y);
}

static void add_heading(struct screen *s, const char *title, const char *subtitle)
{
    page_add(&s->page, WIDGET_EMBLEM, 0, NULL);
    page_add(&s->page, WIDGET_TITLE, 0, title);
    page_add(&s->page, WIDGET_TEXT, 0, subtitle);
}

static void add_message(struct screen *s, enum tone tone, const char *text)
{
    if (!text[0])
        return;
    struct widget *w = page_add(&s->page, WIDGET_MESSAGE, ID_MESSAGE, text);
    if (w)
        w->tone = tone;
}

static struct widget *add_field(struct screen *s, int id, const char *label, struct field *f, bool disabled)
{
    page_add(&s->page, WIDGET_LABEL, 0, label);
    struct widget *w = page_add(&s->page, WIDGET_FIELD, id, NULL);
    if (w) {
        w->field = f;
        w->disabled = disabled;
    }
    return w;
}

static void add_button(struct screen *s, int id, const char *text, bool primary, bool disabled)
{
    struct widget *w = page_add(&s->page, WIDGET_BUTTON, id, text);
    if (w) {
        w->primary = primary;
        w->disabled = disabled;
    }
}

#define CHOICES_BEFORE 2 /* as last time, default */

static unsigned choices(const struct screen *s)
{
    return s->start.ndesktops > 1 ? CHOICES_BEFORE + s->start.ndesktops : 0;
}

static const char *choice_name(const struct screen *s, unsigned n)
{
    return n == 0 ? WORDS_DESKTOP_LAST : n == 1 ? WORDS_DESKTOP_DEFAULT : s->start.desktops[n - CHOICES_BEFORE].name;
}

static const char *choice_id(const struct screen *s)
{
    return s->desktop == 0 ? "" : s->desktop == 1 ? DESKTOP_DEFAULT : s->start.desktops[s->desktop - CHOICES_BEFORE].id;
}

static void add_choice(struct screen *s, int id, unsigned n, bool more, bool disabled)
{
    struct widget *w = page_add(&s->page, WIDGET_CHOICE, id, choice_name(s, n));
    if (!w)
        return;
    w->more = more;
    w->disabled = disabled;
    w->primary = !more && n == s->desktop;
}

/* The first page; `busy` shows it at rest while the monitor works. */
static void show_login(struct screen *s, enum tone tone, const char *message, bool busy)
{
    begin(s, busy ? SCREEN_BUSY : SCREEN_LOGIN);
    add_heading(s, s->start.host, WORDS_SUBTITLE);
    add_message(s, tone, message);
    struct widget *user = add_field(s, ID_USER, WORDS_USER, &s->name, busy);
    struct widget *password = add_field(s, ID_PASSWORD, WORDS_PASSWORD, &s->password, busy);
    if (choices(s)) {
        page_add(&s->page, WIDGET_LABEL, 0, WORDS_DESKTOP);
        add_choice(s, ID_DESKTOP, s->desktop, true, busy);
    }
    add_button(s, ID_CANCEL, busy ? WORDS_CANCEL : WORDS_DISCONNECT, false, false);
    add_button(s, ID_OK, WORDS_SIGN_IN, true, busy);
    if (s->start.text[0])
        page_add(&s->page, WIDGET_TEXT, 0, s->start.text);
    page_add(&s->page, WIDGET_FOOTER, ID_KEYBOARD, NULL);
    finish(s, busy ? NULL : s->name.len ? password : user);
}

void screen_open_choice(struct screen *s)
{
    if (s->state != SCREEN_LOGIN)
        return;
    begin(s, SCREEN_CHOOSING);
    page_add(&s->page, WIDGET_TITLE, 0, WORDS_DESKTOP_TITLE);
    page_add(&s->page, WIDGET_TEXT, 0, WORDS_DESKTOP_NOTE);
    for (unsigned n = 0; n < choices(s); n++)
        add_choice(s, ID_CHOICE + (int)n, n, false, false);
    add_button(s, ID_CANCEL, WORDS_BACK, false, false);
    finish(s, page_find(&s->page, ID_CHOICE + (int)s->desktop));
}

void screen_choose(struct screen *s, unsigned n)
{
    if (s->state != SCREEN_CHOOSING)
        return;
    s->desktop = n < choices(s) ? n : s->desktop;
    show_login(s, TONE_INFO, "", false);
}

void screen_step_choice(struct screen *s, int by)
{
    struct widget *w = page_find(&s->page, ID_DESKTOP);
    unsigned n = choices(s);
    if (!w || w->disabled || n == 0)
        return;
    s->desktop = (s->desktop + n + (unsigned)by) % n;
    page_set_text(w, choice_name(s, s->desktop));
    page_arrange(&s->page);
    screen_touch(s, index_of(s, w));
}

static void show_progress(struct screen *s, enum screen_state state, const char *text, bool cancel)
{
    begin(s, state);
    add_heading(s, s->start.host, s->name.text);
    add_message(s, TONE_INFO, text);
    if (cancel)
        add_button(s, ID_CANCEL, WORDS_CANCEL, false, false);
    finish(s, NULL);
}

static void show_notice(struct screen *s)
{
    begin(s, SCREEN_NOTICE);
    s->page.wide = true;
    page_add(&s->page, WIDGET_TITLE, 0, s->start.title);
    if (s->start.host[0])
        page_add(&s->page, WIDGET_TEXT, 0, s->start.host);
    page_add(&s->page, WIDGET_LOG, ID_LOG, s->start.text);
    add_button(s, ID_OK, WORDS_CLOSE, true, false);
    finish(s, NULL);
}

/* ---- from the monitor ---- */

void screen_start(struct screen *s, const struct logon_start *m)
{
    s->start = *m;
    field_set(&s->name, m->user);
    if (m->mode == LOGON_MODE_NOTICE)
        show_notice(s);
    else
        show_login(s, m->reason == REFUSE_CONVERSATION || m->reason == REFUSE_COOKIE ? TONE_INFO : TONE_ERROR,
            m->reason == REFUSE_ACCOUNT && m->why[0] ? m->why : words_refusal(m->reason), false);
}

#define WIDE_COLON "\uff1a" /* of Chinese and Japanese prompts */

/* "Password: " names a field as "Password". */
static void label_of(const char *prompt, char out[TEXT_BYTES])
{
    snprintf(out, TEXT_BYTES, "%s", prompt);
    size_t n = strlen(out);
    while (n > 0 && strchr(" \t\n:", out[n - 1]))
        out[--n] = '\0';
    if (n >= sizeof WIDE_COLON - 1 && !strcmp(out + n - (sizeof WIDE_COLON - 1), WIDE_COLON))
        out[n -= sizeof WIDE_COLON - 1] = '\0';
    if (n == 0)
        snprintf(out, TEXT_BYTES, "%s", WORDS_UNLABELLED);
}

static void add_prompt(struct screen *s, uint32_t i, const struct conv_prompt *q, struct widget **first)
{
    char label[TEXT_BYTES];
    bool asks = q->style == PAM_PROMPT_ECHO_OFF || q->style == PAM_PROMPT_ECHO_ON;
    field_init(&s->answers[i], s->vault->answers[i], sizeof s->vault->answers[i], q->style == PAM_PROMPT_ECHO_OFF);
    s->asked[i] = asks;
    if (!asks) {
        add_message(s, q->style == PAM_ERROR_MSG ? TONE_ERROR : TONE_INFO, q->text);
        return;
    }
    label_of(q->text, label);
    struct widget *w = add_field(s, ID_ANSWER + (int)i, label, &s->answers[i], false);
    if (!*first)
        *first = w;
}

static void add_kept(struct screen *s)
{
    for (uint32_t i = 0; i < s->nkept; i++)
        add_message(s, s->kept[i].style == PAM_ERROR_MSG ? TONE_ERROR : TONE_INFO, s->kept[i].text);
}

/* Messages that nobody waits for: on the screen, and answered. */
static void inform(struct screen *s, const struct logon_conv *m)
{
    struct logon_answers *none = &s->vault->answers_message;
    for (uint32_t i = 0; i < m->nprompts && s->nkept < CONV_MAX; i++)
        s->kept[s->nkept++] = m->prompts[i];
    begin(s, SCREEN_BUSY);
    add_heading(s, s->start.host, s->name.text);
    add_kept(s);
    add_button(s, ID_CANCEL, WORDS_CANCEL, false, false);
    finish(s, NULL);
    explicit_bzero(none, sizeof *none);
    none->nanswers = m->nprompts < CONV_MAX ? m->nprompts : CONV_MAX;
    s->ops->answers(s->user, none);
}

static bool asks_anything(const struct logon_conv *m)
{
    for (uint32_t i = 0; i < m->nprompts; i++)
        if (m->prompts[i].style == PAM_PROMPT_ECHO_OFF || m->prompts[i].style == PAM_PROMPT_ECHO_ON)
            return true;
    return false;
}

void screen_conv(struct screen *s, const struct logon_conv *m)
{
    struct widget *first = NULL;
    if (m->inform) {
        inform(s, m);
        return;
    }
    begin(s, SCREEN_CONVERSATION);
    add_heading(s, s->start.host, s->name.text);
    s->nanswers = m->nprompts < CONV_MAX ? m->nprompts : CONV_MAX;
    if (asks_anything(m))
        add_kept(s);
    s->nkept = 0;
    for (uint32_t i = 0; i < s->nanswers; i++)
        add_prompt(s, i, &m->prompts[i], &first);
    add_button(s, ID_CANCEL, WORDS_CANCEL, false, false);
    add_button(s, ID_OK, WORDS_CONTINUE, true, false);
    page_add(&s->page, WIDGET_FOOTER, ID_KEYBOARD, NULL);
    finish(s, first ? first : page_find(&s->page, ID_OK));
}

static void wipe_answers(struct screen *s)
{
    explicit_bzero(s->vault->answers, sizeof s->vault->answers);
    explicit_bzero(&s->vault->answers_message, sizeof s->vault->answers_message);
    s->nanswers = 0;
}

void screen_refused(struct screen *s, const struct logon_refused *m)
{
    bool replace = m->text[0] && words_text_replaces(m->reason);
    char text[2 * TEXT_BYTES];
    s->nkept = 0;
    snprintf(text, sizeof text, "%s%s%s", replace ? "" : words_refusal(m->reason), m->text[0] && !replace ? "\n" : "",
        m->text);
    field_clear(&s->password);
    wipe_answers(s);
    if (!m->final) {
        show_login(s, TONE_ERROR, text, false);
        return;
    }
    begin(s, SCREEN_FINAL);
    add_heading(s, s->start.host, s->name.text);
    add_message(s, TONE_ERROR, text);
    page_add(&s->page, WIDGET_TEXT, 0, WORDS_FINAL);
    add_button(s, ID_CANCEL, WORDS_DISCONNECT, true, false);
    finish(s, NULL);
}

void screen_done(struct screen *s)
{
    field_clear(&s->password);
    wipe_answers(s);
    show_progress(s, SCREEN_STARTING, WORDS_STARTING, false);
}

/* ---- what the user decides ---- */

static void submit(struct screen *s)
{
    struct logon_submit *m = &s->vault->submit;
    if (s->name.len == 0) {
        show_login(s, TONE_WARNING, WORDS_NO_USER, false);
        return;
    }
    memcpy(m->user, s->name.text, s->name.len + 1);
    m->nsecret = (uint32_t)s->password.len;
    memcpy(m->secret, s->password.text, s->password.len);
    snprintf(m->desktop, sizeof m->desktop, "%s", choice_id(s));
    s->ops->submit(s->user, m);
    explicit_bzero(m, sizeof *m);
    field_clear(&s->password);
    show_login(s, TONE_INFO, WORDS_SIGNING_IN, true);
}

static void answer(struct screen *s)
{
    struct logon_answers *m = &s->vault->answers_message;
    m->nanswers = s->nanswers;
    for (uint32_t i = 0; i < s->nanswers; i++)
        memcpy(m->answers[i].text, s->answers[i].text, s->asked[i] ? s->answers[i].len + 1 : 1);
    s->ops->answers(s->user, m);
    wipe_answers(s);
    show_progress(s, SCREEN_BUSY, WORDS_SIGNING_IN, true);
}

void screen_ok(struct screen *s)
{
    switch (s->state) {
    case SCREEN_LOGIN:
        submit(s);
        break;
    case SCREEN_CONVERSATION:
        answer(s);
        break;
    case SCREEN_NOTICE:
        s->ops->cancel(s->user);
        break;
    case SCREEN_CHOOSING:
        screen_choose(s, s->desktop);
        break;
    default:
        break;
    }
}

void screen_cancel(struct screen *s)
{
    if (s->state == SCREEN_CHOOSING) {
        screen_choose(s, s->desktop);
        return;
    }
    field_clear(&s->password);
    wipe_answers(s);
    s->ops->cancel(s->user);
}

/* ---- from the front end ---- */

static double scale_of(const struct display_monitor *m)
{
    double percent = m->scale;
    if (percent < 1 && m->phys_width > 0) { /* nothing said: from the dots per inch, in quarters */
        double dpi = m->width * 25.4 / m->phys_width;
        percent = dpi < 120 ? 100 : 25 * (int)(dpi / 96 * 4 + 0.5);
    }
    percent = percent < 100 ? 100 : percent;
    return (percent > 500 ? 500 : percent) / 100;
}

void screen_layout(struct screen *s, const struct display_monitor *monitors, uint32_t n)
{
    const struct display_monitor *m = layout_primary(monitors, n);
    s->page.monitor = (struct area){m->x, m->y, (int)m->width, (int)m->height};
    s->page.scale = scale_of(m);
    if (s->page.nwidgets)
        page_arrange(&s->page);
    s->cursor = 0;
    screen_point(s, s->pointer_x, s->pointer_y);
}

void screen_keyboard(struct screen *s, uint32_t klid, uint32_t type, uint32_t subtype)
{
    (void)keys_set_layout(s->keys, klid, type, subtype);
    screen_locks_changed(s);
}

void screen_locks_changed(struct screen *s)
{
    bool caps = s->page.caps;
    uint8_t locks = keys_locks(s->keys);
    update_footer(s);
    struct widget *w = page_find(&s->page, ID_KEYBOARD);
    if (w)
        screen_touch(s, index_of(s, w));
    if (caps != s->page.caps)
        for (unsigned i = 0; i < s->page.nwidgets; i++)
            if (s->page.widgets[i].kind == WIDGET_FIELD && s->page.widgets[i].field->secret) {
                page_field_follow(&s->page, (int)i);
                screen_touch(s, (int)i);
            }
    if (locks != s->locks_told)
        s->ops->leds(s->user, locks);
    s->locks_told = locks;
    s->layout_told = keys_layout_name(s->keys);
}

void screen_touch(struct screen *s, int index)
{
    if (index >= 0)
        s->ops->damage(s->user, page_area(&s->page, index));
}

void screen_touch_card(struct screen *s)
{
    s->ops->damage(s->user, s->page.card);
}

void screen_paint(struct screen *s, cairo_t *cr)
{
    page_paint(&s->page, cr);
}

#define BLINKS_BEFORE_REST 20 /* ten seconds */

bool screen_blink(struct screen *s)
{
    int f = s->page.focus;
    if (f < 0 || s->page.widgets[f].kind != WIDGET_FIELD)
        return false;
    bool rest = ++s->blinks >= BLINKS_BEFORE_REST;
    bool was = s->page.caret_on;
    s->page.caret_on = rest ? true : !was;
    if (was != s->page.caret_on)
        screen_touch(s, f);
    return !rest;
}

void screen_awake(struct screen *s)
{
    s->blinks = 0;
    s->page.caret_on = true;
}
