/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every protocol between Oriel's processes, both directions, for the wire harness and its seeds. The first byte of an
 * input is an index into this list: append only, so that stored inputs keep their meaning. */
#ifndef ORIEL_TESTS_FUZZ_COMMON_WIRE_PROTOS_H
#define ORIEL_TESTS_FUZZ_COMMON_WIRE_PROTOS_H

#include "codecs/encoder/proto.h"
#include "common/keys_proto.h"
#include "session/proto/control.h"
#include "session/proto/display.h"
#include "session/proto/echo.h"
#include "session/proto/leader.h"
#include "session/proto/logon.h"
#include "session/proto/peer.h"
#include "session/proto/server.h"

static const struct wire_proto *const wire_protos[] = {
    &link_to_keys,
    &keys_to_link,
    &control_to_monitor,
    &monitor_to_control,
    &display_to_drawer,
    &display_to_front,
    &monitor_to_leader,
    &leader_to_monitor,
    &leader_to_agent,
    &agent_to_leader,
    &monitor_to_logon,
    &logon_to_monitor,
    &peer_to_monitor,
    &monitor_to_peer,
    &server_to_monitor,
    &monitor_to_server,
    &server_to_child,
    &child_to_server,
    &peer_to_encoder,
    &encoder_to_peer,
    &startup_to_leader,
    &echo_to_client,
    &echo_to_session,
};
#define WIRE_PROTOS (sizeof(wire_protos) / sizeof(wire_protos[0]))

#endif
