/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/front_end.h"

#include "common/slots.h"

int front_end_check(const struct front_end_ops *ops)
{
    static const struct slot must[] = {SLOT(front_end_ops, name), SLOT(front_end_ops, create),
        SLOT(front_end_ops, inside), SLOT(front_end_ops, start), SLOT(front_end_ops, destroy),
        SLOT(front_end_ops, facts), SLOT(front_end_ops, caps), SLOT(front_end_ops, desktop), SLOT(front_end_ops, frame),
        SLOT(front_end_ops, room), SLOT(front_end_ops, link), SLOT(front_end_ops, cursor), SLOT(front_end_ops, pointer),
        SLOT(front_end_ops, leds), SLOT(front_end_ops, granted), SLOT(front_end_ops, end)};
    return SLOTS_CHECK("front end", ops, must);
}
