/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/slots.h"

#include "common/log.h"

#include <errno.h>
#include <string.h>

int slots_check(const char *table, const void *ops, const struct slot *must, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *there; /* POSIX: a function's address fits */
        memcpy(&there, (const char *)ops + must[i].offset, sizeof there);
        if (!there) {
            log_error("table of functions incomplete", "table=%s slot=%s: the program is built wrongly", table,
                must[i].name);
            return -EINVAL;
        }
    }
    return 0;
}
