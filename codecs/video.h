/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rectangles that move, as H.264: a few at a time.
 *
 * Each stream draws into an off-screen surface of its own (a stream's coordinates are its surface's), which is copied into the
 * visible one within the same frame. The decoder lives as long as that surface; a new surface starts with a key frame.
 *
 * A picture is converted and handed to its encoder in one frame and leaves in a later one, when its packet is there. Between the two
 * the visible surface's `shown` holds it already and surface_hold keeps everything else off its rectangle. What had changed along
 * with it is shown along with it, as it was drawn; what changes later leaves at once, unless it would read from there or draw there.
 */
#ifndef ORIEL_CODECS_VIDEO_H
#define ORIEL_CODECS_VIDEO_H

#include "codecs/h264.h"
#include "codecs/surface.h"

#define FILMS_MAX SURFACE_PENDING_MAX /* an encoder costs a core's third and some MiB each */
#define VIDEO_SURFACE 0xFFF0          /* the first off-screen surface's id, one a film; front ends stay below */

struct engine;

struct film {
    const struct h264_backend *backend; /* of `encoder` */
    void *encoder;                    /* NULL: nothing plays here */
    struct yuv planes;
    size_t planes_cap;
    uint16_t surface;                 /* where the rectangle lies */
    struct box rect;                  /* empty: nothing plays */
    bool created;                     /* the client has the off-screen surface */
    bool key;                         /* the next picture must be one */
    bool pending;                     /* a picture is at the encoder */
    uint64_t submitted_us;
    uint32_t last_ms;                 /* when the last picture was handed in */
    uint32_t started_ms;
    uint32_t rate;                    /* bytes a second */
    struct box candidate;             /* what moved lately, on `candidate_surface` */
    uint16_t candidate_surface;
    unsigned seen;                    /* for how many pictures */
};
struct video {
    const struct h264_backend *backend; /* the best that works; NULL: no H.264 */
    const struct h264_backend *spare; /* takes over; NULL: nothing does */
    struct film films[FILMS_MAX];
};

/* The back ends that `e->config` asks for. */
void video_init(struct engine *e);
void video_finish(struct video *v);

static inline uint16_t film_surface(const struct video *v, const struct film *f)
{
    return (uint16_t)(VIDEO_SURFACE + (f - v->films));
}

/* Open a stream for `rect` of `s`; the film's old one is dropped. False: no encoder can. */
bool film_open(struct engine *e, struct film *f, const struct surface *s, struct box rect, uint32_t now_ms);
/* Forget the stream. The caller deletes film_surface at the client where `created` was set (film_drop does). */
void film_stop(struct engine *e, struct film *f);
void film_drop(struct engine *e, struct film *f);
/* Hand the rectangle's picture in. False: the encoder is gone, and so is the film. */
bool film_submit(struct engine *e, struct film *f, struct surface *s, uint64_t now_us);
/* Does a picture wait to be collected, or has an encoder been waited for too long? */
bool video_ready(const struct engine *e, uint64_t now_us);
/* Microseconds until an encoder has been waited for too long; -1: none is. */
int64_t video_patience(const struct engine *e, uint64_t now_us);
/* The pictures that are ready, into the frame. Returns when the first of them was handed in, 0: none is. */
uint64_t video_collect(struct engine *e, uint64_t now_us);

#endif
