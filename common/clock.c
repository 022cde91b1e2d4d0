/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"

#include <time.h>

static struct timespec get(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t); /* fails only for a clock that does not exist */
    return t;
}

static int64_t get_ms(clockid_t id)
{
    struct timespec t = get(id);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t clock_us(void)
{
    struct timespec t = get(CLOCK_MONOTONIC);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
    return get_ms(CLOCK_MONOTONIC);
}

int64_t clock_s(void)
{
    return get(CLOCK_MONOTONIC).tv_sec;
}

uint64_t clock_boottime_ms(void)
{
    return (uint64_t)get_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
    return get_ms(CLOCK_REALTIME);
}
