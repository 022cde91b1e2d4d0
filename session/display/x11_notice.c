/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/display/x11_notice.h"

#include "common/loop.h"
#include "session/display/x11_conn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NOTICES_MAX 4     /* more at once would only cover each other */
#define STRIP_BYTES 65536 /* within the smallest request limit X servers have */

struct x11_notice {
    struct x11_notice *next;
    struct backend *b;
    xcb_window_t window;
    struct event *timer;
};

static void destroy_one(struct x11_notice *n)
{
    if (n->window)
        xcb_destroy_window(n->b->c, n->window);
    if (n->timer)
        event_free(n->timer);
    free(n);
}

static void take_down(struct backend *b, struct x11_notice *n)
{
    struct x11_notice **at = &b->notice;
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    destroy_one(n);
    x11_flush(b);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct x11_notice *n = arg;
    take_down(n->b, n);
}

void x11_notice_event(struct backend *b, const xcb_generic_event_t *e)
{
    if ((e->response_type & 0x7f) != XCB_BUTTON_PRESS)
        return;
    const xcb_button_press_event_t *press = (const xcb_button_press_event_t *)e;
    for (struct x11_notice *n = b->notice; n; n = n->next) {
        if (n->window == press->event) {
            take_down(b, n);
            return;
        }
    }
}

void x11_notice_destroy(struct backend *b)
{
    while (b->notice) {
        struct x11_notice *n = b->notice;
        b->notice = n->next;
        destroy_one(n);
    }
}

static void put_rows(struct backend *b, xcb_drawable_t to, xcb_gcontext_t gc, const uint8_t *px, uint32_t width,
    uint32_t height, uint32_t stride)
{
    uint32_t per = STRIP_BYTES / (width * 4);
    uint8_t *strip = calloc(per ? per : 1, width * 4ul);
    for (uint32_t y = 0; strip && y < height; y += per ? per : 1) {
        uint32_t rows = per ? per : 1;
        rows = rows < height - y ? rows : height - y;
        for (uint32_t i = 0; i < rows; i++)
            for (uint32_t k = 0; k < width * 4; k++)
                strip[(size_t)i * width * 4 + k] = px[(size_t)(y + i) * stride + k];
        xcb_put_image(b->c, XCB_IMAGE_FORMAT_Z_PIXMAP, to, gc, (uint16_t)width, (uint16_t)rows, 0, (int16_t)y, 0,
            b->screen->root_depth, rows * width * 4, strip);
    }
    free(strip);
}

/* A window whose background is the picture: the server redraws it by itself. */
static void create_window(struct backend *b, struct x11_notice *n, const uint8_t *px, uint32_t width, uint32_t height,
    uint32_t stride)
{
    xcb_pixmap_t pixmap = xcb_generate_id(b->c);
    xcb_gcontext_t gc = xcb_generate_id(b->c);
    xcb_create_pixmap(b->c, b->screen->root_depth, pixmap, b->root, (uint16_t)width, (uint16_t)height);
    xcb_create_gc(b->c, gc, pixmap, 0, NULL);
    put_rows(b, pixmap, gc, px, width, height, stride);
    struct display_layout l;
    (void)x11_get_layout(b, &l);
    struct display_monitor m = l.monitors[0];
    for (uint32_t i = 0; i < l.nmonitors; i++)
        m = l.monitors[i].primary ? l.monitors[i] : m;
    int32_t x = m.x + ((int32_t)m.width - (int32_t)width) / 2, y = m.y + ((int32_t)m.height - (int32_t)height) / 2;
    n->window = xcb_generate_id(b->c);
    uint32_t values[] = {pixmap, 1, XCB_EVENT_MASK_BUTTON_PRESS};
    xcb_create_window(b->c, XCB_COPY_FROM_PARENT, n->window, b->root, (int16_t)x, (int16_t)y, (uint16_t)width,
        (uint16_t)height, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT, b->screen->root_visual,
        XCB_CW_BACK_PIXMAP | XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK, values);
    uint32_t above = XCB_STACK_MODE_ABOVE;
    xcb_map_window(b->c, n->window);
    xcb_configure_window(b->c, n->window, XCB_CONFIG_WINDOW_STACK_MODE, &above);
    xcb_free_gc(b->c, gc);
    xcb_free_pixmap(b->c, pixmap);
    x11_flush(b);
}

int x11_notice_show(struct backend *b, int fd, uint32_t width, uint32_t height, uint32_t stride, unsigned seconds)
{
    struct stat st;
    size_t len = (size_t)stride * height, count = 0;
    if (stride < width * 4 || fstat(fd, &st) < 0 || st.st_size < 0 || (size_t)st.st_size < len)
        return -EINVAL;
    for (struct x11_notice *n = b->notice; n; n = n->next)
        count++;
    if (count >= NOTICES_MAX)
        return -EBUSY;
    const uint8_t *px = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    struct x11_notice *n = px == MAP_FAILED ? NULL : calloc(1, sizeof *n);
    if (n) {
        n->b = b;
        n->timer = evtimer_new(b->base, on_timer, n);
        create_window(b, n, px, width, height, stride);
        n->next = b->notice;
        b->notice = n;
        if (n->timer)
            (void)loop_arm_s(n->timer, seconds);
    }
    if (px != MAP_FAILED)
        munmap((void *)px, len);
    return n ? 0 : -ENOMEM;
}
