/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headless replay: scenes drawn in C go through engine and wire into a client of libfreerdp's decoders. Prints one line
 * a scene: bytes, time, what the client saw. No network, no X: what the codecs alone cost.
 *
 *   replay [scene …]     scenes: typing scroll page slide drag film pan, or files of bench/make_scenes.py
 *
 * More settings come from the environment: AVC=0, SMALL_CACHE=1, BYTES_PER_SECOND, RTT_US, FRAMES (of a file), JUDGE=0,
 * TRACE. The digest is of every byte that was sent: with equal settings it is equal in each run, and in each build that
 * sends the same bytes. */
#include "bench/scene_file.h"
#include "ref_client.h"
#include "scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH 1920
#define HEIGHT 1080

struct run {
    struct engine *engine;
    struct gfx_wire *wire;
    struct ref_client *client;
    struct canvas screen;
    struct engine_rect rects[ENGINE_RECTS_MAX];
    size_t nrects;
    uint64_t now;
    double link_us_per_byte;
    size_t bytes, frames, mix[16];
    size_t largest;
    uint64_t digest; /* of all bytes so far: FNV-1a */
    double ms[4096], client_ms;
    int nms;
    double psnr_sum, psnr_min;
    int psnr_n;
    struct engine_rect region;      /* where the picture is judged; empty: nowhere */
    size_t first_bytes, background; /* of the frame that showed what was drawn; of the last steps to exact */
    double first_ms;
    double first_db, second_db; /* of what is not exact: after that frame, and a second after it was drawn */
    int first_n, second_n;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned env(const char *name, unsigned otherwise)
{
    const char *v = getenv(name);
    return v ? (unsigned)strtoul(v, NULL, 10) : otherwise;
}

static void damage(struct run *r, int x, int y, int w, int h)
{
    x = x < 0 ? 0 : x;
    y = y < 0 ? 0 : y;
    if (r->nrects < ENGINE_RECTS_MAX)
        r->rects[r->nrects++] = (struct engine_rect){(uint16_t)x, (uint16_t)y, (uint16_t)w, (uint16_t)h};
}

static const char *mix_name(int i)
{
    static const char *const names[16] = {"raw", "copy", "fill", "from-cache", "to-cache", "other", "", "", "clear",
        "progressive", "planar", "avc420", "", "", "avc444", "avc444v2"};
    return names[i];
}

static void count_mix(struct run *r, const struct gfx_frame *f)
{
    for (size_t i = 0; i < f->ncommands; i++) {
        const struct gfx_command *c = &f->commands[i];
        if (getenv("TRACE"))
            printf("%u type %d codec %x  %u,%u %ux%u  %zu B, %u rects\n", f->frame_id, c->type, c->codec, c->rect.x,
                c->rect.y, c->rect.width, c->rect.height, c->len, c->nrects);
        if (c->type == GFX_WIRE)
            r->mix[c->codec & 15] += c->len;
        else if (c->type == GFX_COPY)
            r->mix[1]++;
        else if (c->type == GFX_FILL)
            r->mix[2]++;
        else if (c->type == GFX_FROM_CACHE)
            r->mix[3]++;
        else if (c->type == GFX_TO_CACHE)
            r->mix[4]++;
    }
}

static void add_to_digest(struct run *r, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        r->digest = (r->digest ^ data[i]) * 0x100000001B3u;
}

static size_t deliver(struct run *r, const struct gfx_frame *f, bool counted)
{
    const struct gfx_message *m;
    size_t n, bytes = 0;
    double start = seconds();
    gfx_wire_begin(r->wire);
    gfx_wire_frame(r->wire, f);
    gfx_wire_finish(r->wire, &m, &n);
    double wired = seconds() - start;
    if (counted && r->nms)
        r->ms[r->nms - 1] += wired * 1000;
    for (size_t i = 0; i < n; i++) {
        bytes += m[i].len;
        add_to_digest(r, m[i].data, m[i].len);
        if (ref_client_message(r->client, m[i].data, m[i].len) < 0) {
            fprintf(stderr, "client: %s\n", ref_client_error(r->client));
            exit(1);
        }
    }
    if (counted) {
        r->client_ms += (seconds() - start - wired) * 1000;
        r->frames++;
        count_mix(r, f);
        r->background += f->background ? bytes : 0;
        r->largest = bytes > r->largest ? bytes : r->largest;
    }
    engine_ack(r->engine, f->frame_id, 0, 0, r->now);
    return bytes;
}

static size_t produce(struct run *r, bool counted)
{
    struct gfx_frame f;
    double start = seconds();
    int rc = engine_produce(r->engine, r->now, &f);
    if (counted && r->nms)
        r->ms[r->nms - 1] += (seconds() - start) * 1000;
    return rc == 1 ? deliver(r, &f, counted) : 0;
}

/* PSNR over those tiles of the region that are not exact; 0: all are. */
static double lossy_db(struct run *r)
{
    const struct ref_surface *s = ref_client_surface(r->client, 0);
    double sum = 0;
    int n = 0;
    for (int y = r->region.y & ~63; y < r->region.y + r->region.height; y += 64)
        for (int x = r->region.x & ~63; x < r->region.x + r->region.width; x += 64) {
            int w = x + 64 < WIDTH ? 64 : WIDTH - x, h = y + 64 < HEIGHT ? 64 : HEIGHT - y;
            double db = ref_surface_psnr(s, r->screen.px, r->screen.stride, x, y, w, h);
            if (db > 90)
                continue;
            sum += pow(10, -db / 10);
            n++;
        }
    return n ? -10 * log10(sum / n) : 0;
}

static void judge(struct run *r, double *sum, int *n)
{
    double db = env("JUDGE", 1) ? lossy_db(r) : 0;
    *sum += db;
    *n += db > 0;
}

/* One drawn frame: hand it in, then let the engine send until the next one is due. */
static void tick(struct run *r, uint64_t step_us, bool counted)
{
    uint64_t due = r->now + step_us;
    size_t bytes = 0;
    if (counted && r->nms < 4096)
        r->ms[r->nms++] = 0;
    double start = seconds();
    engine_damage(r->engine, 0, r->screen.px, r->screen.stride, r->rects, r->nrects, r->now);
    if (counted)
        r->ms[r->nms - 1] += (seconds() - start) * 1000;
    r->nrects = 0;
    for (;;) {
        int64_t wait = engine_next(r->engine, r->now);
        if (wait < 0 || r->now + (uint64_t)wait >= due)
            break;
        r->now += (uint64_t)wait;
        size_t more = produce(r, counted);
        if (counted && more && !bytes) {
            r->first_bytes += more;
            r->first_ms += r->ms[r->nms - 1];
            judge(r, &r->first_db, &r->first_n);
        }
        bytes += more;
    }
    if (counted)
        judge(r, &r->second_db, &r->second_n);
    if (counted && r->region.width && env("JUDGE", 1)) {
        const struct ref_surface *s = ref_client_surface(r->client, 0);
        double p = ref_surface_psnr(s, r->screen.px, r->screen.stride, r->region.x, r->region.y, r->region.width,
            r->region.height);
        r->psnr_sum += p;
        r->psnr_min = p < r->psnr_min ? p : r->psnr_min;
        r->psnr_n++;
    }
    r->bytes += counted ? bytes : 0;
    r->now = due;
}

/* Let everything become exact; returns bytes and the time it took. */
static size_t settle(struct run *r, double *took)
{
    size_t bytes = 0;
    uint64_t start = r->now;
    for (int i = 0; i < 10000; i++) {
        int64_t wait = engine_next(r->engine, r->now);
        if (wait < 0)
            break;
        r->now += (uint64_t)wait;
        bytes += produce(r, false);
    }
    *took = (double)(r->now - start) / 1e6;
    return bytes;
}

static void paint_desktop(struct run *r)
{
    struct canvas *c = &r->screen;
    draw_rect(c, 0, 0, WIDTH, HEIGHT, 0x604020);
    draw_rect(c, 0, 0, WIDTH, 28, 0x303030);
    draw_text(c, 40, 60, 900, 960, 1, 0, 0xFFFFFF, 1);
    draw_text(c, 980, 60, 900, 960, 2, 0xD0D0D0, 0x201810, 1);
    damage(r, 0, 0, WIDTH, HEIGHT);
}

static void scene_typing(struct run *r)
{
    for (int i = 0; i < 100; i++) {
        int x = 44 + 8 * (i % 90), y = 60 + 18 * (i / 90);
        draw_rect(&r->screen, x, y, 16, 18, 0xFFFFFF);
        draw_glyph(&r->screen, x, y, (unsigned)i * 7 + 5, 0, 0xFFFFFF);
        draw_rect(&r->screen, x + 9, y, 1, 17, 0);
        damage(r, x, y, 24, 18);
        tick(r, 100000, true);
    }
}

static void scene_scroll(struct run *r)
{
    for (int i = 0; i < 90; i++) {
        draw_scroll(&r->screen, 40, 60, 1800, 960, 0, -18);
        draw_text(&r->screen, 40, 60 + 960 - 18, 1800, 18, 100 + (uint32_t)i * 13, 0, 0xFFFFFF, 1);
        damage(r, 40, 60, 1800, 960);
        tick(r, 33333, true);
    }
}

static void scene_page(struct run *r)
{
    for (int i = 0; i < 10; i++) {
        draw_text(&r->screen, 0, 0, WIDTH, HEIGHT, 1000 + (uint32_t)i * 7, 0, 0xFFFFFF, 1);
        damage(r, 0, 0, WIDTH, HEIGHT);
        tick(r, 1000000, true);
    }
}

static void scene_slide(struct run *r)
{
    for (int i = 0; i < 8; i++) {
        draw_rect(&r->screen, 0, 0, WIDTH, HEIGHT, 0xF8F4F0);
        draw_text(&r->screen, 100, 100, 800, 800, 50 + (uint32_t)(i % 6) * 7, 0x402000, 0xF8F4F0, 1);
        draw_photo(&r->screen, 1000, 200, 800, 600, 5 + (uint32_t)(i % 6), 0, 0, 256, 2);
        damage(r, 0, 0, WIDTH, HEIGHT);
        tick(r, 1000000, true);
    }
}

static void scene_drag(struct run *r)
{
    struct canvas back = canvas_new(WIDTH, HEIGHT), win = canvas_new(700, 500);
    draw_photo(&back, 0, 0, WIDTH, HEIGHT, 42, 0, 0, 256, 2);
    draw_text(&win, 0, 0, 700, 500, 9, 0, 0xFFFFFF, 1);
    draw_rect(&win, 0, 0, 700, 24, 0x804020);
    draw_copy(&r->screen, 0, 0, &back, 0, 0, WIDTH, HEIGHT);
    damage(r, 0, 0, WIDTH, HEIGHT);
    tick(r, 2000000, false);
    double took;
    settle(r, &took);
    int ox = 100, oy = 100;
    for (int i = 0; i < 120; i++) {
        int x = 100 + (int)(450 + 450 * sin(i / 19.0)), y = 100 + (int)(200 + 200 * sin(i / 11.0));
        draw_copy(&r->screen, ox, oy, &back, ox, oy, 700, 500);
        draw_copy(&r->screen, x, y, &win, 0, 0, 700, 500);
        damage(r, ox, oy, 700, 500);
        damage(r, x, y, 700, 500);
        ox = x;
        oy = y;
        tick(r, 16667, true);
    }
    canvas_free(&back);
    canvas_free(&win);
}

static void scene_film(struct run *r)
{
    r->region = (struct engine_rect){320, 180, 1280, 720};
    for (int i = 0; i < 150; i++) {
        draw_photo(&r->screen, 320, 180, 1280, 720, 6, i * 3, i * 2, 256 + (int)(40 * sin(i / 20.0)), 3);
        damage(r, 320, 180, 1280, 720);
        tick(r, 33333, true);
    }
}

static void scene_pan(struct run *r)
{
    struct canvas back = canvas_new(1280 + 640, 720 + 360);
    r->region = (struct engine_rect){320, 180, 1280, 720};
    draw_photo(&back, 0, 0, back.w, back.h, 43, 0, 0, 256, 2);
    for (int i = 0; i < 150; i++) {
        draw_copy(&r->screen, 320, 180, &back, i * 4, i * 2, 1280, 720);
        damage(r, 320, 180, 1280, 720);
        tick(r, 33333, true);
    }
    canvas_free(&back);
}

/* A file's frames with the counter that the bench's player draws. */
static void scene_from_file(struct run *r, struct scene *f)
{
    uint32_t most = env("FRAMES", 120);
    scene_background(f, r->screen.px);
    damage(r, 0, 0, WIDTH, HEIGHT);
    tick(r, 1000000, false);
    double took;
    settle(r, &took);
    for (uint32_t i = 0; i < f->nframes && i < most; i++) {
        const struct scene_frame *k = &f->frames[i];
        scene_apply(f, i, r->screen.px);
        stamp_draw(r->screen.px, r->screen.stride, i + 1);
        r->region = (struct engine_rect){(uint16_t)k->x, (uint16_t)k->y, (uint16_t)k->width, (uint16_t)k->height};
        damage(r, 0, 0, STAMP_BITS * STAMP_CELL, STAMP_HEIGHT);
        for (uint32_t o = 0; o < k->count; o++) {
            const struct scene_op *p = &f->ops[k->first + o];
            damage(r, (int)p->x, (int)p->y, (int)p->width, (int)p->height);
        }
        tick(r, 1000000000u / f->rate, true);
    }
}

static const struct {
    const char *name;
    void (*play)(struct run *);
    double per_second;
} scenes[] = {
    {"typing", scene_typing, 10},
    {"scroll", scene_scroll, 30},
    {"page", scene_page, 1},
    {"slide", scene_slide, 1},
    {"drag", scene_drag, 60},
    {"film", scene_film, 30},
    {"pan", scene_pan, 30},
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void open_world(struct run *r)
{
    memset(r, 0, sizeof *r);
    struct engine_config config = {.max_frame_rate = 60,
        .caps = {.gfx = true,
            .progressive = true,
            .clear_codec = true,
            .planar = true,
            .remotefx = true,
            .avc420 = env("AVC", 1) != 0,
            .small_cache = env("SMALL_CACHE", 0) != 0}};
    r->engine = engine_create(&config);
    r->wire = gfx_wire_create(true);
    r->client = ref_client_create(env("SMALL_CACHE", 0) != 0);
    r->screen = canvas_new(WIDTH, HEIGHT);
    r->now = 1000000;
    r->digest = 0xCBF29CE484222325u;
    r->psnr_min = 99;
    engine_link(r->engine,
        &(struct engine_link_state){.rtt_us = env("RTT_US", 500),
            .bytes_per_second = env("BYTES_PER_SECOND", 100000000)});
    engine_surface_create(r->engine, 0, WIDTH, HEIGHT, 0, 0);
}

static void close_world(struct run *r)
{
    engine_destroy(r->engine);
    gfx_wire_destroy(r->wire);
    ref_client_destroy(r->client);
    canvas_free(&r->screen);
}

static void report(struct run *r, const char *name, double per_second)
{
    double took, sum = 0;
    size_t rest = settle(r, &took);
    for (int k = 0; k < r->nms; k++)
        sum += r->ms[k];
    qsort(r->ms, (size_t)r->nms, sizeof r->ms[0], by_value);
    size_t wrong = ref_surface_wrong(ref_client_surface(r->client, 0), r->screen.px, r->screen.stride);
    printf("%-7s %9.0f B/drawn %8.1f kB/s  server ms mean %5.2f least %5.2f p50 %5.2f p95 %5.2f (%.1f %%)  client ms "
           "%5.2f  frames %zu/%d",
        name, (double)(r->bytes - r->background) / r->nms,
        (double)(r->bytes - r->background) / r->nms * per_second / 1000, sum / r->nms, r->ms[r->nms / 20],
        r->ms[r->nms / 2], r->ms[r->nms * 95 / 100], sum / r->nms * per_second / 10, r->client_ms / r->nms, r->frames,
        r->nms);
    if (r->psnr_n)
        printf("  dB mean %.1f min %.1f", r->psnr_sum / r->psnr_n, r->psnr_min);
    printf("\n         first frame %.2f ms, %zu B", r->first_ms / r->nms, r->first_bytes / (size_t)r->nms);
    if (r->first_n)
        printf(", its lossy tiles %.1f dB", r->first_db / r->first_n);
    if (r->second_n)
        printf(", before the next %.1f dB (%d of %d)", r->second_db / r->second_n, r->second_n, r->nms);
    printf("; background %zu B/drawn, largest %zu, then %zu B in %.2f s  %s\n        ", r->background / (size_t)r->nms,
        r->largest, rest, took, wrong ? "NOT EXACT" : "exact");
    for (int k = 0; k < 16; k++)
        if (r->mix[k])
            printf(" %s %zu", mix_name(k), r->mix[k]);
    printf("\n         digest %016llx\n", (unsigned long long)r->digest);
}

static void play(size_t i)
{
    static struct run r;
    double took;
    open_world(&r);
    paint_desktop(&r);
    tick(&r, 1000000, false);
    settle(&r, &took);
    r.bytes = 0;
    scenes[i].play(&r);
    report(&r, scenes[i].name, scenes[i].per_second);
    close_world(&r);
}

static int play_file(const char *path)
{
    static struct run r;
    struct scene f;
    int rc = scene_open(&f, path);
    if (rc < 0 || f.width != WIDTH || f.height != HEIGHT) {
        fprintf(stderr, "%s: not a scene of %dx%d\n", path, WIDTH, HEIGHT);
        return 1;
    }
    open_world(&r);
    scene_from_file(&r, &f);
    const char *name = strrchr(path, '/');
    report(&r, name ? name + 1 : path, f.rate / 1000.0);
    close_world(&r);
    scene_close(&f);
    return 0;
}

int main(int argc, char **argv)
{
    int rc = 0;
    for (int k = 1; k < argc; k++)
        rc |= strchr(argv[k], '.') ? play_file(argv[k]) : 0;
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        bool wanted = argc < 2;
        for (int k = 1; k < argc; k++)
            wanted |= strcmp(argv[k], scenes[i].name) == 0;
        if (wanted)
            play(i);
    }
    return rc;
}
