/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/video/h264.h"

#ifdef ORIEL_HAVE_X264
#include "codecs/video/h264_worker.h"
#include "codecs/video/h264_x264.h"
#endif

const struct h264_backend *h264_software(bool threaded)
{
#ifdef ORIEL_HAVE_X264
    return threaded ? &h264_worker : &h264_x264;
#else
    return NULL;
#endif
}
