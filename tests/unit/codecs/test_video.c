/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Films through the engine into a client of libfreerdp's decoders: what they look like while they play, and what
 * happens when an encoder does not do its part. */
#include "codecs/video/avc444.h"
#include "codecs/video/h264.h"
#include "codecs/wire/gfx_wire.h"
#include "ref_client.h"
#include "scene.h"

#include <freerdp/codec/color.h>
#include <freerdp/codec/h264.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { W = 640, H = 448 };
static const struct engine_rect film = {64, 64, 512, 320};

struct world {
    struct engine *engine;
    struct gfx_wire *wire;
    struct ref_client *client;
    struct canvas screen;
    uint64_t now;
    int woken;                                     /* -1: no threads */
    unsigned encoder_us;                           /* so long a picture takes, on the world's clock */
    size_t avc, copies, frames, failures, longest; /* picture, in bytes */
    char failed[32], instead[32];
};

static void wake(void *user)
{
    const struct world *w = user;
    uint64_t one = 1;
    assert_int_equal(write(w->woken, &one, sizeof one), sizeof one);
}

static void on_failed(void *user, const char *name, const char *instead)
{
    struct world *w = user;
    w->failures++;
    strncpy(w->failed, name, sizeof w->failed - 1);
    strncpy(w->instead, instead, sizeof w->instead - 1);
}

static void world_open(struct world *w, bool full_colour, bool threads, const struct h264_backend *outside)
{
    memset(w, 0, sizeof *w);
    struct engine_config c = {.caps = {.gfx = true,
                                  .progressive = true,
                                  .clear_codec = true,
                                  .planar = true,
                                  .remotefx = true,
                                  .avc420 = true,
                                  .avc444 = full_colour},
        .max_frame_rate = 60,
        .wake = threads ? wake : NULL,
        .user = w,
        .encoder_failed = on_failed,
        .outside = outside};
    w->woken = threads ? eventfd(0, EFD_CLOEXEC) : -1;
    w->engine = engine_create(&c);
    w->wire = gfx_wire_create(true);
    w->client = ref_client_create(false);
    w->screen = canvas_new(W, H);
    w->now = 1000000;
    draw_text(&w->screen, 0, 0, W, H, 5, 0, 0xFFFFFF, 1);
    assert_int_equal(engine_surface_create(w->engine, 0, W, H, 0, 0), 0);
}

static void world_close(struct world *w)
{
    engine_destroy(w->engine);
    gfx_wire_destroy(w->wire);
    ref_client_destroy(w->client);
    canvas_free(&w->screen);
    if (w->woken >= 0)
        close(w->woken);
}

static void deliver(struct world *w, const struct gfx_frame *f)
{
    const struct gfx_message *m;
    size_t n;
    w->frames++;
    for (size_t i = 0; i < f->ncommands; i++) {
        const struct gfx_command *c = &f->commands[i];
        bool picture = c->type == GFX_WIRE && (c->codec == GFX_CODEC_AVC420 || c->codec == GFX_CODEC_AVC444V2);
        w->avc += picture;
        w->copies += c->type == GFX_COPY;
        w->longest = picture && c->len > w->longest ? c->len : w->longest;
    }
    gfx_wire_begin(w->wire);
    assert_int_equal(gfx_wire_frame(w->wire, f), 0);
    assert_int_equal(gfx_wire_finish(w->wire, &m, &n), 0);
    for (size_t i = 0; i < n; i++)
        if (ref_client_message(w->client, m[i].data, m[i].len) < 0)
            fail_msg("frame %u: %s", f->frame_id, ref_client_error(w->client));
    engine_ack(w->engine, f->frame_id, 0, (uint32_t)w->frames, w->now);
}

/* Until `until`, or (0) until nothing is left. */
static void run(struct world *w, uint64_t until)
{
    for (int i = 0; i < 20000; i++) {
        struct gfx_frame f;
        uint64_t n;
        int64_t wait = engine_next(w->engine, w->now);
        if (wait != 0 && w->woken >= 0 && engine_encoding(w->engine)) {
            assert_int_equal(read(w->woken, &n, sizeof n), sizeof n);
            w->now += w->encoder_us;
            continue;
        }
        if (wait < 0 || (until && w->now + (uint64_t)wait >= until))
            break;
        w->now += (uint64_t)wait;
        int rc = engine_produce(w->engine, w->now, &f);
        assert_true(rc >= 0);
        if (rc == 1)
            deliver(w, &f);
    }
    w->now = until ? until : w->now;
}

static void hand_in(struct world *w, struct engine_rect r)
{
    assert_true(engine_damage(w->engine, 0, w->screen.px, w->screen.stride, &r, 1, w->now) >= 0);
}

static void photograph(struct canvas *c, int i)
{
    draw_photo(c, film.x, film.y, film.width, film.height, 6, i * 3, i * 2, 256 + i, 3);
}

/* A coloured drawing that drifts over a moving photograph: thin red and blue lines, as plots and maps have. */
static void coloured(struct canvas *c, int i)
{
    draw_photo(c, film.x, film.y, film.width, film.height, 6, i * 3, i * 2, 256 + i, 1);
    for (int y = 0; y < film.height; y += 8)
        for (int x = 0; x < film.width - 24; x += 24)
            draw_rect(c, film.x + x + (y + i / 2) % 24, film.y + y, 1, 7, (x / 24 + y / 8) & 1 ? 0xFF2020u : 0x2020FFu);
}

static double psnr(const struct world *w)
{
    return ref_surface_psnr(ref_client_surface(w->client, 0), w->screen.px, w->screen.stride, film.x, film.y,
        film.width, film.height);
}

/* Plays `n` pictures; the mean PSNR of the last half while it moves. */
static double play(struct world *w, int n, void (*draw)(struct canvas *, int))
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        draw(&w->screen, i);
        hand_in(w, film);
        run(w, w->now + 33000);
        sum += i >= n / 2 ? psnr(w) : 0;
    }
    return sum / (n - n / 2);
}

static void begin(struct world *w)
{
    hand_in(w, (struct engine_rect){0, 0, W, H});
    run(w, w->now + 1000000);
}

static void check_exact(struct world *w)
{
    run(w, 0);
    assert_int_equal(ref_surface_wrong(ref_client_surface(w->client, 0), w->screen.px, w->screen.stride), 0);
}

static void both_chroma_paths_give_the_same_planes(void **state)
{
    enum { PW = 1056, PH = 34 };
    static uint8_t px[PW * PH * 4], a[PW * 48 * 3 / 2], b[PW * 48 * 3 / 2];
    srand(4);
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)rand();
    for (int round = 0; round < 200; round++) {
        int w = 1 + rand() % PW, h = 1 + rand() % PH, pw = (w + 15) & ~15, ph = (h + 15) & ~15;
        struct yuv x = {a, a + pw * ph, a + pw * ph * 5 / 4, pw, ph}, y = {b, b + pw * ph, b + pw * ph * 5 / 4, pw, ph};
        avc444_chroma_from_bgrx(&x, px, PW * 4, w, h, true);
        avc444_chroma_from_bgrx(&y, px, PW * 4, w, h, false);
        assert_memory_equal(a, b, (size_t)(pw * ph * 3 / 2));
    }
}

static void loss_tells_coloured_detail_from_a_photograph(void **state)
{
    struct canvas c = canvas_new(W, H);
    const uint8_t *px = c.px + film.y * c.stride + 4 * film.x;
    photograph(&c, 3);
    unsigned photo = avc444_loss(px, c.stride, film.width, film.height);
    coloured(&c, 3);
    unsigned lines = avc444_loss(px, c.stride, film.width, film.height);
    print_message("photograph %u, coloured lines %u\n", photo, lines);
    assert_true(photo < 30);
    assert_true(lines > 120);
    canvas_free(&c);
}

/* A picture through the encoder and the wire's form into libfreerdp's decoder: PSNR of its 4:4:4, and the mean QP. */
static double one_stream(bool pairs, const struct canvas *c, int *qp)
{
    const struct h264_backend *x = h264_software(false);
    const struct h264_config config = {.width = 512,
        .height = 320,
        .frame_rate = 30,
        .bytes_per_second = 4000000,
        .pairs = pairs};
    static uint8_t a[512 * 320 * 3 / 2], b[512 * 320 * 3 / 2];
    struct yuv main = {a, a + 512 * 320, a + 512 * 320 * 5 / 4, 512, 320},
               chroma = {b, b + 512 * 320, b + 512 * 320 * 5 / 4, 512, 320};
    const uint8_t *px = c->px + film.y * c->stride + 4 * film.x;
    void *enc = x->open(&config);
    H264_CONTEXT *dec = h264_context_new(FALSE);
    h264_context_reset(dec, 512, 320);
    struct canvas out = canvas_new(512, 336);
    RECTANGLE_16 all = {0, 0, 512, 320};
    struct h264_packet p;
    yuv420_from_bgrx(&main, px, c->stride, 512, 320, false);
    avc444_chroma_from_bgrx(&chroma, px, c->stride, 512, 320, false);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(x->submit(enc, &main, pairs ? &chroma : NULL, i == 0), 0);
        assert_int_equal(x->collect(enc, &p), 1);
        assert_int_equal(p.key, i == 0);
        int rc = pairs ? avc444_decompress(dec, 0, &all, 1, p.picture.data, (uint32_t)p.picture.len, &all, 1,
                             p.chroma.data, (uint32_t)p.chroma.len, out.px, PIXEL_FORMAT_BGRX32, (uint32_t)out.stride,
                             512, 320, RDPGFX_CODECID_AVC444v2)
                       : avc420_decompress(dec, p.picture.data, (uint32_t)p.picture.len, out.px, PIXEL_FORMAT_BGRX32,
                             (uint32_t)out.stride, 512, 320, &all, 1);
        assert_true(rc >= 0);
    }
    *qp = p.picture.qp;
    struct ref_surface s = {.live = true, .width = 512, .height = 320, .stride = out.stride, .px = out.px};
    double db = ref_surface_psnr(&s, px, c->stride, 0, 0, 512, 320);
    x->close(enc);
    h264_context_free(dec);
    canvas_free(&out);
    return db;
}

static void full_colour_is_nearer_to_the_source(void **state)
{
    struct canvas c = canvas_new(W, H);
    int qp[2];
    coloured(&c, 3);
    double half = one_stream(false, &c, &qp[0]), full = one_stream(true, &c, &qp[1]);
    print_message("4:2:0 %.1f dB at QP %d, 4:4:4 %.1f dB at QP %d\n", half, qp[0], full, qp[1]);
    assert_true(full > half + 6);
    assert_true(full > 29);
    canvas_free(&c);
}

static void a_film_is_sent_without_full_colour(void **state)
{
    struct world w;
    world_open(&w, true, false, NULL);
    begin(&w);
    double db = play(&w, 40, photograph);
    print_message("film %.1f dB, %zu pictures\n", db, w.avc);
    assert_true(w.avc > 25);
    assert_true(db > 34.5);
    assert_int_equal(ref_client_avc444(w.client, 0) + ref_client_avc444(w.client, 1), 0);
    check_exact(&w);
    world_close(&w);
}

/* All of its tiles lie only partly in it. */
static void photograph_between_tiles(struct canvas *c, int i)
{
    draw_photo(c, 70, 14, 500, 100, 6, i * 3, i * 2, 256 + i, 3);
}

/* What the client shows is lost while a picture is at the encoder: the film and what is around it come to rest all the
 * same. */
static void a_film_whose_surroundings_are_lost_comes_to_rest(void **state)
{
    struct world w;
    const struct engine_rect all = {0, 0, W, H};
    size_t caught = 0;
    world_open(&w, false, true, NULL);
    begin(&w);
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 20; k++) {
            photograph_between_tiles(&w.screen, 20 * i + k);
            hand_in(&w, all);
            run(&w, w.now + 33000);
        }
        photograph_between_tiles(&w.screen, 20 * i + 20);
        hand_in(&w, all);
        struct gfx_frame f;
        if (engine_produce(w.engine, w.now, &f) == 1)
            deliver(&w, &f);
        caught += engine_encoding(w.engine);
        engine_refresh(w.engine, 0, &all, 1);
        check_exact(&w);
        assert_int_equal(engine_next(w.engine, w.now), -1);
    }
    print_message("%zu pictures, %zu times one was at the encoder\n", w.avc, caught);
    assert_in_range(w.avc, 50, 400);
    world_close(&w);
}

static const struct engine_rect echo = {200, 4, 60, 8}, clock_of_film = {4, 4, 60, 8};

/* How many pixels of the rectangle are not at the client as they are drawn? */
static int wrong_in(const struct world *w, const struct engine_rect *r)
{
    const struct ref_surface *s = ref_client_surface(w->client, 0);
    int n = 0;
    for (int y = r->y; y < r->y + r->height; y++)
        for (int x = r->x; x < r->x + r->width; x++)
            n += memcmp(s->px + (size_t)y * s->stride + 4 * (size_t)x,
                     w->screen.px + (size_t)y * w->screen.stride + 4 * (size_t)x, 3) != 0;
    return n;
}

/* libx264 behind a gate: how long a picture takes is the test's. */
static bool gate_shut;
static bool gated_ready(void *enc)
{
    return !gate_shut && h264_software(true)->ready(enc);
}
static int gated_collect(void *enc, struct h264_packet *p)
{
    return gate_shut ? 0 : h264_software(true)->collect(enc, p);
}

/* A key's echo that is drawn together with a film's picture does not wait until that is encoded; what changes with each
 * picture does. */
static void an_echo_does_not_wait_for_the_picture_drawn_with_it(void **state)
{
    struct world w;
    /* of a letter and a caret, say, in the same tile */
    const struct engine_rect letter = {echo.x, echo.y, 30, echo.height},
                             caret = {(uint16_t)(echo.x + 30), echo.y, 30, echo.height};
    const struct engine_rect four[4] = {clock_of_film, letter, caret, film};
    int echoes = 0;
    struct h264_backend gated = *h264_software(true);
    gated.ready = gated_ready;
    gated.collect = gated_collect;
    world_open(&w, false, true, &gated);
    begin(&w);
    for (int i = 0; i < 60; i++) {
        struct gfx_frame f;
        bool key = i % 6 == 5;
        photograph(&w.screen, i);
        draw_rect(&w.screen, clock_of_film.x, clock_of_film.y, clock_of_film.width, clock_of_film.height,
            0x102030u + (uint32_t)i);
        if (key)
            draw_rect(&w.screen, echo.x, echo.y, echo.width, echo.height, 0x302010u + (uint32_t)i);
        assert_true(engine_damage(w.engine, 0, w.screen.px, w.screen.stride, four, 4, w.now) > 8);
        gate_shut = true;
        if (engine_produce(w.engine, w.now, &f) == 1)
            deliver(&w, &f);
        if (i > 20 && key) {
            assert_true(engine_encoding(w.engine));
            assert_int_equal(wrong_in(&w, &echo), 0);
            assert_int_not_equal(wrong_in(&w, &clock_of_film), 0);
            echoes++;
        }
        gate_shut = false;
        run(&w, w.now + 33000);
        assert_int_equal(wrong_in(&w, &clock_of_film), 0);
    }
    assert_int_equal(echoes, 7);
    check_exact(&w);
    world_close(&w);
}

/* libx264, of which one encoder has time. */
static void *slower;
static void *second_open(const struct h264_config *c)
{
    return slower = h264_software(true)->open(c);
}
static bool second_ready(void *enc)
{
    return !(gate_shut && enc == slower) && h264_software(true)->ready(enc);
}
static int second_collect(void *enc, struct h264_packet *p)
{
    return gate_shut && enc == slower ? 0 : h264_software(true)->collect(enc, p);
}

static const struct engine_rect large = {32, 16, 608, 432};
static const struct engine_rect bars[2] = {{32, 16, 608, 64}, {32, 384, 608, 64}};

/* A photograph between two bars that become brighter with each picture. */
static void photograph_between_bars(struct canvas *c, int i)
{
    draw_photo(c, large.x, large.y, large.width, large.height, 6, i * 3, i * 2, 256 + i, 3);
    for (int k = 0; k < 2; k++)
        draw_rect(c, bars[k].x + 16, bars[k].y + 16, 560, 32, 0x010101u * (uint32_t)(40 + 12 * (i % 16)));
}

static int brightness(const struct world *w, int k)
{
    const struct ref_surface *s = ref_client_surface(w->client, 0);
    return s->px[(size_t)(bars[k].y + 32) * s->stride + 4 * (size_t)(bars[k].x + 300)];
}

/* A large film is encoded in two parts. One leaves as soon as it is there, but both come to be seen at once. */
static void nobody_sees_half_a_picture(void **state)
{
    struct world w;
    int early = 0;
    struct h264_backend gated = *h264_software(true);
    gated.open = second_open;
    gated.ready = second_ready;
    gated.collect = second_collect;
    gate_shut = false;
    world_open(&w, false, true, &gated);
    begin(&w);
    for (int i = 0; i < 60; i++) {
        struct gfx_frame f;
        size_t avc = w.avc, copies = w.copies;
        photograph_between_bars(&w.screen, i);
        hand_in(&w, large);
        if (engine_produce(w.engine, w.now, &f) == 1)
            deliver(&w, &f);
        uint64_t n;
        gate_shut = engine_encoding(w.engine);
        for (int wakes = 0; gate_shut && wakes < 2; wakes++) {
            assert_int_equal(read(w.woken, &n, sizeof n), sizeof n);
            wakes += n > 1;
        }
        while (engine_next(w.engine, w.now) == 0 && engine_produce(w.engine, w.now, &f) == 1)
            deliver(&w, &f);
        early += gate_shut && w.avc == avc + 1 && w.copies == copies;
        assert_in_range(brightness(&w, 0) - brightness(&w, 1) + 5, 0, 10); /* a picture further is 12 */
        gate_shut = false;
        run(&w, w.now + 33000);
        assert_in_range(brightness(&w, 0) - brightness(&w, 1) + 5, 0, 10); /* a picture further is 12 */
    }
    print_message("%zu parts of pictures, %d early\n", w.avc, early);
    assert_true(early > 40);
    check_exact(&w);
    world_close(&w);
}

static void photograph_with_cuts(struct canvas *c, int i)
{
    draw_photo(c, film.x, film.y, film.width, film.height, 6 + (uint32_t)(i / 10), i * 3, i * 2, 256 + i, 3);
}

/* A cut in a film makes a picture as long as many: on a slow link a key's echo would wait behind it. */
static void no_picture_of_a_film_takes_a_slow_link_long(void **state)
{
    struct engine_link_state links[2] = {{.rtt_us = 100000, .bytes_per_second = 200000},
        {.rtt_us = 100, .bytes_per_second = 50000000}};
    size_t longest[2];
    for (int i = 0; i < 2; i++) {
        struct world w;
        world_open(&w, false, false, NULL);
        engine_link(w.engine, &links[i]);
        begin(&w);
        play(&w, 60, photograph_with_cuts);
        longest[i] = w.longest;
        print_message("%u bytes a second: longest of %zu pictures %zu bytes\n", links[i].bytes_per_second, w.avc,
            w.longest);
        assert_true(w.avc > 25);
        world_close(&w);
    }
    assert_true(longest[0] < 200000u * 20 / 1000); /* 20 ms */
    assert_true(longest[1] > longest[0] * 3 / 2);
}

static const struct engine_rect between_tiles = {70, 75, 500, 300};

static void larger_photograph_between_tiles(struct canvas *c, int i)
{
    draw_photo(c, between_tiles.x, between_tiles.y, between_tiles.width, between_tiles.height, 6, i * 3, i * 2, 256 + i,
        3);
}

/* The film's outer tiles are half writing: that stays as it is while what the film was gets sharper, which on a slow
 * link takes seconds. */
static void what_lies_beside_a_film_stays_exact_when_it_ends(void **state)
{
    const struct engine_link_state link = {.rtt_us = 100000, .bytes_per_second = 200000};
    const struct engine_rect *f = &between_tiles,
                             beside[] = {{0, 0, W, f->y}, {0, f->y, f->x, f->height},
                                 {(uint16_t)(f->x + f->width), f->y, (uint16_t)(W - f->x - f->width), f->height},
                                 {0, (uint16_t)(f->y + f->height), W, (uint16_t)(H - f->y - f->height)}};
    struct world w;
    int sharpening = 0;
    world_open(&w, false, false, NULL);
    engine_link(w.engine, &link);
    begin(&w);
    run(&w, 0);
    play(&w, 40, larger_photograph_between_tiles);
    assert_true(w.avc > 15);
    for (int ms = 0; ms < 30000 && wrong_in(&w, f); ms += 10) {
        for (int i = 0; i < 4; i++)
            assert_int_equal(wrong_in(&w, &beside[i]), 0);
        run(&w, w.now + 10000);
        sharpening += wrong_in(&w, f) > 0;
    }
    print_message("exact after %d ms\n", sharpening * 10);
    assert_true(sharpening > 100);
    check_exact(&w);
    world_close(&w);
}

static void coloured_detail_that_moves_has_full_colour(void **state)
{
    struct world w;
    double db[2];
    for (int full = 0; full < 2; full++) {
        world_open(&w, full, full, NULL);
        begin(&w);
        db[full] = play(&w, 60, coloured);
        print_message("%s %.1f dB, %zu pictures, %zu with both\n", full ? "AVC444v2" : "AVC420", db[full], w.avc,
            ref_client_avc444(w.client, 0));
        assert_true(w.avc > 40);
        if (full)
            assert_true(ref_client_avc444(w.client, 0) > 20);
        check_exact(&w);
        world_close(&w);
    }
    assert_true(db[1] > db[0] + 1);
}

static void colour_waits_when_the_encoder_is_too_slow(void **state)
{
    struct world w;
    world_open(&w, true, true, NULL);
    begin(&w);
    w.encoder_us = 32000;
    play(&w, 40, coloured);
    run(&w, w.now + 200000);
    print_message("%zu with both, %zu luma, %zu chroma\n", ref_client_avc444(w.client, 0),
        ref_client_avc444(w.client, 1), ref_client_avc444(w.client, 2));
    assert_true(ref_client_avc444(w.client, 1) > ref_client_avc444(w.client, 0));
    assert_int_equal(ref_client_avc444(w.client, 2), 1);
    check_exact(&w);
    world_close(&w);
}

static struct canvas ground;

/* A look at a larger picture that moves on by five pixels, or six, and two, or one. */
static void panned(struct canvas *c, int i)
{
    draw_copy(c, film.x, film.y, &ground, 11 * i / 2, 7 * i / 4, film.width, film.height);
}

/* A pan where a film played is copies, and sharper: not at once, but without anybody waiting. */
static void a_film_that_only_moves_becomes_copies(void **state)
{
    struct world w;
    world_open(&w, false, true, NULL);
    begin(&w);
    ground = canvas_new(film.width + 500, film.height + 200);
    draw_photo(&ground, 0, 0, ground.w, ground.h, 43, 0, 0, 256, 2);
    play(&w, 30, photograph);
    assert_true(w.avc > 15);
    play(&w, 40, panned);
    w.avc = w.copies = 0;
    w.frames = 0;
    assert_true(play(&w, 30, panned) > 37);
    assert_int_equal(w.avc, 0);
    assert_true(w.copies >= 25);
    play(&w, 30, photograph); /* and back */
    assert_true(w.avc > 15);
    check_exact(&w);
    canvas_free(&ground);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_chroma_paths_give_the_same_planes),
        cmocka_unit_test(loss_tells_coloured_detail_from_a_photograph),
        cmocka_unit_test(full_colour_is_nearer_to_the_source),
        cmocka_unit_test(a_film_is_sent_without_full_colour),
        cmocka_unit_test(a_film_that_only_moves_becomes_copies),
        cmocka_unit_test(a_film_whose_surroundings_are_lost_comes_to_rest),
        cmocka_unit_test(an_echo_does_not_wait_for_the_picture_drawn_with_it),
        cmocka_unit_test(nobody_sees_half_a_picture),
        cmocka_unit_test(no_picture_of_a_film_takes_a_slow_link_long),
        cmocka_unit_test(what_lies_beside_a_film_stays_exact_when_it_ends),
        cmocka_unit_test(coloured_detail_that_moves_has_full_colour),
        cmocka_unit_test(colour_waits_when_the_encoder_is_too_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
