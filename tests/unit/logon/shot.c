/* SPDX-License-Identifier: GPL-3.0-or-later */
/* logon-shot OUT.png WIDTHxHEIGHT[@PERCENT] SCENE: the logon screen as a PNG, to be looked at. */
#include "session/logon/canvas.h"
#include "session/logon/look.h"
#include "session/logon/render.h"
#include "session/logon/screen.h"

#include <security/_pam_types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void no_submit(void *user, const struct logon_submit *m)
{
}
static void no_answers(void *user, const struct logon_answers *m)
{
}
static void no_cancel(void *user)
{
}
static void no_damage(void *user, struct area b)
{
}
static void no_cursor(void *user, enum screen_cursor c, double scale)
{
}
static void no_leds(void *user, uint8_t locks)
{
}
static const struct screen_ops ops = {no_submit, no_answers, no_cancel, no_damage, no_cursor, no_leds};

static void put(char *to, size_t cap, const char *text)
{
    snprintf(to, cap, "%s", text);
}

static void type(struct screen *s, const char *ascii)
{
    for (; *ascii; ascii++) {
        struct display_event e = {.type = INPUT_UNICODE, .flags = INPUT_DOWN, .code = (unsigned char)*ascii};
        screen_event(s, &e);
    }
}

static uint32_t desktops; /* offered */
static const char *const desktop_names[] = {"GNOME on Xorg", "MATE", "Openbox", "Plasma (X11)", "Xfce Session"};

static void start(struct screen *s, uint8_t mode, uint8_t reason, const char *user, const char *title, const char *text)
{
    static struct logon_start m;
    memset(&m, 0, sizeof m);
    m.mode = mode;
    m.reason = reason;
    put(m.user, sizeof m.user, user);
    put(m.host, sizeof m.host, "atlas.example.org");
    put(m.title, sizeof m.title, title);
    put(m.text, sizeof m.text, text);
    m.ndesktops = desktops;
    for (uint32_t i = 0; i < desktops; i++) {
        snprintf(m.desktops[i].id, DESKTOP_ID_BYTES, "d%u", i);
        put(m.desktops[i].name, DESKTOP_NAME_BYTES, desktop_names[i % 5]);
    }
    screen_start(s, &m);
}

static void ask(struct screen *s, int style1, const char *text1, int style2, const char *text2)
{
    static struct logon_conv m;
    memset(&m, 0, sizeof m);
    m.prompts[0].style = (uint8_t)style1;
    put(m.prompts[0].text, TEXT_BYTES, text1);
    m.prompts[1].style = (uint8_t)style2;
    put(m.prompts[1].text, TEXT_BYTES, text2);
    m.nprompts = text2 ? 2 : 1;
    screen_conv(s, &m);
}

static void refuse(struct screen *s, uint8_t reason, uint8_t final, const char *text)
{
    static struct logon_refused m;
    memset(&m, 0, sizeof m);
    m.reason = reason;
    m.final = final;
    put(m.text, sizeof m.text, text);
    screen_refused(s, &m);
}

static const struct {
    const char *name, *info, *prompt;
} scripts[] = {
    {"arabic", "يجب تغيير كلمة المرور قبل المتابعة.", "رمز التحقق لمرة واحدة:"},
    {"hebrew", "תוקף הסיסמה פג. יש לבחור סיסמה חדשה.", "קוד חד־פעמי:"},
    {"cjk", "密码已过期，请设置新密码。パスワードの有効期限が切れました。", "一次性验证码："},
    {"devanagari", "आपके पासवर्ड की समय सीमा समाप्त हो गई है।", "सत्यापन कोड:"},
    {"cyrillic", "Срок действия пароля истёк. Задайте новый пароль.", "Одноразовый код:"},
    {"greek", "Ο κωδικός πρόσβασης έληξε. Ορίστε νέο κωδικό.", "Κωδικός μίας χρήσης:"},
};

static void log_text(char *out, size_t cap)
{
    size_t n = 0;
    for (int i = 1; i <= 60 && n + 120 < cap; i++)
        n += (size_t)snprintf(out + n, cap - n,
            "[%6d.%03d] (%s) line %d: cannot open /usr/lib/xorg/modules/input: No such file\n", i, i * 7 % 1000,
            i % 9 ? "II" : "EE", i);
}

static void key(struct screen *s, uint32_t scancode)
{
    struct display_event e = {.type = INPUT_KEY, .flags = INPUT_DOWN | INPUT_EXTENDED, .code = scancode};
    screen_event(s, &e);
}

static int scene(struct screen *s, const char *name)
{
    static char log[LOG_TAIL_BYTES];
    desktops = !strncmp(name, "desktop", 7) ? 5 : 0;
    start(s, LOGON_MODE_LOGON, REFUSE_NONE, strcmp(name, "login") ? "anna" : "", "", "");
    if (!strcmp(name, "login"))
        return 0;
    if (!strncmp(name, "desktop", 7)) {
        struct display_event tab = {.type = INPUT_KEY, .flags = INPUT_DOWN, .code = 0x0f},
                             enter = {.type = INPUT_KEY, .flags = INPUT_DOWN, .code = 0x1c};
        screen_event(s, &tab);
        for (int i = 0; i < 3; i++)
            key(s, 0x50); /* Down */
        if (!strcmp(name, "desktops"))
            screen_event(s, &enter);
        return 0;
    }
    if (!strcmp(name, "typed")) {
        struct display_event locks = {.type = INPUT_LOCKS, .code = INPUT_LOCK_CAPS};
        type(s, "correct horse");
        screen_event(s, &locks);
        return 0;
    }
    if (!strcmp(name, "banner"))
        start(s, LOGON_MODE_LOGON, REFUSE_COOKIE, "anna", "",
            "Authorised use only. Activity on this computer may be recorded.\nHelp: extension 4242.");
    else if (!strcmp(name, "refused"))
        refuse(s, REFUSE_CREDENTIALS, 0, "");
    else if (!strcmp(name, "final"))
        refuse(s, REFUSE_CREDENTIALS, 1, "");
    else if (!strcmp(name, "busy")) {
        struct display_event enter = {.type = INPUT_UNICODE, .flags = INPUT_DOWN, .code = '\r'};
        type(s, "x");
        screen_event(s, &enter);
    } else if (!strcmp(name, "starting"))
        screen_done(s);
    else if (!strcmp(name, "otp"))
        ask(s, PAM_TEXT_INFO, "A code was sent to your telephone.", PAM_PROMPT_ECHO_ON, "One-time code: ");
    else if (!strcmp(name, "change"))
        ask(s, PAM_PROMPT_ECHO_OFF, "New password: ", PAM_PROMPT_ECHO_OFF, "Retype new password: ");
    else if (!strcmp(name, "notice")) {
        log_text(log, sizeof log);
        start(s, LOGON_MODE_NOTICE, 0, "anna", "Your session could not be started", log);
    } else {
        for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
            if (!strcmp(name, scripts[i].name)) {
                ask(s, PAM_ERROR_MSG, scripts[i].info, PAM_PROMPT_ECHO_ON, scripts[i].prompt);
                return 0;
            }
        return -1;
    }
    return 0;
}

static int notice_picture(const char *file, double scale)
{
    struct canvas c;
    if (render_notice(look_context(), "Message from the administrator",
            "This host restarts at 18:00.\nPlease save your work.", scale, &c) < 0)
        return 1;
    int r = cairo_surface_write_to_png(c.surface, file) != CAIRO_STATUS_SUCCESS;
    canvas_finish(&c);
    return r;
}

int main(int argc, char **argv)
{
    unsigned w, h, percent = 100;
    struct canvas c;
    if (argc != 4 || sscanf(argv[2], "%ux%u@%u", &w, &h, &percent) < 2 || w < 1 || h < 1 || w > 32767 || h > 32767) {
        fprintf(stderr, "usage: logon-shot OUT.png WIDTHxHEIGHT[@PERCENT] SCENE\n");
        return 2;
    }
    if (!strcmp(argv[3], "render"))
        return notice_picture(argv[1], percent / 100.0);
    struct screen *s = screen_create(&ops, NULL, look_context());
    struct display_monitor m = {.width = w, .height = h, .scale = percent, .primary = 1};
    if (!s || canvas_init(&c, w, h) < 0)
        return 1;
    screen_layout(s, &m, 1);
    screen_keyboard(s, 0x407, 4, 0);
    if (scene(s, argv[3]) < 0) {
        fprintf(stderr, "logon-shot: no scene '%s'\n", argv[3]);
        return 2;
    }
    cairo_t *cr = cairo_create(c.surface);
    screen_paint(s, cr);
    cairo_destroy(cr);
    int r = cairo_surface_write_to_png(c.surface, argv[1]) != CAIRO_STATUS_SUCCESS;
    canvas_finish(&c);
    screen_destroy(s);
    return r;
}
