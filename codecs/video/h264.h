/* SPDX-License-Identifier: GPL-3.0-or-later */
/* H.264 encoders behind one table. A stream has a fixed size; its pictures depend on each other, so what was encoded
 * must be sent in order, and a client that lost its decoder needs a key frame.
 *
 * Asynchronous by contract: submit hands a picture over and returns at once, `done` tells that something changed,
 * collect brings the packet. One picture at a time. The caller keeps the picture's planes until then, so that another
 * encoder can take the same picture when this one fails.
 */
#ifndef ORIEL_CODECS_VIDEO_H264_H
#define ORIEL_CODECS_VIDEO_H264_H

#include "codecs/video/yuv.h"

struct h264_config {
    int width, height; /* multiples of 16 */
    unsigned frame_rate;
    uint32_t bytes_per_second; /* never more, over a quarter of a second */
    bool scarce;               /* the link carries less than the film would have: bytes count more than time */
    /* And no picture longer, as far as the encoder can; 0: as bytes_per_second allows */
    uint32_t picture_bytes;
    /* Pictures may have a chroma picture (AVC444v2): both streams come from one encoder */
    bool pairs;
    /* Called from any thread: ask `ready`. NULL: submit returns when the packet is there */
    void (*done)(void *user);
    void *user;
    void *context; /* the back end's own, from engine_config */
};
struct h264_stream { /* Annex B; the encoder's until the next submit */
    const uint8_t *data;
    size_t len; /* 0: absent */
    int qp;     /* 0 … 51, the picture's mean */
};
struct h264_packet {
    struct h264_stream picture, chroma;
    bool key;
};
struct h264_backend {
    const char *name;
    /* A picture not there after so long is lost, and the encoder with it; 0: it always comes */
    unsigned patience_ms;
    bool pairs; /* takes chroma pictures */
    bool parts; /* a large film is sooner there as several streams, and costs no more */
    /* NULL: cannot (no hardware, out of memory, size). What fails later shows at collect. */
    void *(*open)(const struct h264_config *config);
    /* Accepts NULL. A picture under way is forgotten; `done` is not called after the return. */
    void (*close)(void *enc);
    /* Returns 0, -EBUSY (one is under way), -EIO: broken, open another. `key`: the client's decoder is new. `chroma`
     * may be absent; with `pairs` set either may. */
    int (*submit)(void *enc, const struct yuv *picture, const struct yuv *chroma, bool key);
    /* Would collect return something else than 0? */
    bool (*ready)(void *enc);
    /* Returns 1 with a packet, 0: not yet, -EIO. */
    int (*collect)(void *enc, struct h264_packet *out);
    /* New ceilings from the next picture on, as in h264_config; may be called at any time. Returns 0 or -EIO. */
    int (*set_rate)(void *enc, uint32_t bytes_per_second, uint32_t picture_bytes);
};

/* Compiled in: libx264, on a thread of its own where `threaded`, else within submit. NULL: not built in. */
const struct h264_backend *h264_software(bool threaded);

#endif
