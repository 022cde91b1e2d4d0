/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/peer.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_field peer_hello_fields[] = {
    WF_STR(peer_hello, client_name),
    WF_U32(peer_hello, width, UINT32_MAX),
    WF_U32(peer_hello, height, UINT32_MAX),
    WF_U32(peer_hello, nmonitors, 64),
    WF_U32(peer_hello, keyboard_layout, UINT32_MAX),
    WF_STRUCT(peer_hello, open, &display_open_def),
};
WIRE_DEF(peer_hello, 1, 0);
static const struct wire_field peer_auth_fields[] = {
    WF_U8(peer_auth, method, AUTH_METHOD_MAX),
    WF_STR(peer_auth, user),
    WF_STR(peer_auth, domain),
    WF_BYTES(peer_auth, secret, nsecret),
};
WIRE_DEF(peer_auth, 2, 0);
static const struct wire_field peer_logon_fields[] = {
    WF_STR(peer_logon, user),
    WF_U8(peer_logon, reason, REFUSE_MAX),
};
WIRE_DEF(peer_logon, 3, 0);
static const struct wire_field peer_resume_fields[] = {
    WF_U64(peer_resume, session),
    WF_U32(peer_resume, client, UINT32_MAX),
    WF_BYTES(peer_resume, token, ntoken),
};
WIRE_DEF(peer_resume, 4, 0);
static const struct wire_field peer_status_fields[] = {
    WF_U32(peer_status, width, UINT32_MAX),
    WF_U32(peer_status, height, UINT32_MAX),
    WF_U32(peer_status, nmonitors, 64),
    WF_U32(peer_status, scale, UINT32_MAX),
};
WIRE_DEF(peer_status, 5, 0);
static const struct wire_def *const peer_to_monitor_defs[] = {
    &peer_hello_def,
    &peer_auth_def,
    &peer_logon_def,
    &peer_resume_def,
    &peer_status_def,
};
const struct wire_proto peer_to_monitor = {"peer to monitor", peer_to_monitor_defs, COUNT(peer_to_monitor_defs)};

static const struct wire_field peer_verdict_fields[] = {
    WF_U8(peer_verdict, verdict, VERDICT_MAX),
    WF_U8(peer_verdict, reason, REFUSE_MAX),
    WF_STR(peer_verdict, text),
    WF_U64(peer_verdict, session),
    WF_U32(peer_verdict, client, UINT32_MAX),
    WF_BYTES(peer_verdict, token, ntoken),
    WF_STR(peer_verdict, user),
    WF_BYTES(peer_verdict, cache_salt, ncache_salt),
};
WIRE_DEF(peer_verdict, 101, 0);
static const struct wire_field peer_display_fields[] = {
    WF_U8(peer_display, kind, DISPLAY_KIND_MAX),
};
WIRE_DEF(peer_display, 102, 1);
static const struct wire_field peer_cookie_fields[] = {
    WF_U32(peer_cookie, logon_id, UINT32_MAX),
    WF_BYTES(peer_cookie, random, nrandom),
};
WIRE_DEF(peer_cookie, 103, 0);
static const struct wire_field peer_end_fields[] = {
    WF_U8(peer_end, cause, END_MAX),
    WF_STR(peer_end, text),
};
WIRE_DEF(peer_end, 104, 0);
WIRE_DEF_EMPTY(peer_resumed, 105, 0);
static const struct wire_field peer_service_fields[] = {
    WF_U8(peer_service, service, UINT8_MAX),
    WF_STRUCT(peer_service, limits, &service_limits_def),
};
WIRE_DEF(peer_service, 106, 1);
static const struct wire_def *const monitor_to_peer_defs[] = {
    &peer_verdict_def,
    &peer_display_def,
    &peer_cookie_def,
    &peer_end_def,
    &peer_resumed_def,
    &peer_service_def,
};
const struct wire_proto monitor_to_peer = {"monitor to peer", monitor_to_peer_defs, COUNT(monitor_to_peer_defs)};
