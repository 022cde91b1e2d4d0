/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The display protocol: between a client's front end (in oriel-peer) and whoever draws (oriel-agent, oriel-logon).
 *
 * One link per client. It carries surfaces, their pixels, input and the pointer, because two sockets would have no
 * order between them. A surface is a rectangle of pixels with a place: the desktop, or a window of a published
 * application. Coordinates are pixels of the output, whose corner is 0,0; the output covers all monitors.
 *
 * Order of events:
 *   front end: display_open (once, first), then input, wishes for a layout, display_frame_done, display_refresh
 *   drawer:    display_monitors (first, and whenever the layout changes), then of each surface:
 *              display_surface → display_buffer → display_copied …, display_frame … → display_surface_gone
 *              and at any time the pointer and the keyboard's lights
 *
 * Layouts. display_monitors has a serial that is never used twice on a link. Every surface is announced again under it
 * (display_surface.layout) before it has a frame. The front end gives frames of an older layout back unread, and asks
 * for the surface again. A session that shows no desktop surface sends display_monitors all the same.
 *
 * Surfaces. The first display_surface with an id announces a surface, further ones say what it is now: elsewhere, of
 * another size, hidden, under another layout. Another size, and hidden, take its buffer back: a new one follows once it
 * is visible, and the frames after it cover all of it. A surface that only moved keeps its buffer. A hidden surface has
 * no buffer, and the front end gives its pictures back. An id may be used again after display_surface_gone.
 *
 * Buffers. The drawer makes one memfd per surface: stride * height bytes, pixels BGRX, 4 bytes, top-down, sealed
 * against shrinking, growing and future writable mappings. The front end maps it read-only, closes the descriptor, and
 * unmaps it when the surface is gone, hidden, of another size, or has another buffer. Each end frees its own mapping.
 *
 * Loans. Of each surface at most one frame is on loan: from display_frame until display_frame_done with its surface and
 * number, or until its buffer was taken back. Meanwhile the drawer does not write into this buffer; it may send frames
 * of all other surfaces. Before a large frame the drawer may tell with display_copied what is in the buffer already:
 * the front end may read it while the rest is copied, and shows nothing of it before the frame. What changed again
 * since it was told is in the frame's rectangles, the rest of it is not.
 *
 * Ceilings: DISPLAY_SURFACES_MAX surfaces announced at a time; the pixels of all visible ones, DISPLAY_OUTPUTS_MAX
 * times the output's. The drawer hides what would be more.
 *
 * What the front end refuses, and ends the link for: a surface, buffer, part or frame before display_monitors; monitors
 * that are none, empty or not within the output; a serial that does not change; more surfaces or pixels than the
 * ceilings; an empty surface, or another kind than before; a layout of the future; a buffer, part, frame or end of a
 * surface that is not announced; a buffer of a hidden one, one without the seals, or too small; a part or frame without
 * a buffer, or while a frame is on loan; more parts than a frame has; rectangles that are not within the surface.
 *
 * The drawer ends the link for anything before display_open, and for a second one. It ignores what crossed its own
 * messages: frames and surfaces that are no longer there, rectangles outside. Positions are clamped to the monitors,
 * and input of a client that only views is dropped.
 */
#ifndef ORIEL_SESSION_PROTO_DISPLAY_H
#define ORIEL_SESSION_PROTO_DISPLAY_H

#include "common/wire.h"

/* RDPGFX_RESET_GRAPHICS carries at most 16; libfreerdp refuses 16: 15 */
#define DISPLAY_MONITORS_MAX 15
#define DISPLAY_SIDE_MAX 32767 /* X11 and the dummy driver end there */
/* 512 * 8 bytes is a small message; a drawer with more sends the bounding rows */
#define DISPLAY_RECTS_MAX 512
#define DISPLAY_COPIED_MAX 8      /* parts of a frame that are told before it */
#define DISPLAY_PART_RECTS_MAX 64 /* of each */
#define DISPLAY_INPUTS_MAX 128    /* events in one message; a front end sends more messages */
/* As the engine's: windows of an application and the desktop */
#define DISPLAY_SURFACES_MAX 64
#define DISPLAY_SURFACE_ID_MAX 0x7fff /* the engine's own surfaces have numbers above */
#define DISPLAY_DESKTOP 0             /* the id of the desktop's surface, where there is one */
#define DISPLAY_NO_SURFACE 0xffff
/* Pixels of all surfaces, in outputs: windows overlap, and each is kept whole */
#define DISPLAY_OUTPUTS_MAX 4
#define DISPLAY_CURSOR_SIDE 96 /* RDP's largest pointer without the large-pointer capability */

struct display_monitor {
    int32_t x, y;                     /* desktop pixels; the front end normalises: the union's corner is 0,0 */
    uint32_t width, height;           /* pixels, 1 … DISPLAY_SIDE_MAX */
    uint32_t phys_width, phys_height; /* mm, 0 unknown */
    uint32_t scale;                   /* percent, 100 … 500; 0 unknown */
    uint32_t orientation;             /* 0, 90, 180, 270; informative: width and height are already turned */
    uint8_t primary;
};

/* front end → drawer */
struct display_open {
    uint32_t nmonitors; /* 1 … DISPLAY_MONITORS_MAX */
    struct display_monitor monitors[DISPLAY_MONITORS_MAX];
    uint32_t keyboard_layout;                 /* Windows keyboard layout id (KLID), 0 unknown */
    uint32_t keyboard_type, keyboard_subtype; /* as MS-RDPBCGR 2.2.1.3.2; 0 unknown */
    char time_zone[64];                       /* IANA name if the client told something that maps to one, else "" */
};
/* A wish. What came of it is said by display_monitors. Also the form in which layouts are handed about. */
struct display_layout {
    uint32_t nmonitors;
    struct display_monitor monitors[DISPLAY_MONITORS_MAX];
};
enum display_input_type {
    INPUT_KEY = 1, /* code: set-1 scancode 0 … 0x7f; flags: INPUT_DOWN, INPUT_EXTENDED (E0), INPUT_EXTENDED1 (E1) */
    /* code: UTF-16 unit or, with surrogates joined by the front end, a code point; flags: INPUT_DOWN */
    INPUT_UNICODE,
    INPUT_MOVE,   /* x, y */
    INPUT_BUTTON, /* code: 1 left, 2 middle, 3 right, 8 back, 9 forward (X11 numbers); flags: INPUT_DOWN; x, y */
    /* value: 120 = one notch up (or right, with INPUT_HORIZONTAL); fine deltas are accumulated by the drawer */
    INPUT_WHEEL,
    INPUT_LOCKS, /* code: INPUT_LOCK_* bits that are on at the client; also means: release all keys first */
    INPUT_TYPE_MAX = INPUT_LOCKS
};
#define INPUT_DOWN 1u
#define INPUT_EXTENDED 2u
#define INPUT_EXTENDED1 4u
#define INPUT_HORIZONTAL 8u
#define INPUT_LOCK_SCROLL 1u /* the bits of TS_SYNC_EVENT, MS-RDPBCGR 2.2.8.1.1.3.1.1.5 */
#define INPUT_LOCK_NUM 2u
#define INPUT_LOCK_CAPS 4u
#define INPUT_LOCK_KANA 8u
struct display_event {
    uint8_t type; /* enum display_input_type */
    uint8_t flags;
    uint32_t code;
    int32_t x, y; /* desktop pixels */
    int32_t value;
};
struct display_input {
    uint32_t nevents;
    struct display_event events[DISPLAY_INPUTS_MAX];
};
struct display_frame_done { /* unknown ones are ignored: their buffer went meanwhile */
    uint32_t surface, frame;
};
struct display_rect {
    uint16_t x, y, width, height;
};
struct display_refresh { /* please send these rectangles again, changed or not; none: all of the surface */
    uint32_t surface;
    uint32_t nrects;
    struct display_rect rects[DISPLAY_RECTS_MAX];
};
/* on: nothing is shown at the client, send no frames; off: full frames of all surfaces follow */
struct display_suppress {
    uint8_t on;
};
struct display_keyboard { /* the client changed its layout */
    uint32_t keyboard_layout, keyboard_type, keyboard_subtype;
};
extern const struct wire_proto display_to_drawer;
extern const struct wire_def display_open_def, display_layout_def, display_input_def, display_frame_done_def,
    display_refresh_def, display_suppress_def, display_keyboard_def;

/* drawer → front end */
struct display_monitors {   /* the layout that is now real */
    uint32_t serial;        /* another one than before; 0 is none */
    uint32_t width, height; /* the output's, in pixels; it covers all monitors */
    uint32_t nmonitors;     /* 1 … DISPLAY_MONITORS_MAX, within the output */
    struct display_monitor monitors[DISPLAY_MONITORS_MAX];
};
enum display_surface_kind {
    SURFACE_DESKTOP = 1, /* the whole output. One at most, and its id is DISPLAY_DESKTOP */
    SURFACE_WINDOW,
    SURFACE_KIND_MAX = SURFACE_WINDOW
};
struct display_surface {
    uint32_t surface;       /* its id, 0 … DISPLAY_SURFACE_ID_MAX */
    uint32_t layout;        /* serial of display_monitors */
    uint8_t kind;           /* enum display_surface_kind */
    uint8_t hidden;         /* 1: nobody sees it, it has no buffer */
    uint32_t owner;         /* the surface that it belongs to, as a dialogue does; DISPLAY_NO_SURFACE: none */
    int32_t x, y;           /* its corner; windows may lie partly outside of the output */
    uint32_t width, height; /* pixels, 1 … DISPLAY_SIDE_MAX */
    uint32_t scale;         /* percent that it was drawn for, 100 … 500; 0 unknown */
};
struct display_surface_gone {
    uint32_t surface;
};
struct display_buffer { /* fd: the memfd */
    uint32_t surface;
    uint32_t stride; /* bytes, a multiple of 4, no less than the surface's width * 4 */
};
struct display_frame {
    uint32_t surface, frame; /* frame: counts up, wraps; each surface has its own count */
    uint64_t damaged_us;     /* CLOCK_MONOTONIC µs of the first damage in it */
    uint32_t nrects;         /* disjoint, inside the surface; none: all of it was told before */
    struct display_rect rects[DISPLAY_RECTS_MAX];
};
struct display_copied { /* at most DISPLAY_COPIED_MAX before a frame of a surface, none while one of it is on loan */
    uint32_t surface;
    uint32_t nrects;
    struct display_rect rects[DISPLAY_PART_RECTS_MAX];
};
struct display_cursor {
    uint32_t serial;        /* same serial, same shape: front ends cache by it */
    uint16_t width, height; /* 0 x 0: hidden */
    uint16_t hot_x, hot_y;
    uint32_t nbytes; /* width * height * 4, BGRA premultiplied, top-down */
    uint8_t pixels[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE * 4];
};
/* An application moved the pointer */
struct display_pointer {
    int32_t x, y;
};
/* INPUT_LOCK_* now in force */
struct display_leds {
    uint8_t locks;
};
enum display_end_reason {
    DISPLAY_END_LOGOFF = 1,
    DISPLAY_END_SERVER_DIED,
    DISPLAY_END_DROPPED,
    DISPLAY_END_MAX = DISPLAY_END_DROPPED
};
struct display_end {
    uint8_t reason;
};
extern const struct wire_proto display_to_front;
extern const struct wire_def display_buffer_def, display_frame_def, display_cursor_def, display_pointer_def,
    display_leds_def, display_end_def, display_copied_def, display_monitors_def, display_surface_def,
    display_surface_gone_def;

#endif
