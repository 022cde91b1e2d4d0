/* SPDX-License-Identifier: GPL-3.0-or-later */
/* H.264 by libavcodec: hardware encoders by name, and its software one. Synchronous; one thread; pictures of one stream
 * in order. */
#ifndef ORIEL_CODECS_ENCODER_AVCODEC_H
#define ORIEL_CODECS_ENCODER_AVCODEC_H

#include "codecs/video/yuv.h"

struct av_kind;
struct av_stream;
/* data: the stream's until the next picture */
struct av_packet {
    const uint8_t *data;
    size_t len;
    bool key;
    int qp;
};

/* Encode a test picture with each of the encoders that `wanted` names (separated by spaces; "": all hardware ones) and
 * keep the first that gives a packet for every picture. Opens devices and loads drivers: before the sandbox. NULL: none
 * works. */
const struct av_kind *av_probe(const char *wanted);
const char *av_name(const struct av_kind *kind);
/* NULL: cannot. */
struct av_stream *av_open(const struct av_kind *kind, unsigned width, unsigned height, unsigned frame_rate,
    uint32_t bytes_per_second);
void av_close(struct av_stream *s); /* accepts NULL */
/* Returns 0 or -EIO: nothing more can be had from it. */
int av_encode(struct av_stream *s, const struct yuv *picture, bool key, uint32_t bytes_per_second,
    struct av_packet *out);

#endif
