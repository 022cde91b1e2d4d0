/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/leader.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_field env_entry_fields[] = {
    WF_STR(env_entry, text),
};
const struct wire_def env_entry_def = {0, "env_entry", sizeof(struct env_entry), WIRE_FIELDS(env_entry), 0};
static const struct wire_field leader_client_fields[] = {
    WF_U32(leader_client, client, UINT32_MAX),
    WF_U8(leader_client, role, ROLE_MAX),
    WF_BYTES(leader_client, token_hash, nhash),
    WF_STR(leader_client, address),
    WF_STR(leader_client, client_name),
    WF_U32(leader_client, width, UINT32_MAX),
    WF_U32(leader_client, height, UINT32_MAX),
    WF_U32(leader_client, nmonitors, DISPLAY_MONITORS_MAX),
};
const struct wire_def leader_client_element_def = {0, "leader_client", sizeof(struct leader_client),
    WIRE_FIELDS(leader_client), 0};

static const struct wire_field leader_auth_fields[] = {
    WF_U8(leader_auth, method, AUTH_METHOD_MAX),
    WF_U8(leader_auth, interactive, 1),
    WF_STR(leader_auth, user),
    WF_BYTES(leader_auth, secret, nsecret),
    WF_STR(leader_auth, rhost),
    WF_U8(leader_auth, trusted, 1),
};
WIRE_DEF(leader_auth, 1, 0);
static const struct wire_field leader_answers_fields[] = {
    WF_ARRAY(leader_answers, answers, nanswers, &conv_answer_def),
};
WIRE_DEF(leader_answers, 2, 0);
static const struct wire_field leader_refresh_fields[] = {
    WF_ARRAY(leader_refresh, env, nenv, &env_entry_def),
};
WIRE_DEF(leader_refresh, 3, 0);
static const struct wire_field leader_start_fields[] = {
    WF_U64(leader_start, session),
    WF_STR(leader_start, key),
    WF_STRUCT(leader_start, open, &display_open_def),
    WF_STR(leader_start, client_address),
    WF_STR(leader_start, client_name),
    WF_STR(leader_start, desktop),
};
WIRE_DEF(leader_start, 4, 0);
static const struct wire_field leader_attach_fields[] = {
    WF_U32(leader_attach, client, UINT32_MAX),
    WF_U8(leader_attach, role, ROLE_MAX),
    WF_BYTES(leader_attach, token_hash, nhash),
    WF_STR(leader_attach, address),
    WF_STR(leader_attach, client_name),
};
WIRE_DEF(leader_attach, 5, 1);
static const struct wire_field leader_detach_fields[] = {
    WF_U32(leader_detach, client, UINT32_MAX),
    WF_U8(leader_detach, cause, END_MAX),
};
WIRE_DEF(leader_detach, 6, 0);
static const struct wire_field leader_logoff_fields[] = {
    WF_U8(leader_logoff, cause, END_MAX),
};
WIRE_DEF(leader_logoff, 7, 0);
static const struct wire_field leader_notice_fields[] = {
    WF_U32(leader_notice, width, UINT32_MAX),
    WF_U32(leader_notice, height, UINT32_MAX),
    WF_U32(leader_notice, stride, UINT32_MAX),
};
WIRE_DEF(leader_notice, 8, 1);
WIRE_DEF_EMPTY(leader_go, 9, 0);
static const struct wire_field leader_service_fields[] = {
    WF_STRUCT(leader_service, grant, &service_grant_def),
};
WIRE_DEF(leader_service, 10, 1);
static const struct wire_def *const monitor_to_leader_defs[] = {
    &leader_auth_def,
    &leader_answers_def,
    &leader_refresh_def,
    &leader_start_def,
    &leader_attach_def,
    &leader_detach_def,
    &leader_logoff_def,
    &leader_notice_def,
    &leader_go_def,
    &leader_service_def,
};
const struct wire_proto monitor_to_leader = {"monitor to leader", monitor_to_leader_defs,
    COUNT(monitor_to_leader_defs)};

static const struct wire_field leader_conv_fields[] = {
    WF_ARRAY(leader_conv, prompts, nprompts, &conv_prompt_def),
    WF_U8(leader_conv, inform, 1),
};
WIRE_DEF(leader_conv, 101, 0);
static const struct wire_field leader_verdict_fields[] = {
    WF_U8(leader_verdict, reason, REFUSE_MAX),
    WF_STR(leader_verdict, text),
    WF_STR(leader_verdict, user),
    WF_U32(leader_verdict, uid, UINT32_MAX),
    WF_U32(leader_verdict, gid, UINT32_MAX),
};
WIRE_DEF(leader_verdict, 102, 0);
WIRE_DEF_EMPTY(leader_refreshed, 103, 0);
static const struct wire_field leader_hello_fields[] = {
    WF_U64(leader_hello, session),
    WF_STR(leader_hello, user),
    WF_U32(leader_hello, uid, UINT32_MAX),
    WF_U32(leader_hello, gid, UINT32_MAX),
    WF_U64(leader_hello, since),
    WF_STR(leader_hello, key),
    WF_U32(leader_hello, display, UINT32_MAX),
    WF_STR(leader_hello, xauthority),
    WF_I32(leader_hello, leader_pid),
    WF_I32(leader_hello, display_pid),
    WF_I32(leader_hello, agent_pid),
    WF_I32(leader_hello, desktop_pid),
    WF_ARRAY(leader_hello, clients, nclients, &leader_client_element_def),
    WF_ARRAY(leader_hello, env, nenv, &env_entry_def),
    WF_U32(leader_hello, services, UINT32_MAX),
};
WIRE_DEF(leader_hello, 104, 0);
static const struct wire_field leader_failed_fields[] = {
    WF_STR(leader_failed, text),
};
WIRE_DEF(leader_failed, 105, 0);
static const struct wire_field leader_client_state_fields[] = {
    WF_STRUCT(leader_client_state, client, &leader_client_element_def),
};
WIRE_DEF(leader_client_state, 106, 0);
static const struct wire_field leader_client_gone_fields[] = {
    WF_U32(leader_client_gone, client, UINT32_MAX),
    WF_U8(leader_client_gone, cause, END_MAX),
};
WIRE_DEF(leader_client_gone, 107, 0);
static const struct wire_field leader_idle_fields[] = {
    WF_U32(leader_idle, seconds, UINT32_MAX),
};
WIRE_DEF(leader_idle, 108, 0);
static const struct wire_field leader_ended_fields[] = {
    WF_U8(leader_ended, cause, END_MAX),
    WF_STR(leader_ended, text),
};
WIRE_DEF(leader_ended, 109, 0);
static const struct wire_field leader_name_fields[] = {
    WF_STR(leader_name, user),
};
WIRE_DEF(leader_name, 110, 0);
static const struct wire_field leader_service_gone_fields[] = {
    WF_U32(leader_service_gone, client, UINT32_MAX),
    WF_U8(leader_service_gone, service, UINT8_MAX),
    WF_U8(leader_service_gone, for_good, 1),
};
WIRE_DEF(leader_service_gone, 111, 0);
static const struct wire_def *const leader_to_monitor_defs[] = {
    &leader_conv_def,
    &leader_verdict_def,
    &leader_refreshed_def,
    &leader_hello_def,
    &leader_failed_def,
    &leader_client_state_def,
    &leader_client_gone_def,
    &leader_idle_def,
    &leader_ended_def,
    &leader_name_def,
    &leader_service_gone_def,
};
const struct wire_proto leader_to_monitor = {"leader to monitor", leader_to_monitor_defs,
    COUNT(leader_to_monitor_defs)};

static const struct wire_field agent_start_fields[] = {
    WF_STRUCT(agent_start, open, &display_open_def),
    WF_U32(agent_start, idle_seconds, UINT32_MAX),
};
WIRE_DEF(agent_start, 201, 0);
static const struct wire_field agent_client_fields[] = {
    WF_U32(agent_client, client, UINT32_MAX),
    WF_U8(agent_client, role, ROLE_MAX),
};
WIRE_DEF(agent_client, 202, 1);
static const struct wire_field agent_drop_fields[] = {
    WF_U32(agent_drop, client, UINT32_MAX),
    WF_U8(agent_drop, cause, END_MAX),
};
WIRE_DEF(agent_drop, 203, 0);
static const struct wire_field agent_notice_fields[] = {
    WF_U32(agent_notice, width, UINT32_MAX),
    WF_U32(agent_notice, height, UINT32_MAX),
    WF_U32(agent_notice, stride, UINT32_MAX),
};
WIRE_DEF(agent_notice, 204, 1);
static const struct wire_def *const leader_to_agent_defs[] = {
    &agent_start_def,
    &agent_client_def,
    &agent_drop_def,
    &agent_notice_def,
};
const struct wire_proto leader_to_agent = {"leader to agent", leader_to_agent_defs, COUNT(leader_to_agent_defs)};

WIRE_DEF_EMPTY(agent_ready, 301, 0);
static const struct wire_field agent_failed_fields[] = {
    WF_STR(agent_failed, text),
};
WIRE_DEF(agent_failed, 302, 0);
static const struct wire_field agent_client_size_fields[] = {
    WF_U32(agent_client_size, client, UINT32_MAX),
    WF_U32(agent_client_size, width, UINT32_MAX),
    WF_U32(agent_client_size, height, UINT32_MAX),
    WF_U32(agent_client_size, nmonitors, DISPLAY_MONITORS_MAX),
};
WIRE_DEF(agent_client_size, 303, 0);
static const struct wire_field agent_client_gone_fields[] = {
    WF_U32(agent_client_gone, client, UINT32_MAX),
};
WIRE_DEF(agent_client_gone, 304, 0);
static const struct wire_field agent_idle_fields[] = {
    WF_U32(agent_idle, seconds, UINT32_MAX),
};
WIRE_DEF(agent_idle, 305, 0);
static const struct wire_def *const agent_to_leader_defs[] = {
    &agent_ready_def,
    &agent_failed_def,
    &agent_client_size_def,
    &agent_client_gone_def,
    &agent_idle_def,
};
const struct wire_proto agent_to_leader = {"agent to leader", agent_to_leader_defs, COUNT(agent_to_leader_defs)};

static const struct wire_field startup_trouble_fields[] = {
    WF_STR(startup_trouble, text),
};
WIRE_DEF(startup_trouble, 401, 0);
static const struct wire_field startup_desktop_fields[] = {
    WF_U8(startup_desktop, kind, 5),
    WF_STR(startup_desktop, what),
    WF_STR(startup_desktop, id),
};
WIRE_DEF(startup_desktop, 402, 0);
static const struct wire_field startup_failed_fields[] = {
    WF_STR(startup_failed, text),
};
WIRE_DEF(startup_failed, 403, 0);
static const struct wire_def *const startup_to_leader_defs[] = {
    &startup_trouble_def,
    &startup_desktop_def,
    &startup_failed_def,
};
const struct wire_proto startup_to_leader = {"startup to leader", startup_to_leader_defs,
    COUNT(startup_to_leader_defs)};
