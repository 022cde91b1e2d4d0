/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/proto/types.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_field conv_prompt_fields[] = {
    WF_U8(conv_prompt, style, 4),
    WF_STR(conv_prompt, text),
};
const struct wire_def conv_prompt_def = {0, "conv_prompt", sizeof(struct conv_prompt), WIRE_FIELDS(conv_prompt), 0};
static const struct wire_field conv_answer_fields[] = {
    WF_STR(conv_answer, text),
};
const struct wire_def conv_answer_def = {0, "conv_answer", sizeof(struct conv_answer), WIRE_FIELDS(conv_answer), 0};
static const struct wire_field desktop_offer_fields[] = {
    WF_STR(desktop_offer, id),
    WF_STR(desktop_offer, name),
};
const struct wire_def desktop_offer_def = {0, "desktop_offer", sizeof(struct desktop_offer), WIRE_FIELDS(desktop_offer),
    0};
