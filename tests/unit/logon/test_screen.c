/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/drawer.h"
#include "session/logon/look.h"
#include "session/logon/screen.h"
#include "session/logon/screen_input.h"
#include "session/logon/words.h"

#include <security/_pam_types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct screen *s;
    cairo_surface_t *surface;
    int w, h;
    unsigned submits, answers, cancels;
    struct logon_submit submit;
    struct logon_answers answer;
    struct area damage; /* union since the last paint */
    enum screen_cursor cursor;
    uint8_t leds;
};

#ifdef ORIEL_SANITIZED
/* fontconfig keeps its patterns until FcFini, which Pango forbids while its font map lives. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libpango\n";
}
#endif

static PangoContext *pango;

static void on_submit(void *user, const struct logon_submit *m)
{
    struct rig *r = user;
    r->submits++;
    r->submit = *m;
}

static void on_answers(void *user, const struct logon_answers *m)
{
    struct rig *r = user;
    r->answers++;
    r->answer = *m;
}

static void on_cancel(void *user)
{
    ((struct rig *)user)->cancels++;
}

static void on_damage(void *user, struct area b)
{
    struct rig *r = user;
    if (r->damage.w == 0) {
        r->damage = b;
        return;
    }
    int x = b.x < r->damage.x ? b.x : r->damage.x, y = b.y < r->damage.y ? b.y : r->damage.y;
    int right = b.x + b.w > r->damage.x + r->damage.w ? b.x + b.w : r->damage.x + r->damage.w;
    int bottom = b.y + b.h > r->damage.y + r->damage.h ? b.y + b.h : r->damage.y + r->damage.h;
    r->damage = (struct area){x, y, right - x, bottom - y};
}

static void on_cursor(void *user, enum screen_cursor c, double scale)
{
    ((struct rig *)user)->cursor = c;
}
static void on_leds(void *user, uint8_t locks)
{
    ((struct rig *)user)->leds = locks;
}
static const struct screen_ops ops = {on_submit, on_answers, on_cancel, on_damage, on_cursor, on_leds};

static void paint_all(struct rig *r)
{
    cairo_t *cr = cairo_create(r->surface);
    screen_paint(r->s, cr);
    cairo_destroy(cr);
    cairo_surface_flush(r->surface);
    r->damage = (struct area){0, 0, 0, 0};
}

/* Paint only what was damaged, as the drawer does. */
static void paint_damage(struct rig *r)
{
    cairo_t *cr = cairo_create(r->surface);
    cairo_rectangle(cr, r->damage.x, r->damage.y, r->damage.w, r->damage.h);
    cairo_clip(cr);
    screen_paint(r->s, cr);
    cairo_destroy(cr);
    cairo_surface_flush(r->surface);
    r->damage = (struct area){0, 0, 0, 0};
}

static void layout(struct rig *r, int w, int h, uint32_t scale)
{
    struct display_monitor m = {.width = (uint32_t)w, .height = (uint32_t)h, .scale = scale, .primary = 1};
    if (r->surface)
        cairo_surface_destroy(r->surface);
    r->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
    r->w = w;
    r->h = h;
    screen_layout(r->s, &m, 1);
}

static struct rig rig(int w, int h)
{
    return (struct rig){.w = w, .h = h};
}

static void start(struct rig *r, uint8_t mode, uint8_t reason, const char *user, const char *text)
{
    static struct logon_start m;
    memset(&m, 0, sizeof m);
    m.mode = mode;
    m.reason = reason;
    snprintf(m.user, sizeof m.user, "%s", user);
    snprintf(m.host, sizeof m.host, "host.example");
    snprintf(m.title, sizeof m.title, "Title");
    snprintf(m.text, sizeof m.text, "%s", text);
    screen_start(r->s, &m);
}

static void open_rig(struct rig *r, const char *user)
{
    r->s = screen_create(&ops, r, pango);
    assert_non_null(r->s);
    layout(r, r->w, r->h, 100);
    screen_keyboard(r->s, 0x409, 4, 0);
    start(r, LOGON_MODE_LOGON, REFUSE_NONE, user, "");
    paint_all(r);
}

static void close_rig(struct rig *r)
{
    screen_destroy(r->s);
    cairo_surface_destroy(r->surface);
}

static void unicode(struct rig *r, uint32_t cp)
{
    struct display_event e = {.type = INPUT_UNICODE, .code = cp, .flags = INPUT_DOWN};
    screen_event(r->s, &e);
}

static void type(struct rig *r, const char *ascii)
{
    for (; *ascii; ascii++)
        unicode(r, (unsigned char)*ascii);
}

static void key(struct rig *r, uint32_t code, uint8_t flags)
{
    struct display_event e = {.type = INPUT_KEY, .code = code, .flags = (uint8_t)(flags | INPUT_DOWN)};
    screen_event(r->s, &e);
    e.flags = flags;
    screen_event(r->s, &e);
}

static void hold(struct rig *r, uint32_t code, bool down)
{
    struct display_event e = {.type = INPUT_KEY, .code = code, .flags = down ? INPUT_DOWN : 0};
    screen_event(r->s, &e);
}

static void pointer(struct rig *r, uint8_t event, int x, int y, uint8_t flags)
{
    struct display_event e = {.type = event, .code = 1, .flags = flags, .x = x, .y = y};
    screen_event(r->s, &e);
}

static void click(struct rig *r, int x, int y)
{
    pointer(r, INPUT_BUTTON, x, y, INPUT_DOWN);
    pointer(r, INPUT_BUTTON, x, y, 0);
}

static struct area where(struct rig *r, int id)
{
    struct page *p = screen_page(r->s);
    struct widget *w = page_find(p, id);
    assert_non_null(w);
    return page_area(p, (int)(w - p->widgets));
}

static void click_id(struct rig *r, int id)
{
    struct area b = where(r, id);
    click(r, b.x + b.w / 2, b.y + b.h / 2);
}

static int focus_id(struct rig *r)
{
    struct page *p = screen_page(r->s);
    return p->focus < 0 ? 0 : p->widgets[p->focus].id;
}

static const char *message_of(struct rig *r)
{
    struct widget *w = page_find(screen_page(r->s), ID_MESSAGE);
    return w ? w->text : "";
}

static uint64_t picture_hash(struct rig *r, struct area b)
{
    const uint8_t *p = cairo_image_surface_get_data(r->surface);
    int stride = cairo_image_surface_get_stride(r->surface);
    uint64_t h = 1469598103934665603u;
    for (int y = b.y < 0 ? 0 : b.y; y < b.y + b.h && y < r->h; y++)
        for (int x = b.x < 0 ? 0 : b.x; x < b.x + b.w && x < r->w; x++)
            for (int c = 0; c < 3; c++)
                h = (h ^ p[y * stride + x * 4 + c]) * 1099511628211u;
    return h;
}

static uint64_t whole(struct rig *r)
{
    return picture_hash(r, (struct area){0, 0, r->w, r->h});
}

#define SC_ENTER 0x1c
#define SC_TAB 0x0f
#define SC_ESC 0x01
#define SC_SHIFT 0x2a
#define SC_CTRL 0x1d
#define SC_LEFT 0x4b
#define SC_RIGHT 0x4d
#define SC_HOME 0x47
#define SC_DELETE 0x53
#define SC_A 0x1e
#define SC_U 0x16
#define SC_CAPS 0x3a

/* ---- the first page ---- */

static void name_and_password_are_submitted_and_forgotten(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "");
    assert_int_equal(focus_id(&r), ID_USER);
    type(&r, "anna");
    key(&r, SC_ENTER, 0); /* goes on to the empty password */
    assert_int_equal(r.submits, 0);
    assert_int_equal(focus_id(&r), ID_PASSWORD);
    type(&r, "geheim");
    key(&r, SC_ENTER, 0);
    assert_int_equal(r.submits, 1);
    assert_string_equal(r.submit.user, "anna");
    assert_int_equal(r.submit.nsecret, 6);
    assert_memory_equal(r.submit.secret, "geheim", 6);
    assert_int_equal(page_find(screen_page(r.s), ID_PASSWORD)->field->len, 0);
    key(&r, SC_ENTER, 0);
    type(&r, " ");
    assert_int_equal(r.submits, 1); /* one at a time */
    assert_int_equal(r.cancels, 0);
    close_rig(&r);
}

static void a_known_user_starts_at_the_password(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    assert_int_equal(focus_id(&r), ID_PASSWORD);
    close_rig(&r);
}

static void without_a_name_nothing_is_sent(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "");
    click_id(&r, ID_OK);
    assert_int_equal(r.submits, 0);
    assert_string_equal(message_of(&r), WORDS_NO_USER);
    close_rig(&r);
}

static void tab_goes_round_and_shift_tab_back(void **state)
{
    static const int order[] = {ID_PASSWORD, ID_CANCEL, ID_OK, ID_USER, ID_PASSWORD};
    struct rig r = rig(800, 600);
    open_rig(&r, "");
    for (size_t i = 0; i < 5; i++) {
        key(&r, SC_TAB, 0);
        assert_int_equal(focus_id(&r), order[i]);
    }
    hold(&r, SC_SHIFT, true);
    for (int i = 3; i >= 0; i--) {
        key(&r, SC_TAB, 0);
        assert_int_equal(focus_id(&r), order[i]);
    }
    hold(&r, SC_SHIFT, false);
    close_rig(&r);
}

static void escape_empties_the_field_and_the_button_disconnects(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    type(&r, "wrong");
    key(&r, SC_ESC, 0);
    assert_int_equal(page_find(screen_page(r.s), ID_PASSWORD)->field->len, 0);
    assert_int_equal(r.cancels, 0);
    click_id(&r, ID_CANCEL);
    assert_int_equal(r.cancels, 1);
    close_rig(&r);
}

static void editing_keys_work_in_a_field(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "");
    struct field *f = page_find(screen_page(r.s), ID_USER)->field;
    type(&r, "abcd");
    key(&r, SC_LEFT, INPUT_EXTENDED);
    key(&r, SC_DELETE, INPUT_EXTENDED);
    assert_string_equal(f->text, "abc");
    hold(&r, SC_SHIFT, true);
    key(&r, SC_HOME, INPUT_EXTENDED);
    hold(&r, SC_SHIFT, false);
    type(&r, "x");
    assert_string_equal(f->text, "x");
    type(&r, "yz");
    hold(&r, SC_CTRL, true);
    key(&r, SC_A, 0);
    hold(&r, SC_CTRL, false);
    assert_int_equal(f->cursor - f->anchor, 3);
    key(&r, SC_RIGHT, INPUT_EXTENDED);
    hold(&r, SC_CTRL, true);
    key(&r, SC_U, 0);
    hold(&r, SC_CTRL, false);
    assert_int_equal(f->len, 0);
    close_rig(&r);
}

static void arrows_move_by_what_is_seen_in_hebrew(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "");
    struct field *f = page_find(screen_page(r.s), ID_USER)->field;
    unicode(&r, 0x5d0);
    unicode(&r, 0x5d1);
    unicode(&r, 0x5d2);
    assert_int_equal(f->cursor, 6);
    key(&r, SC_RIGHT, INPUT_EXTENDED); /* the text's end is on the left: right goes back in it */
    assert_int_equal(f->cursor, 4);
    key(&r, SC_LEFT, INPUT_EXTENDED);
    assert_int_equal(f->cursor, 6);
    close_rig(&r);
}

static void delete_takes_a_whole_cluster(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "");
    struct field *f = page_find(screen_page(r.s), ID_USER)->field;
    unicode(&r, 'e');
    unicode(&r, 0x301);
    unicode(&r, 'x');
    key(&r, SC_HOME, INPUT_EXTENDED);
    key(&r, SC_DELETE, INPUT_EXTENDED);
    assert_string_equal(f->text, "x");
    close_rig(&r);
}

static void a_click_places_cursor_and_focus(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "mmmmmmmm");
    struct page *p = screen_page(r.s);
    struct area b = where(&r, ID_USER);
    assert_int_equal(focus_id(&r), ID_PASSWORD);
    click(&r, b.x + 20, b.y + b.h / 2);
    assert_int_equal(focus_id(&r), ID_USER);
    size_t near = page_find(p, ID_USER)->field->cursor;
    click(&r, b.x + b.w - 5, b.y + b.h / 2);
    assert_int_equal(page_find(p, ID_USER)->field->cursor, 8);
    assert_true(near < 2);
    pointer(&r, INPUT_BUTTON, b.x + b.w - 5, b.y + b.h / 2, INPUT_DOWN); /* drag over all of it */
    pointer(&r, INPUT_MOVE, b.x + 2, b.y + b.h / 2, 0);
    pointer(&r, INPUT_BUTTON, b.x + 2, b.y + b.h / 2, 0);
    type(&r, "q");
    assert_string_equal(page_find(p, ID_USER)->field->text, "q");
    close_rig(&r);
}

static void a_button_acts_only_when_released_over_it(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    struct area b = where(&r, ID_OK);
    pointer(&r, INPUT_BUTTON, b.x + 20, b.y + 20, INPUT_DOWN);
    pointer(&r, INPUT_BUTTON, 1, 1, 0);
    assert_int_equal(r.submits, 0);
    click_id(&r, ID_OK);
    assert_int_equal(r.submits, 1);
    close_rig(&r);
}

static void the_cursor_is_a_beam_over_fields_only(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    struct area b = where(&r, ID_PASSWORD);
    pointer(&r, INPUT_MOVE, b.x + 20, b.y + 20, 0);
    assert_int_equal(r.cursor, SCREEN_CURSOR_TEXT);
    pointer(&r, INPUT_MOVE, 2, 2, 0);
    assert_int_equal(r.cursor, SCREEN_CURSOR_ARROW);
    close_rig(&r);
}

/* ---- pixels ---- */

static void typing_changes_the_field_and_nothing_else(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "");
    struct area f = where(&r, ID_USER);
    struct area above = {0, 0, 800, f.y}, below = {0, f.y + f.h, 800, 600 - f.y - f.h};
    uint64_t field0 = picture_hash(&r, f), above0 = picture_hash(&r, above), below0 = picture_hash(&r, below);
    type(&r, "w");
    assert_true(r.damage.w > 0 && r.damage.h <= f.h);
    paint_damage(&r);
    assert_true(picture_hash(&r, f) != field0);
    assert_true(picture_hash(&r, above) == above0 && picture_hash(&r, below) == below0);
    close_rig(&r);
}

static uint64_t picture_of_password(const uint32_t *cps)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    for (; *cps; cps++)
        unicode(&r, *cps);
    paint_damage(&r);
    uint64_t h = whole(&r);
    close_rig(&r);
    return h;
}

static void passwords_of_one_length_look_the_same(void **state)
{
    uint64_t a = picture_of_password((const uint32_t[]){'i', 'i', 'i', 'i', 0});
    assert_true(a == picture_of_password((const uint32_t[]){'W', '@', 'm', '9', 0}));
    assert_true(a == picture_of_password((const uint32_t[]){0x5d0, 0x4e2d, 0x1f600, 0x905, 0}));
    assert_true(a != picture_of_password((const uint32_t[]){'i', 'i', 'i', 0}));
}

static void damage_covers_every_change(void **state)
{
    struct rig r = rig(640, 480);
    uint32_t seed = 5;
    open_rig(&r, "anna");
    for (int i = 0; i < 400; i++) {
        seed = seed * 1664525 + 1013904223;
        struct display_event e = {.type = (uint8_t)(1 + (seed >> 28) % INPUT_TYPE_MAX),
            .flags = (uint8_t)(seed >> 16 & 3),
            .code = seed >> 20 & 0x7f,
            .x = (int32_t)(seed >> 8 & 1023) - 100,
            .y = (int32_t)(seed >> 10 & 1023) - 100,
            .value = (int32_t)(seed >> 12 & 255) - 128};
        if (e.type == INPUT_BUTTON)
            e.code = 1;
        screen_event(r.s, &e);
        paint_damage(&r);
        uint64_t partial = whole(&r);
        paint_all(&r);
        if (partial != whole(&r))
            fail_msg("step %d, event %d code %u: the picture changed outside the damage", i, e.type, e.code);
    }
    close_rig(&r);
}

static void caps_lock_is_shown_and_told(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    uint64_t before = whole(&r);
    key(&r, SC_CAPS, 0);
    assert_int_equal(r.leds, INPUT_LOCK_CAPS);
    paint_damage(&r);
    assert_true(whole(&r) != before);
    key(&r, SC_CAPS, 0);
    paint_damage(&r);
    assert_int_equal(r.leds, 0);
    assert_true(whole(&r) == before);
    close_rig(&r);
}

static void the_caret_comes_to_rest(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    int blinks = 0;
    while (screen_blink(r.s))
        assert_true(++blinks < 100);
    assert_true(blinks > 4);
    type(&r, "x");
    assert_true(screen_blink(r.s));
    close_rig(&r);
}

static void every_size_keeps_the_focused_field_in_sight(void **state)
{
    static const struct {
        int w, h;
        uint32_t scale;
    } sizes[] = {
        {200, 150, 100},
        {150, 200, 100},
        {64, 64, 500},
        {320, 200, 300},
        {800, 600, 100},
        {800, 600, 500},
        {1080, 1920, 0},
        {3840, 2160, 200},
        {2160, 3840, 300},
        {7680, 4320, 400},
        {16384, 64, 100},
        {64, 8192, 100},
        {1366, 768, 125},
    };
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct page *p = screen_page(r.s);
        layout(&r, sizes[i].w, sizes[i].h, sizes[i].scale);
        struct area f = page_area(p, p->focus), c = p->card;
        assert_true(c.x >= 0 && c.y >= 0 && c.x + c.w <= sizes[i].w && c.y + c.h <= sizes[i].h);
        assert_true(f.x + f.w > 0 && f.y < sizes[i].h && f.y + f.h > 0);
        if (sizes[i].h >= 150 && (f.y < c.y - 4 || f.y + f.h > c.y + c.h + 4))
            fail_msg("%dx%d: the field is at %d … %d, the card at %d … %d", sizes[i].w, sizes[i].h, f.y, f.y + f.h, c.y,
                c.y + c.h);
        if (sizes[i].w * sizes[i].h < 10000000)
            paint_all(&r);
    }
    close_rig(&r);
}

static void the_scale_makes_things_larger(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    layout(&r, 3840, 2160, 100);
    int small = where(&r, ID_OK).h;
    layout(&r, 3840, 2160, 200);
    assert_in_range(where(&r, ID_OK).h, 2 * small - 8, 2 * small + 8);
    close_rig(&r);
}

static void the_card_lies_on_the_primary_monitor(void **state)
{
    struct display_monitor m[3] = {{.x = 0, .width = 1920, .height = 1080, .scale = 100},
        {.x = 1920, .width = 1080, .height = 1920, .scale = 100, .primary = 1},
        {.x = 3000, .width = 1920, .height = 1080, .scale = 200}};
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    screen_layout(r.s, m, 3);
    struct area c = screen_page(r.s)->card;
    assert_true(c.x >= 1920 && c.x + c.w <= 3000);
    close_rig(&r);
}

/* ---- conversations and refusals ---- */

static void ask(struct rig *r, uint32_t n, const int *styles, const char *const *texts)
{
    static struct logon_conv m;
    memset(&m, 0, sizeof m);
    m.nprompts = n;
    for (uint32_t i = 0; i < n; i++) {
        m.prompts[i].style = (uint8_t)styles[i];
        snprintf(m.prompts[i].text, TEXT_BYTES, "%s", texts[i]);
    }
    screen_conv(r->s, &m);
}

static void several_prompts_are_answered_in_their_places(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    key(&r, SC_ENTER, 0);
    ask(&r, 4, (const int[]){PAM_TEXT_INFO, PAM_PROMPT_ECHO_OFF, PAM_ERROR_MSG, PAM_PROMPT_ECHO_ON},
        (const char *const[]){"note", "Old password: ", "too short", "Code"});
    assert_int_equal(focus_id(&r), ID_ANSWER + 1);
    type(&r, "old");
    key(&r, SC_ENTER, 0);
    assert_int_equal(focus_id(&r), ID_ANSWER + 3);
    type(&r, "123");
    paint_all(&r);
    key(&r, SC_ENTER, 0);
    assert_int_equal(r.answers, 1);
    assert_int_equal(r.answer.nanswers, 4);
    assert_string_equal(r.answer.answers[0].text, "");
    assert_string_equal(r.answer.answers[1].text, "old");
    assert_string_equal(r.answer.answers[2].text, "");
    assert_string_equal(r.answer.answers[3].text, "123");
    close_rig(&r);
}

static void messages_alone_wait_to_be_acknowledged(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    key(&r, SC_ENTER, 0);
    ask(&r, 1, (const int[]){PAM_TEXT_INFO}, (const char *const[]){"Your password expires in 3 days."});
    assert_int_equal(focus_id(&r), ID_OK);
    assert_int_equal(r.answers, 0);
    key(&r, SC_ENTER, 0);
    assert_int_equal(r.answers, 1);
    assert_int_equal(r.answer.nanswers, 1);
    assert_string_equal(r.answer.answers[0].text, "");
    close_rig(&r);
}

static void say(struct rig *r, uint8_t style, const char *text)
{
    static struct logon_conv m;
    m.nprompts = 1;
    m.inform = 1;
    m.prompts[0].style = style;
    snprintf(m.prompts[0].text, TEXT_BYTES, "%s", text);
    screen_conv(r->s, &m);
}

static unsigned count_messages(struct rig *r)
{
    unsigned n = 0;
    struct page *p = screen_page(r->s);
    for (unsigned i = 0; i < p->nwidgets; i++)
        n += p->widgets[i].kind == WIDGET_MESSAGE;
    return n;
}

static void messages_nobody_waits_for_stay_above_the_next_prompt(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    key(&r, SC_ENTER, 0);
    say(&r, PAM_ERROR_MSG, "You must change your password.");
    assert_int_equal(r.answers, 1); /* at once */
    assert_int_equal(r.answer.nanswers, 1);
    assert_string_equal(message_of(&r), "You must change your password.");
    key(&r, SC_ENTER, 0); /* and nothing is to be confirmed */
    assert_int_equal(r.answers, 1);
    assert_int_equal(r.cancels, 0);
    say(&r, PAM_TEXT_INFO, "Changing password for anna.");
    ask(&r, 1, (const int[]){PAM_PROMPT_ECHO_OFF}, (const char *const[]){"Current password: "});
    assert_int_equal(count_messages(&r), 2);
    assert_int_equal(focus_id(&r), ID_ANSWER);
    type(&r, "x\r");
    ask(&r, 1, (const int[]){PAM_PROMPT_ECHO_OFF}, (const char *const[]){"New password: "});
    assert_int_equal(count_messages(&r), 0);
    close_rig(&r);
}

static void sixteen_long_prompts_fit_by_scrolling(void **state)
{
    static char text[TEXT_BYTES];
    int styles[CONV_MAX];
    const char *texts[CONV_MAX];
    struct rig r = rig(320, 240);
    open_rig(&r, "anna");
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < CONV_MAX; i++) {
        styles[i] = PAM_PROMPT_ECHO_ON;
        texts[i] = text;
    }
    ask(&r, CONV_MAX, styles, texts);
    for (int i = 0; i < CONV_MAX; i++) {
        struct page *p = screen_page(r.s);
        struct area f = page_area(p, p->focus);
        assert_int_equal(focus_id(&r), ID_ANSWER + i);
        assert_true(f.y + f.h / 2 >= p->card.y && f.y + f.h / 2 <= p->card.y + p->card.h);
        type(&r, "a");
        key(&r, SC_ENTER, 0);
        paint_all(&r);
    }
    assert_int_equal(r.answers, 1);
    assert_string_equal(r.answer.answers[CONV_MAX - 1].text, "a");
    close_rig(&r);
}

static void answers_do_not_stay_for_the_next_question(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    ask(&r, 1, (const int[]){PAM_PROMPT_ECHO_OFF}, (const char *const[]){"Old"});
    type(&r, "old");
    key(&r, SC_ENTER, 0);
    ask(&r, 1, (const int[]){PAM_PROMPT_ECHO_OFF}, (const char *const[]){"New"});
    assert_int_equal(page_find(screen_page(r.s), ID_ANSWER)->field->len, 0);
    key(&r, SC_ENTER, 0);
    assert_string_equal(r.answer.answers[0].text, "");
    close_rig(&r);
}

static void escape_gives_a_conversation_up(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    ask(&r, 1, (const int[]){PAM_PROMPT_ECHO_OFF}, (const char *const[]){"Code"});
    key(&r, SC_ESC, 0);
    assert_int_equal(r.cancels, 1);
    close_rig(&r);
}

static void refuse(struct rig *r, uint8_t reason, uint8_t final, const char *text)
{
    static struct logon_refused m;
    m.reason = reason;
    m.final = final;
    snprintf(m.text, sizeof m.text, "%s", text);
    screen_refused(r->s, &m);
}

static void every_refusal_has_words(void **state)
{
    for (int reason = REFUSE_CREDENTIALS; reason <= REFUSE_MAX; reason++) {
        struct rig r = rig(800, 600);
        open_rig(&r, "anna");
        refuse(&r, (uint8_t)reason, 0, "");
        assert_true(strlen(message_of(&r)) > 20);
        assert_int_equal(focus_id(&r), ID_PASSWORD);
        refuse(&r, (uint8_t)reason, 0, "PAM says so");
        assert_non_null(strstr(message_of(&r), "PAM says so"));
        paint_all(&r);
        close_rig(&r);
    }
}

static void after_the_last_attempt_only_disconnecting_is_left(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    refuse(&r, REFUSE_CREDENTIALS, 1, "");
    type(&r, "more");
    assert_null(page_find(screen_page(r.s), ID_PASSWORD));
    assert_int_equal(focus_id(&r), ID_CANCEL);
    key(&r, SC_ENTER, 0);
    assert_int_equal(r.submits, 0);
    assert_int_equal(r.cancels, 1);
    close_rig(&r);
}

static void broken_text_from_others_is_shown_without_harm(void **state)
{
    struct rig r = rig(400, 300);
    open_rig(&r, "anna");
    ask(&r, 2, (const int[]){PAM_ERROR_MSG, PAM_PROMPT_ECHO_ON},
        (const char *const[]){"\xff\xfe bad \x01\x1b[31m \xf0\x9f", "\r\n\t\xc3"});
    paint_all(&r);
    start(&r, LOGON_MODE_NOTICE, 0, "\xff", "\x80\x80\x80\r\n\x1b]0;x\a");
    paint_all(&r);
    close_rig(&r);
}

static void a_long_notice_scrolls(void **state)
{
    static char text[LOG_TAIL_BYTES];
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    for (size_t i = 0; i + 8 < sizeof text; i += 8)
        memcpy(text + i, "line xx\n", 8);
    start(&r, LOGON_MODE_NOTICE, 0, "anna", text);
    paint_all(&r);
    uint64_t top = whole(&r);
    struct display_event e = {.type = INPUT_WHEEL, .value = -120};
    screen_event(r.s, &e);
    assert_true(page_find(screen_page(r.s), ID_LOG)->scroll > 0);
    paint_damage(&r);
    assert_true(whole(&r) != top);
    key(&r, SC_HOME, INPUT_EXTENDED);
    paint_damage(&r);
    assert_true(whole(&r) == top);
    key(&r, SC_ENTER, 0);
    assert_int_equal(r.cancels, 1);
    close_rig(&r);
}

static void after_success_a_word_of_patience(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    screen_done(r.s);
    assert_string_equal(message_of(&r), WORDS_STARTING);
    key(&r, SC_ESC, 0);
    key(&r, SC_ENTER, 0);
    assert_int_equal(r.cancels + r.submits, 0);
    close_rig(&r);
}

/* ---- monitors of a hostile client ---- */

static void any_monitor_list_becomes_a_sane_desktop(void **state)
{
    static const int64_t odd[] = {0, 1, -1, 64, 1920, 32767, INT32_MAX, INT32_MIN, 16384, 8192};
    struct display_monitor in[DISPLAY_MONITORS_MAX], out[DISPLAY_MONITORS_MAX];
    uint32_t seed = 3;
    for (int i = 0; i < 20000; i++) {
        uint32_t n = 0;
        int w, h;
        memset(in, 0, sizeof in);
        for (; n < (uint32_t)i % 16 && n < DISPLAY_MONITORS_MAX; n++) {
            uint32_t v[4];
            for (int k = 0; k < 4; k++) {
                seed = seed * 1664525 + 1013904223;
                v[k] = (uint32_t)odd[(seed >> 16) % 10];
            }
            in[n] = (struct display_monitor){.x = (int32_t)v[0], .y = (int32_t)v[1], .width = v[2], .height = v[3]};
        }
        uint32_t m = drawer_normalise(in, n, out, &w, &h);
        assert_true(m >= 1 && m <= DISPLAY_MONITORS_MAX && w >= 64 && h >= 64);
        assert_true(w <= DRAWER_WIDTH_MAX && h <= DRAWER_HEIGHT_MAX);
        for (uint32_t k = 0; k < m; k++)
            assert_true(out[k].x >= 0 && out[k].y >= 0 && out[k].x + (int)out[k].width <= w &&
                out[k].y + (int)out[k].height <= h);
    }
}

static void the_words_of_a_refusal_before_the_screen_are_on_it(void **state)
{
    static struct logon_start m;
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    m = (struct logon_start){.mode = LOGON_MODE_LOGON,
        .reason = REFUSE_ACCOUNT,
        .why = "Its login shell is /bin/false."};
    screen_start(r.s, &m);
    assert_string_equal(message_of(&r), "Its login shell is /bin/false.");
    m.reason = REFUSE_CREDENTIALS; /* what a wrong password says is ours alone */
    screen_start(r.s, &m);
    assert_null(strstr(message_of(&r), "shell"));
    close_rig(&r);
}

/* ---- the desktops ---- */

#define SC_DOWN 0x50

static void offer(struct rig *r, uint32_t n)
{
    static struct logon_start m;
    memset(&m, 0, sizeof m);
    m.mode = LOGON_MODE_LOGON;
    snprintf(m.user, sizeof m.user, "anna");
    m.ndesktops = n;
    for (uint32_t i = 0; i < n; i++) {
        snprintf(m.desktops[i].id, sizeof m.desktops[i].id, "id%u", i);
        snprintf(m.desktops[i].name, sizeof m.desktops[i].name, "A desktop with quite a long name, number %u", i);
    }
    screen_start(r->s, &m);
    paint_all(r);
}

static void sign_in(struct rig *r)
{
    click_id(r, ID_OK);
}

static void one_desktop_is_no_choice(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    offer(&r, 1);
    assert_null(page_find(screen_page(r.s), ID_DESKTOP));
    type(&r, "x");
    click_id(&r, ID_OK);
    assert_string_equal(r.submit.desktop, "");
    close_rig(&r);
}

static void a_desktop_is_chosen_with_the_mouse(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    offer(&r, 4);
    type(&r, "geheim");
    click_id(&r, ID_DESKTOP);
    paint_damage(&r);
    assert_null(page_find(screen_page(r.s), ID_PASSWORD));
    click_id(&r, ID_CHOICE + 2 + 3);
    paint_damage(&r);
    assert_int_equal(focus_id(&r), ID_PASSWORD);
    assert_int_equal(page_find(screen_page(r.s), ID_PASSWORD)->field->len, 6); /* what was typed stays */
    click_id(&r, ID_OK);
    assert_string_equal(r.submit.desktop, "id3");
    assert_int_equal(r.submit.nsecret, 6);
    close_rig(&r);
}

static void a_desktop_is_chosen_with_the_keyboard(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    offer(&r, 4);
    key(&r, SC_TAB, 0);
    assert_int_equal(focus_id(&r), ID_DESKTOP);
    key(&r, SC_DOWN, INPUT_EXTENDED);
    key(&r, SC_DOWN, INPUT_EXTENDED); /* last time → default → the first */
    key(&r, SC_ENTER, 0);             /* opens the list at it */
    assert_int_equal(focus_id(&r), ID_CHOICE + 2);
    key(&r, SC_DOWN, INPUT_EXTENDED);
    key(&r, SC_ENTER, 0);
    sign_in(&r);
    assert_string_equal(r.submit.desktop, "id1");
    close_rig(&r);
}

static void escape_leaves_the_list_and_the_choice_as_it_was(void **state)
{
    struct rig r = rig(800, 600);
    open_rig(&r, "anna");
    offer(&r, 3);
    click_id(&r, ID_DESKTOP);
    key(&r, SC_DOWN, INPUT_EXTENDED);
    key(&r, SC_ESC, 0);
    assert_non_null(page_find(screen_page(r.s), ID_PASSWORD));
    assert_int_equal(r.cancels, 0);
    click_id(&r, ID_DESKTOP);
    click_id(&r, ID_CANCEL);
    assert_int_equal(r.cancels, 0);
    click_id(&r, ID_DESKTOP);
    click_id(&r, ID_CHOICE + 1);
    click_id(&r, ID_OK);
    assert_string_equal(r.submit.desktop, DESKTOP_DEFAULT);
    close_rig(&r);
}

static void as_many_desktops_as_there_can_be_fit_by_scrolling(void **state)
{
    struct rig r = rig(320, 240);
    open_rig(&r, "anna");
    offer(&r, DESKTOPS_MAX);
    screen_open_choice(r.s);
    for (unsigned i = 0; i < DESKTOPS_MAX + 1; i++)
        key(&r, SC_DOWN, INPUT_EXTENDED);
    struct page *p = screen_page(r.s);
    struct area b = page_area(p, p->focus);
    assert_int_equal(focus_id(&r), ID_CHOICE + DESKTOPS_MAX + 1);
    assert_true(b.y >= p->card.y - 4 && b.y + b.h <= p->card.y + p->card.h + 4);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_and_password_are_submitted_and_forgotten),
        cmocka_unit_test(a_known_user_starts_at_the_password),
        cmocka_unit_test(without_a_name_nothing_is_sent),
        cmocka_unit_test(tab_goes_round_and_shift_tab_back),
        cmocka_unit_test(escape_empties_the_field_and_the_button_disconnects),
        cmocka_unit_test(editing_keys_work_in_a_field),
        cmocka_unit_test(arrows_move_by_what_is_seen_in_hebrew),
        cmocka_unit_test(delete_takes_a_whole_cluster),
        cmocka_unit_test(a_click_places_cursor_and_focus),
        cmocka_unit_test(a_button_acts_only_when_released_over_it),
        cmocka_unit_test(the_cursor_is_a_beam_over_fields_only),
        cmocka_unit_test(typing_changes_the_field_and_nothing_else),
        cmocka_unit_test(passwords_of_one_length_look_the_same),
        cmocka_unit_test(damage_covers_every_change),
        cmocka_unit_test(caps_lock_is_shown_and_told),
        cmocka_unit_test(the_caret_comes_to_rest),
        cmocka_unit_test(every_size_keeps_the_focused_field_in_sight),
        cmocka_unit_test(the_scale_makes_things_larger),
        cmocka_unit_test(the_card_lies_on_the_primary_monitor),
        cmocka_unit_test(several_prompts_are_answered_in_their_places),
        cmocka_unit_test(messages_alone_wait_to_be_acknowledged),
        cmocka_unit_test(messages_nobody_waits_for_stay_above_the_next_prompt),
        cmocka_unit_test(sixteen_long_prompts_fit_by_scrolling),
        cmocka_unit_test(answers_do_not_stay_for_the_next_question),
        cmocka_unit_test(escape_gives_a_conversation_up),
        cmocka_unit_test(every_refusal_has_words),
        cmocka_unit_test(after_the_last_attempt_only_disconnecting_is_left),
        cmocka_unit_test(broken_text_from_others_is_shown_without_harm),
        cmocka_unit_test(a_long_notice_scrolls),
        cmocka_unit_test(after_success_a_word_of_patience),
        cmocka_unit_test(any_monitor_list_becomes_a_sane_desktop),
        cmocka_unit_test(the_words_of_a_refusal_before_the_screen_are_on_it),
        cmocka_unit_test(one_desktop_is_no_choice),
        cmocka_unit_test(a_desktop_is_chosen_with_the_mouse),
        cmocka_unit_test(a_desktop_is_chosen_with_the_keyboard),
        cmocka_unit_test(escape_leaves_the_list_and_the_choice_as_it_was),
        cmocka_unit_test(as_many_desktops_as_there_can_be_fit_by_scrolling),
    };
    pango = look_context();
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    g_object_unref(pango);
    return r;
}
