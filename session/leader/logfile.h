/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session's log is written by the session's programs themselves, for as long as it lasts: it must not fill the disk.
 */
#ifndef ORIEL_SESSION_LEADER_LOGFILE_H
#define ORIEL_SESSION_LEADER_LOGFILE_H

/* Weeks of a desktop's complaints; what writes faster than this in a second is cut that late */
#define LOGFILE_BYTES_MAX (4u << 20)
#define LOGFILE_KEEP_BYTES 65536u /* the newest lines, kept when it is cut */

struct account;
struct event_base;
struct logfile;

/* Watch the log at `path`, a regular file of the user's, and cut it to its newest lines when it exceeds
 * LOGFILE_BYTES_MAX. Costs nothing while nobody writes. The file may lie in a home that hangs: only processes of the
 * user's touch it (session/leader/aside.h), one at a time, and the leader holds no descriptor of it. `who`: the user,
 * NULL: ourselves. NULL, logged, when it cannot be watched, or for path "". */
struct logfile *logfile_create(struct event_base *base, const struct account *who, const char *path);
void logfile_destroy(struct logfile *l);
/* Cut it now if it is too long. Returns whether it was. */
int logfile_cut(int fd);

#endif
