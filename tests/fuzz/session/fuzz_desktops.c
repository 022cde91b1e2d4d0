/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An entry of xsessions: its first line is the locale, the rest the file. What is accepted keeps its promises. */
#include "session/desktops.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct desktop_entry e;
    char locale[64] = "";
    const char *text = (const char *)data, *nl = size ? memchr(text, '\n', size) : NULL;
    size_t head = nl ? (size_t)(nl - text) : 0, n = 0;
    memcpy(locale, text, head < sizeof locale ? head : sizeof locale - 1);
    head += nl != NULL;
    char *copy = malloc(size - head + 1); /* of its exact size, so that a sanitizer sees a byte too many */
    if (!copy)
        return 0;
    memcpy(copy, text + head, size - head);
    int r = desktop_parse(copy, size - head, locale, &e);
    free(copy);
    if (r < 0)
        return 0;
    for (const char *w; (w = desktop_word(&e, n)) != NULL; n++)
        if (w < e.words || w + strlen(w) >= e.words + sizeof e.words)
            abort();
    if (n == 0 || n != e.nwords || n > DESKTOP_ARGS_MAX || !e.words[0] || !e.name[0] ||
        strlen(e.name) >= sizeof e.name || strpbrk(e.name, "\n\r\t") || strlen(e.current) >= sizeof e.current)
        abort();
    return 0;
}
