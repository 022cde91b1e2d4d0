/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rectangle that moves, as H.264. One at a time: the largest.
 *
 * Its stream draws into an off-screen surface of its own (a stream's coordinates are its surface's), which is copied into the
 * visible one within the same frame. The decoder lives as long as that surface; a new surface starts with a key frame.
 */
#ifndef ORIEL_CODECS_VIDEO_H
#define ORIEL_CODECS_VIDEO_H

#include "codecs/h264.h"
#include "codecs/surface.h"

#define VIDEO_SURFACE 0xFFF0          /* the off-screen surface's id; front ends stay below */

struct video {
    const struct h264_backend *backend; /* NULL: no H.264 */
    void *encoder;
    struct yuv planes;
    size_t planes_cap;
    uint16_t surface;                 /* where the rectangle lies */
    struct box rect;                  /* empty: nothing moves */
    bool created;                     /* the client has the off-screen surface */
    bool key;                         /* the next picture must be one */
    uint32_t last_ms;                 /* when the last picture was encoded */
    uint32_t started_ms;
    uint32_t rate;                    /* bytes a second */
    struct box candidate;             /* what moved lately */
    unsigned seen;                    /* for how many pictures */
};

void video_finish(struct video *v);
/* Forget the stream; the caller deletes VIDEO_SURFACE at the client when `created` was set. */
void video_stop(struct video *v);

#endif
