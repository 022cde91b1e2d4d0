/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What event loops need beside libevent. */
#ifndef ORIEL_COMMON_LOOP_H
#define ORIEL_COMMON_LOOP_H

#include <stdint.h>

struct event;
struct event_base;

/* A loop whose timers keep microseconds: libevent's usual clock moves every 4 ms, and its usual timers round up to
 * whole milliseconds. The caller's, to be freed by event_base_free. NULL: out of memory. */
struct event_base *loop_create_precise(void);

/* Let `timer` (evtimer_new; one shot) fire once, so long from now; 0 or less: in the loop's next turn. A time set
 * before no longer counts. Returns 0 or -ENOMEM; only a timer that was not pending can fail. */
int loop_arm_us(struct event *timer, int64_t us);
int loop_arm_ms(struct event *timer, int64_t ms);
int loop_arm_s(struct event *timer, int64_t seconds);

#endif
