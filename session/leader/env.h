/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An environment under construction: a list of NAME=value, one entry per name. */
#ifndef ORIEL_SESSION_LEADER_ENV_H
#define ORIEL_SESSION_LEADER_ENV_H

#include <stddef.h>

/* A login shell exports about thirty; some ten thousand short ones fill what execve takes, and each is looked for in
 * turn */
#define ENV_LIST_MAX 8192

struct env_list { /* zeroed: empty */
    char **v;     /* NULL-terminated, owned; NULL while nothing was ever set */
    size_t n, room;
};

/* Set or replace. 0; -EINVAL: the name is empty or has a '='; -ENOSPC; -ENOMEM. */
int env_set(struct env_list *e, const char *name, const char *value);
/* The same from "NAME=value". */
int env_put(struct env_list *e, const char *entry);
/* All of another list's, over what is there. 0 or the first error. */
int env_put_all(struct env_list *e, const struct env_list *from);
void env_unset(struct env_list *e, const char *name);
const char *env_get(const struct env_list *e, const char *name); /* borrowed, or NULL */
/* Read NAME=value lines (quotes stripped, comments and "export" skipped) and set those whose name is LANG, LANGUAGE or
 * LC_*. For /etc/default/locale. 0, or -errno when the file cannot be read. */
int env_load_locale(struct env_list *e, const char *path);
void env_finish(struct env_list *e);

#endif
