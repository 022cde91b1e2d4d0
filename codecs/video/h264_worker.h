/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ORIEL_CODECS_VIDEO_H264_WORKER_H
#define ORIEL_CODECS_VIDEO_H264_WORKER_H

#include "codecs/video/h264.h"

/* libx264 on one thread an encoder. The thread is the encoder's only user; the table's functions are for one thread,
 * which waits for nothing but, in close, the end of a picture under way. Only where the build has libx264. */
extern const struct h264_backend h264_worker;

#endif
