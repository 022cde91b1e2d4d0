/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/video/h264_worker.h"

#include "codecs/video/h264_x264.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* libx264 needs a few hundred KiB; the default's eight MiB count against the limit */
#define STACK_BYTES (1024 * 1024)

enum job { JOB_NONE, JOB_WAITS, JOB_RUNS, JOB_DONE };
struct worker {
    pthread_t thread;
    /* All below but `inner` and `packet`, which belong to the thread until JOB_DONE */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum job job;
    bool quit, broken;
    uint32_t rate, picture_bytes; /* to be set; rate 0: none */
    struct h264_config config;
    struct yuv picture, chroma; /* planes are the caller's */
    bool has_picture, has_chroma, key;
    void *inner;
    struct h264_packet packet;
};

/* Runs without the lock. */
static bool encode(struct worker *w, uint32_t rate, uint32_t picture_bytes)
{
    if (!w->inner)
        w->inner = h264_x264.open(&w->config);
    if (!w->inner || (rate && h264_x264.set_rate(w->inner, rate, picture_bytes) < 0))
        return false;
    return h264_x264.submit(w->inner, w->has_picture ? &w->picture : NULL, w->has_chroma ? &w->chroma : NULL, w->key) ==
        0 &&
        h264_x264.collect(w->inner, &w->packet) == 1;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->quit) {
        if (w->job != JOB_WAITS) {
            pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        uint32_t rate = w->rate, picture_bytes = w->picture_bytes;
        w->rate = 0;
        w->job = JOB_RUNS;
        pthread_mutex_unlock(&w->lock);
        bool ok = encode(w, rate, picture_bytes);
        pthread_mutex_lock(&w->lock);
        w->broken |= !ok;
        w->job = JOB_DONE;
        if (!w->quit)
            w->config.done(w->config.user);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Signals are the loop's. */
static int start(struct worker *w)
{
    pthread_attr_t attr;
    sigset_t all, old;
    sigfillset(&all);
    if (pthread_attr_init(&attr) != 0)
        return -ENOMEM;
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int r = pthread_create(&w->thread, &attr, work, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return -r;
}

static void *worker_open(const struct h264_config *config)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->config = *config;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    if (start(w) == 0)
        return w;
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}

static void worker_close(void *enc)
{
    struct worker *w = enc;
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->quit = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    h264_x264.close(w->inner);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static int worker_submit(void *enc, const struct yuv *picture, const struct yuv *chroma, bool key)
{
    struct worker *w = enc;
    int r = 0;
    pthread_mutex_lock(&w->lock);
    if (w->broken || w->job != JOB_NONE) {
        r = w->broken ? -EIO : -EBUSY;
    } else {
        w->has_picture = picture != NULL;
        w->has_chroma = chroma != NULL;
        w->picture = picture ? *picture : (struct yuv){0};
        w->chroma = chroma ? *chroma : (struct yuv){0};
        w->key = key;
        w->job = JOB_WAITS;
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return r;
}

static bool worker_ready(void *enc)
{
    struct worker *w = enc;
    pthread_mutex_lock(&w->lock);
    bool ready = w->job == JOB_DONE;
    pthread_mutex_unlock(&w->lock);
    return ready;
}

static int worker_collect(void *enc, struct h264_packet *out)
{
    struct worker *w = enc;
    pthread_mutex_lock(&w->lock);
    int r = w->job != JOB_DONE ? 0 : w->broken ? -EIO : 1;
    if (r != 0)
        w->job = JOB_NONE;
    if (r == 1)
        *out = w->packet;
    pthread_mutex_unlock(&w->lock);
    return r;
}

static int worker_rate(void *enc, uint32_t bytes_per_second, uint32_t picture_bytes)
{
    struct worker *w = enc;
    pthread_mutex_lock(&w->lock);
    w->rate = bytes_per_second;
    w->picture_bytes = picture_bytes;
    pthread_mutex_unlock(&w->lock);
    return 0;
}

const struct h264_backend h264_worker = {.name = "x264",
    .pairs = true,
    .parts = true,
    .open = worker_open,
    .close = worker_close,
    .submit = worker_submit,
    .ready = worker_ready,
    .collect = worker_collect,
    .set_rate = worker_rate};
