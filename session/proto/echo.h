/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service ECHO: bytes that the client sends back (the dynamic channel "ECHO" of MS-RDPEECO). For tests: it has what
 * every service has, and nothing else.
 *
 * The session's process asks; the peer hands the bytes to the client, whose answers come in the order of the requests
 * (1.3: strictly sequential), and hands each back with its request's id.
 */
#ifndef ORIEL_SESSION_PROTO_ECHO_H
#define ORIEL_SESSION_PROTO_ECHO_H

#include "session/proto/services.h"

#define ECHO_DATA_MAX SERVICE_PIECE_MAX

/* session → peer; data of at least one byte (MS-RDPEECO 2.2.1) */
struct echo_request {
    uint32_t id; /* the session's own */
    uint32_t ndata;
    uint8_t data[ECHO_DATA_MAX];
};
/* peer → session; what the client answered, whatever it is (2.2.2) */
struct echo_response {
    uint32_t id;
    uint32_t ndata;
    uint8_t data[ECHO_DATA_MAX];
};
extern const struct wire_proto echo_to_client, echo_to_session;
extern const struct wire_def echo_request_def, echo_response_def;

#endif
