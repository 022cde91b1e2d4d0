/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions that are not Oriel's: at the console, or of another display manager. Nothing here asks anybody; logind's
 * files tell. */
#ifndef ORIEL_SESSION_ELSEWHERE_H
#define ORIEL_SESSION_ELSEWHERE_H

#include <stdbool.h>
#include <stdint.h>

/* A graphical session of `uid` that is not Oriel's and is not just ending, as logind's files in `dir` tell
 * (/run/systemd/sessions); sessions of PAM service `own_service` are ours. Without logind there is none. */
bool elsewhere_graphical(const char *dir, uint32_t uid, const char *own_service);

#endif
