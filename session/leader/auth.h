/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One PAM handle, from authentication to the end of the session. Blocking; one thread; root. */
#ifndef ORIEL_SESSION_LEADER_AUTH_H
#define ORIEL_SESSION_LEADER_AUTH_H

#include "session/leader/account.h"
#include "session/leader/conv.h"

#define ACCOUNT_GROUPS_MAX 1024 /* supplementary groups: directories hand out hundreds */

struct account {
    char user[USER_BYTES]; /* as the passwd entry spells it */
    uid_t uid;
    gid_t gid;
    char home[PATH_BYTES], shell[PATH_BYTES];
    gid_t groups[ACCOUNT_GROUPS_MAX]; /* what the user's processes get; filled in by auth_open_session */
    int ngroups;
};
struct auth {
    pam_handle_t *pamh; /* NULL before auth_attempt and after auth_end */
    int last;           /* PAM's last answer, for pam_end */
    bool cred_set, session_open;
    struct conv conv;
    struct account who; /* valid after a verdict of REFUSE_NONE */
};
struct auth_options {
    const char *service; /* login.pam_service */
    const char *pam_dir; /* login.pam_dir, "" for the system's */
    struct account_policy policy;
    int sock; /* link to the monitor, blocking */
    int64_t deadline_ms;
};

/* Authenticate and check the account. Returns 0 with *v filled in (v->reason says how it ended), or negative errno when
 * no verdict can be given: the link closed, broke the protocol, or the deadline passed. All secrets of *req are wiped.
 */
int auth_attempt(struct auth *a, const struct auth_options *o, struct leader_auth *req, struct leader_verdict *v);
/* Renew the session's credentials: its PAM environment says where they are. Tickets that this attempt fetched into a
 * cache of its own are put into the session's (tickets.h). 0 or -EACCES, logged. */
int auth_refresh(struct auth *a, const struct leader_refresh *r);
/* initgroups, pam_setcred(ESTABLISH), pam_open_session. What PAM's modules start finds `key` as ORIEL_SESSION_KEY in
 * its environment. 0, or negative errno with the reason in `why`. */
int auth_open_session(struct auth *a, const char *tty, const char *key, char *why, size_t cap);
/* Close what is open: session, credentials, handle. Harmless on an empty struct. */
void auth_end(struct auth *a);
/* The refuse_reason of a PAM answer; `phase` is the call that gave it. Never REFUSE_NONE. */
enum auth_phase { AUTH_PHASE_START, AUTH_PHASE_AUTHENTICATE, AUTH_PHASE_ACCOUNT, AUTH_PHASE_PASSWORD };
enum refuse_reason auth_reason(enum auth_phase phase, int pam);

#endif
