/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/agent/display_fixture.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xcb/randr.h>
#include <xcb/render.h>

#define LIMIT_MS 30000

enum xserver_kind fixture_kind;

uint64_t fixture_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

const char *fixture_program(void)
{
    const char *p = getenv("ORIEL_AGENT");
    return p ? p : "./oriel-agent";
}

int fixture_run(const char *command)
{
    char *argv[] = {"sh", "-c", (char *)command, NULL};
    extern char **environ;
    pid_t pid;
    int status;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int fixture_group_setup(void **state)
{
    static struct fixture fixture;
    int r = xserver_start(&fixture.server, fixture_kind);
    if (r == -ENOENT) {
        print_message("this X server is not installed: skipped\n");
        exit(77);
    }
    *state = &fixture;
    return r;
}

int fixture_group_teardown(void **state)
{
    xserver_stop(&((struct fixture *)*state)->server);
    return 0;
}

static int connect_client(struct fixture *x)
{
    x->c = xcb_connect(x->server.display, NULL);
    if (xcb_connection_has_error(x->c))
        return -1;
    xcb_screen_t *s = xcb_setup_roots_iterator(xcb_get_setup(x->c)).data;
    x->root = s->root;
    x->window = xcb_generate_id(x->c);
    uint32_t values[] = {s->black_pixel, 1,
        XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_BUTTON_PRESS | XCB_EVENT_MASK_BUTTON_RELEASE};
    xcb_create_window(x->c, XCB_COPY_FROM_PARENT, x->window, x->root, 10, 20, 500, 400, 0,
        XCB_WINDOW_CLASS_INPUT_OUTPUT, s->root_visual, XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK,
        values);
    xcb_map_window(x->c, x->window);
    x->gc = xcb_generate_id(x->c);
    uint32_t inferiors[] = {XCB_SUBWINDOW_MODE_INCLUDE_INFERIORS, 0};
    xcb_create_gc(x->c, x->gc, x->root, XCB_GC_SUBWINDOW_MODE | XCB_GC_GRAPHICS_EXPOSURES, inferiors);
    fixture_keys_down(x);
    return 0;
}

int fixture_setup(void **state)
{
    struct fixture *x = *state;
    struct display_layout l = fixture_single(1024, 768);
    if (connect_client(x) < 0)
        return -1;
    return front_agent_start(&x->agent, fixture_program(), x->server.display, &l, 0x409, 0);
}

void fixture_stop_agent(struct fixture *x)
{
    if (x->agent.pid > 0)
        assert_int_equal(front_agent_stop(&x->agent), 0);
    x->agent.pid = -1;
}

void fixture_kill_agent(struct fixture *x)
{
    kill(x->agent.pid, SIGKILL);
    assert_int_equal(waitpid(x->agent.pid, NULL, 0), x->agent.pid);
    close(x->agent.sock);
    x->agent.pid = -1;
}

int fixture_teardown(void **state)
{
    struct fixture *x = *state;
    xcb_disconnect(x->c);
    int r = x->agent.pid > 0 ? front_agent_stop(&x->agent) : 0;
    x->agent.pid = -1;
    return r;
}

struct display_layout fixture_single(uint32_t width, uint32_t height)
{
    return (struct display_layout){.nmonitors = 1, .monitors = {{.width = width, .height = height, .primary = 1}}};
}

static void step(struct front *f, uint64_t since)
{
    int r = front_step(f, LIMIT_MS);
    if (r < 0 || fixture_now_us() - since > LIMIT_MS * 1000ull)
        fail_msg("no message of the wanted kind: %d", r);
}

void fixture_wait_frames(struct front *f, unsigned frames)
{
    for (uint64_t t = fixture_now_us(); f->frames < frames;)
        step(f, t);
}

void fixture_wait_buffers(struct front *f, unsigned buffers)
{
    for (uint64_t t = fixture_now_us(); f->buffers < buffers;)
        step(f, t);
}

void fixture_wait_cursor(struct front *f, unsigned width, unsigned height)
{
    for (uint64_t t = fixture_now_us(); f->cursor.width != width || f->cursor.height != height;)
        step(f, t);
}

void fixture_attach(struct fixture *x, struct front *f, uint32_t id, uint8_t role, struct display_layout l)
{
    front_init(f, front_agent_client(&x->agent, id, role));
    assert_true(f->sock >= 0);
    assert_int_equal(front_open(f, &l, 0x409), 0);
    fixture_wait_frames(f, 1);
    assert_true(front_settle(f, 40, 2000) >= 0);
}

void fixture_root_size(struct fixture *x, uint16_t *w, uint16_t *h)
{
    xcb_get_geometry_reply_t *g = xcb_get_geometry_reply(x->c, xcb_get_geometry(x->c, x->root), NULL);
    assert_non_null(g);
    *w = g->width;
    *h = g->height;
    free(g);
}

/* Fresh memory of a grown screen is the server's, whatever it holds: give every pixel a value. */
void fixture_cover_root(struct fixture *x)
{
    uint16_t w, h;
    fixture_root_size(x, &w, &h);
    fixture_fill(x, 0, 0, w, h, 0x336699);
}

void fixture_fill(struct fixture *x, int left, int top, int width, int height, uint32_t colour)
{
    xcb_rectangle_t r = {(int16_t)left, (int16_t)top, (uint16_t)width, (uint16_t)height};
    xcb_change_gc(x->c, x->gc, XCB_GC_FOREGROUND, &colour);
    xcb_poly_fill_rectangle(x->c, x->root, x->gc, 1, &r);
    xcb_flush(x->c);
}

static unsigned long wrong_pixels(struct fixture *x, const struct front *f)
{
    uint16_t w, h;
    fixture_root_size(x, &w, &h);
    if (w != f->buffer.width || h != f->buffer.height)
        return ULONG_MAX;
    uint32_t rows = 4000000u / (w * 4u); /* a reply of moderate size each */
    unsigned long wrong = 0;
    for (uint32_t y = 0; y < h; y += rows) {
        uint32_t n = y + rows > h ? h - y : rows;
        xcb_get_image_reply_t *r = xcb_get_image_reply(x->c,
            xcb_get_image(x->c, XCB_IMAGE_FORMAT_Z_PIXMAP, x->root, 0, (int16_t)y, w, (uint16_t)n, 0xffffffff), NULL);
        assert_non_null(r);
        const uint32_t *a = (const uint32_t *)(const void *)xcb_get_image_data(r);
        const uint32_t *b = (const uint32_t *)(const void *)f->picture + (size_t)y * w;
        for (size_t i = 0; i < (size_t)n * w; i++)
            wrong += (a[i] & 0xffffff) != (b[i] & 0xffffff);
        free(r);
    }
    return wrong;
}

void fixture_wait_same_picture(struct fixture *x, struct front *f)
{
    unsigned long wrong = 0;
    for (uint64_t t = fixture_now_us(); fixture_now_us() - t < LIMIT_MS * 1000ull;) {
        int r = front_settle(f, 20, 1000);
        assert_true(r >= 0);
        wrong = wrong_pixels(x, f);
        if (!wrong)
            return;
    }
    fail_msg("%lu pixels are wrong", wrong);
}

void fixture_assert_monitors(struct fixture *x, const struct front_buffer *b)
{
    xcb_randr_get_monitors_reply_t *r =
        xcb_randr_get_monitors_reply(x->c, xcb_randr_get_monitors(x->c, x->root, 1), NULL);
    assert_non_null(r);
    uint32_t found = 0;
    xcb_randr_monitor_info_iterator_t it = xcb_randr_get_monitors_monitors_iterator(r);
    for (; it.rem; xcb_randr_monitor_info_next(&it))
        for (uint32_t i = 0; i < b->nmonitors; i++) {
            const struct display_monitor *m = &b->monitors[i];
            found += it.data->x == m->x && it.data->y == m->y && it.data->width == m->width &&
                it.data->height == m->height && it.data->primary == m->primary;
        }
    assert_int_equal(r->nMonitors, b->nmonitors);
    assert_int_equal(found, b->nmonitors);
    free(r);
}

static xcb_render_pictformat_t argb_format(struct fixture *x)
{
    xcb_render_query_pict_formats_reply_t *r =
        xcb_render_query_pict_formats_reply(x->c, xcb_render_query_pict_formats(x->c), NULL);
    xcb_render_pictformat_t id = 0;
    xcb_render_pictforminfo_iterator_t it = xcb_render_query_pict_formats_formats_iterator(r);
    for (; it.rem; xcb_render_pictforminfo_next(&it))
        if (it.data->depth == 32 && it.data->direct.alpha_shift == 24)
            id = it.data->id;
    free(r);
    return id;
}

void fixture_set_cursor(struct fixture *x, uint16_t w, uint16_t h, uint16_t hot_x, uint16_t hot_y, uint32_t argb)
{
    xcb_pixmap_t pixmap = xcb_generate_id(x->c);
    xcb_render_picture_t picture = xcb_generate_id(x->c);
    xcb_cursor_t cursor = xcb_generate_id(x->c);
    xcb_create_pixmap(x->c, 32, pixmap, x->root, w, h);
    xcb_render_create_picture(x->c, picture, pixmap, argb_format(x), 0, NULL);
    xcb_render_color_t colour = {(uint16_t)((argb >> 16 & 0xff) * 257), (uint16_t)((argb >> 8 & 0xff) * 257),
        (uint16_t)((argb & 0xff) * 257), (uint16_t)((argb >> 24) * 257)};
    xcb_rectangle_t all = {0, 0, w, h};
    xcb_render_fill_rectangles(x->c, XCB_RENDER_PICT_OP_SRC, picture, colour, 1, &all);
    xcb_render_create_cursor(x->c, cursor, picture, hot_x, hot_y);
    xcb_change_window_attributes(x->c, x->root, XCB_CW_CURSOR, &cursor);
    xcb_change_window_attributes(x->c, x->window, XCB_CW_CURSOR, &cursor);
    xcb_render_free_picture(x->c, picture);
    xcb_free_pixmap(x->c, pixmap);
    xcb_free_cursor(x->c, cursor);
    xcb_flush(x->c);
}

void fixture_wait_pointer(struct fixture *x, int x_want, int y_want)
{
    for (uint64_t t = fixture_now_us(); fixture_now_us() - t < LIMIT_MS * 1000ull;) {
        xcb_query_pointer_reply_t *r = xcb_query_pointer_reply(x->c, xcb_query_pointer(x->c, x->root), NULL);
        assert_non_null(r);
        bool there = r->root_x == x_want && r->root_y == y_want;
        free(r);
        if (there)
            return;
        usleep(1000);
    }
    fail_msg("the pointer is not at %d,%d", x_want, y_want);
}

/* The next event of a type within the time; other types are dropped. */
static xcb_generic_event_t *next_event(struct fixture *x, uint8_t type, int ms)
{
    uint64_t end = fixture_now_us() + (uint64_t)ms * 1000;
    xcb_flush(x->c);
    for (;;) {
        xcb_generic_event_t *e;
        while ((e = xcb_poll_for_event(x->c))) {
            if ((e->response_type & 0x7f) == type)
                return e;
            free(e);
        }
        uint64_t now = fixture_now_us();
        if (now >= end)
            return NULL;
        struct pollfd p = {xcb_get_file_descriptor(x->c), POLLIN, 0};
        (void)poll(&p, 1, (int)((end - now) / 1000) + 1);
    }
}

void fixture_expect_click(struct fixture *x, uint8_t button)
{
    xcb_generic_event_t *e = next_event(x, XCB_BUTTON_PRESS, LIMIT_MS);
    if (!e)
        fail_msg("no click of button %u", button);
    assert_int_equal(((xcb_button_press_event_t *)e)->detail, button);
    free(e);
}

void fixture_expect_release(struct fixture *x, uint8_t button)
{
    xcb_generic_event_t *e = next_event(x, XCB_BUTTON_RELEASE, LIMIT_MS);
    if (!e)
        fail_msg("button %u stays down", button);
    assert_int_equal(((xcb_button_release_event_t *)e)->detail, button);
    free(e);
}

uint8_t fixture_next_key(struct fixture *x, uint16_t *state)
{
    xcb_generic_event_t *e = next_event(x, XCB_KEY_PRESS, LIMIT_MS);
    if (!e)
        return 0;
    const xcb_key_press_event_t *k = (const xcb_key_press_event_t *)e;
    uint8_t code = k->detail;
    if (state)
        *state = k->state;
    free(e);
    return code;
}

int fixture_count_presses(struct fixture *x, int ms)
{
    xcb_generic_event_t *e;
    int n = 0;
    for (; (e = next_event(x, XCB_KEY_PRESS, ms)); n++)
        free(e);
    return n;
}

void fixture_focus(struct fixture *x)
{
    xcb_set_input_focus(x->c, XCB_INPUT_FOCUS_POINTER_ROOT, x->window, XCB_CURRENT_TIME);
    free(xcb_get_input_focus_reply(x->c, xcb_get_input_focus(x->c), NULL));
}

int fixture_keys_down(struct fixture *x)
{
    xcb_query_keymap_reply_t *r = xcb_query_keymap_reply(x->c, xcb_query_keymap(x->c), NULL);
    int n = 0;
    for (int i = 0; r && i < 256; i++)
        n += r->keys[i / 8] >> (i % 8) & 1;
    free(r);
    return n;
}

int fixture_keys_down_after(struct fixture *x, int ms)
{
    uint64_t end = fixture_now_us() + (uint64_t)ms * 1000;
    int n;
    while ((n = fixture_keys_down(x)) && fixture_now_us() < end)
        usleep(2000);
    return n;
}

unsigned long fixture_cpu_ticks(pid_t pid)
{
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        user = 0;
    if (f)
        fclose(f);
    return user + system;
}

unsigned long fixture_switches(pid_t pid)
{
    char path[64], line[256];
    unsigned long n = 0, v;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "voluntary_ctxt_switches: %lu", &v) == 1)
            n += v;
    if (f)
        fclose(f);
    return n;
}
