/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PAM service that logins go through. libpam takes the service "other" where a file is missing, and for each type
 * (auth, account, password, session) that a file says nothing of; a login must never be judged by rules that nobody
 * wrote for it. Needs no libpam. */
#ifndef ORIEL_COMMON_PAM_SERVICE_H
#define ORIEL_COMMON_PAM_SERVICE_H

#include <stddef.h>

/* `dir`: login.pam_dir, or "" for the system's folders. Returns 0 when the service has a file of its own with at least
 * one line of each type, includes followed (pam.conf(5)); else -ENOENT (no file), -EINVAL (a type, or an included file,
 * is missing) or another errno, and `why` says what and where. */
int pam_service_check(const char *service, const char *dir, char *why, size_t cap);

#endif
