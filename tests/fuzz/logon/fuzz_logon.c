/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The logon screen between a hostile front end and a monitor that forwards hostile texts (PAM's, a client's user name,
 * a log). Input: records of one byte kind, one byte length times four, so many bytes. Kinds are messages of the two
 * links, decoded as the links do it, or raw input events. After each record the picture is painted. */
#include "session/logon/drawer.h"
#include "session/logon/look.h"
#include "session/logon/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_submit(void *user, const struct logon_submit *m)
{
    if (m->nsecret > SECRET_BYTES || !memchr(m->desktop, 0, DESKTOP_ID_BYTES) || !memchr(m->user, 0, USER_BYTES))
        abort();
}

static void on_answers(void *user, const struct logon_answers *m)
{
    if (m->nanswers > CONV_MAX)
        abort();
    for (uint32_t i = 0; i < m->nanswers; i++)
        if (!memchr(m->answers[i].text, 0, SECRET_BYTES))
            abort();
}

static void on_cancel(void *user)
{
}
static void on_damage(void *user, struct area b)
{
}
static void on_cursor(void *user, enum screen_cursor c, double scale)
{
}
static void on_leds(void *user, uint8_t locks)
{
}
static const struct screen_ops ops = {on_submit, on_answers, on_cancel, on_damage, on_cursor, on_leds};

#define SIDE 480 /* small pictures: many runs */

static void layout(struct screen *s, struct rd *r)
{
    struct display_monitor in[4] = {0}, out[DISPLAY_MONITORS_MAX];
    int w, h;
    uint32_t n = rd_u8(r) % 5;
    for (uint32_t i = 0; i < n; i++) {
        in[i].x = (int32_t)rd_u32(r);
        in[i].y = (int32_t)rd_u32(r);
        in[i].width = rd_u16(r);
        in[i].height = rd_u16(r);
        in[i].scale = rd_u16(r);
        in[i].primary = rd_u8(r) & 1;
    }
    n = drawer_normalise(in, n, out, &w, &h);
    screen_layout(s, out, n);
}

static void events(struct screen *s, struct rd *r)
{
    while (!r->bad && r->left > 0) {
        struct display_event e = {.type = rd_u8(r) % (INPUT_TYPE_MAX + 1),
            .flags = rd_u8(r) & 15,
            .code = rd_u32(r) % 0x110000};
        e.x = (int16_t)rd_u16(r);
        e.y = (int16_t)rd_u16(r);
        e.value = (int32_t)e.code;
        if (!r->bad)
            screen_event(s, &e);
    }
}

static void text(struct rd *r, char *to, size_t cap)
{
    size_t n = rd_u8(r);
    n = n < r->left ? n : r->left;
    n = n < cap ? n : cap - 1;
    const uint8_t *p = rd_bytes(r, n);
    if (p && !memchr(p, 0, n))
        memcpy(to, p, n);
}

static void from_monitor(struct screen *s, struct rd *r, unsigned kind)
{
    static struct logon_start start;
    static struct logon_conv conv;
    static struct logon_refused refused;
    memset(&start, 0, sizeof start);
    memset(&conv, 0, sizeof conv);
    memset(&refused, 0, sizeof refused);
    if (kind == 0) {
        start.mode = 1 + rd_u8(r) % 2;
        start.reason = rd_u8(r) % (REFUSE_MAX + 1);
        text(r, start.user, sizeof start.user);
        text(r, start.host, sizeof start.host);
        text(r, start.title, sizeof start.title);
        text(r, start.text, sizeof start.text);
        for (; start.ndesktops < DESKTOPS_MAX && !r->bad && r->left > 0; start.ndesktops++) {
            snprintf(start.desktops[start.ndesktops].id, DESKTOP_ID_BYTES, "d%u", start.ndesktops);
            text(r, start.desktops[start.ndesktops].name, DESKTOP_NAME_BYTES);
        }
        screen_start(s, &start);
    } else if (kind == 1) {
        for (conv.nprompts = 0; conv.nprompts < CONV_MAX && !r->bad && r->left > 0; conv.nprompts++) {
            conv.prompts[conv.nprompts].style = rd_u8(r) % 5;
            text(r, conv.prompts[conv.nprompts].text, TEXT_BYTES);
        }
        screen_conv(s, &conv);
    } else {
        refused.reason = rd_u8(r) % (REFUSE_MAX + 1);
        refused.final = rd_u8(r) & 1;
        text(r, refused.text, sizeof refused.text);
        screen_refused(s, &refused);
    }
}

static void record(struct screen *s, unsigned kind, struct rd *r)
{
    switch (kind % 8) {
    case 0:
        layout(s, r);
        break;
    case 1:
        from_monitor(s, r, 0);
        break;
    case 2:
        from_monitor(s, r, 1);
        break;
    case 3:
        from_monitor(s, r, 2);
        break;
    case 4:
        screen_done(s);
        break;
    case 5:
        screen_keyboard(s, rd_u32(r), rd_u8(r), 0);
        break;
    case 6:
        (void)screen_blink(s);
        break;
    default:
        events(s, r);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static PangoContext *pango;
    static cairo_surface_t *surface;
    struct display_monitor m = {.width = SIDE, .height = SIDE, .scale = 100, .primary = 1};
    struct rd all;
    if (!pango) {
        pango = look_context();
        surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, SIDE, SIDE);
    }
    struct screen *s = screen_create(&ops, NULL, pango);
    screen_layout(s, &m, 1);
    rd_init(&all, data, size);
    for (int i = 0; i < 64 && all.left >= 2; i++) {
        unsigned kind = rd_u8(&all);
        size_t n = rd_u8(&all) * (size_t)4;
        struct rd one;
        n = n < all.left ? n : all.left;
        rd_init(&one, rd_bytes(&all, n), n);
        record(s, kind, &one);
        cairo_t *cr = cairo_create(surface);
        screen_paint(s, cr);
        cairo_destroy(cr);
    }
    screen_destroy(s);
    return 0;
}

#ifdef ORIEL_SANITIZED
/* fontconfig keeps its patterns until FcFini, which Pango forbids while its font map lives. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libpango\n";
}
#endif
