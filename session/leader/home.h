/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's home before a session begins in it. A home may be missing, full, read-only, closed to root, hang, or want
 * a ticket that has expired: the person gets in or reads why, in bounded time, and nobody else waits
 * (session/leader/aside.h does the work). */
#ifndef ORIEL_SESSION_LEADER_HOME_H
#define ORIEL_SESSION_LEADER_HOME_H

#include "session/leader/runtime.h"

struct home {
    bool slow;              /* it answers, but a login would wait for a log there */
    bool known;             /* it was entered, and what a login reads there could be read: */
    uint64_t device, inode; /* of that folder; PAM may mount another in its place */
    char note[512];         /* what is wrong with it though a session can begin, in words; "" nothing */
};
/* Before PAM opens its session, which may start services in the home and wait for them. 0, or -ETIMEDOUT with the words
 * in `why`: it hangs. Whatever else is wrong is judged later, for PAM may make the home, mount it or fetch the ticket.
 */
int home_first_look(struct home *h, const struct account *who, char *why, size_t cap);
/* Afterwards: enter it, and open the session's log: in `log_dir`, or, when that is "", in ~/.local/state/oriel, or,
 * when that cannot be written, in r->dir with a line that says why; without any place for a log the session runs
 * without. Fills in r->log_fd and r->log_path. 0, or negative errno with the words in `why`: in this home no session
 * can begin. */
int home_enter(struct home *h, const struct account *who, struct runtime *r, uint64_t session, const char *log_dir,
    char *why, size_t cap);
/* What is wrong, for its owner: a sentence or two. `err`: negative errno. */
void home_words(const struct account *who, int err, char *out, size_t cap);

#endif
