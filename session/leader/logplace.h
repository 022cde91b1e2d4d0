/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a session's log lies: HOST-session-ID.log in a folder of the user's or of the administrator's. The name carries
 * the host, for many hosts may share one home and count their sessions alike. Of each host the newest LOGPLACE_KEEP
 * stay. */
#ifndef ORIEL_SESSION_LEADER_LOGPLACE_H
#define ORIEL_SESSION_LEADER_LOGPLACE_H

#include "session/leader/aside.h"

#define LOGPLACE_FOLDER ".local/state/oriel" /* below the home */
#define LOGPLACE_KEEP 5
#define LOGPLACE_NAME_BYTES 128

struct logplace {
    char host[65]; /* letters, digits, ".-_" */
    char name[LOGPLACE_NAME_BYTES];
    /* The log begins with this: a folder that takes a name but no content is no place for it */
    char first_line[512];
    uid_t owner;
};
/* Which log, of which session. */
void logplace_name(struct logplace *p, const struct account *who, uint64_t session);
/* In the child of an aside job: open it below the folder `top` (a descriptor), making `folder` there, one step a
 * report. Returns the log's descriptor (read, append, regular, one link, empty but for its first line) or negative
 * errno. *dir: the folder's descriptor, for logplace_prune, or -1. */
int logplace_open(struct aside *a, const struct logplace *p, int top, const char *folder, int *dir);
/* The same in a folder of the administrator's, as root. It must be root's alone, or a user could plant files there. */
int logplace_open_admin(const struct logplace *p, const char *folder, int *dir);
/* Remove this host's older logs of this owner. Best effort. */
void logplace_prune(struct aside *a, const struct logplace *p, int dir);
/* An open log, emptied; anything else under that name (link, pipe, device) is refused. Descriptor or negative errno. */
int logplace_open_file(int dir, const char *name);

#endif
