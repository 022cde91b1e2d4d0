/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/h264.h"

#ifdef ORIEL_HAVE_X264
#include "codecs/h264_x264.h"
#endif

enum { CHOICE_AUTO, CHOICE_X264, CHOICE_HARDWARE, CHOICE_OFF };

const struct h264_backend *h264_choose(int choice)
{
    if (choice == CHOICE_OFF)
        return NULL;
#ifdef ORIEL_HAVE_X264
    return &h264_x264; /* hardware that is not there is replaced by it, too */
#else
    return NULL;
#endif
}
