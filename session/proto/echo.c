/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/echo.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_field echo_request_fields[] = {
    WF_U32(echo_request, id, UINT32_MAX),
    WF_BYTES(echo_request, data, ndata),
};
WIRE_DEF(echo_request, 1, 0);
static const struct wire_def *const echo_to_client_defs[] = {&echo_request_def};
const struct wire_proto echo_to_client = {"echo to client", echo_to_client_defs, COUNT(echo_to_client_defs)};

static const struct wire_field echo_response_fields[] = {
    WF_U32(echo_response, id, UINT32_MAX),
    WF_BYTES(echo_response, data, ndata),
};
WIRE_DEF(echo_response, 101, 0);
static const struct wire_def *const echo_to_session_defs[] = {&echo_response_def};
const struct wire_proto echo_to_session = {"echo to session", echo_to_session_defs, COUNT(echo_to_session_defs)};
