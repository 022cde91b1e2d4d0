/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of functions whose slots go missing one by one. */
#ifndef ORIEL_TESTS_UNIT_COMMON_SLOTS_BY_ONE_H
#define ORIEL_TESTS_UNIT_COMMON_SLOTS_BY_ONE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SLOTS_BY_ONE_MAX 64

/* `check` is asked with every slot there, then with each one missing in its turn. The table has `size` bytes, nothing
 * but pointers. Returns how many it can do without; any other must be refused. */
static inline size_t slots_by_one(int (*check)(const void *ops), size_t size)
{
    static const char *table[SLOTS_BY_ONE_MAX];
    size_t n = size / sizeof table[0], optional = 0;
    assert_true(n > 0 && n <= SLOTS_BY_ONE_MAX && size % sizeof table[0] == 0);
    for (size_t i = 0; i < n; i++)
        table[i] = "there";
    assert_int_equal(check(table), 0);
    for (size_t i = 0; i < n; i++) {
        table[i] = NULL;
        int r = check(table);
        assert_true(r == 0 || r == -EINVAL);
        optional += r == 0;
        table[i] = "there";
    }
    return optional;
}

#endif
