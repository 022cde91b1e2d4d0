/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folders the daemons meet in.
 *
 *   RUN_DIR           root          0755   monitor.sock, control.sock (made by oriel-monitor)
 *     keys/           user_keys     2750   group of user_server: keys.sock inherits it
 *     leaders/        root          0700   ID.sock of each session
 *     empty/          root          0755   the empty root of sandboxed processes
 *     port            user_server   0644   text: the TCP port in use
 *   STATE_DIR         root          0755   monitor.db (made by oriel-monitor, 0600)
 *     tls/            user_keys     0750   cert.pem, key.pem (made by oriel-keys)
 */
#ifndef ORIEL_COMMON_RUNDIR_H
#define ORIEL_COMMON_RUNDIR_H

#include "common/config.h"

#include <sys/types.h>

/* Make what is missing, mend owners and modes. For root, before any daemon runs; doing it again changes nothing. A
 * symbolic link or a folder that belongs to somebody else is refused. Returns 0, or negative errno with `why` (256
 * bytes and more) saying what is wrong with which path. */
int rundir_prepare(const struct config *c, char *why, size_t cap);
/* Ids of one of Oriel's accounts. -ENOENT: no such account. */
int rundir_account(const char *name, uid_t *uid, gid_t *gid);

#endif
