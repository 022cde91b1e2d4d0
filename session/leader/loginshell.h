/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether an account's login shell means that somebody may log in with it. */
#ifndef ORIEL_SESSION_LEADER_LOGINSHELL_H
#define ORIEL_SESSION_LEADER_LOGINSHELL_H

#include <stdbool.h>
#include <stddef.h>

/* False for a shell that is not there, cannot be executed, or only turns people away (nologin, false): `why` says it to
 * the person. Call it when the account is known to be right. */
bool loginshell_ok(const char *shell, char *why, size_t cap);

#endif
