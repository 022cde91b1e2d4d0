/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/keys_proto.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

WIRE_DEF_EMPTY(keys_get_chain, 1, 0);
static const struct wire_field keys_sign_fields[] = {
    WF_U8(keys_sign, op, KEYS_OP_MAX),
    WF_BYTES(keys_sign, digest, ndigest),
};
WIRE_DEF(keys_sign, 2, 0);
static const struct wire_def *const link_to_keys_defs[] = {
    &keys_get_chain_def,
    &keys_sign_def,
};
const struct wire_proto link_to_keys = {"link to keys", link_to_keys_defs, COUNT(link_to_keys_defs)};

static const struct wire_field keys_chain_fields[] = {
    WF_BYTES(keys_chain, chain, nchain),
};
WIRE_DEF(keys_chain, 101, 0);
static const struct wire_field keys_signature_fields[] = {
    WF_U8(keys_signature, refused, 1),
    WF_BYTES(keys_signature, signature, nsignature),
};
WIRE_DEF(keys_signature, 102, 0);
static const struct wire_def *const keys_to_link_defs[] = {
    &keys_chain_def,
    &keys_signature_def,
};
const struct wire_proto keys_to_link = {"keys to link", keys_to_link_defs, COUNT(keys_to_link_defs)};
