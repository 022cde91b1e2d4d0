/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of functions: whoever takes one looks, once and before its first call, whether every mandatory slot is there.
 * One that is missing is a mistake in the program: the log names it, and nothing is started with that table.
 *
 *   static const struct slot must[] = {SLOT(link_ops, message), SLOT(link_ops, closed)};
 *   if (SLOTS_CHECK("link", ops, must) < 0) …
 */
#ifndef ORIEL_COMMON_SLOTS_H
#define ORIEL_COMMON_SLOTS_H

#include <stddef.h>

/* A member of a table that must not be NULL: a function, or a pointer. */
struct slot {
    const char *name;
    size_t offset;
};
#define SLOT(table, member)                     \
    {                                           \
#member, offsetof(struct table, member) \
    }

/* Returns 0, or -EINVAL: the first slot that is missing is in the log, with the table's name. */
int slots_check(const char *table, const void *ops, const struct slot *must, size_t n);
#define SLOTS_CHECK(table, ops, must) slots_check(table, ops, must, sizeof(must) / sizeof((must)[0]))

#endif
