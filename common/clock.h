/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What time it is. Nobody else in the product asks the kernel; codecs/ is told. Thread-safe; cannot fail. */
#ifndef ORIEL_COMMON_CLOCK_H
#define ORIEL_COMMON_CLOCK_H

#include <stdint.h>

/* Time for waiting and measuring: CLOCK_MONOTONIC. It begins with the machine's start, stands still while the machine
 * is suspended, never goes back, and is the same in all processes, so that a value may go over a link. */
uint64_t clock_us(void); /* microseconds, as links and codecs/ carry them */
int64_t clock_ms(void);  /* milliseconds; signed, so that `deadline - now` may be negative */
int64_t clock_s(void);   /* whole seconds */

/* As clock_ms, but it goes on while the machine is suspended (CLOCK_BOOTTIME): for what has to lapse all the same. It
 * means something only together with the boot's id. */
uint64_t clock_boottime_ms(void);

/* The time of day, for people and records: milliseconds since 1970 UTC (CLOCK_REALTIME). It may jump both ways. */
int64_t clock_wall_ms(void);

#endif
