/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Client keys into characters: libxkbcommon with the layout the client says it has, dead keys by xkb's compose tables.
 * Reads files below /usr/share/X11/xkb and /usr/share/X11/locale when the layout changes. Thread: the loop's. */
#ifndef ORIEL_SESSION_LOGON_KEYS_H
#define ORIEL_SESSION_LOGON_KEYS_H

#include "session/proto/display.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys;

struct key_press {
    uint32_t keysym;  /* xkbcommon/xkbcommon-keysyms.h; 0: text only */
    uint32_t text[8]; /* code points to insert; a secret as long as it lies here: the caller wipes it */
    unsigned ntext;
    char shortcut; /* with Ctrl alone: the lower-case Latin letter on the key, else 0 */
    bool shift, ctrl, alt;
};

/* NULL only for want of memory. Without XKB data it works for Unicode input alone, and says so in the log. */
struct keys *keys_create(void);
void keys_destroy(struct keys *k);
/* Returns 0, or -EINVAL: no such keymap on this host; the earlier one stays. */
int keys_set_layout(struct keys *k, uint32_t klid, uint32_t type, uint32_t subtype);
/* Feed one INPUT_KEY, INPUT_UNICODE or INPUT_LOCKS event. True: *out is a press to act on. Anything else: false. */
bool keys_event(struct keys *k, const struct display_event *ev, struct key_press *out);
/* INPUT_LOCK_* bits now in force. */
uint8_t keys_locks(const struct keys *k);
/* The active layout for people ("German"), and for a layout without Latin letters a step to US English and back. */
const char *keys_layout_name(const struct keys *k);
unsigned keys_ngroups(const struct keys *k);
void keys_next_group(struct keys *k);

#endif
