/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/quote.h"

#include <errno.h>
#include <string.h>

int quote_word(const char *text, char *out, size_t cap)
{
    static const char quote[] = "'\\''";
    size_t n = 0;
    if (cap < 3)
        return -ENAMETOOLONG;
    out[n++] = '\'';
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        size_t len = *p == '\'' ? sizeof quote - 1 : 1;
        if (*p < 0x20 || *p == 0x7f || *p == '!' || *p == '\\')
            return -EINVAL;
        if (n + len + 2 > cap)
            return -ENAMETOOLONG;
        memcpy(out + n, *p == '\'' ? quote : (const char *)p, len);
        n += len;
    }
    out[n++] = '\'';
    out[n] = 0;
    return 0;
}
