/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Client input (MS-RDPBCGR 2.2.8.1) to display events. */
#include "server/rdp/rdp.h"

#include <freerdp/input.h>

static void put(struct front *f, const struct display_event *e)
{
    peer_client_input(f->peer, e);
}

static BOOL on_sync(rdpInput *in, UINT32 locks)
{
    put(front_of(in->context), &(struct display_event){.type = INPUT_LOCKS, .code = locks & 15});
    return TRUE;
}

static BOOL on_key(rdpInput *in, UINT16 flags, UINT8 code)
{
    uint8_t f = flags & KBD_FLAGS_RELEASE ? 0 : INPUT_DOWN;
    if (flags & KBD_FLAGS_EXTENDED)
        f |= INPUT_EXTENDED;
    if (flags & KBD_FLAGS_EXTENDED1)
        f |= INPUT_EXTENDED1;
    put(front_of(in->context), &(struct display_event){.type = INPUT_KEY, .flags = f, .code = code & 0x7f});
    return TRUE;
}

/* Characters beyond the first plane come as two events, each pressed and released. */
static BOOL on_unicode(rdpInput *in, UINT16 flags, UINT16 unit)
{
    struct front *f = front_of(in->context);
    uint32_t code = unit;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        f->high_surrogate = unit;
        return TRUE;
    }
    if (unit >= 0xdc00 && unit <= 0xdfff) {
        if (!f->high_surrogate)
            return TRUE;
        code = 0x10000u + ((uint32_t)(f->high_surrogate - 0xd800) << 10) + (unit - 0xdc00u);
    }
    put(f,
        &(struct display_event){.type = INPUT_UNICODE,
            .flags = flags & KBD_FLAGS_RELEASE ? 0 : INPUT_DOWN,
            .code = code});
    return TRUE;
}

/* TS_POINTER_EVENT 2.2.8.1.1.3.1.1.3: nine bits, two's complement; 120 is a notch, smaller steps come from touchpads.
 */
static int32_t wheel_steps(UINT16 flags)
{
    int32_t v = flags & WheelRotationMask;
    return v & PTR_FLAGS_WHEEL_NEGATIVE ? v - 0x200 : v;
}

static void put_button(struct front *f, uint32_t button, bool down, UINT16 x, UINT16 y)
{
    put(f,
        &(struct display_event){.type = INPUT_BUTTON, .flags = down ? INPUT_DOWN : 0, .code = button, .x = x, .y = y});
}

static BOOL on_mouse(rdpInput *in, UINT16 flags, UINT16 x, UINT16 y)
{
    struct front *f = front_of(in->context);
    f->x = x;
    f->y = y;
    if (flags & (PTR_FLAGS_WHEEL | PTR_FLAGS_HWHEEL)) {
        put(f,
            &(struct display_event){.type = INPUT_WHEEL,
                .flags = flags & PTR_FLAGS_HWHEEL ? INPUT_HORIZONTAL : 0,
                .value = wheel_steps(flags)});
        return TRUE;
    }
    if (flags & PTR_FLAGS_MOVE)
        put(f, &(struct display_event){.type = INPUT_MOVE, .x = x, .y = y});
    if (flags & PTR_FLAGS_BUTTON1)
        put_button(f, 1, flags & PTR_FLAGS_DOWN, x, y);
    if (flags & PTR_FLAGS_BUTTON2)
        put_button(f, 3, flags & PTR_FLAGS_DOWN, x, y);
    if (flags & PTR_FLAGS_BUTTON3)
        put_button(f, 2, flags & PTR_FLAGS_DOWN, x, y);
    return TRUE;
}

static BOOL on_extended_mouse(rdpInput *in, UINT16 flags, UINT16 x, UINT16 y)
{
    struct front *f = front_of(in->context);
    if (flags & PTR_XFLAGS_BUTTON1)
        put_button(f, 8, flags & PTR_XFLAGS_DOWN, x, y);
    if (flags & PTR_XFLAGS_BUTTON2)
        put_button(f, 9, flags & PTR_XFLAGS_DOWN, x, y);
    return TRUE;
}

static int32_t within(int32_t v, uint16_t side)
{
    return v < 0 ? 0 : v >= side ? side - 1 : v;
}

/* Relative movement (2.2.8.1.1.3.1.1.7) from the last position known here. */
static BOOL on_relative_mouse(rdpInput *in, UINT16 flags, INT16 dx, INT16 dy)
{
    struct front *f = front_of(in->context);
    int32_t x = within(f->x + dx, f->width), y = within(f->y + dy, f->height);
    return on_mouse(in, flags, (UINT16)x, (UINT16)y);
}

/* The window got the keyboard: all keys are released, then the lock keys are set. */
static BOOL on_focus(rdpInput *in, UINT16 locks)
{
    return on_sync(in, locks);
}

void rdp_input_init(struct front *f)
{
    rdpInput *in = f->client->context->input;
    in->SynchronizeEvent = on_sync;
    in->KeyboardEvent = on_key;
    in->UnicodeKeyboardEvent = on_unicode;
    in->MouseEvent = on_mouse;
    in->ExtendedMouseEvent = on_extended_mouse;
    in->RelMouseEvent = on_relative_mouse;
    in->FocusInEvent = on_focus;
}
