/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/loop.h"

#include <event2/event.h>

struct event_base *loop_create_precise(void)
{
    struct event_config *c = event_config_new();
    struct event_base *base = NULL;
    if (c && event_config_set_flag(c, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
        base = event_base_new_with_config(c);
    if (c)
        event_config_free(c);
    return base;
}
