/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libx264 on its own thread, with nothing else in the process that has threads: what ThreadSanitizer is to look at. */
#include "codecs/engine/engine.h"
#include "codecs/video/h264.h"
#include "scene.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { W = 320, H = 192, FILMS = 3 };
struct film {
    void *enc;
    int woken;
    uint8_t *px;
    struct yuv y, c;
};

static void wake(void *user)
{
    uint64_t one = 1;
    assert_int_equal(write(*(int *)user, &one, sizeof one), sizeof one);
}

static void wait_for(int fd)
{
    uint64_t n;
    assert_int_equal(read(fd, &n, sizeof n), sizeof n);
}

static void film_open(struct film *f, bool pairs)
{
    size_t one = W * H * 3 / 2;
    f->woken = eventfd(0, EFD_CLOEXEC);
    f->px = malloc(one + one);
    assert_non_null(f->px);
    f->y = (struct yuv){f->px, f->px + W * H, f->px + W * H * 5 / 4, W, H};
    f->c = (struct yuv){f->px + one, f->px + one + W * H, f->px + one + W * H * 5 / 4, W, H};
    const struct h264_config c = {.width = W,
        .height = H,
        .frame_rate = 30,
        .bytes_per_second = 100000,
        .pairs = pairs,
        .done = wake,
        .user = &f->woken};
    f->enc = h264_software(true)->open(&c);
    assert_non_null(f->enc);
}

static void film_close(struct film *f)
{
    h264_software(true)->close(f->enc);
    close(f->woken);
    free(f->px);
}

static void three_encoders_work_side_by_side(void **state)
{
    const struct h264_backend *x = h264_software(true);
    struct film films[FILMS];
    struct h264_packet p;
    for (int i = 0; i < FILMS; i++)
        film_open(&films[i], i == 2);
    for (int n = 0; n < 20; n++) {
        for (int i = 0; i < FILMS; i++) {
            struct film *f = &films[i];
            memset(f->px, n * 9 + i, W * H * 3);
            assert_int_equal(x->submit(f->enc, &f->y, i == 2 ? &f->c : NULL, n == 0), 0);
            assert_int_equal(x->submit(f->enc, &f->y, NULL, false), -EBUSY);
            (void)x->set_rate(f->enc, 50000 + (uint32_t)n * 1000, 4000 + (uint32_t)n * 100);
        }
        for (int i = 0; i < FILMS; i++) {
            wait_for(films[i].woken);
            assert_true(x->ready(films[i].enc));
            assert_int_equal(x->collect(films[i].enc, &p), 1);
            assert_true(p.picture.len > 0 && p.picture.data[0] == 0 && p.key == (n == 0));
            assert_int_equal(p.chroma.len > 0, i == 2);
            assert_int_equal(x->collect(films[i].enc, &p), 0);
        }
    }
    for (int i = 0; i < FILMS; i++)
        film_close(&films[i]);
}

static void one_may_be_closed_at_any_time(void **state)
{
    for (int i = 0; i < 20; i++) {
        struct film f;
        film_open(&f, false);
        memset(f.px, i, W * H * 3);
        if (i % 4)
            assert_int_equal(h264_software(true)->submit(f.enc, &f.y, NULL, true), 0);
        if (i % 4 == 2)
            usleep(500u * (unsigned)i);
        film_close(&f);
    }
}

static size_t pictures_in(const struct gfx_frame *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->ncommands; i++)
        n += f->commands[i].type == GFX_WIRE && f->commands[i].codec == GFX_CODEC_AVC420;
    return n;
}

/* A film through the engine, its packets coming from the thread: later, or within the submit already where the two
 * share a core. */
static void an_engine_may_be_reset_and_destroyed_while_it_encodes(void **state)
{
    int woken = eventfd(0, EFD_CLOEXEC);
    struct engine_config c = {
        .caps = {.gfx = true, .progressive = true, .clear_codec = true, .planar = true, .avc420 = true},
        .max_frame_rate = 60,
        .wake = wake,
        .user = &woken};
    struct canvas px = canvas_new(400, 300);
    const struct engine_rect all = {0, 0, 400, 300};
    for (int round = 0; round < 4; round++) {
        struct engine *e = engine_create(&c);
        uint64_t now = 1000000;
        size_t pictures = 0;
        assert_int_equal(engine_surface_create(e, 0, 400, 300, 0, 0), 0);
        for (int i = 0; i < 40; i++, now += 33000) {
            struct gfx_frame f;
            draw_photo(&px, 0, 0, 400, 300, (uint32_t)i * 7 + 1, i, i, 256, 3);
            (void)engine_damage(e, 0, px.px, px.stride, &all, 1, now);
            while (engine_produce(e, now, &f) == 1) {
                pictures += pictures_in(&f);
                engine_ack(e, f.frame_id, 0, 0, now);
            }
            if (engine_encoding(e) && i % 3)
                wait_for(woken);
            if (i == 20 + round)
                engine_reset(e);
            if (i == 30 + round)
                break;
        }
        assert_true(pictures > 5);
        engine_destroy(e);
    }
    canvas_free(&px);
    close(woken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_encoders_work_side_by_side),
        cmocka_unit_test(one_may_be_closed_at_any_time),
        cmocka_unit_test(an_engine_may_be_reset_and_destroyed_while_it_encodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
