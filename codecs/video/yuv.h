/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BGRX to planar YUV 4:2:0, BT.709, full range, as MS-RDPEGFX 3.3.8.3.1 wants it for AVC420. */
#ifndef ORIEL_CODECS_VIDEO_YUV_H
#define ORIEL_CODECS_VIDEO_YUV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct yuv {
    uint8_t *y, *u, *v;
    int width, height; /* of y, both even */
};

/* Convert `width` x `height` pixels; what the planes have more repeats the last column and row. `plain` forces the path
 * that every processor runs (for the test: both give the same bytes). */
void yuv420_from_bgrx(const struct yuv *out, const uint8_t *px, size_t stride, int width, int height, bool plain);

#endif
