/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client says about its keyboard, in the words of XKB. Pure tables: no files, no globals, any thread.
 *
 * A Windows keyboard layout id (KLID, MS-RDPBCGR 2.2.1.3.2 keyboardLayout) has a language id in its low half; the high half picks
 * one of several layouts of that language. */
#ifndef ORIEL_SESSION_KEYBOARD_LAYOUTS_H
#define ORIEL_SESSION_KEYBOARD_LAYOUTS_H

#include <stddef.h>
#include <stdint.h>

struct keyboard_layout {
    uint32_t klid;
    const char *layout, *variant; /* XKB names; variant "" for none */
    uint8_t latin;                /* 1: types a-z without switching. 0: offer "us" as a second group */
    const char *name;             /* English, for people */
};
extern const struct keyboard_layout keyboard_layouts[];
extern const size_t keyboard_nlayouts;

/* The layout for a KLID: the exact one, else the language's, else one of the primary language, else US English. Never NULL. */
const struct keyboard_layout *keyboard_layout_find(uint32_t klid);
/* XKB model for keyboardType and keyboardSubType: "pc105", "jp106", "abnt2", "kr106". Never NULL. */
const char *keyboard_model(const struct keyboard_layout *l, uint32_t type, uint32_t subtype);

#endif
