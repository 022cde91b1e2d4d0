/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-peer ↔ oriel-encoder: a socketpair that oriel-server makes (common/spawn.h). One encoder process a client.
 *
 * Pixels and packets travel in one memfd a stream, made by the encoder, its size sealed: the picture's planes (y, u, v
 * without gaps), then, from encoder_packet_at on, room for the packet. The peer writes planes before it sends
 * encoder_picture and reads the packet after encoder_packet; between the two the memory is the encoder's. Each side
 * treats the other's messages as hostile.
 */
#ifndef ORIEL_CODECS_ENCODER_PROTO_H
#define ORIEL_CODECS_ENCODER_PROTO_H

#include "common/wire.h"

#define ENCODER_STREAMS_MAX 12 /* three films that a client's engine plays at once, of four streams each */
#define ENCODER_SIDE_MAX 8192  /* hardware encoders end at 4096 or 8192 */
#define ENCODER_NAME_BYTES 32

static inline size_t encoder_planes_bytes(unsigned width, unsigned height)
{
    return (size_t)width * height * 3 / 2;
}
/* Uncompressed macroblocks are a little longer than their pixels. */
static inline size_t encoder_packet_cap(unsigned width, unsigned height)
{
    return encoder_planes_bytes(width, height) * 9 / 8 + 4096;
}
static inline size_t encoder_packet_at(unsigned width, unsigned height)
{
    return (encoder_planes_bytes(width, height) + 4095) & ~(size_t)4095;
}
static inline size_t encoder_memory_bytes(unsigned width, unsigned height)
{
    return (encoder_packet_at(width, height) + encoder_packet_cap(width, height) + 4095) & ~(size_t)4095;
}

/* peer → encoder */
struct encoder_open {
    uint32_t stream;        /* the peer's number for it, never used again */
    uint16_t width, height; /* multiples of 16 */
    uint16_t frame_rate;
    uint32_t bytes_per_second;
};
struct encoder_picture {
    uint32_t stream, serial;
    uint8_t key;
    uint32_t bytes_per_second; /* the ceiling from now on */
};
struct encoder_close {
    uint32_t stream;
};
extern const struct wire_proto peer_to_encoder;
extern const struct wire_def encoder_open_def, encoder_picture_def, encoder_close_def;

/* encoder → peer */
/* once: what encoded the test picture; "": nothing could */
struct encoder_hello {
    char name[ENCODER_NAME_BYTES];
};
/* fd: the stream's memory */
struct encoder_opened {
    uint32_t stream;
};
struct encoder_packet {
    uint32_t stream, serial;
    uint32_t len; /* 0: the stream failed (serial 0: it could not be opened) and takes nothing more */
    uint8_t key, qp;
};
extern const struct wire_proto encoder_to_peer;
extern const struct wire_def encoder_hello_def, encoder_opened_def, encoder_packet_def;

#endif
