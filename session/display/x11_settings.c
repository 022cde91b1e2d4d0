/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/display/x11_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCES_MAX 65536 /* RESOURCE_MANAGER strings are a few KiB */
#define DPI_KEY "Xft.dpi:"

struct x11_settings { uint32_t percent; };

/* Copy the resource lines of others, then ours. Returns the length. */
static size_t edit_resources(const char *old, size_t len, uint32_t dpi, char *out, size_t cap)
{
    size_t n = 0;
    while (len) {
        const char *end = memchr(old, '\n', len);
        size_t line = end ? (size_t)(end - old) + 1 : len;
        bool ours = line >= strlen(DPI_KEY) && memcmp(old, DPI_KEY, strlen(DPI_KEY)) == 0;
        if (!ours && n + line + 1 < cap) {
            memcpy(out + n, old, line);
            n += line;
            if (!end)
                out[n++] = '\n';
        }
        old += line;
        len -= line;
    }
    int k = snprintf(out + n, cap - n, DPI_KEY "\t%u\n", dpi);
    return k > 0 && (size_t)k < cap - n ? n + (size_t)k : n;
}

static int set_resources(struct backend *b, uint32_t dpi)
{
    xcb_get_property_cookie_t cookie =
        xcb_get_property(b->c, 0, b->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 0, RESOURCES_MAX / 4);
    xcb_get_property_reply_t *r = xcb_get_property_reply(b->c, cookie, NULL);
    x11_replied(b);
    size_t len = r ? (size_t)xcb_get_property_value_length(r) : 0, cap = len + 64;
    char *text = malloc(cap);
    if (text) {
        len = edit_resources(r ? xcb_get_property_value(r) : "", len, dpi, text, cap);
        xcb_change_property(b->c, XCB_PROP_MODE_REPLACE, b->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 8, (uint32_t)len, text);
        x11_flush(b);
    }
    free(text);
    free(r);
    return text ? 0 : -ENOMEM;
}

int x11_settings_scale(struct backend *b, uint32_t percent)
{
    return set_resources(b, 96 * percent / 100);
}

bool x11_settings_event(struct backend *b, const xcb_generic_event_t *e)
{
    (void)b;
    (void)e;
    return false;
}

void x11_settings_destroy(struct backend *b)
{
    free(b->settings);
    b->settings = NULL;
}
