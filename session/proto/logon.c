/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/logon.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_field logon_start_fields[] = {
    WF_U8(logon_start, mode, LOGON_MODE_MAX),
    WF_U8(logon_start, reason, REFUSE_MAX),
    WF_STR(logon_start, user),
    WF_STR(logon_start, host),
    WF_STR(logon_start, title),
    WF_STR(logon_start, text),
    WF_U32(logon_start, scale, LOGON_SCALE_MAX),
    WF_ARRAY(logon_start, desktops, ndesktops, &desktop_offer_def),
    WF_STR(logon_start, why),
};
WIRE_DEF(logon_start, 1, 0);
static const struct wire_field logon_conv_fields[] = {
    WF_ARRAY(logon_conv, prompts, nprompts, &conv_prompt_def),
    WF_U8(logon_conv, inform, 1),
};
WIRE_DEF(logon_conv, 2, 0);
static const struct wire_field logon_refused_fields[] = {
    WF_U8(logon_refused, reason, REFUSE_MAX),
    WF_U8(logon_refused, final, 1),
    WF_STR(logon_refused, text),
};
WIRE_DEF(logon_refused, 3, 0);
WIRE_DEF_EMPTY(logon_done, 4, 0);
static const struct wire_def *const monitor_to_logon_defs[] = {
    &logon_start_def,
    &logon_conv_def,
    &logon_refused_def,
    &logon_done_def,
};
const struct wire_proto monitor_to_logon = {"monitor to logon", monitor_to_logon_defs, COUNT(monitor_to_logon_defs)};

static const struct wire_field logon_submit_fields[] = {
    WF_STR(logon_submit, user),
    WF_BYTES(logon_submit, secret, nsecret),
    WF_STR(logon_submit, desktop),
};
WIRE_DEF(logon_submit, 101, 0);
static const struct wire_field logon_answers_fields[] = {
    WF_ARRAY(logon_answers, answers, nanswers, &conv_answer_def),
};
WIRE_DEF(logon_answers, 102, 0);
WIRE_DEF_EMPTY(logon_cancel, 103, 0);
static const struct wire_field logon_rendered_fields[] = {
    WF_U32(logon_rendered, width, UINT32_MAX),
    WF_U32(logon_rendered, height, UINT32_MAX),
    WF_U32(logon_rendered, stride, UINT32_MAX),
};
WIRE_DEF(logon_rendered, 104, 1);
static const struct wire_def *const logon_to_monitor_defs[] = {
    &logon_submit_def,
    &logon_answers_def,
    &logon_cancel_def,
    &logon_rendered_def,
};
const struct wire_proto logon_to_monitor = {"logon to monitor", logon_to_monitor_defs, COUNT(logon_to_monitor_defs)};
