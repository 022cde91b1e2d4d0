/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

size_t text_char(const char *text, size_t left, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* by length: what is smaller is an overlong form */
    const unsigned char *s = (const unsigned char *)text;
    if (left == 0)
        return 0;
    size_t n = s[0] < 0x80            ? 1
        : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
        : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
        : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                      : 0;
    if (n == 0 || n > left)
        return 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (code)
        *code = c;
    return n;
}

bool text_is_plain(uint32_t c)
{
    /* Unicode's controls (Cc), separators of lines, and the format characters (Cf) that act on their neighbours. */
    static const struct {
        uint32_t from, to;
    } acting[] = {
        {0x0000, 0x001f},
        {0x007f, 0x009f},
        {0x061c, 0x061c},
        {0x200b, 0x200b},
        {0x200e, 0x200f},
        {0x2028, 0x202e},
        {0x2060, 0x206f},
        {0xfeff, 0xfeff},
        {0xfff9, 0xfffb},
        {0xe0000, 0xe007f},
    };
    for (size_t i = 0; i < COUNT(acting); i++)
        if (c >= acting[i].from && c <= acting[i].to)
            return false;
    return true;
}
