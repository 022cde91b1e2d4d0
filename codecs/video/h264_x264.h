/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ORIEL_CODECS_VIDEO_H264_X264_H
#define ORIEL_CODECS_VIDEO_H264_X264_H

#include "codecs/video/h264.h"

/* Within submit; `done` is not called. Only where the build has libx264 (ORIEL_HAVE_X264).
 * Thread: the caller's; each encoder is used by one thread at a time. */
extern const struct h264_backend h264_x264;

#endif
