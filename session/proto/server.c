/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/server.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_field server_peer_new_fields[] = {
    WF_U64(server_peer_new, peer),
    WF_I32(server_peer_new, pid),
    WF_STR(server_peer_new, address),
    WF_U16(server_peer_new, port, UINT16_MAX),
};
WIRE_DEF(server_peer_new, 1, 0);
static const struct wire_field server_peer_gone_fields[] = {
    WF_U64(server_peer_gone, peer),
};
WIRE_DEF(server_peer_gone, 2, 0);
static const struct wire_field server_hello_fields[] = {
    WF_STR(server_hello, version),
    WF_STR(server_hello, freerdp),
};
WIRE_DEF(server_hello, 3, 0);
static const struct wire_def *const server_to_monitor_defs[] = {
    &server_peer_new_def,
    &server_peer_gone_def,
    &server_hello_def,
};
const struct wire_proto server_to_monitor = {"server to monitor", server_to_monitor_defs,
    COUNT(server_to_monitor_defs)};

static const struct wire_field server_peer_link_fields[] = {
    WF_U64(server_peer_link, peer),
};
WIRE_DEF(server_peer_link, 101, 1);
static const struct wire_field server_peer_kill_fields[] = {
    WF_U64(server_peer_kill, peer),
    WF_STR(server_peer_kill, why),
};
WIRE_DEF(server_peer_kill, 102, 0);
static const struct wire_def *const monitor_to_server_defs[] = {
    &server_peer_link_def,
    &server_peer_kill_def,
};
const struct wire_proto monitor_to_server = {"monitor to server", monitor_to_server_defs,
    COUNT(monitor_to_server_defs)};

WIRE_DEF_EMPTY(child_monitor, 201, 1);
WIRE_DEF_EMPTY(child_encoder, 204, 1);
WIRE_DEF_EMPTY(child_reload, 202, 1);
WIRE_DEF_EMPTY(child_timeout, 203, 0);
static const struct wire_def *const server_to_child_defs[] = {
    &child_monitor_def,
    &child_encoder_def,
    &child_reload_def,
    &child_timeout_def,
};
const struct wire_proto server_to_child = {"server to peer", server_to_child_defs, COUNT(server_to_child_defs)};

static const struct wire_field child_state_fields[] = {
    WF_U8(child_state, phase, CHILD_PHASE_MAX),
};
WIRE_DEF(child_state, 301, 0);
static const struct wire_def *const child_to_server_defs[] = {
    &child_state_def,
};
const struct wire_proto child_to_server = {"peer to server", child_to_server_defs, COUNT(child_to_server_defs)};
