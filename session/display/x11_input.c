/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pointer and key events by XTEST, and the pointer's shape. */
#include "session/display/x11.h"
#include "session/display/x11_conn.h"
#include "session/display/x11_keys.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/xtest.h>

#define EVDEV_OFFSET 8 /* X keycodes are evdev's plus 8, since codes below 8 were taken */

void x11_keycode(struct backend *b, uint8_t keycode, bool down)
{
    xcb_test_fake_input(b->c, down ? XCB_KEY_PRESS : XCB_KEY_RELEASE, keycode, XCB_CURRENT_TIME, b->root, 0, 0, 0);
}

void x11_move(struct backend *b, int32_t x, int32_t y)
{
    b->pointer_x = x;
    b->pointer_y = y;
    xcb_test_fake_input(b->c, XCB_MOTION_NOTIFY, 0, XCB_CURRENT_TIME, b->root, (int16_t)x, (int16_t)y, 0);
}

void x11_button(struct backend *b, uint32_t button, bool down)
{
    xcb_test_fake_input(b->c, down ? XCB_BUTTON_PRESS : XCB_BUTTON_RELEASE, (uint8_t)button, XCB_CURRENT_TIME, b->root,
        0, 0, 0);
}

#define TOLD_BUTTONS 5 /* the core protocol does not say of later ones whether they are down */
#define LAST_BUTTON 9

/* What an agent that was killed held down would stay down for ever. A release of what is up does nothing. */
void x11_release_all(struct backend *b)
{
    xcb_query_keymap_reply_t *keys = xcb_query_keymap_reply(b->c, xcb_query_keymap(b->c), NULL);
    xcb_query_pointer_reply_t *pointer = xcb_query_pointer_reply(b->c, xcb_query_pointer(b->c, b->root), NULL);
    x11_replied(b);
    for (unsigned code = 8; keys && code < 256; code++)
        if (keys->keys[code / 8] >> code % 8 & 1)
            x11_keycode(b, (uint8_t)code, false);
    for (uint32_t button = 1; pointer && button <= LAST_BUTTON; button++)
        if (button > TOLD_BUTTONS || pointer->mask & XCB_BUTTON_MASK_1 << (button - 1))
            x11_button(b, button, false);
    free(keys);
    free(pointer);
}

/* Average the source pixels under each target pixel: premultiplied, so transparent ones do not colour the edge. */
static void shrink(const uint32_t *src, uint32_t sw, uint32_t sh, uint8_t *dst, uint32_t dw, uint32_t dh)
{
    for (uint32_t y = 0; y < dh; y++) {
        for (uint32_t x = 0; x < dw; x++) {
            uint32_t x0 = x * sw / dw, x1 = (x + 1) * sw / dw, y0 = y * sh / dh, y1 = (y + 1) * sh / dh;
            uint32_t sum[4] = {0}, n = (x1 - x0) * (y1 - y0);
            for (uint32_t i = y0; i < y1; i++)
                for (uint32_t j = x0; j < x1; j++)
                    for (int k = 0; k < 4; k++)
                        sum[k] += src[i * sw + j] >> (8 * k) & 0xff;
            for (int k = 0; k < 4; k++)
                dst[(y * dw + x) * 4 + (uint32_t)k] = (uint8_t)(sum[k] / (n ? n : 1));
        }
    }
}

static bool invisible(const uint32_t *px, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (px[i] >> 24)
            return false;
    return true;
}

void x11_cursor_report(struct backend *b)
{
    xcb_xfixes_get_cursor_image_reply_t *r =
        xcb_xfixes_get_cursor_image_reply(b->c, xcb_xfixes_get_cursor_image(b->c), NULL);
    x11_replied(b);
    if (!r)
        return;
    struct display_cursor c = {.serial = r->cursor_serial};
    const uint32_t *px = xcb_xfixes_get_cursor_image_cursor_image(r);
    uint32_t w = r->width, h = r->height, side = w > h ? w : h;
    if (w && h && w <= 1024 && h <= 1024 && !invisible(px, (size_t)w * h)) {
        uint32_t limit = side > DISPLAY_CURSOR_SIDE ? DISPLAY_CURSOR_SIDE : side;
        uint32_t dw = w * limit / side, dh = h * limit / side;
        dw = dw ? dw : 1;
        dh = dh ? dh : 1;
        c.width = (uint16_t)dw;
        c.height = (uint16_t)dh;
        c.hot_x = (uint16_t)(r->xhot * dw / w < dw ? r->xhot * dw / w : dw - 1);
        c.hot_y = (uint16_t)(r->yhot * dh / h < dh ? r->yhot * dh / h : dh - 1);
        c.nbytes = dw * dh * 4;
        shrink(px, w, h, c.pixels, dw, dh);
    }
    free(r);
    b->events->cursor(b->user, &c);
}

void x11_key(struct backend *b, uint32_t code, bool down)
{
    if (code + EVDEV_OFFSET <= 255)
        x11_keys_input(b, (uint8_t)(code + EVDEV_OFFSET), down);
}
