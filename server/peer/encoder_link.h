/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer's end of its oriel-encoder: an H.264 back end whose pictures are encoded by that process. */
#ifndef ORIEL_SERVER_PEER_ENCODER_LINK_H
#define ORIEL_SERVER_PEER_ENCODER_LINK_H

#include "codecs/video/h264.h"

struct event_base;
struct encoder_link;

struct encoder_link_events {
    void (*ready)(void *user); /* it found something that encodes: once for each process */
    void (*lost)(void *user);  /* it is gone or was given up; not said while none has ever been ready */
};
/* `fd` is owned from now on. NULL: no memory. Thread: the loop's. */
struct encoder_link *encoder_link_create(struct event_base *base, int fd, const struct encoder_link_events *events,
    void *user);
/* Another process in the place of one that was lost (`fd` is owned from now on; closed where none was). Streams of the
 * lost one stay failed. */
void encoder_link_restart(struct encoder_link *l, int fd);
/* It hangs or gave something wrong: as if it were gone. Its other streams fail, too. */
void encoder_link_give_up(struct encoder_link *l);
/* Streams must be closed before. NULL is fine. */
void encoder_link_destroy(struct encoder_link *l);
/* The name of what encodes there; "" while it is not known, when nothing does, and after it was lost. */
const char *encoder_link_name(const struct encoder_link *l);

/* h264_config.context is the encoder_link. Pairs are not taken: hardware gives no say in what a picture is predicted
 * from. */
extern const struct h264_backend encoder_outside;

#endif
