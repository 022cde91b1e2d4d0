/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A mark that tests look for on a client's screen: four coloured squares of SIDE pixels in the corner of the session's
 * screen, above everything else, at once and with no library but xcb. `stamp RRGGBB RRGGBB RRGGBB RRGGBB
 * [stream|film]`; with "stream" it also paints coloured bars that move beside them, with "film" a picture like a
 * camera's, for ever. Ends with its X server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xcb/xcb.h>

#define SIDE 32

static xcb_window_t make_window(xcb_connection_t *c, xcb_screen_t *s, int x, int y, int width, int height)
{
    xcb_window_t w = xcb_generate_id(c);
    uint32_t values[] = {s->black_pixel, 1, XCB_EVENT_MASK_EXPOSURE | XCB_EVENT_MASK_VISIBILITY_CHANGE};

    xcb_create_window(c, XCB_COPY_FROM_PARENT, w, s->root, (int16_t)x, (int16_t)y, (uint16_t)width, (uint16_t)height, 0,
        XCB_WINDOW_CLASS_INPUT_OUTPUT, s->root_visual, XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK,
        values);
    xcb_map_window(c, w);
    return w;
}

static void fill(xcb_connection_t *c, xcb_window_t w, xcb_gcontext_t gc, uint32_t colour, int x, int y, int width,
    int height)
{
    xcb_rectangle_t r = {(int16_t)x, (int16_t)y, (uint16_t)width, (uint16_t)height};

    xcb_change_gc(c, gc, XCB_GC_FOREGROUND, &colour);
    xcb_poly_fill_rectangle(c, w, gc, 1, &r);
}

static void draw(xcb_connection_t *c, xcb_window_t w, xcb_gcontext_t gc, const uint32_t *colours)
{
    for (int i = 0; i < 4; i++)
        fill(c, w, gc, colours[i], (i & 1) * SIDE, (i >> 1) * SIDE, SIDE, SIDE);
    xcb_flush(c);
}

static void paint_bars(xcb_connection_t *c, xcb_window_t w, xcb_gcontext_t gc, uint32_t n)
{
    for (int i = 0; i < 16; i++)
        fill(c, w, gc, (n * 2654435761u + (uint32_t)i * 40503u) >> 8, (int)(n * 7 + (uint32_t)i * 25) % 400, i * 12, 40,
            12);
}

static uint8_t wave(uint32_t at)
{
    at &= 511;
    return (uint8_t)((at < 256 ? at : 511 - at) * 7 / 8);
}

/* Soft colours that drift in different directions, with grain. STRIP rows a request stay far below the protocol's
 * limit. */
static void paint_film(xcb_connection_t *c, xcb_window_t w, xcb_gcontext_t gc, uint32_t n)
{
    enum { WIDTH = 384, HEIGHT = 192, STRIP = 32 };
    static uint32_t strip[STRIP * WIDTH], grain = 1;

    for (uint32_t top = 0; top < HEIGHT; top += STRIP) {
        for (uint32_t i = 0; i < STRIP * WIDTH; i++) {
            uint32_t x = i % WIDTH, y = top + i / WIDTH;

            grain = grain * 1664525u + 1013904223u;
            strip[i] =
                ((uint32_t)wave(x * 2 + n * 9) << 16 | (uint32_t)wave(y * 3 - n * 5) << 8 | wave(x + y + n * 13)) +
                (grain >> 29) * 0x010101u;
        }
        xcb_put_image(c, XCB_IMAGE_FORMAT_Z_PIXMAP, w, gc, WIDTH, STRIP, 0, (int16_t)top, 0, 24, sizeof strip,
            (uint8_t *)strip);
    }
}

/* Handle what the server said; false when it is gone. */
static int events(xcb_connection_t *c, xcb_window_t w, xcb_gcontext_t gc, const uint32_t *colours, int wait)
{
    xcb_generic_event_t *e;

    while ((e = wait ? xcb_wait_for_event(c) : xcb_poll_for_event(c))) {
        uint8_t type = e->response_type & 0x7f;

        if (type == XCB_EXPOSE)
            draw(c, w, gc, colours);
        if (type == XCB_VISIBILITY_NOTIFY && ((xcb_visibility_notify_event_t *)e)->window == w &&
            ((xcb_visibility_notify_event_t *)e)->state != XCB_VISIBILITY_UNOBSCURED) {
            uint32_t above = XCB_STACK_MODE_ABOVE;

            xcb_configure_window(c, w, XCB_CONFIG_WINDOW_STACK_MODE, &above);
            xcb_flush(c);
        }
        free(e);
    }
    return !xcb_connection_has_error(c);
}

int main(int argc, char **argv)
{
    uint32_t colours[4];
    xcb_connection_t *c = xcb_connect(NULL, NULL);
    xcb_screen_t *s;
    xcb_window_t w, moving = 0;
    xcb_gcontext_t gc;

    if (argc < 5 || xcb_connection_has_error(c))
        return 1;
    for (int i = 0; i < 4; i++)
        colours[i] = (uint32_t)strtoul(argv[i + 1], NULL, 16);
    s = xcb_setup_roots_iterator(xcb_get_setup(c)).data;
    w = make_window(c, s, 0, 0, 2 * SIDE, 2 * SIDE);
    gc = xcb_generate_id(c);
    xcb_create_gc(c, gc, w, 0, NULL);
    draw(c, w, gc, colours);
    if (argc > 5)
        moving = make_window(c, s, 100, 0, 400, 200);
    for (uint32_t n = 0; events(c, w, gc, colours, !moving); n++) {
        struct timespec pause = {0, 33000000};

        if (!strcmp(argv[5], "film"))
            paint_film(c, moving, gc, n);
        else
            paint_bars(c, moving, gc, n);
        xcb_flush(c);
        nanosleep(&pause, NULL);
    }
    return 0;
}
