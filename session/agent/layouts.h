/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows keyboard layouts (KLID) as XKB names. */
#ifndef ORIEL_SESSION_AGENT_LAYOUTS_H
#define ORIEL_SESSION_AGENT_LAYOUTS_H

#include "session/display/backend.h"

#include <stddef.h>
#include <stdint.h>

#define KEYBOARD_TYPE_JAPANESE 7 /* MS-RDPBCGR 2.2.1.3.2, keyboardType */
#define KEYBOARD_TYPE_KOREAN 8

struct layout_entry {
    uint32_t klid;
    struct backend_keymap keymap;
};
extern const struct layout_entry layouts_table[];
extern const size_t layouts_count;

/* The layout of this KLID; else the default of its language (low word), else of its primary language, else "us". `type`
 * and `subtype` are the keyboard's (MS-RDPBCGR 2.2.1.3.2): Japanese, Korean and Brazilian boards have keys of their
 * own. */
void layouts_find(uint32_t klid, uint32_t type, uint32_t subtype, struct backend_keymap *out);

#endif
