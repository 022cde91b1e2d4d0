/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that others wrote, on its way to a person: into the log, to a terminal, onto the screen. Any thread. */
#ifndef ORIEL_COMMON_TEXT_H
#define ORIEL_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes (1 to 4) of the UTF-8 character at `s`, of which `left` bytes may be read; 0 when none stands there: a byte out
 * of place, an overlong form, a surrogate, one above U+10FFFF (RFC 3629 section 4), or an end too early. `code`, unless
 * NULL, gets the code point; it is unchanged where the answer is 0. */
size_t text_char(const char *s, size_t left, uint32_t *code);

/* Whether the character only shows itself: false for control characters (C0, DEL and C1, which terminals take for
 * commands), for those that change the direction of what follows or cannot be seen, and for the separators of lines. */
bool text_is_plain(uint32_t code);

#endif
