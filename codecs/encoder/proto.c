/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/encoder/proto.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct wire_field encoder_open_fields[] = {
    WF_U32(encoder_open, stream, UINT32_MAX),
    WF_U16(encoder_open, width, ENCODER_SIDE_MAX),
    WF_U16(encoder_open, height, ENCODER_SIDE_MAX),
    WF_U16(encoder_open, frame_rate, 144),
    WF_U32(encoder_open, bytes_per_second, 1u << 30),
};
WIRE_DEF(encoder_open, 1, 0);
static const struct wire_field encoder_picture_fields[] = {
    WF_U32(encoder_picture, stream, UINT32_MAX),
    WF_U32(encoder_picture, serial, UINT32_MAX),
    WF_U8(encoder_picture, key, 1),
    WF_U32(encoder_picture, bytes_per_second, 1u << 30),
};
WIRE_DEF(encoder_picture, 2, 0);
static const struct wire_field encoder_close_fields[] = {WF_U32(encoder_close, stream, UINT32_MAX)};
WIRE_DEF(encoder_close, 3, 0);
static const struct wire_def *const peer_to_encoder_defs[] = {&encoder_open_def, &encoder_picture_def,
    &encoder_close_def};
const struct wire_proto peer_to_encoder = {"peer to encoder", peer_to_encoder_defs, COUNT(peer_to_encoder_defs)};

static const struct wire_field encoder_hello_fields[] = {WF_STR(encoder_hello, name)};
WIRE_DEF(encoder_hello, 101, 0);
static const struct wire_field encoder_opened_fields[] = {WF_U32(encoder_opened, stream, UINT32_MAX)};
WIRE_DEF(encoder_opened, 102, 1);
static const struct wire_field encoder_packet_fields[] = {
    WF_U32(encoder_packet, stream, UINT32_MAX),
    WF_U32(encoder_packet, serial, UINT32_MAX),
    WF_U32(encoder_packet, len, 1u << 30),
    WF_U8(encoder_packet, key, 1),
    WF_U8(encoder_packet, qp, 51),
};
WIRE_DEF(encoder_packet, 103, 0);
static const struct wire_def *const encoder_to_peer_defs[] = {&encoder_hello_def, &encoder_opened_def,
    &encoder_packet_def};
const struct wire_proto encoder_to_peer = {"encoder to peer", encoder_to_peer_defs, COUNT(encoder_to_peer_defs)};
