/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three daemons: start, restart with a growing pause, stop in order. */
#ifndef ORIEL_COMMON_SUPERVISOR_DAEMONS_H
#define ORIEL_COMMON_SUPERVISOR_DAEMONS_H

#include "common/config.h"

#include <stdbool.h>

struct event_base;
struct daemons;

/* `c` and `config_path` (NULL: no file) are borrowed. `done` is called once, from the loop, when all daemons are gone
 * after daemons_stop, or when one of them could not be started at all (`failed`). NULL: no memory. */
struct daemons *daemons_create(struct event_base *base, const struct config *c, const char *config_path,
    void (*done)(void *user, bool failed), void *user);
void daemons_destroy(struct daemons *d);
/* Start all. 0 or negative errno (logged). */
int daemons_start(struct daemons *d);
/* Collect ended children: on SIGCHLD. */
void daemons_reap(struct daemons *d);
/* SIGHUP to each. */
void daemons_reload(struct daemons *d);
/* End oriel-server, then oriel-monitor (which logs sessions off if it is told to), then oriel-keys; kill what does not
 * end. */
void daemons_stop(struct daemons *d);
/* `oriel-server --self-check` with the account and the rights that oriel-server has (those of this process where it is
 * not root's). It prints what it found. Returns its exit status (0: a client can be served), or negative errno. */
int daemons_self_check(const struct config *c, const char *config_path);

#endif
