/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of editable UTF-8 text. Pure: no drawing, no clock, no allocation.
 *
 * Positions are byte offsets at code point boundaries. The text is always valid UTF-8, terminated, and without control
 * characters. The selection lies between `anchor` and `cursor`; they are equal when nothing is selected. */
#ifndef ORIEL_SESSION_LOGON_FIELD_H
#define ORIEL_SESSION_LOGON_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field {
    char *text;      /* `cap` bytes that belong to the caller (a vault) */
    size_t cap, len; /* len without the NUL, < cap */
    size_t cursor, anchor;
    bool secret; /* drawn as dots */
};

/* Take `mem` over and empty it. cap ≥ 1. */
void field_init(struct field *f, char *mem, size_t cap, bool secret);
/* Wipe the whole buffer. */
void field_clear(struct field *f);
/* Replace the text with as much of `text` (valid UTF-8) as fits; the cursor goes to the end. */
void field_set(struct field *f, const char *text);
/* Replace the selection by one character. False: a control character, not a character, or no room; nothing changed. */
bool field_insert(struct field *f, uint32_t cp);
/* Delete the selection, or the code point before / the cluster up to `next` after the cursor. False: nothing to delete.
 */
bool field_backspace(struct field *f);
bool field_delete(struct field *f, size_t next);
/* Ctrl-U: everything before the cursor. */
bool field_kill(struct field *f);
/* Put the cursor at `pos` (clamped to a boundary at or before it); `select` keeps the anchor. */
void field_move(struct field *f, size_t pos, bool select);
void field_select_all(struct field *f);
/* The boundary after / before `pos`, by code points. */
size_t field_next(const struct field *f, size_t pos);
size_t field_prev(const struct field *f, size_t pos);
/* Code points in text[0 … pos). */
size_t field_chars(const struct field *f, size_t pos);

#endif
