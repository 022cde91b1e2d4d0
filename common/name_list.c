/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/name_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SEPARATORS " \t,"

int name_list_next(const char **at, char out[GROUP_NAME_BYTES])
{
    const char *s = *at + strspn(*at, SEPARATORS);
    bool quoted = *s == '"';
    s += quoted;
    size_t n = strcspn(s, quoted ? "\"" : SEPARATORS "\"");
    const char *end = s + n;
    *at = end;
    if (quoted ? !n || *end != '"' || !strchr(SEPARATORS, end[1]) : *end == '"')
        return -EINVAL; /* strchr finds the end of the text, too */
    if (n >= GROUP_NAME_BYTES)
        return -EINVAL;
    *at += quoted;
    memcpy(out, s, n);
    out[n] = 0;
    return n > 0;
}

bool name_list_any(const char *list)
{
    return list[strspn(list, SEPARATORS)] != 0;
}

int name_list_check(const char *list, char *why, size_t cap)
{
    char name[GROUP_NAME_BYTES];
    const char *at = list, *before = list;
    int r;
    while ((r = name_list_next(&at, name)) > 0)
        before = at;
    if (r < 0) {
        before += strspn(before, SEPARATORS);
        snprintf(why, cap,
            "cannot be read from %.60s on; a name with blanks stands between two quotes, as in staff \"Domain Users\", "
            "and is "
            "shorter than %d bytes",
            before, GROUP_NAME_BYTES);
    }
    return r;
}

int name_list_single(const char *text, char out[GROUP_NAME_BYTES], char *why, size_t cap)
{
    const char *at = text;
    if (!strchr(text, '"') && strlen(text) < GROUP_NAME_BYTES) {
        memcpy(out, text, strlen(text) + 1);
        return 0;
    }
    if (*text == '"' && name_list_next(&at, out) > 0 && !*at)
        return 0;
    snprintf(why, cap, "takes one name, with or without quotes around the whole of it, not %.60s", text);
    return -EINVAL;
}
