/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A film through the real oriel-encoder (libavcodec's software encoder) into libfreerdp's decoders, and what the client
 * sees when that process fails at each step, hangs, or is killed in the middle of a picture. Argument: the program,
 * built to fail on demand. Needs root: the sandbox refuses to be entered by uid 0, so the program gets another. */
#include "codecs/wire/gfx_wire.h"
#include "common/link.h"
#include "common/spawn.h"
#include "ref_client.h"
#include "scene.h"
#include "server/peer/encoder_link.h"

#include <event2/event.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { W = 640, H = 448, NOBODY = 65534, STEP_US = 500 };
static const struct engine_rect film = {64, 64, 512, 320};
static char program[PATH_MAX];

struct world {
    struct event_base *base;
    struct encoder_link *link;
    pid_t pid;
    struct engine *engine;
    struct gfx_wire *wire;
    struct ref_client *client;
    struct canvas screen;
    unsigned ready, lost;
    size_t pictures, failures, frames;
    char instead[32];
    bool kill_at_submit;
    uint64_t now_us; /* counted in turns of the loop: a film stays one on a machine that is slow */
};

static void wake(void *user)
{
}

static void on_failed(void *user, const char *name, const char *instead)
{
    struct world *w = user;
    w->failures++;
    assert_string_equal(name, "oriel-encoder");
    strncpy(w->instead, instead, sizeof w->instead - 1);
    encoder_link_give_up(w->link); /* as the peer does */
}

/* The process's pictures, counted. */
static size_t outside;
static int counting_collect(void *enc, struct h264_packet *out)
{
    int r = encoder_outside.collect(enc, out);
    outside += r == 1;
    return r;
}

static void on_ready(void *user)
{
    static struct h264_backend counted;
    struct world *w = user;
    counted = encoder_outside;
    counted.collect = counting_collect;
    w->ready++;
    engine_outside(w->engine, &counted, w->link);
}

static void on_lost(void *user)
{
    struct world *w = user;
    w->lost++;
}

static void start(struct world *w, const char *names, const char *fail)
{
    static const struct encoder_link_events events = {.ready = on_ready, .lost = on_lost};
    char env[64];
    int sv[2];
    snprintf(env, sizeof env, "ORIEL_ENCODER_FAIL=%s", fail ? fail : "");
    const char *const argv[] = {"oriel-encoder", names, NULL},
                      *const envp[] = {"PATH=/usr/bin:/bin", fail ? env : NULL, NULL};
    assert_int_equal(link_pair(sv), 0);
    const int fds[] = {sv[1]};
    struct spawn s = {.path = program,
        .argv = argv,
        .envp = envp,
        .fds = fds,
        .nfds = 1,
        .uid = NOBODY,
        .gid = NOBODY,
        .death_signal = SIGKILL};
    w->pid = spawn_program(&s);
    assert_true(w->pid > 0);
    close(sv[1]);
    if (w->link)
        encoder_link_restart(w->link, sv[0]);
    else
        w->link = encoder_link_create(w->base, sv[0], &events, w);
    assert_non_null(w->link);
}

static void world_open(struct world *w, const char *names, const char *fail)
{
    memset(w, 0, sizeof *w);
    w->now_us = 1000000;
    struct engine_config c = {.caps = {.gfx = true,
                                  .progressive = true,
                                  .clear_codec = true,
                                  .planar = true,
                                  .remotefx = true,
                                  .avc420 = true,
                                  .avc444 = true},
        .max_frame_rate = 60,
        .wake = wake,
        .user = w,
        .encoder_failed = on_failed};
    w->base = event_base_new();
    w->engine = engine_create(&c);
    w->wire = gfx_wire_create(true);
    w->client = ref_client_create(false);
    w->screen = canvas_new(W, H);
    draw_text(&w->screen, 0, 0, W, H, 5, 0, 0xFFFFFF, 1);
    assert_int_equal(engine_surface_create(w->engine, 0, W, H, 0, 0), 0);
    start(w, names, fail);
}

/* It ends with its link, unless it hangs. */
static void bury(struct world *w)
{
    int status;
    for (int i = 0; i < 300 && waitpid(w->pid, &status, WNOHANG) == 0; i++) {
        if (i == 100)
            kill(w->pid, SIGKILL);
        usleep(10000);
    }
}

static void world_close(struct world *w)
{
    engine_destroy(w->engine);
    encoder_link_destroy(w->link);
    gfx_wire_destroy(w->wire);
    ref_client_destroy(w->client);
    canvas_free(&w->screen);
    event_base_free(w->base);
    bury(w);
}

static void deliver(struct world *w, const struct gfx_frame *f)
{
    const struct gfx_message *m;
    size_t n;
    w->frames++;
    for (size_t i = 0; i < f->ncommands; i++)
        w->pictures += f->commands[i].type == GFX_WIRE && f->commands[i].codec == GFX_CODEC_AVC420;
    gfx_wire_begin(w->wire);
    assert_int_equal(gfx_wire_frame(w->wire, f), 0);
    assert_int_equal(gfx_wire_finish(w->wire, &m, &n), 0);
    for (size_t i = 0; i < n; i++)
        if (ref_client_message(w->client, m[i].data, m[i].len) < 0)
            fail_msg("frame %u: %s", f->frame_id, ref_client_error(w->client));
    engine_ack(w->engine, f->frame_id, 0, (uint32_t)w->frames, w->now_us);
}

/* The peer's loop, for so long. */
static void run(struct world *w, unsigned ms)
{
    uint64_t end = w->now_us + ms * 1000u;
    while (w->now_us < end) {
        struct gfx_frame f;
        (void)event_base_loop(w->base, EVLOOP_NONBLOCK);
        if (engine_next(w->engine, w->now_us) == 0) {
            int rc = engine_produce(w->engine, w->now_us, &f);
            assert_true(rc >= 0);
            if (rc == 1)
                deliver(w, &f);
        } else
            usleep(STEP_US);
        w->now_us += STEP_US;
        if (w->kill_at_submit && engine_encoding(w->engine)) {
            w->kill_at_submit = false;
            kill(w->pid, SIGKILL);
        }
    }
}

static void wait_until_ready(struct world *w)
{
    for (int i = 0; i < 1000 && !w->ready; i++)
        run(w, 10);
    assert_true(w->ready);
}

static void play(struct world *w, int n)
{
    for (int i = 0; i < n; i++) {
        draw_photo(&w->screen, film.x, film.y, film.width, film.height, 6, i * 3, i * 2, 256 + i, 3);
        assert_true(engine_damage(w->engine, 0, w->screen.px, w->screen.stride, &film, 1, w->now_us) >= 0);
        run(w, 33);
    }
    for (int i = 0; i < 200 && engine_encoding(w->engine); i++)
        run(w, 10);
}

static double psnr(const struct world *w)
{
    return ref_surface_psnr(ref_client_surface(w->client, 0), w->screen.px, w->screen.stride, film.x, film.y,
        film.width, film.height);
}

static void begin(struct world *w)
{
    const struct engine_rect all = {0, 0, W, H};
    assert_true(engine_damage(w->engine, 0, w->screen.px, w->screen.stride, &all, 1, w->now_us) >= 0);
    run(w, 200);
}

static void check_exact(struct world *w)
{
    for (int i = 0; i < 600; i++) {
        run(w, 20);
        if (ref_surface_wrong(ref_client_surface(w->client, 0), w->screen.px, w->screen.stride) == 0)
            return;
    }
    fail_msg("the picture did not become exact");
}

static void a_film_plays_through_the_process(void **state)
{
    struct world w;
    world_open(&w, "libx264", NULL);
    wait_until_ready(&w);
    assert_string_equal(encoder_link_name(w.link), "libx264");
    begin(&w);
    play(&w, 40);
    print_message("%zu pictures, %.1f dB\n", w.pictures, psnr(&w));
    assert_int_equal(w.failures, 0);
    assert_true(w.pictures > 20);
    assert_true(psnr(&w) > 33);
    check_exact(&w);
    world_close(&w);
}

static void what_does_not_exist_is_never_ready(void **state)
{
    struct world w;
    world_open(&w, "h264_of_nowhere", NULL);
    begin(&w);
    play(&w, 30);
    assert_false(w.ready);
    assert_true(w.pictures > 15); /* by the built-in one */
    assert_int_equal(w.failures, 0);
    check_exact(&w);
    world_close(&w);
}

/* Plays on through the failure; the picture in hand is not lost: nothing but H.264 is sent for it. */
static void fails_at(const char *step, bool ready)
{
    struct world w;
    world_open(&w, "libx264", step);
    if (ready)
        wait_until_ready(&w);
    else
        run(&w, 500);
    assert_int_equal(w.ready, ready);
    begin(&w);
    play(&w, 40);
    print_message("%s: %zu pictures, %zu failures, instead %s, %.1f dB\n", step, w.pictures, w.failures, w.instead,
        psnr(&w));
    assert_int_equal(w.failures, ready);
    assert_int_equal(w.lost, ready);
    if (ready)
        assert_string_equal(w.instead, "x264");
    assert_true(w.pictures > (strstr(step, "hang") ? 15 : 20));
    assert_true(psnr(&w) > 33);
    check_exact(&w);
    world_close(&w);
}

static void a_failure_to_open_in_the_test_keeps_the_built_in_one(void **state)
{
    fails_at("open", false);
}
static void a_failure_to_submit_is_taken_over(void **state)
{
    fails_at("submit@9", true);
}
static void a_failure_to_collect_is_taken_over(void **state)
{
    fails_at("collect@9", true);
}
static void a_hang_is_taken_over(void **state)
{
    fails_at("hang@9", true);
}

static void a_killed_encoder_is_replaced_within_the_picture(void **state)
{
    struct world w;
    world_open(&w, "libx264", NULL);
    wait_until_ready(&w);
    begin(&w);
    play(&w, 20);
    size_t before = w.pictures;
    assert_true(before > 5);
    kill(w.pid, SIGSTOP); /* it cannot be done before it is killed */
    w.kill_at_submit = true;
    play(&w, 1);
    assert_int_equal(w.pictures, before + 1); /* the very picture it was killed in */
    assert_int_equal(w.failures, 1);
    assert_true(psnr(&w) > 33);
    assert_string_equal(encoder_link_name(w.link), "");
    play(&w, 20);
    assert_int_equal(w.failures, 1);
    assert_true(w.pictures > before + 15);
    assert_true(psnr(&w) > 33);
    check_exact(&w);
    world_close(&w);
}

/* How many of a film's pictures come from the process? */
static size_t from_outside(struct world *w, int n)
{
    size_t before = outside;
    play(w, n);
    return outside - before;
}

/* A film becomes one after some pictures, later where a sanitizer makes each of them slow. */
static void play_from_outside(struct world *w)
{
    size_t n = 0;
    for (int i = 0; i < 30 && n <= 5; i++)
        n = from_outside(w, 10);
    assert_true(n > 5);
}

static void another_process_takes_a_film_that_plays(void **state)
{
    struct world w;
    world_open(&w, "libx264", NULL);
    wait_until_ready(&w);
    begin(&w);
    play_from_outside(&w);
    for (unsigned again = 1; again <= 2; again++) {
        kill(w.pid, SIGKILL);
        bury(&w);
        assert_int_equal(from_outside(&w, 10), 0);
        assert_int_equal(w.lost, again);
        assert_int_equal(w.failures, again);
        start(&w, "libx264", NULL);
        for (int i = 0; i < 500 && w.ready == again; i++)
            run(&w, 10);
        assert_int_equal(w.ready, again + 1);
        play_from_outside(&w);
        assert_true(psnr(&w) > 33);
    }
    check_exact(&w);
    world_close(&w);
}

/* The film notices late that its process is gone, between two pictures or in one: the stream that is left must not end
 * the new one. */
static void a_stream_is_left(bool in_a_picture)
{
    struct world w;
    world_open(&w, "libx264", NULL);
    wait_until_ready(&w);
    begin(&w);
    play_from_outside(&w);
    kill(w.pid, SIGSTOP);
    if (in_a_picture) {
        draw_photo(&w.screen, film.x, film.y, film.width, film.height, 6, 0, 9, 256, 3);
        assert_true(engine_damage(w.engine, 0, w.screen.px, w.screen.stride, &film, 1, w.now_us) >= 0);
        for (int i = 0; i < 100 && !engine_encoding(w.engine); i++)
            run(&w, 1);
        assert_true(engine_encoding(w.engine));
    }
    kill(w.pid, SIGKILL);
    bury(&w);
    while (w.lost == 0)
        (void)event_base_loop(w.base, EVLOOP_ONCE);
    start(&w, "libx264", NULL);
    for (int i = 0; i < 500 && w.ready == 1; i++)
        (void)event_base_loop(w.base, EVLOOP_ONCE);
    assert_true(from_outside(&w, 20) > 15);
    assert_int_equal(w.failures, 0);
    assert_int_equal(w.lost, 1);
    check_exact(&w);
    world_close(&w);
}

static void a_stream_of_the_process_before_harms_nothing(void **state)
{
    a_stream_is_left(false);
    a_stream_is_left(true);
}

int main(int argc, char **argv)
{
    if (argc < 2 || geteuid() != 0 || !realpath(argv[1], program))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_film_plays_through_the_process),
        cmocka_unit_test(what_does_not_exist_is_never_ready),
        cmocka_unit_test(a_failure_to_open_in_the_test_keeps_the_built_in_one),
        cmocka_unit_test(a_failure_to_submit_is_taken_over),
        cmocka_unit_test(a_failure_to_collect_is_taken_over),
        cmocka_unit_test(a_hang_is_taken_over),
        cmocka_unit_test(a_killed_encoder_is_replaced_within_the_picture),
        cmocka_unit_test(another_process_takes_a_film_that_plays),
        cmocka_unit_test(a_stream_of_the_process_before_harms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
