/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/control.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

WIRE_DEF_EMPTY(control_status, 1, 0);
WIRE_DEF_EMPTY(control_sessions, 2, 0);
static const struct wire_field control_disconnect_fields[] = {
    WF_U64(control_disconnect, session),
    WF_U32(control_disconnect, client, UINT32_MAX),
};
WIRE_DEF(control_disconnect, 3, 0);
static const struct wire_field control_logoff_fields[] = {
    WF_U64(control_logoff, session),
};
WIRE_DEF(control_logoff, 4, 0);
static const struct wire_field control_message_fields[] = {
    WF_U64(control_message, session),
    WF_STR(control_message, text),
};
WIRE_DEF(control_message, 5, 0);
static const struct wire_field control_throttle_fields[] = {
    WF_U8(control_throttle, clear, 1),
    WF_STR(control_throttle, key),
};
WIRE_DEF(control_throttle, 6, 0);
WIRE_DEF_EMPTY(control_config, 7, 0);
static const struct wire_field control_view_fields[] = {
    WF_U64(control_view, session),
};
WIRE_DEF(control_view, 8, 0);
static const struct wire_def *const control_to_monitor_defs[] = {
    &control_status_def,
    &control_sessions_def,
    &control_disconnect_def,
    &control_logoff_def,
    &control_message_def,
    &control_throttle_def,
    &control_config_def,
    &control_view_def,
};
const struct wire_proto control_to_monitor = {"control to monitor", control_to_monitor_defs,
    COUNT(control_to_monitor_defs)};

static const struct wire_field control_session_fields[] = {
    WF_U64(control_session, session),
    WF_STR(control_session, user),
    WF_U32(control_session, uid, UINT32_MAX),
    WF_U8(control_session, state, SESSION_STATE_MAX),
    WF_U64(control_session, since),
    WF_U32(control_session, display, UINT32_MAX),
    WF_STR(control_session, xauthority),
    WF_I32(control_session, leader_pid),
    WF_I32(control_session, display_pid),
    WF_I32(control_session, agent_pid),
    WF_I32(control_session, desktop_pid),
    WF_ARRAY(control_session, clients, nclients, &leader_client_element_def),
    WF_U32(control_session, nmonitors, DISPLAY_MONITORS_MAX),
};
WIRE_DEF(control_session, 101, 0);
static const struct wire_field control_text_fields[] = {
    WF_STR(control_text, text),
};
WIRE_DEF(control_text, 102, 0);
static const struct wire_field control_viewer_fields[] = {
    WF_U32(control_viewer, client, UINT32_MAX),
};
WIRE_DEF(control_viewer, 103, 1);
static const struct wire_field control_done_fields[] = {
    WF_U8(control_done, code, UINT8_MAX),
    WF_STR(control_done, text),
};
WIRE_DEF(control_done, 104, 0);
static const struct wire_def *const monitor_to_control_defs[] = {
    &control_session_def,
    &control_text_def,
    &control_viewer_def,
    &control_done_def,
};
const struct wire_proto monitor_to_control = {"monitor to control", monitor_to_control_defs,
    COUNT(monitor_to_control_defs)};
