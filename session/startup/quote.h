/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A text as one word of a shell's command line, in single quotes: sh, csh and fish read it alike. */
#ifndef ORIEL_SESSION_STARTUP_QUOTE_H
#define ORIEL_SESSION_STARTUP_QUOTE_H

#include <stddef.h>

/* 0; -EINVAL: it has a control character, an exclamation mark or a backslash, which not all shells take for itself;
 * -ENAMETOOLONG. */
int quote_word(const char *text, char *out, size_t cap);

#endif
