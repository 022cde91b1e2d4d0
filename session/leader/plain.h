/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every login on a host starts from, apart from its limits (session/monitor/login_limits.h): niceness, scheduling,
 * processors and the like as process 1 has them. A service may have been given others; they are the service's, not its
 * users'. */
#ifndef ORIEL_SESSION_LEADER_PLAIN_H
#define ORIEL_SESSION_LEADER_PLAIN_H

/* For this process and what it starts from now on. Call before PAM, whose modules then decide (pam_limits: priority;
 * pam_umask). What the kernel refuses stays as it is. */
void plain_start(void);
/* Process 1's oom_score_adj, "0" nearly everywhere; containers may be given another. */
const char *plain_oom_score(void);

#endif
