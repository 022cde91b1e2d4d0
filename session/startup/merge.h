/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the start-up files left, made fit for a session: the display's own variables are the session's and no file's; a
 * search path, umask or limit with which no desktop could start is widened, and that is told. */
#ifndef ORIEL_SESSION_STARTUP_MERGE_H
#define ORIEL_SESSION_STARTUP_MERGE_H

#include "session/startup/snapshot.h"

struct merge {
    const struct env_list *ours; /* as the leader gave it */
    void (*trouble)(void *user, const char *text);
    void *user;
};
/* Mend s->env. 0 or -ENOMEM. */
int merge_environment(const struct merge *m, struct snapshot *s);
/* Give the calling process the umask and the limits of *s. */
void merge_limits(const struct merge *m, const struct snapshot *s);

#endif
