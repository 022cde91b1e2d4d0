/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The display protocol: between a client front end (in oriel-peer) and whoever draws (oriel-agent, oriel-logon).
 *
 * One link per client attachment. Order of events:
 *   front end: display_open (once, first), then input, layout changes, frame_done
 *   drawer:    display_buffer (a new picture buffer; also after each layout change), then frames in it, cursor, LEDs
 * Rule for a layout change: the drawer sends display_buffer before any frame of the new size; the front end unmaps the
 * old buffer on display_buffer. At most one frame is on loan: the drawer writes into the buffer again only after
 * display_frame_done with that frame's id (or after sending a new buffer). The pixels: BGRX, 4 bytes, top-down.
 * Before a large frame the drawer may tell with display_copied what is in the buffer already: the front end may read it
 * while the rest is copied, and shows nothing of it before the frame. What changed again since it was told is in the
 * frame's rectangles, the rest of it is not.
 *
 * The buffer is a memfd of stride * height bytes, sealed against shrinking, growing and future writable mappings; the
 * front end maps it read-only, verifies seals and size, and treats rectangles and pixels as hostile. The drawer treats
 * the front end as hostile, too: coordinates are clamped, a viewer's input is dropped.
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
#define DISPLAY_CURSOR_SIDE 96    /* RDP's largest pointer without the large-pointer capability */

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
struct display_frame_done {
    uint32_t frame;
};
struct display_rect {
    uint16_t x, y, width, height;
};
struct display_refresh { /* please send these rectangles again, changed or not; none: everything */
    uint32_t nrects;
    struct display_rect rects[DISPLAY_RECTS_MAX];
};
/* on: nothing is shown at the client, send no frames; off: full frame follows */
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
struct display_buffer {             /* fd: the memfd */
    uint32_t surface;               /* 0: the desktop. Others: windows of published applications, later */
    uint32_t width, height, stride; /* stride in bytes */
    uint32_t nmonitors;             /* the layout that is now real */
    struct display_monitor monitors[DISPLAY_MONITORS_MAX];
};
struct display_frame {
    uint32_t surface, frame; /* frame: counts up, wraps; one on loan at a time */
    uint64_t damaged_us;     /* CLOCK_MONOTONIC µs of the first damage in it */
    uint32_t nrects;         /* disjoint, inside the buffer; none: all of it was told before */
    struct display_rect rects[DISPLAY_RECTS_MAX];
};
struct display_copied { /* at most DISPLAY_COPIED_MAX before a frame, none while one is on loan */
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
    display_leds_def, display_end_def, display_copied_def;

#endif
