/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one JSON document orielctl writes. */
#ifndef ORIEL_SESSION_ORIELCTL_JSON_H
#define ORIEL_SESSION_ORIELCTL_JSON_H

#include "session/proto/control.h"

#include <stdio.h>

/* A string with quotes; bytes that are no UTF-8 become U+FFFD. */
void json_string(FILE *out, const char *s);
/* One session as an object, without a newline. */
void json_session(FILE *out, const struct control_session *s);
/* "active" … */
const char *session_state_name(uint8_t state);
const char *client_role_name(uint8_t role);

#endif
