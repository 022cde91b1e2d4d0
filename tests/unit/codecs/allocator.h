/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In front of the allocator: the test that includes this (linked with wrap_allocator) says of each allocation whether
 * it is refused. */
#ifndef ORIEL_TESTS_ALLOCATOR_H
#define ORIEL_TESTS_ALLOCATOR_H

#include <stdbool.h>
#include <stdlib.h>

static bool refused(void);

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t m);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t m);

void *__wrap_malloc(size_t n)
{
    return refused() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t m)
{
    return refused() ? NULL : __real_calloc(n, m);
}
void *__wrap_realloc(void *p, size_t n)
{
    return refused() ? NULL : __real_realloc(p, n);
}
void *__wrap_reallocarray(void *p, size_t n, size_t m)
{
    return refused() ? NULL : __real_reallocarray(p, n, m);
}

#endif
