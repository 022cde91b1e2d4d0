/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/display/x11_conn.h"

#include "common/log.h"
#include "session/display/x11.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

void x11_replied(struct backend *b)
{
    if (b->readable)
        event_active(b->readable, EV_READ, 0);
}

void x11_flush(struct backend *b)
{
    xcb_flush(b->c);
    x11_replied(b);
}

int x11_check(struct backend *b, xcb_void_cookie_t cookie, const char *what)
{
    xcb_generic_error_t *e = xcb_request_check(b->c, cookie);
    x11_replied(b);
    if (!e)
        return xcb_connection_has_error(b->c) ? -EPIPE : 0;
    log_debug("X refused", "what=%s error=%u", what, e->error_code);
    free(e);
    return -EIO;
}

xcb_atom_t x11_atom(struct backend *b, const char *name)
{
    xcb_intern_atom_reply_t *r =
        xcb_intern_atom_reply(b->c, xcb_intern_atom(b->c, 0, (uint16_t)strlen(name), name), NULL);
    xcb_atom_t atom = r ? r->atom : XCB_ATOM_NONE;
    free(r);
    x11_replied(b);
    return atom;
}
