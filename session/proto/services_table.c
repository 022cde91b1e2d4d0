/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of services. With ORIEL_TEST_SERVICES it has those, too, with which the tests try the ways that all
 * services share; nothing that is installed is built so. */
#include "session/proto/display.h"
#include "session/proto/services.h"
#if ORIEL_TEST_SERVICES
#include "session/proto/echo.h"
#endif

#define EVERYBODY (1u << ROLE_CONTROL | 1u << ROLE_VIEW | 1u << ROLE_RECORD)
#define BOTH_WAYS (SERVICE_TO_CLIENT | SERVICE_TO_SESSION)

static const struct service_row rows[] = {
    /* What a role may do on it is the agent's to say: a viewer's input is dropped there. */
    {.service = SERVICE_DISPLAY,
        .name = "display",
        .to_client = &display_to_front,
        .to_session = &display_to_drawer,
        .roles = EVERYBODY,
        .host = SERVED_BY_AGENT,
        .limits = {.directions = BOTH_WAYS, .piece_max = SERVICE_PIECE_MAX, .transfer_max = UINT64_MAX}},
#if ORIEL_TEST_SERVICES
    {.service = SERVICE_ECHO,
        .name = "echo",
        .to_client = &echo_to_client,
        .to_session = &echo_to_session,
        .roles = 1u << ROLE_CONTROL,
        .host = SERVED_BY_PROGRAM,
        .program = "oriel-test-echo",
        .limits = {.directions = BOTH_WAYS, .piece_max = ECHO_DATA_MAX, .transfer_max = ECHO_DATA_MAX}},
#endif
};
const struct service_table services = {rows, sizeof rows / sizeof rows[0]};
