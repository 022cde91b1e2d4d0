/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rectangles that move, as H.264: a few at a time.
 *
 * Each stream draws into an off-screen surface of its own (a stream's coordinates are its surface's), which is copied
 * into the visible one within the same frame. The decoder lives as long as that surface; a new surface starts with a
 * key frame.
 *
 * A film is sent in 4:2:0: nobody sees what that leaves out of a moving photograph. Where it leaves out much (thin
 * coloured lines, coloured writing that moves), and the client takes it, the stream is opened anew as AVC444v2. Its
 * chroma pictures go with the luma (one frame, so that colours do not flicker), but are left out while the encoder is
 * slower than the film, and follow alone when it pauses.
 *
 * A large film is two streams, one above the other: one is encoded while the other is converted, and decoded while the
 * other is encoded. The copies into the visible surface come with the last of them, so that nobody sees half a picture.
 * A film that a single stream must not have is more of them, side by side, too: each is one that Microsoft's decoder
 * takes by its documentation, at most 4096 wide and of level 5.1. What would be more than STREAMS_MAX is no film.
 *
 * A picture is converted and handed to its encoder in one frame and leaves in a later one, when its packet is there.
 * Between the two the visible surface's `shown` holds it already and surface_hold keeps everything else off its
 * rectangle. What had changed along with it is shown along with it, as it was drawn; what changes later leaves at once,
 * unless it would read from there or draw there.
 */
#ifndef ORIEL_CODECS_ENGINE_VIDEO_H
#define ORIEL_CODECS_ENGINE_VIDEO_H

#include "codecs/change/surface.h"
#include "codecs/video/h264.h"

#define FILMS_MAX SURFACE_PENDING_MAX /* an encoder costs a core's third and some MiB each */
#define STREAMS_MAX 4                 /* of a film: 8192 x 4320 pixels */
/* The first off-screen surface's id, one a stream */
#define VIDEO_SURFACE (ENGINE_ID_MAX + 1)

struct engine;

struct stream {
    void *encoder;
    struct yuv planes, chroma; /* in the film's memory; `chroma` only with pairs */
    struct box rect;           /* its part of the film's */
    bool created;              /* the client has the off-screen surface */
    bool key;                  /* the next picture must be one */
    bool pending;              /* a picture is at the encoder */
};
struct film {
    const struct h264_backend *backend; /* of the encoders */
    struct stream streams[STREAMS_MAX];
    unsigned nstreams; /* 0: nothing plays here */
    unsigned pending;  /* how many of them have a picture at their encoder */
    uint8_t *planes;   /* one block for all */
    size_t planes_cap;
    bool pairs;         /* AVC444v2: the one stream carries full colour */
    bool both;          /* the picture at the encoder has its chroma picture */
    bool chroma_due;    /* the last picture went without */
    unsigned hurried;   /* so many more pictures go without: the encoder was too slow */
    unsigned colourful; /* for how many pictures 4:2:0 alone has lost much */
    uint16_t surface;   /* where the rectangle lies */
    struct box rect;    /* empty: nothing plays */
    /* Opened before the present encoder was there: opened anew with the next picture */
    bool renew;
    uint64_t submitted_us;
    uint32_t last_ms; /* when the last picture was handed in */
    uint32_t started_ms;
    unsigned pictures;      /* handed in so far */
    uint32_t rate;          /* bytes a second */
    uint32_t picture_bytes; /* as h264_config */
    struct box candidate;   /* what moved lately, on `candidate_surface` */
    uint16_t candidate_surface;
    uint32_t candidate_ms; /* when it last moved */
    unsigned seen;         /* for how many pictures */
};
struct video {
    const struct h264_backend *backend; /* the best that works; NULL: no H.264 */
    const struct h264_backend *spare;   /* takes over; NULL: nothing does */
    struct film films[FILMS_MAX];
};

/* The back ends that `e->config` asks for. */
void video_init(struct engine *e);
void video_finish(struct video *v);

static inline uint16_t film_surface(const struct video *v, const struct film *f, unsigned stream)
{
    return (uint16_t)(VIDEO_SURFACE + (f - v->films) * STREAMS_MAX + stream);
}

/* Can a film be as large? */
bool film_fits(const struct box *rect);
/* Open streams for `rect` of `s`; the film's old ones are dropped. False: no encoder can. */
bool film_open(struct engine *e, struct film *f, const struct surface *s, struct box rect, uint32_t now_ms);
/* Forget the streams. The caller deletes film_surface at the client where `created` was set (film_drop does). */
void film_stop(struct engine *e, struct film *f);
void film_drop(struct engine *e, struct film *f);
/* The last picture's colour, when the film pauses; 0: now, >0: in so many microseconds, -1: it has it. */
int64_t film_colour_wait(const struct film *f, uint64_t now_us);
void film_submit_colour(struct engine *e, struct film *f, uint64_t now_us);
/* Hand the rectangle's picture in. False: the encoder is gone, and so is the film. */
bool film_submit(struct engine *e, struct film *f, struct surface *s, uint64_t now_us);
/* Does any encoder have a picture? */
bool video_encoding(const struct video *v);
/* Does a picture wait to be collected, or has an encoder been waited for too long? */
bool video_ready(const struct engine *e, uint64_t now_us);
/* Microseconds until an encoder has been waited for too long, or a part that is there may leave; -1: none is. */
int64_t video_patience(const struct engine *e, uint64_t now_us);
/* The pictures that are ready, into the frame. Returns when the first of them was handed in, 0: none is ready in all
 * its parts. */
uint64_t video_collect(struct engine *e, uint64_t now_us);

#endif
