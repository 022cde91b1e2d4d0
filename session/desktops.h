/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desktops that this host offers: the entries of its xsessions folders (Desktop Entry Specification 1.5). The
 * monitor lists them for the logon screen, oriel-startup starts one. */
#ifndef ORIEL_SESSION_DESKTOPS_H
#define ORIEL_SESSION_DESKTOPS_H

#include "session/proto/types.h"

#include <stdbool.h>
#include <stddef.h>

#define DESKTOP_FILE_MAX 65536  /* translations into a hundred languages take 20 KiB */
#define DESKTOP_ARGS_MAX 32     /* words of a command line */
#define DESKTOP_TEXT_BYTES 1024 /* an Exec line, DesktopNames */
/* Where Exec and TryExec are looked for */
#define DESKTOP_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"

struct desktop_entry {
    char id[DESKTOP_ID_BYTES];        /* the file's name without ".desktop" */
    char name[DESKTOP_NAME_BYTES];    /* Name, in the language asked for */
    char current[DESKTOP_TEXT_BYTES]; /* DesktopNames as XDG_CURRENT_DESKTOP wants them: colons between; "" none */
    char try_exec[DESKTOP_TEXT_BYTES];
    char words[DESKTOP_TEXT_BYTES]; /* the command's words, each ended by a NUL */
    size_t nwords;                  /* 1 … DESKTOP_ARGS_MAX */
    bool hidden;                    /* Hidden or NoDisplay */
};
/* Whether a text can be an entry's id: letters, digits and "._+-", not beginning with a dot. */
bool desktop_id_ok(const char *id);
/* Read one entry. `locale`: "de_DE.UTF-8@x", "" or "C" none. *e->id is left alone. 0; -EINVAL: no desktop entry, or one
 * without Name or a command; -E2BIG: too long. */
int desktop_parse(const char *text, size_t len, const char *locale, struct desktop_entry *e);
/* The i-th word of the command, NULL after the last. */
const char *desktop_word(const struct desktop_entry *e, size_t i);
/* The entry of this name, if it is there, shown and its program is installed. `root`: "" or a folder that stands for /,
 * in tests. 0; -ENOENT; or what desktop_parse said. */
int desktop_find(const char *root, const char *id, const char *locale, struct desktop_entry *e);

struct desktop_list {
    struct desktop_entry *v; /* sorted by name; owned */
    size_t n;
};
/* All that desktop_find would find, DESKTOPS_MAX at most: /usr/local/share/xsessions before /usr/share/xsessions, one
 * entry an id. 0 or -ENOMEM. */
int desktop_list(const char *root, const char *locale, struct desktop_list *list);
void desktop_list_finish(struct desktop_list *list);
/* Find `name` in the colon-separated `path` (absolute names are looked at as they are). Whether it is there and may be
 * run. */
bool desktop_program(const char *root, const char *path, const char *name, char *out, size_t cap);

#endif
