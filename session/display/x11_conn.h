/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and replies over the back end's connection, for all files of the X11 back end; calls none of them. libxcb
 * reads events whenever it writes or waits, without the loop noticing: each call here makes the loop look for them. */
#ifndef ORIEL_SESSION_DISPLAY_X11_CONN_H
#define ORIEL_SESSION_DISPLAY_X11_CONN_H

#include <xcb/xcb.h>

struct backend;

/* To be called after waiting for a reply. */
void x11_replied(struct backend *b);
/* Send what is buffered. */
void x11_flush(struct backend *b);
/* Wait for a checked request. Returns 0, -EIO if the server refused (logged at debug level as `what`), or -EPIPE if it
 * is gone. */
int x11_check(struct backend *b, xcb_void_cookie_t cookie, const char *what);
/* The atom of this name, made if there is none; waits for the server. XCB_ATOM_NONE: the server is gone. */
xcb_atom_t x11_atom(struct backend *b, const char *name);

#endif
