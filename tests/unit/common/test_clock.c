/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t kernel_ms(clockid_t id)
{
    struct timespec t;
    assert_int_equal(clock_gettime(id, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One clock in three units, between two readings of the kernel's. */
static void units_and_origin(void **state)
{
    int64_t before = kernel_ms(CLOCK_MONOTONIC);
    int64_t us = (int64_t)clock_us(), ms = clock_ms(), s = clock_s();
    int64_t after = kernel_ms(CLOCK_MONOTONIC);
    assert_true(before <= us / 1000 && us / 1000 <= ms && ms <= after);
    assert_true(before / 1000 <= s && s <= after / 1000);
}

static void boot_and_wall(void **state)
{
    int64_t boot = kernel_ms(CLOCK_BOOTTIME), wall = kernel_ms(CLOCK_REALTIME);
    assert_in_range(clock_boottime_ms(), boot, kernel_ms(CLOCK_BOOTTIME));
    assert_in_range(clock_wall_ms(), wall, kernel_ms(CLOCK_REALTIME));
}

/* A value that goes over a link means the same there. */
static void another_process_has_the_same(void **state)
{
    int p[2], status;
    uint64_t before = clock_us(), there = 0;
    assert_int_equal(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t now = clock_us();
        _exit(write(p[1], &now, sizeof now) != sizeof now);
    }
    assert_int_equal(read(p[0], &there, sizeof there), sizeof there);
    assert_in_range(there, before, clock_us());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_and_origin),
        cmocka_unit_test(boot_and_wall),
        cmocka_unit_test(another_process_has_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
