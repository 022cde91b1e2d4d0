/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the measuring client notes of a scene: when frames were shown, what was received, how true the picture was while
 * it moved and how long it took to become true once it stood still. The decoder's thread calls measure_painted();
 * everything else belongs to the main thread. One lock keeps the two apart. */
#ifndef ORIEL_BENCH_MEASURE_H
#define ORIEL_BENCH_MEASURE_H

#include "bench/scene_file.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLES_MAX 64 /* of 8 MB each: 512 MB */
#define CODECS 16
#define FOLLOW_US 20000 /* how often the still picture is looked at */
#define SHARP_DB 45.0

/* BGRX, the decoder's own; px NULL: none yet */
struct picture {
    const uint8_t *px;
    size_t stride;
};
/* The part that the scene changes, and a little around it */
struct sample {
    uint32_t counter, counter2;
    uint8_t *px;
};
/* squared, of what is judged and of all; pixels that differ: of text, of all */
struct errors {
    double moved, all;
    uint64_t text_wrong, wrong;
};
struct follow {
    uint8_t *ref, *kinds; /* the truth after the last frame, and what is what in it */
    struct errors *rows;
    uint64_t moved_pixels;
    uint32_t counter, dirty0, dirty1; /* rows painted since the last look: [dirty0, dirty1) */
    int32_t counter2;
    bool on, done;
    uint64_t from_us, next_us, until_us; /* when the last frame was drawn; the next look; 0 or when settle gives up */
    double sharp, text, exact;           /* seconds after from_us from which on it held; NAN: it does not */
    double db, moved_db;                 /* of the whole screen; of what is judged */
    uint64_t wrong, text_wrong;
};
struct measure {
    pthread_mutex_t lock;
    struct scene scene; /* map NULL: no scene, only the accounts */
    uint64_t *drawn, *seen;
    bool on;
    int32_t last, last2;
    uint64_t last_us, gap_us;     /* when the last new frame was seen; the longest time without one */
    uint32_t warm, total, every;  /* frames before those that count; all frames; sample each n-th */
    uint32_t x, y, width, height; /* what the scene's frames change, all together, and a little around it */
    uint32_t judged;              /* whose PSNR counts: SCENE_TOUCHED with one of the kinds */
    struct sample samples[SAMPLES_MAX];
    uint32_t nsamples, ready;
    uint64_t start_us, rx, tx, rx_idle, first_bytes, next_first, first_frames;
    double cpu, own; /* seconds; own: the bench's own work among them */
    uint64_t codec_bytes[CODECS], codec_count[CODECS], copies, fills, cached, acked;
    struct follow follow;
};

int measure_init(struct measure *m); /* 0 or -ENOMEM */
void measure_finish(struct measure *m);
/* Frames 1..total of a scene will be played, the first `warm` of which do not count. Path "-": an application, no
 * scene. */
int measure_begin(struct measure *m, const char *scene, const char *log, uint32_t every, uint32_t warm, uint32_t total);
void measure_mark(struct measure *m); /* what follows counts */
void measure_end(struct measure *m);  /* prints the figures since then */
/* Prints how true the sampled frames were: seconds of work, so only once all is over */
void measure_moving(const struct measure *m);
/* A picture was decoded, rows [y0, y1) of it new. Returns a bit set: 1: a new counter was seen, 2: a new one in the
 * second strip. */
int measure_painted(struct measure *m, struct picture p, uint32_t y0, uint32_t y1, bool second);
void measure_step(struct measure *m, struct picture p); /* in each turn of the main loop */
unsigned measure_wait_ms(const struct measure *m);      /* until the next turn at the latest */
/* Print, once the picture is exact or `seconds` after the last frame was drawn, how long it took. */
void measure_settle(struct measure *m, double seconds);
/* Print how the picture compares with one in a file of BGRX rows. */
void measure_compare(struct picture p, uint32_t width, uint32_t height, const char *file);

int compare_doubles(const void *a, const void *b);
double percentile(const double *sorted, uint32_t n, double p);

#endif
