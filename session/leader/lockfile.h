/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lock between the leaders of a host, whatever instance of Oriel they belong to: flock(2) on an empty file in a
 * folder that only root can write to. The kernel drops it with its holder, so a killed leader holds nothing. */
#ifndef ORIEL_SESSION_LEADER_LOCKFILE_H
#define ORIEL_SESSION_LEADER_LOCKFILE_H

/* Take the lock, LOCK_SH or LOCK_EX, waiting for at most `timeout_ms` (0: not at all). Returns a descriptor that holds
 * it until it is closed, -EAGAIN when others held it all the time, or another -errno. Between waiting and having it the
 * file may have been removed and made again: the returned lock is always one on the file that `path` names. */
int lockfile_take(const char *path, int how, int timeout_ms);
/* Who holds LOCK_EX removes the file and lets go. */
void lockfile_remove(const char *path, int fd);

#endif
