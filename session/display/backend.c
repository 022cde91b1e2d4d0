/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/display/backend.h"

#include "common/slots.h"

int backend_ops_check(const struct backend_ops *ops)
{
    static const struct slot must[] = {SLOT(backend_ops, name), SLOT(backend_ops, open), SLOT(backend_ops, close),
        SLOT(backend_ops, set_layout), SLOT(backend_ops, get_layout), SLOT(backend_ops, set_scale),
        SLOT(backend_ops, surfaces), SLOT(backend_ops, collect), SLOT(backend_ops, pixels_create),
        SLOT(backend_ops, pixels_destroy), SLOT(backend_ops, pixels_info), SLOT(backend_ops, copy),
        SLOT(backend_ops, mark), SLOT(backend_ops, wait), SLOT(backend_ops, key), SLOT(backend_ops, unicode),
        SLOT(backend_ops, move), SLOT(backend_ops, button), SLOT(backend_ops, set_locks), SLOT(backend_ops, input_done),
        SLOT(backend_ops, set_keymap), SLOT(backend_ops, notice)};
    return SLOTS_CHECK("display back end", ops, must);
}

int backend_events_check(const struct backend_events *ev)
{
    static const struct slot must[] = {SLOT(backend_events, damaged), SLOT(backend_events, surfaces),
        SLOT(backend_events, cursor), SLOT(backend_events, pointer), SLOT(backend_events, leds),
        SLOT(backend_events, layout), SLOT(backend_events, died)};
    return SLOTS_CHECK("display events", ev, must);
}
