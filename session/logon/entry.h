/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What drawing a text field needs to know; the other half of page.h's field functions. */
#ifndef ORIEL_SESSION_LOGON_ENTRY_H
#define ORIEL_SESSION_LOGON_ENTRY_H

#include "session/logon/page.h"

int entry_dot_step(const struct page *p);
/* Of a field that is not secret; owned by the caller. */
PangoLayout *entry_layout(const struct page *p, const struct field *f);
/* The part of the field where text shows, relative to the card. */
struct area entry_inner(const struct page *p, const struct widget *w);
/* From the text's left edge. */
int entry_caret_x(const struct page *p, const struct field *f);
int entry_text_width(const struct page *p, const struct field *f);

#endif
