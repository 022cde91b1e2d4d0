/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/display.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_field display_monitor_fields[] = {
    WF_I32(display_monitor, x),
    WF_I32(display_monitor, y),
    WF_U32(display_monitor, width, DISPLAY_SIDE_MAX),
    WF_U32(display_monitor, height, DISPLAY_SIDE_MAX),
    WF_U32(display_monitor, phys_width, 100000),
    WF_U32(display_monitor, phys_height, 100000),
    WF_U32(display_monitor, scale, 500),
    WF_U32(display_monitor, orientation, 270),
    WF_U8(display_monitor, primary, 1),
};
static WIRE_DEF(display_monitor, 0, 0);
static const struct wire_field display_rect_fields[] = {
    WF_U16(display_rect, x, DISPLAY_SIDE_MAX),
    WF_U16(display_rect, y, DISPLAY_SIDE_MAX),
    WF_U16(display_rect, width, DISPLAY_SIDE_MAX),
    WF_U16(display_rect, height, DISPLAY_SIDE_MAX),
};
static WIRE_DEF(display_rect, 0, 0);
static const struct wire_field display_event_fields[] = {
    WF_U8(display_event, type, INPUT_TYPE_MAX),
    WF_U8(display_event, flags, 15),
    WF_U32(display_event, code, 0x10ffff),
    WF_I32(display_event, x),
    WF_I32(display_event, y),
    WF_I32(display_event, value),
};
static WIRE_DEF(display_event, 0, 0);

static const struct wire_field display_open_fields[] = {
    WF_ARRAY(display_open, monitors, nmonitors, &display_monitor_def),
    WF_U32(display_open, keyboard_layout, UINT32_MAX),
    WF_U32(display_open, keyboard_type, UINT32_MAX),
    WF_U32(display_open, keyboard_subtype, UINT32_MAX),
    WF_STR(display_open, time_zone),
};
WIRE_DEF(display_open, 1, 0);
static const struct wire_field display_layout_fields[] = {
    WF_ARRAY(display_layout, monitors, nmonitors, &display_monitor_def)};
WIRE_DEF(display_layout, 2, 0);
static const struct wire_field display_input_fields[] = {WF_ARRAY(display_input, events, nevents, &display_event_def)};
WIRE_DEF(display_input, 3, 0);
static const struct wire_field display_frame_done_fields[] = {
    WF_U32(display_frame_done, surface, DISPLAY_SURFACE_ID_MAX),
    WF_U32(display_frame_done, frame, UINT32_MAX),
};
WIRE_DEF(display_frame_done, 4, 0);
static const struct wire_field display_refresh_fields[] = {
    WF_U32(display_refresh, surface, DISPLAY_SURFACE_ID_MAX),
    WF_ARRAY(display_refresh, rects, nrects, &display_rect_def),
};
WIRE_DEF(display_refresh, 5, 0);
static const struct wire_field display_suppress_fields[] = {WF_U8(display_suppress, on, 1)};
WIRE_DEF(display_suppress, 6, 0);
static const struct wire_field display_keyboard_fields[] = {
    WF_U32(display_keyboard, keyboard_layout, UINT32_MAX),
    WF_U32(display_keyboard, keyboard_type, UINT32_MAX),
    WF_U32(display_keyboard, keyboard_subtype, UINT32_MAX),
};
WIRE_DEF(display_keyboard, 7, 0);
static const struct wire_def *const to_drawer[] = {
    &display_open_def,
    &display_layout_def,
    &display_input_def,
    &display_frame_done_def,
    &display_refresh_def,
    &display_suppress_def,
    &display_keyboard_def,
};
const struct wire_proto display_to_drawer = {"display (to drawer)", to_drawer, COUNT(to_drawer)};

static const struct wire_field display_buffer_fields[] = {
    WF_U32(display_buffer, surface, DISPLAY_SURFACE_ID_MAX),
    WF_U32(display_buffer, stride, 4 * DISPLAY_SIDE_MAX + 256),
};
WIRE_DEF(display_buffer, 101, 1);
static const struct wire_field display_frame_fields[] = {
    WF_U32(display_frame, surface, DISPLAY_SURFACE_ID_MAX),
    WF_U32(display_frame, frame, UINT32_MAX),
    WF_U64(display_frame, damaged_us),
    WF_ARRAY(display_frame, rects, nrects, &display_rect_def),
};
WIRE_DEF(display_frame, 102, 0);
static const struct wire_field display_cursor_fields[] = {
    WF_U32(display_cursor, serial, UINT32_MAX),
    WF_U16(display_cursor, width, DISPLAY_CURSOR_SIDE),
    WF_U16(display_cursor, height, DISPLAY_CURSOR_SIDE),
    WF_U16(display_cursor, hot_x, DISPLAY_CURSOR_SIDE),
    WF_U16(display_cursor, hot_y, DISPLAY_CURSOR_SIDE),
    WF_BYTES(display_cursor, pixels, nbytes),
};
WIRE_DEF(display_cursor, 103, 0);
static const struct wire_field display_pointer_fields[] = {WF_I32(display_pointer, x), WF_I32(display_pointer, y)};
WIRE_DEF(display_pointer, 104, 0);
static const struct wire_field display_leds_fields[] = {WF_U8(display_leds, locks, 15)};
WIRE_DEF(display_leds, 105, 0);
static const struct wire_field display_end_fields[] = {WF_U8(display_end, reason, DISPLAY_END_MAX)};
WIRE_DEF(display_end, 106, 0);
static const struct wire_field display_copied_fields[] = {
    WF_U32(display_copied, surface, DISPLAY_SURFACE_ID_MAX),
    WF_ARRAY(display_copied, rects, nrects, &display_rect_def),
};
WIRE_DEF(display_copied, 107, 0);
static const struct wire_field display_monitors_fields[] = {
    WF_U32(display_monitors, serial, UINT32_MAX),
    WF_U32(display_monitors, width, DISPLAY_SIDE_MAX),
    WF_U32(display_monitors, height, DISPLAY_SIDE_MAX),
    WF_ARRAY(display_monitors, monitors, nmonitors, &display_monitor_def),
};
WIRE_DEF(display_monitors, 108, 0);
static const struct wire_field display_surface_fields[] = {
    WF_U32(display_surface, surface, DISPLAY_SURFACE_ID_MAX),
    WF_U32(display_surface, layout, UINT32_MAX),
    WF_U8(display_surface, kind, SURFACE_KIND_MAX),
    WF_U8(display_surface, hidden, 1),
    WF_U32(display_surface, owner, DISPLAY_NO_SURFACE),
    WF_I32(display_surface, x),
    WF_I32(display_surface, y),
    WF_U32(display_surface, width, DISPLAY_SIDE_MAX),
    WF_U32(display_surface, height, DISPLAY_SIDE_MAX),
    WF_U32(display_surface, scale, 500),
};
WIRE_DEF(display_surface, 109, 0);
static const struct wire_field display_surface_gone_fields[] = {
    WF_U32(display_surface_gone, surface, DISPLAY_SURFACE_ID_MAX)};
WIRE_DEF(display_surface_gone, 110, 0);
static const struct wire_def *const to_front[] = {
    &display_buffer_def,
    &display_frame_def,
    &display_cursor_def,
    &display_pointer_def,
    &display_leds_def,
    &display_end_def,
    &display_copied_def,
    &display_monitors_def,
    &display_surface_def,
    &display_surface_gone_def,
};
const struct wire_proto display_to_front = {"display (to front end)", to_front, COUNT(to_front)};
