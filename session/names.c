/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>
#include <wctype.h>

/* Of a machine: the sixteenth byte tells its services apart (RFC 1001, 14.1) */
#define NETBIOS_NAME_MAX 15

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

/* The text without the blanks around it. */
static const char *trim(const char *s, size_t *len)
{
    s += strspn(s, " ");
    *len = strlen(s);
    while (*len && s[*len - 1] == ' ')
        --*len;
    return s;
}

static int copy_domain(const char *s, size_t len, struct name *out)
{
    if (len == 0 || (len == 1 && *s == '.'))
        return 0;
    return copy_name(s, len, out->domain, sizeof out->domain);
}

int name_parse(const char *typed, const char *domain, struct name *out)
{
    size_t n, nd;
    const char *s = trim(typed, &n), *d = trim(domain, &nd);
    const char *slash = memchr(s, '\\', n), *at = slash ? NULL : memrchr(s, '@', n);
    memset(out, 0, sizeof *out);
    if (slash) {
        d = s;
        nd = (size_t)(slash - s);
        n -= nd + 1;
        s = slash + 1;
    } else if (at) {
        d = at + 1;
        nd = n - (size_t)(at + 1 - s);
        n = (size_t)(at - s);
        out->at = true;
    }
    if (copy_name(s, n, out->user, sizeof out->user) < 0 || strchr(out->user, '\\') || copy_domain(d, nd, out) < 0)
        return -EINVAL;
    out->at = out->at && *out->domain;
    return 0;
}

int name_text(const struct name *n, char *out, size_t cap)
{
    int len = n->at  ? snprintf(out, cap, "%s@%s", n->user, n->domain)
        : *n->domain ? snprintf(out, cap, "%s\\%s", n->domain, n->user)
                     : snprintf(out, cap, "%s", n->user);
    return len >= 0 && (size_t)len < cap ? 0 : -EINVAL;
}

bool name_is_machine(const char *domain, const char *host)
{
    size_t label = strcspn(host, "."), n = strlen(domain);
    if (!label || !n)
        return false;
    if (strcasecmp(domain, host) == 0)
        return true;
    if (n == (label > NETBIOS_NAME_MAX ? NETBIOS_NAME_MAX : label) && strncasecmp(domain, host, n) == 0)
        return true;
    return strncasecmp(domain, host, label) == 0 && (!domain[label] || (domain[label] == '.' && !host[label]));
}

/* One character in lower case at `out`; what is no UTF-8 stays. Returns how many bytes of `s` it was, and *n how many
 * it became. */
static size_t fold(const char *s, locale_t loc, char out[MB_LEN_MAX], size_t *n)
{
    wchar_t wide;
    mbstate_t in = {0}, back = {0};
    locale_t before = uselocale(loc);
    size_t taken = mbrtowc(&wide, s, strlen(s), &in);
    *n = taken == 0 || taken > MB_LEN_MAX ? (size_t)-1 : wcrtomb(out, (wchar_t)towlower((wint_t)wide), &back);
    uselocale(before);
    if (*n <= MB_LEN_MAX)
        return taken;
    out[0] = *s;
    *n = 1;
    return 1;
}

void name_key(const char *user, char out[NAME_BYTES])
{
    const char *slash = strrchr(user, '\\');
    const char *s = slash && slash[1] ? slash + 1 : user;
    const char *at = strchr(s, '@');
    const char *end = at && at > s ? at : s + strlen(s);
    locale_t loc = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    size_t len = 0, n;
    for (char c[MB_LEN_MAX]; s < end; len += n) {
        s += fold(s, loc ? loc : LC_GLOBAL_LOCALE, c, &n);
        if (len + n >= NAME_BYTES)
            break; /* lower case can be longer; so much is enough to tell names apart */
        memcpy(out + len, c, n);
    }
    out[len] = 0;
    if (loc)
        freelocale(loc);
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
