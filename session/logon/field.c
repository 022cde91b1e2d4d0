/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/field.h"

#include <string.h>

#define UTF8_MAX 4

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t encode(uint32_t cp, char out[UTF8_MAX])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3f));
    out[0] = (char)(lead[n] | cp);
    return n;
}

static bool is_text(uint32_t cp)
{
    bool control = cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
    bool surrogate = cp >= 0xd800 && cp < 0xe000;
    bool special = (cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp < 0xfdf0);
    return !control && !surrogate && !special && cp <= 0x10ffff;
}

void field_init(struct field *f, char *mem, size_t cap, bool secret)
{
    *f = (struct field){.text = mem, .cap = cap, .secret = secret};
    field_clear(f);
}

void field_clear(struct field *f)
{
    explicit_bzero(f->text, f->cap);
    f->len = f->cursor = f->anchor = 0;
}

/* The boundary at or before `pos`. */
static size_t snap(const struct field *f, size_t pos)
{
    if (pos >= f->len)
        return f->len;
    while (pos > 0 && is_continuation(f->text[pos]))
        pos--;
    return pos;
}

void field_set(struct field *f, const char *text)
{
    field_clear(f);
    size_t n = strlen(text);
    if (n >= f->cap) {
        n = f->cap - 1;
        while (n > 0 && is_continuation(text[n]))
            n--;
    }
    memcpy(f->text, text, n);
    f->len = f->cursor = f->anchor = n;
}

static void cut(struct field *f, size_t from, size_t to)
{
    memmove(f->text + from, f->text + to, f->len - to);
    size_t left = f->len - (to - from);
    explicit_bzero(f->text + left, f->len - left);
    f->len = left;
    f->cursor = f->anchor = from;
}

static bool cut_selection(struct field *f)
{
    if (f->cursor == f->anchor)
        return false;
    cut(f, f->cursor < f->anchor ? f->cursor : f->anchor, f->cursor < f->anchor ? f->anchor : f->cursor);
    return true;
}

bool field_insert(struct field *f, uint32_t cp)
{
    char bytes[UTF8_MAX];
    if (!is_text(cp))
        return false;
    size_t n = encode(cp, bytes);
    size_t selected = f->cursor < f->anchor ? f->anchor - f->cursor : f->cursor - f->anchor;
    if (f->len - selected + n >= f->cap)
        return false;
    cut_selection(f);
    memmove(f->text + f->cursor + n, f->text + f->cursor, f->len - f->cursor);
    memcpy(f->text + f->cursor, bytes, n);
    explicit_bzero(bytes, sizeof bytes);
    f->len += n;
    f->text[f->len] = '\0';
    f->cursor = f->anchor = f->cursor + n;
    return true;
}

bool field_backspace(struct field *f)
{
    if (cut_selection(f))
        return true;
    if (f->cursor == 0)
        return false;
    cut(f, field_prev(f, f->cursor), f->cursor);
    return true;
}

bool field_delete(struct field *f, size_t next)
{
    if (cut_selection(f))
        return true;
    next = snap(f, next);
    if (next <= f->cursor)
        return false;
    cut(f, f->cursor, next);
    return true;
}

bool field_kill(struct field *f)
{
    if (f->cursor == 0)
        return false;
    cut(f, 0, f->cursor);
    return true;
}

void field_move(struct field *f, size_t pos, bool select)
{
    f->cursor = snap(f, pos);
    if (!select)
        f->anchor = f->cursor;
}

void field_select_all(struct field *f)
{
    f->anchor = 0;
    f->cursor = f->len;
}

size_t field_next(const struct field *f, size_t pos)
{
    if (pos >= f->len)
        return f->len;
    pos++;
    while (pos < f->len && is_continuation(f->text[pos]))
        pos++;
    return pos;
}

size_t field_prev(const struct field *f, size_t pos)
{
    return pos == 0 ? 0 : snap(f, pos - 1);
}

size_t field_chars(const struct field *f, size_t pos)
{
    size_t n = 0;
    for (size_t i = 0; i < pos && i < f->len; i++)
        n += !is_continuation(f->text[i]);
    return n;
}
