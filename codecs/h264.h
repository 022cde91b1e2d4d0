/* SPDX-License-Identifier: GPL-3.0-or-later */
/* H.264 encoders behind one table. A stream has a fixed size; its pictures depend on each other, so what was encoded must be sent
 * in order, and a client that lost its decoder needs a key frame.
 *
 * Asynchronous by contract: submit hands over a picture, collect brings a packet, maybe later; the caller keeps the picture until
 * then, so that another encoder can take the same frame when this one fails. x264 finishes within submit.
 */
#ifndef ORIEL_CODECS_H264_H
#define ORIEL_CODECS_H264_H

#include "codecs/yuv.h"

struct h264_config {
    int width, height;                /* multiples of 16 */
    unsigned frame_rate;
    uint32_t bytes_per_second;        /* never more, over a quarter of a second */
};
struct h264_packet {
    const uint8_t *data;              /* Annex B; the encoder's until the next submit */
    size_t len;
    bool key;
    int qp;                           /* 0 … 51, the picture's mean */
};
struct h264_backend {
    const char *name;
    /* NULL: cannot (no hardware, out of memory, size). */
    void *(*open)(const struct h264_config *config);
    void (*close)(void *enc);         /* accepts NULL */
    /* Returns 0, -EBUSY (one is under way), -EIO: broken, open another. `key`: the client's decoder is new. */
    int (*submit)(void *enc, const struct yuv *picture, bool key);
    /* Returns 1 with a packet, 0: not yet, -EIO. */
    int (*collect)(void *enc, struct h264_packet *out);
    /* A new ceiling; may be called at any time. */
    int (*set_rate)(void *enc, uint32_t bytes_per_second);
};

/* Compiled in and wanted by `choice` (enum option picture.h264: 0 auto, 1 x264, 2 hardware, 3 off), best first; NULL: none. */
const struct h264_backend *h264_choose(int choice);

#endif
