/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a peer asks of its oriel-encoder: streams are opened, fed and closed. One thread; init by assignment of `peer`
 * and `kind`. */
#ifndef ORIEL_CODECS_ENCODER_SERVE_H
#define ORIEL_CODECS_ENCODER_SERVE_H

#include "codecs/encoder/avcodec.h"
#include "codecs/encoder/proto.h"

struct encoder_stream {
    uint32_t id;
    struct av_stream *av; /* NULL: free */
    struct yuv planes;    /* in the shared memory, which the peer may change at any time */
    uint8_t *memory;
    unsigned width, height;
};
struct encoder {
    int peer;                   /* blocking: while a picture is encoded there is nothing else to do */
    const struct av_kind *kind; /* NULL: none works, no stream can be opened */
    struct encoder_stream streams[ENCODER_STREAMS_MAX];
};

/* Wait for one request and do it. Whatever it says, the answer is a message at most. 0, or negative errno: the peer is
 * gone or broke the protocol. */
int encoder_step(struct encoder *e);
/* End what is open; `peer` stays the caller's. */
void encoder_finish(struct encoder *e);

#endif
