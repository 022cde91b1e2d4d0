/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event loops for those who pace frames. */
#ifndef ORIEL_COMMON_LOOP_H
#define ORIEL_COMMON_LOOP_H

struct event_base;

/* A loop whose timers keep microseconds: libevent's usual clock moves every 4 ms, and its usual timers round up to
 * whole milliseconds. The caller's, to be freed by event_base_free. NULL: out of memory. */
struct event_base *loop_create_precise(void);

#endif
