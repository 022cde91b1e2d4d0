/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/loop.h"

#include <errno.h>
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

int loop_arm_us(struct event *timer, int64_t us)
{
    int64_t left = us > 0 ? us : 0;
    struct timeval tv = {(time_t)(left / 1000000), (suseconds_t)(left % 1000000)};
    return evtimer_add(timer, &tv) == 0 ? 0 : -ENOMEM;
}

int loop_arm_ms(struct event *timer, int64_t ms)
{
    return loop_arm_us(timer, ms * 1000);
}

int loop_arm_s(struct event *timer, int64_t seconds)
{
    return loop_arm_us(timer, seconds * 1000000);
}
