/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool name_is_sane(const char *s)
{
    if (!*s || *s == '-')
        return false;
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f || *s == '/' || *s == ':')
            return false;
    return true;
}

static int copy_name(const char *s, size_t len, char *out, size_t cap)
{
    if (len >= cap)
        return -EINVAL;
    memcpy(out, s, len);
    out[len] = 0;
    return name_is_sane(out) ? 0 : -EINVAL;
}

int name_trim(const char *typed, char *out, size_t cap)
{
    while (*typed == ' ')
        typed++;
    size_t len = strlen(typed);
    while (len && typed[len - 1] == ' ')
        len--;
    return copy_name(typed, len, out, cap);
}

int name_normalise(const char *typed, bool (*exists)(const char *name), char *out, size_t cap)
{
    int r = name_trim(typed, out, cap);
    if (r < 0)
        return r;
    const char *slash = strchr(out, '\\');
    const char *at = strrchr(out, '@');
    if ((!slash && !at) || (exists && exists(out)))
        return 0;
    char bare[1024];
    const char *from = slash ? slash + 1 : out;
    size_t n = slash || !at ? strlen(from) : (size_t)(at - out);
    r = copy_name(from, n, bare, sizeof bare);
    return r < 0 ? r : copy_name(bare, n, out, cap);
}

static void prefix4(const uint8_t *a, char out[PREFIX_BYTES])
{
    snprintf(out, PREFIX_BYTES, "%u.%u.%u.0/24", a[0], a[1], a[2]);
}

void name_source_prefix(const char *address, char out[PREFIX_BYTES])
{
    struct in_addr v4;
    struct in6_addr v6;
    char bare[PREFIX_BYTES], text[INET6_ADDRSTRLEN];
    snprintf(bare, sizeof bare, "%s", address);
    bare[strcspn(bare, "%")] = 0; /* an IPv6 scope */
    if (inet_pton(AF_INET, bare, &v4) == 1) {
        prefix4((const uint8_t *)&v4, out);
        return;
    }
    if (inet_pton(AF_INET6, bare, &v6) != 1) {
        snprintf(out, PREFIX_BYTES, "%.60s", bare);
        return;
    }
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        prefix4(v6.s6_addr + 12, out);
        return;
    }
    memset(v6.s6_addr + 6, 0, 10);
    inet_ntop(AF_INET6, &v6, text, sizeof text);
    snprintf(out, PREFIX_BYTES, "%s/48", text);
}
