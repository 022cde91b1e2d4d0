/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-logon: one logon screen. Descriptor 3 is its link to the monitor, 4 the display link to the client's front end.
 */
#include "common/config.h"
#include "common/link.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/spawn.h"
#include "session/logon/drawer.h"
#include "session/logon/enclose.h"
#include "session/logon/look.h"
#include "session/logon/pointer.h"
#include "session/logon/render.h"
#include "session/logon/screen.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_SETUP = 2, EXIT_LINK = 3 }; /* the monitor logs it */

struct logon_screen {
    struct event_base *base;
    struct link *monitor;
    struct drawer *drawer;
    struct screen *screen;
    PangoContext *pango;
    struct event *blink;
    bool started, laid_out, has_display;
    int status;
};

static void leave(struct logon_screen *l, int status)
{
    l->status = status;
    event_base_loopexit(l->base, NULL);
}

/* ---- screen → monitor, drawer ---- */

static void send_monitor(struct logon_screen *l, const struct wire_def *def, const void *m)
{
    if (link_send(l->monitor, def, m, NULL) < 0)
        leave(l, EXIT_LINK);
}

static void on_submit(void *user, const struct logon_submit *m)
{
    send_monitor(user, &logon_submit_def, m);
}
static void on_answers(void *user, const struct logon_answers *m)
{
    send_monitor(user, &logon_answers_def, m);
}

static void on_cancel(void *user)
{
    struct logon_cancel m = {0};
    send_monitor(user, &logon_cancel_def, &m);
}

static void on_damage(void *user, struct area b)
{
    struct logon_screen *l = user;
    if (l->drawer)
        drawer_damage(l->drawer, b);
}

static void on_cursor(void *user, enum screen_cursor c, double scale)
{
    struct logon_screen *l = user;
    struct display_cursor m;
    pointer_shape(c, scale, &m);
    if (l->drawer)
        drawer_cursor(l->drawer, &m);
}

static void on_leds(void *user, uint8_t locks)
{
    struct logon_screen *l = user;
    if (l->drawer)
        drawer_leds(l->drawer, locks);
}

static const struct screen_ops screen_ops = {on_submit, on_answers, on_cancel, on_damage, on_cursor, on_leds};

/* ---- caret ---- */

#define BLINK_MS 500

static void on_blink(evutil_socket_t fd, short what, void *arg)
{
    struct logon_screen *l = arg;
    if (screen_blink(l->screen))
        (void)loop_arm_ms(l->blink, BLINK_MS);
}

/* ---- front end → screen ---- */

static void show_if_complete(struct logon_screen *l)
{
    if (!l->started || !l->laid_out)
        return;
    drawer_ready(l->drawer);
    (void)loop_arm_ms(l->blink, BLINK_MS);
}

static void on_layout(void *user, const struct display_monitor *monitors, uint32_t n)
{
    struct logon_screen *l = user;
    l->laid_out = true;
    screen_layout(l->screen, monitors, n);
    show_if_complete(l);
}

static void on_keyboard(void *user, uint32_t klid, uint32_t type, uint32_t subtype)
{
    screen_keyboard(((struct logon_screen *)user)->screen, klid, type, subtype);
}

static void on_event(void *user, const struct display_event *ev)
{
    struct logon_screen *l = user;
    screen_event(l->screen, ev);
    if (ev->type != INPUT_MOVE && l->started)
        (void)loop_arm_ms(l->blink, BLINK_MS);
}

static void on_paint(void *user, cairo_t *cr)
{
    screen_paint(((struct logon_screen *)user)->screen, cr);
}
static void on_display_closed(void *user, int err)
{
    leave(user, err == -EPIPE ? EXIT_SUCCESS : EXIT_LINK);
}

static const struct drawer_ops drawer_ops = {on_layout, on_keyboard, on_event, on_paint, on_display_closed};

/* ---- monitor → screen ---- */

static void render(struct logon_screen *l, const struct logon_start *m)
{
    struct canvas c;
    int r = render_notice(l->pango, m->title, m->text, m->scale ? m->scale / 100.0 : 1, &c);
    if (r < 0) {
        log_error("notice not drawn", "error=%s", strerror(-r));
        leave(l, EXIT_LINK);
        return;
    }
    struct logon_rendered out = {c.width, c.height, c.stride};
    r = link_send(l->monitor, &logon_rendered_def, &out, &c.fd);
    if (r == 0)
        r = link_flush(l->monitor, 1000);
    canvas_finish(&c);
    leave(l, r == 0 ? EXIT_SUCCESS : EXIT_LINK);
}

static void on_start(struct logon_screen *l, const struct logon_start *m)
{
    if (m->mode == LOGON_MODE_RENDER) {
        render(l, m);
        return;
    }
    if (!l->drawer) {
        log_error("no display link", "mode=%d", m->mode);
        leave(l, EXIT_LINK);
        return;
    }
    l->started = true;
    screen_start(l->screen, m);
    show_if_complete(l);
}

static void on_message(void *user, struct link *link, const struct wire_def *def, void *msg, const int *fds)
{
    struct logon_screen *l = user;
    bool first = def == &logon_start_def;
    if (first == l->started) {
        log_error("monitor out of order", "message=%s", def->name);
        leave(l, EXIT_LINK);
    } else if (first) {
        on_start(l, msg);
    } else if (def == &logon_conv_def) {
        screen_conv(l->screen, msg);
    } else if (def == &logon_refused_def) {
        screen_refused(l->screen, msg);
    } else if (def == &logon_done_def) {
        screen_done(l->screen);
    }
}

static void on_closed(void *user, struct link *link, int err)
{
    leave(user, err == -EPIPE ? EXIT_SUCCESS : EXIT_LINK);
}

static const struct link_ops monitor_ops = {.message = on_message, .closed = on_closed};

/* ---- life ---- */

static bool set_up(struct logon_screen *l)
{
    l->base = event_base_new();
    l->screen = l->base ? screen_create(&screen_ops, l, l->pango) : NULL;
    l->blink = l->screen ? evtimer_new(l->base, on_blink, l) : NULL;
    if (!l->blink)
        return false;
    l->monitor = link_create(l->base, FD_LOGON_MONITOR, &monitor_to_logon, &monitor_ops, l, LINK_QUEUE_DEFAULT);
    if (!l->monitor)
        return false;
    if (!l->has_display)
        return true; /* RENDER needs none */
    l->drawer = drawer_create(l->base, FD_LOGON_DISPLAY, &drawer_ops, l);
    return l->drawer != NULL;
}

static void tear_down(struct logon_screen *l)
{
    screen_destroy(l->screen);
    drawer_destroy(l->drawer);
    link_destroy(l->monitor);
    if (l->blink)
        event_free(l->blink);
    if (l->base)
        event_base_free(l->base);
    g_object_unref(l->pango);
}

/* Read before the sandbox closes. The logon screen takes nothing but the log level from it: what it shows comes in
 * logon_start. */
static int read_config(int argc, char **argv)
{
    static struct config c;
    struct config_error err;
    if (argc == 1)
        return 0;
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        log_error("usage: oriel-logon [--config FILE]", "arguments=%d", argc - 1);
        return -EINVAL;
    }
    int r = config_load(&c, argv[2], &err);
    if (r < 0)
        log_warning("configuration not read", "file=%s:%u reason=\"%s\"", err.file, err.line, err.text);
    else
        log_set_level((enum log_level)(c.log_level + LOG_LEVEL_ERROR));
    return 0;
}

int main(int argc, char **argv)
{
    struct logon_screen l = {.status = EXIT_SUCCESS};
    l.has_display = fcntl(FD_LOGON_DISPLAY, F_GETFD) >= 0; /* before anything else can get the number */
    log_init("oriel-logon", LOG_LEVEL_INFO);
    prctl(PR_SET_DUMPABLE, 0);
    if (read_config(argc, argv) < 0 || enclose() < 0)
        return EXIT_SETUP;
    l.pango = look_context();
    if (!set_up(&l)) {
        log_error("logon screen not started", "error=%s", strerror(errno));
        return EXIT_SETUP;
    }
    event_base_dispatch(l.base);
    tear_down(&l);
    return l.status;
}
