/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/measure.h"

#include <errno.h>
#include <linux/tcp.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define STATE_ESTABLISHED 1 /* TCP_ESTABLISHED of a header that clashes with linux/tcp.h */
/* pixels: a block of any codec that reaches out of what moves is seen */
#define AROUND 64

typedef uint32_t __attribute__((may_alias)) pixel_t;

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool tcp_of(int fd, uint64_t *rx, uint64_t *tx)
{
    struct tcp_info ti;
    socklen_t len = sizeof ti;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) < 0 || ti.tcpi_state != STATE_ESTABLISHED)
        return false;
    *rx = ti.tcpi_bytes_received;
    *tx = ti.tcpi_bytes_acked;
    return true;
}

/* The library owns the socket; it is the process's only connected TCP one. */
static void tcp_bytes(uint64_t *rx, uint64_t *tx)
{
    static int known = -1;
    *rx = *tx = 0;
    if (tcp_of(known, rx, tx))
        return;
    for (int fd = 3; fd < 256; fd++)
        if (tcp_of(fd, rx, tx)) {
            known = fd;
            return;
        }
}

int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double percentile(const double *v, uint32_t n, double p)
{
    return n ? v[(uint32_t)(p * (n - 1) + 0.5)] : NAN;
}

static double psnr(double sum, double pixels)
{
    return pixels <= 0 ? NAN : sum > 0 ? 10 * log10(255.0 * 255.0 * 3 * pixels / sum) : 99.0;
}

/* The fourth byte of a pixel is nobody's. */
static bool row_equal(const uint8_t *a, const uint8_t *b, uint32_t width)
{
    const pixel_t *p = (const pixel_t *)a, *q = (const pixel_t *)b;
    uint32_t d = 0;
    for (uint32_t x = 0; x < width; x++)
        d |= p[x] ^ q[x];
    return (d & 0xffffff) == 0;
}

/* kinds NULL: all of it is text. */
static void row_errors(const uint8_t *a, const uint8_t *b, const uint8_t *kinds, uint32_t judged, uint32_t width,
    struct errors *e)
{
    uint64_t moved = 0, all = 0;
    memset(e, 0, sizeof *e);
    if (row_equal(a, b, width))
        return;
    for (uint32_t x = 0; x < width; x++) {
        int d0 = a[x * 4] - b[x * 4], d1 = a[x * 4 + 1] - b[x * 4 + 1], d2 = a[x * 4 + 2] - b[x * 4 + 2];
        uint32_t d = (uint32_t)(d0 * d0 + d1 * d1 + d2 * d2), kind = kinds ? kinds[x] : SCENE_TEXT;
        all += d;
        moved += kind == judged ? d : 0;
        e->wrong += d != 0;
        e->text_wrong += d && !(kind & SCENE_PICTURE);
    }
    e->moved = (double)moved;
    e->all = (double)all;
}

static void add(struct errors *sum, const struct errors *e)
{
    sum->moved += e->moved;
    sum->all += e->all;
    sum->text_wrong += e->text_wrong;
    sum->wrong += e->wrong;
}

int measure_init(struct measure *m)
{
    memset(m, 0, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->seen = calloc(DRAW_LOG_MAX, sizeof *m->seen);
    return m->seen ? 0 : -ENOMEM;
}

static void drop_scene(struct measure *m)
{
    while (m->ready)
        free(m->samples[--m->ready].px);
    free(m->follow.ref);
    free(m->follow.kinds);
    free(m->follow.rows);
    draw_log_close(m->drawn);
    scene_close(&m->scene);
}

void measure_finish(struct measure *m)
{
    drop_scene(m);
    free(m->seen);
    pthread_mutex_destroy(&m->lock);
}

/* --- the accounts
 * ----------------------------------------------------------------------------------------------------------- */

/* Of a scene with pictures they are judged by their PSNR, of any other all that it changes. */
static void find_judged(struct measure *m)
{
    m->judged = SCENE_TOUCHED | SCENE_TEXT;
    for (uint32_t i = 0; i < m->scene.nops; i++)
        if (m->scene.ops[i].kind == SCENE_PICTURE)
            m->judged = SCENE_TOUCHED | SCENE_PICTURE;
}

static void find_area(struct measure *m)
{
    uint32_t x1 = 0, y1 = 0;
    m->x = m->scene.width;
    m->y = m->scene.height;
    for (uint32_t i = 0; i < m->scene.nframes && i < m->total; i++) {
        const struct scene_frame *f = &m->scene.frames[i];
        m->x = f->x < m->x ? f->x : m->x;
        m->y = f->y < m->y ? f->y : m->y;
        x1 = f->x + f->width > x1 ? f->x + f->width : x1;
        y1 = f->y + f->height > y1 ? f->y + f->height : y1;
    }
    m->x = m->x > AROUND ? m->x - AROUND : 0;
    m->y = m->y > AROUND ? m->y - AROUND : 0;
    m->width = (x1 + AROUND < m->scene.width ? x1 + AROUND : m->scene.width) - m->x;
    m->height = (y1 + AROUND < m->scene.height ? y1 + AROUND : m->scene.height) - m->y;
}

/* All memory that the scene needs is there, and has been touched, before anything counts. */
static int prepare_samples(struct measure *m)
{
    uint32_t wanted = m->every ? m->total / m->every + 1 : 0;
    size_t bytes = (size_t)m->width * m->height * 4;
    for (wanted = wanted < SAMPLES_MAX ? wanted : SAMPLES_MAX; m->ready < wanted; m->ready++) {
        if (!(m->samples[m->ready].px = malloc(bytes)))
            return -ENOMEM;
        memset(m->samples[m->ready].px, 1, bytes);
    }
    return 0;
}

static void draw_truth(const struct scene *s, uint32_t *done, uint32_t counter, uint8_t *ref, uint8_t *kinds)
{
    if (*done == 0) {
        scene_background(s, ref);
        scene_background_kinds(s, kinds);
    }
    for (; *done < counter; (*done)++) {
        scene_apply(s, *done % s->nframes, ref);
        scene_apply_kinds(s, *done % s->nframes, kinds);
    }
}

static void follow_truth(struct measure *m, uint32_t counter)
{
    struct follow *f = &m->follow;
    uint32_t done = 0;
    draw_truth(&m->scene, &done, counter, f->ref, f->kinds);
    stamp_draw(f->ref, (size_t)m->scene.width * 4, counter);
    f->counter = counter;
    f->counter2 = 0;
    f->moved_pixels = 0;
    for (size_t i = 0; i < (size_t)m->scene.width * m->scene.height; i++)
        f->moved_pixels += f->kinds[i] == m->judged;
}

static int prepare_follow(struct measure *m)
{
    struct follow *f = &m->follow;
    size_t pixels = (size_t)m->scene.width * m->scene.height;
    f->ref = malloc(pixels << 2);
    f->kinds = malloc(pixels);
    f->rows = calloc(m->scene.height, sizeof *f->rows);
    f->sharp = f->text = f->exact = f->db = f->moved_db = NAN;
    if (!f->ref || !f->kinds || !f->rows)
        return -ENOMEM;
    follow_truth(m, m->total);
    return 0;
}

static int open_scene(struct measure *m, const char *scene, const char *log)
{
    m->drawn = draw_log_open(log);
    int r = m->drawn ? scene_open(&m->scene, scene) : -EIO;
    if (r < 0)
        return r;
    if (m->scene.nframes == 0)
        return -EINVAL;
    memset(m->drawn, 0, DRAW_LOG_MAX * sizeof *m->drawn);
    find_judged(m);
    find_area(m);
    r = prepare_samples(m);
    return r < 0 ? r : prepare_follow(m);
}

static void zero_accounts(struct measure *m)
{
    memset(m->codec_bytes, 0, sizeof m->codec_bytes);
    memset(m->codec_count, 0, sizeof m->codec_count);
    m->copies = m->fills = m->cached = m->acked = m->first_bytes = m->first_frames = 0;
    m->last_us = m->gap_us = m->nsamples = 0;
    m->next_first = m->warm + 1;
    tcp_bytes(&m->rx, &m->tx);
    m->rx_idle = m->rx;
    m->own = 0;
    m->cpu = cpu_seconds();
    m->start_us = now_us();
}

int measure_begin(struct measure *m, const char *scene, const char *log, uint32_t every, uint32_t warm, uint32_t total)
{
    uint64_t *seen = m->seen;
    int r = 0;
    if (total >= DRAW_LOG_MAX || warm > total)
        return -EINVAL;
    pthread_mutex_lock(&m->lock);
    drop_scene(m);
    m->scene = (struct scene){0};
    m->follow = (struct follow){0};
    m->drawn = NULL;
    memset(seen, 0, DRAW_LOG_MAX * sizeof *seen);
    m->every = every;
    m->warm = warm;
    m->total = total;
    m->last = -1;
    m->last2 = 0;
    if (strcmp(scene, "-") != 0)
        r = open_scene(m, scene, log);
    m->on = r == 0 && m->scene.map;
    zero_accounts(m);
    pthread_mutex_unlock(&m->lock);
    return r;
}

void measure_mark(struct measure *m)
{
    pthread_mutex_lock(&m->lock);
    zero_accounts(m);
    pthread_mutex_unlock(&m->lock);
}

/* --- frames
 * ----------------------------------------------------------------------------------------------------------------- */

static void take_sample(struct measure *m, struct picture p, uint32_t counter)
{
    double start = thread_seconds();
    if (m->nsamples == m->ready)
        return;
    struct sample *s = &m->samples[m->nsamples++];
    size_t row = (size_t)m->width * 4;
    s->counter = counter;
    s->counter2 = (uint32_t)m->last2;
    for (uint32_t y = 0; y < m->height; y++)
        memcpy(s->px + y * row, p.px + (m->y + y) * p.stride + (size_t)m->x * 4, row);
    m->own += thread_seconds() - start;
}

static bool saw(struct measure *m, struct picture p, int32_t counter)
{
    uint64_t now = now_us(), rx, tx;
    if (counter <= 0 || counter == m->last || (uint32_t)counter >= DRAW_LOG_MAX)
        return false;
    m->last = counter;
    m->seen[counter] = now;
    if ((uint32_t)counter <= m->warm)
        return true;
    if (m->last_us && now - m->last_us > m->gap_us)
        m->gap_us = now - m->last_us;
    m->last_us = now;
    tcp_bytes(&rx, &tx);
    m->first_bytes += rx - m->rx_idle;
    m->first_frames++;
    m->rx_idle = rx;
    m->next_first = (uint32_t)counter + 1;
    if (m->every && ((uint32_t)counter - m->warm) % m->every == 0)
        take_sample(m, p, (uint32_t)counter);
    return true;
}

static void grow_dirty(struct follow *f, uint32_t y0, uint32_t y1)
{
    bool none = f->dirty0 >= f->dirty1;
    f->dirty0 = none || y0 < f->dirty0 ? y0 : f->dirty0;
    f->dirty1 = none || y1 > f->dirty1 ? y1 : f->dirty1;
}

int measure_painted(struct measure *m, struct picture p, uint32_t y0, uint32_t y1, bool second)
{
    int news = 0;
    pthread_mutex_lock(&m->lock);
    if (m->on) {
        news |= saw(m, p, stamp_read(p.px, p.stride));
        int32_t counter2 = second ? stamp_read(p.px + STAMP2_X * 4, p.stride) : 0;
        if (counter2 > 0 && counter2 != m->last2) {
            m->last2 = counter2;
            news |= 2;
        }
        if (y0 < y1)
            grow_dirty(&m->follow, y0, y1 < m->scene.height ? y1 : m->scene.height);
    }
    pthread_mutex_unlock(&m->lock);
    return news;
}

/* --- the picture while it moves
 * --------------------------------------------------------------------------------------------- */

struct moving {
    double sum;
    uint64_t pixels, text_pixels;
    uint32_t inexact, text_wrong;
};

static void judge_sample(const struct measure *m, const struct sample *s, const uint8_t *ref, const uint8_t *kinds,
    struct moving *v)
{
    struct errors sum = {0}, e;
    for (uint32_t y = 0; y < m->height; y++) {
        size_t at = (size_t)(m->y + y) * m->scene.width + m->x;
        row_errors(s->px + (size_t)y * m->width * 4, ref + at * 4, kinds + at, m->judged, m->width, &e);
        add(&sum, &e);
        for (uint32_t x = 0; x < m->width; x++)
            v->pixels += kinds[at + x] == m->judged;
    }
    v->sum += sum.moved;
    v->inexact += sum.wrong != 0;
    v->text_wrong += sum.text_wrong != 0;
    v->text_pixels += sum.text_wrong;
}

void measure_moving(const struct measure *m)
{
    size_t pixels = (size_t)m->scene.width * m->scene.height;
    uint8_t *ref = pixels ? malloc(pixels << 2) : NULL, *kinds = pixels ? malloc(pixels) : NULL;
    struct moving v = {0};
    uint32_t done = 0;
    for (uint32_t i = 0; ref && kinds && i < m->nsamples; i++) {
        const struct sample *s = &m->samples[i];
        draw_truth(&m->scene, &done, s->counter, ref, kinds);
        stamp_draw(ref, (size_t)m->scene.width * 4, s->counter);
        if (s->counter2)
            stamp_draw(ref + STAMP2_X * 4, (size_t)m->scene.width * 4, s->counter2);
        judge_sample(m, s, ref, kinds, &v);
    }
    free(ref);
    free(kinds);
    printf("{\"samples\":%u,\"inexact\":%u,\"text_wrong\":%u,\"text_wrong_pixels\":%.0f,\"psnr_moving\":%.2f}\n",
        m->nsamples, v.inexact, v.text_wrong, m->nsamples ? (double)v.text_pixels / m->nsamples : NAN,
        psnr(v.sum, (double)v.pixels));
}

static void print_codecs(const struct measure *m)
{
    static const char *names[CODECS] = {[0] = "raw",
        [3] = "rfx",
        [8] = "clear",
        [9] = "progressive",
        [10] = "planar",
        [11] = "avc420",
        [12] = "alpha",
        [14] = "avc444",
        [15] = "avc444v2"};
    printf("\"codecs\":{");
    for (int i = 0, n = 0; i < CODECS; i++)
        if (m->codec_count[i])
            printf("%s\"%s\":[%llu,%llu]", n++ ? "," : "", names[i] ? names[i] : "other",
                (unsigned long long)m->codec_count[i], (unsigned long long)m->codec_bytes[i]);
    printf("},\"copies\":%llu,\"fills\":%llu,\"cached\":%llu,\"acked\":%llu", (unsigned long long)m->copies,
        (unsigned long long)m->fills, (unsigned long long)m->cached, (unsigned long long)m->acked);
}

static void print_frames(const struct measure *m)
{
    double *lags = calloc(DRAW_LOG_MAX, sizeof *lags);
    uint32_t n = 0, drawn = 0;
    for (uint32_t i = m->warm + 1; lags && m->drawn && i < DRAW_LOG_MAX; i++) {
        drawn += m->drawn[i] != 0;
        if (m->drawn[i] && m->seen[i])
            lags[n++] = (double)(m->seen[i] - m->drawn[i]) / 1000;
    }
    if (lags)
        qsort(lags, n, sizeof *lags, compare_doubles);
    printf("\"drawn\":%u,\"shown\":%u,\"lag_p50\":%.2f,\"lag_p95\":%.2f,\"lag_max\":%.2f,\"gap_max\":%.0f,", drawn, n,
        percentile(lags, n, 0.5), percentile(lags, n, 0.95), percentile(lags, n, 1), (double)m->gap_us / 1000);
    free(lags);
}

void measure_end(struct measure *m)
{
    uint64_t rx, tx;
    pthread_mutex_lock(&m->lock);
    double cpu = cpu_seconds() - m->cpu, seconds = (double)(now_us() - m->start_us) / 1e6;
    tcp_bytes(&rx, &tx);
    m->every = 0;
    printf(
        "{\"seconds\":%.3f,\"rx\":%llu,\"tx\":%llu,\"client_seconds\":%.4f,\"own_seconds\":%.4f,\"first_bytes\":%llu,"
        "\"first_frames\":%llu,",
        seconds, (unsigned long long)(rx - m->rx), (unsigned long long)(tx - m->tx), cpu - m->own, m->own,
        (unsigned long long)m->first_bytes, (unsigned long long)m->first_frames);
    print_frames(m);
    print_codecs(m);
    printf("}\n");
    pthread_mutex_unlock(&m->lock);
}

/* --- the picture once it stands still
 * --------------------------------------------------------------------------------------- */

static void follow_begin(struct measure *m, uint32_t counter)
{
    struct follow *f = &m->follow;
    if (counter != f->counter)
        follow_truth(m, counter);
    f->from_us = m->drawn[counter];
    f->on = true;
    f->next_us = 0;
    grow_dirty(f, 0, m->scene.height);
}

static uint32_t last_drawn(const struct measure *m)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < DRAW_LOG_MAX; i++)
        n = m->drawn[i] ? i : n;
    return n;
}

static void since(double *when, bool holds, double now)
{
    *when = !holds ? NAN : isnan(*when) ? now : *when;
}

static void sum_up(struct measure *m, double seconds)
{
    struct follow *f = &m->follow;
    struct errors sum = {0};
    for (uint32_t y = 0; y < m->scene.height; y++)
        add(&sum, &f->rows[y]);
    f->wrong = sum.wrong;
    f->text_wrong = sum.text_wrong;
    f->db = psnr(sum.all, (double)m->scene.width * m->scene.height);
    f->moved_db = psnr(sum.moved, (double)f->moved_pixels);
    since(&f->text, sum.text_wrong == 0, seconds);
    since(&f->exact, sum.wrong == 0, seconds);
    since(&f->sharp, f->moved_db >= SHARP_DB, seconds);
}

/* Compare the rows that were painted since the last look; *y0 and *y1 come from under the lock. */
static void look(struct measure *m, struct picture p, uint32_t y0, uint32_t y1)
{
    struct follow *f = &m->follow;
    size_t row = (size_t)m->scene.width * 4;
    double seconds = (double)(now_us() - f->from_us) / 1e6;
    for (uint32_t y = y0; y < y1; y++)
        row_errors(p.px + y * p.stride, f->ref + y * row, f->kinds + (size_t)y * m->scene.width, m->judged,
            m->scene.width, &f->rows[y]);
    sum_up(m, seconds);
}

/* Returns whether anything was painted since the last time. */
static bool take_dirty(struct measure *m, uint32_t *y0, uint32_t *y1)
{
    struct follow *f = &m->follow;
    pthread_mutex_lock(&m->lock);
    if (m->last2 != f->counter2) {
        f->counter2 = m->last2;
        stamp_draw(f->ref + STAMP2_X * 4, (size_t)m->scene.width * 4, (uint32_t)m->last2);
        grow_dirty(f, 0, STAMP_HEIGHT);
    }
    *y0 = f->dirty0;
    *y1 = f->dirty1;
    f->dirty0 = f->dirty1 = 0;
    pthread_mutex_unlock(&m->lock);
    return *y0 < *y1;
}

static void print_settled(struct follow *f)
{
    printf("{\"sharp_after\":%.3f,\"text_after\":%.3f,\"exact_after\":%.3f,\"psnr\":%.2f,\"psnr_moved\":%.2f,"
           "\"differing\":%llu,"
           "\"text_differing\":%llu}\n",
        f->sharp, f->text, f->exact, f->db, f->moved_db, (unsigned long long)f->wrong,
        (unsigned long long)f->text_wrong);
    f->until_us = 0;
    f->done = true;
}

static void follow_step(struct measure *m, struct picture p)
{
    struct follow *f = &m->follow;
    uint64_t now = now_us();
    uint32_t y0, y1;
    double start = thread_seconds();
    if (now < f->next_us)
        return;
    f->next_us = now + FOLLOW_US;
    if (take_dirty(m, &y0, &y1))
        look(m, p, y0, y1);
    if (f->wrong == 0 && !f->done) { /* what was not said to be painted counts too */
        look(m, p, 0, m->scene.height);
        f->done = f->wrong == 0;
    }
    pthread_mutex_lock(&m->lock);
    m->own += thread_seconds() - start;
    pthread_mutex_unlock(&m->lock);
}

void measure_step(struct measure *m, struct picture p)
{
    struct follow *f = &m->follow;
    uint64_t rx, tx;
    if (!m->on || !p.px)
        return;
    tcp_bytes(&rx, &tx);
    pthread_mutex_lock(&m->lock);
    if (m->next_first < DRAW_LOG_MAX && !m->drawn[m->next_first])
        m->rx_idle = rx;
    if (!f->on && m->drawn[m->total])
        follow_begin(m, m->total);
    pthread_mutex_unlock(&m->lock);
    if (f->on && !f->done)
        follow_step(m, p);
    if (f->on && f->until_us && (f->done || now_us() >= f->until_us))
        print_settled(f);
}

unsigned measure_wait_ms(const struct measure *m)
{
    const struct follow *f = &m->follow;
    uint64_t now = now_us();
    if (!m->on || !f->on || f->done)
        return 1000;
    return now >= f->next_us ? 1 : (unsigned)((f->next_us - now) / 1000) + 1;
}

void measure_settle(struct measure *m, double seconds)
{
    struct follow *f = &m->follow;
    if (!m->on) {
        printf("{\"error\":\"no scene\"}\n");
        return;
    }
    pthread_mutex_lock(&m->lock);
    if (!f->on || f->counter != last_drawn(m))
        follow_begin(m, last_drawn(m));
    grow_dirty(f, 0, m->scene.height);
    f->done = false;
    f->until_us = f->from_us + (uint64_t)(seconds * 1e6);
    f->next_us = 0;
    pthread_mutex_unlock(&m->lock);
}

void measure_compare(struct picture p, uint32_t width, uint32_t height, const char *file)
{
    size_t row = (size_t)width * 4;
    struct errors sum = {0}, e;
    uint8_t *want = malloc(row);
    FILE *f = fopen(file, "rb");
    uint32_t y = 0;
    for (; f && want && y < height && fread(want, 1, row, f) == row; y++) {
        row_errors(p.px + y * p.stride, want, NULL, SCENE_TOUCHED, width, &e);
        add(&sum, &e);
    }
    if (y == height && p.px)
        printf("{\"psnr\":%.2f,\"differing\":%llu}\n", psnr(sum.all, (double)width * height),
            (unsigned long long)sum.wrong);
    else
        printf("{\"error\":\"nothing to compare\"}\n");
    if (f)
        fclose(f);
    free(want);
}
