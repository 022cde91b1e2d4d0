/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When frames leave: session/agent/frames.c between a clock, a display server and a front end that are all made up.
 * The screen is 64 x 64 places of 30 x 17 pixels; each shows the number of the picture that was drawn there last. */
#include "session/agent/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    SIDE = 64,
    PLACE_W = 30,
    PLACE_H = 17,
    COLLECT_US = 80,
    COPY_US_PER_PLACE_X1000 = 400,
    ENCODE_US = 2000,
    DRAWS_MAX = 20000
};
#define NEVER UINT64_MAX

struct draw {
    uint64_t at;
    uint8_t x, y, w, h;
    int picture;
};
struct backend_pixels {
    int places[SIDE][SIDE];
};

static struct world {
    uint64_t now, timer, notice, done; /* NEVER: none */
    struct draw draws[DRAWS_MAX];
    size_t ndraws, next;
    int screen[SIDE][SIDE], mirror[SIDE][SIDE];
    pixman_region32_t damage;
    bool told;
    /* The last one has no mark yet */
    struct {
        struct display_rect r[DISPLAY_RECTS_MAX];
        size_t n;
    } asked[BACKEND_MARKS_MAX + 1];
    unsigned marks;
    struct backend_pixels pixels;
    unsigned frames, collects, copies, most_collects, most_copies;
    unsigned parts, most_parts;   /* parts of a frame before it */
    uint64_t sent_us, damaged_us; /* of the last frame */
    uint64_t part_us;             /* when the first part of a frame was told */
    void (*on_frame)(void);
    struct agent agent;
    struct source source;
    struct client client;
    struct view view;
} w;

/* ---- the display server ---- */

static void draw_until(uint64_t now)
{
    for (; w.next < w.ndraws && w.draws[w.next].at <= now; w.next++) {
        const struct draw *d = &w.draws[w.next];
        for (unsigned y = d->y; y < d->y + d->h; y++)
            for (unsigned x = d->x; x < d->x + d->w; x++)
                w.screen[y][x] = d->picture;
        pixman_region32_union_rect(&w.damage, &w.damage, d->x * PLACE_W, d->y * PLACE_H, d->w * PLACE_W,
            d->h * PLACE_H);
        if (!w.told)
            w.notice = now;
        w.told = true;
    }
}

static void pass(uint64_t us)
{
    w.now += us;
    draw_until(w.now);
}

static int fake_collect(struct backend *b, uint32_t surface, pixman_region32_t *damage)
{
    pixman_region32_union(damage, damage, &w.damage);
    pixman_region32_clear(&w.damage);
    w.told = false;
    w.notice = NEVER;
    w.collects++;
    pass(COLLECT_US);
    return 0;
}

static void fake_copy(struct backend *b, struct backend_pixels *p, const struct display_rect *rects, size_t n)
{
    assert_ptr_equal(p, &w.pixels);
    assert_false(w.view.on_loan);
    assert_true(w.asked[w.marks].n + n <= DISPLAY_RECTS_MAX);
    memcpy(w.asked[w.marks].r + w.asked[w.marks].n, rects, n * sizeof *rects);
    w.asked[w.marks].n += n;
}

static void copy_rect(int to[SIDE][SIDE], int from[SIDE][SIDE], const struct display_rect *r)
{
    for (unsigned y = r->y / PLACE_H; y < (r->y + r->height) / PLACE_H; y++)
        memcpy(&to[y][r->x / PLACE_W], &from[y][r->x / PLACE_W], r->width / PLACE_W * sizeof(int));
}

static void fake_mark(struct backend *b)
{
    assert_true(w.marks < BACKEND_MARKS_MAX);
    w.copies += w.marks == 0; /* those that are asked for in between are parts of one */
    w.asked[++w.marks].n = 0;
}

/* The server copies in one go: what is drawn meanwhile waits for it. Between two parts it does not. */
static int fake_wait(struct backend *b)
{
    uint64_t places = 0;
    assert_true(w.marks > 0);
    for (size_t i = 0; i < w.asked[0].n; i++) {
        const struct display_rect *r = &w.asked[0].r[i];
        copy_rect(w.pixels.places, w.screen, r);
        places += (uint64_t)r->width * r->height / (PLACE_W * PLACE_H);
    }
    memmove(w.asked, w.asked + 1, w.marks-- * sizeof w.asked[0]);
    w.asked[w.marks + 1].n = 0;
    /* Who has more to do is not waited for */
    pass((w.marks ? 0 : COLLECT_US) + places * COPY_US_PER_PLACE_X1000 / 1000);
    return 0;
}

static const struct backend_ops fake = {
    .name = "fake", .collect = fake_collect, .copy = fake_copy, .mark = fake_mark, .wait = fake_wait};

/* ---- what frames.c needs of the agent ---- */

uint64_t __wrap_clock_us(void);
int __wrap_loop_arm_us(struct event *timer, int64_t us);

uint64_t __wrap_clock_us(void)
{
    return w.now;
}

int __wrap_loop_arm_us(struct event *timer, int64_t us)
{
    w.timer = w.now + (uint64_t)us;
    return 0;
}

int link_send(struct link *l, const struct wire_def *def, const void *msg, const int *fds)
{
    const struct display_frame *f = msg;
    if (def == &display_copied_def) {
        const struct display_copied *m = msg;
        assert_true(!w.view.on_loan && m->nrects > 0 && ++w.parts <= DISPLAY_COPIED_MAX);
        w.part_us = w.parts == 1 ? w.now : w.part_us;
        for (uint32_t i = 0; i < m->nrects; i++)
            copy_rect(w.mirror, w.pixels.places, &m->rects[i]);
        return 0;
    }
    assert_ptr_equal(def, &display_frame_def);
    assert_true(w.view.on_loan && (f->nrects > 0 || w.parts > 0));
    for (uint32_t i = 0; i < f->nrects; i++)
        copy_rect(w.mirror, w.pixels.places, &f->rects[i]);
    /* Whatever was copied is told, before it or with it */
    assert_memory_equal(w.mirror, w.pixels.places, sizeof w.mirror);
    w.frames++;
    w.sent_us = w.now;
    w.damaged_us = f->damaged_us;
    w.done = w.now + ENCODE_US;
    w.most_collects = w.collects > w.most_collects ? w.collects : w.most_collects;
    w.most_copies = w.copies > w.most_copies ? w.copies : w.most_copies;
    w.most_parts = w.parts > w.most_parts ? w.parts : w.most_parts;
    w.collects = w.copies = w.parts = 0;
    if (w.on_frame)
        w.on_frame();
    return 0;
}

/* ---- the clock ---- */

static uint64_t next_time(void)
{
    uint64_t t = w.next < w.ndraws ? w.draws[w.next].at : NEVER;
    uint64_t others[] = {w.timer, w.notice, w.done};
    for (size_t i = 0; i < 3; i++)
        t = others[i] < t ? others[i] : t;
    return t;
}

static void run(void)
{
    for (uint64_t t; (t = next_time()) != NEVER;) {
        w.now = t > w.now ? t : w.now;
        draw_until(w.now);
        if (w.notice <= w.now) { /* the loop hands out the server's events before timers */
            w.notice = NEVER;
            frames_damaged(&w.source, w.now);
        } else if (w.done <= w.now) {
            w.done = NEVER;
            w.view.on_loan = false;
            frames_step(&w.source);
        } else if (w.timer <= w.now) {
            w.timer = NEVER;
            frames_on_timer(-1, 0, &w.source);
        }
    }
}

static int setup(void **state)
{
    memset(&w, 0, sizeof w);
    w.now = 1000000;
    w.timer = w.notice = w.done = NEVER;
    w.agent = (struct agent){.ops = &fake,
        .backend = (struct backend *)&w,
        .sources = &w.source,
        .clients = &w.client,
        .copy_us_per_mpx = FRAME_COPY_US};
    w.source = (struct source){.agent = &w.agent,
        .is = {.kind = SURFACE_DESKTOP, .width = SIDE * PLACE_W, .height = SIDE * PLACE_H},
        .views = &w.view};
    w.client = (struct client){.agent = &w.agent, .open = true, .views = &w.view};
    w.view = (struct view){.client = &w.client,
        .source = &w.source,
        .width = w.source.is.width,
        .height = w.source.is.height,
        .pixels = &w.pixels};
    pixman_region32_init(&w.damage);
    pixman_region32_init(&w.view.pending);
    pixman_region32_init(&w.view.uncopied);
    pixman_region32_init(&w.view.told);
    return 0;
}

static int teardown(void **state)
{
    pixman_region32_fini(&w.damage);
    pixman_region32_fini(&w.view.pending);
    pixman_region32_fini(&w.view.uncopied);
    pixman_region32_fini(&w.view.told);
    return 0;
}

/* ---- programs ---- */

struct program {
    uint8_t x, y, w, h;
    unsigned parts;
    uint64_t gap;
    uint64_t period;
};
static const struct program film = {0, 0, 40, 40, 1, 0, 33333};
static const struct program toolkit = {0, 0, 40, 40, 5, 500, 33333};
static const struct program neighbour = {48, 0, 16, 40, 5, 500, 333333}; /* a toolkit's window beside the film */

/* `pictures` pictures of a program from `since` on, each in so many strips. Returns when the next would begin. */
static uint64_t plays(const struct program *p, unsigned pictures, uint64_t since, int first)
{
    for (unsigned i = 0; i < pictures; i++, since += p->period)
        for (unsigned k = 0; k < p->parts; k++) {
            uint8_t top = (uint8_t)(p->y + p->h * k / p->parts), bottom = (uint8_t)(p->y + p->h * (k + 1) / p->parts);
            assert_true(w.ndraws < DRAWS_MAX);
            w.draws[w.ndraws++] =
                (struct draw){since + k * p->gap, p->x, top, p->w, (uint8_t)(bottom - top), first + (int)i};
        }
    return since;
}

static int by_time(const void *a, const void *b)
{
    const struct draw *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static void run_in_order(void)
{
    qsort(w.draws, w.ndraws, sizeof w.draws[0], by_time);
    run();
    assert_memory_equal(w.mirror, w.screen, sizeof w.mirror);
}

static bool whole(const struct program *p)
{
    for (unsigned y = p->y; y < p->y + p->h; y++)
        for (unsigned x = p->x; x < p->x + p->w; x++)
            if (w.mirror[y][x] != w.mirror[p->y][p->x])
                return false;
    return true;
}

static struct {
    unsigned half, half_beside;
    uint64_t lag;
    bool counting;
} seen;

/* The lag counts from the last stroke of a picture. */
static void look(void)
{
    seen.half += !whole(&film);
    seen.half_beside += !whole(&neighbour);
    seen.lag = w.sent_us - w.damaged_us;
}

static void start(void)
{
    memset(&seen, 0, sizeof seen);
    w.on_frame = look;
}

/* ---- tests ---- */

static void a_picture_in_one_piece_soon_waits_for_its_copy_only(void **state)
{
    start();
    uint64_t next = plays(&film, 1, w.now + 50000, 1);
    run_in_order();
    /* Nothing is known about this program; its copy is in the wait */
    assert_in_range(seen.lag, SILENCE_MAX_US, SILENCE_MAX_US + 600);
    plays(&film, 40, next, 2);
    run_in_order();
    uint64_t copy = 40 * 40 * COPY_US_PER_PLACE_X1000 / 1000 + COLLECT_US;
    assert_in_range(seen.lag, SILENCE_FLOOR_US, COLLECT_US + (copy > SILENCE_FLOOR_US ? copy : SILENCE_FLOOR_US) + 50);
    assert_int_equal(seen.half, 0);
    assert_int_equal(w.frames, 41);
    assert_int_equal(w.most_copies, 1);
    assert_in_range(w.most_parts, 2, DISPLAY_COPIED_MAX);
}

/* Nothing is known about who draws here: the picture is sent when more would have come, but copied long before. */
static void the_first_large_picture_of_a_place_is_copied_early(void **state)
{
    start();
    uint64_t drawn = w.now + 50000;
    plays(&film, 1, drawn, 1);
    run_in_order();
    assert_true(w.most_parts > 1);
    assert_in_range(w.part_us - drawn, SILENCE_FLOOR_US, SILENCE_MAX_US / 2);
    assert_in_range(seen.lag, SILENCE_MAX_US, SILENCE_MAX_US + 600);
}

static void a_picture_in_parts_stays_whole(void **state)
{
    start();
    plays(&toolkit, 200, w.now + 50000, 1);
    run_in_order();
    assert_int_equal(seen.half, 1); /* the very first part looks like any small change */
    assert_int_equal(w.frames, 201);
    assert_true(w.most_copies <= FRAME_COPIES_MAX + 1);
    assert_true(seen.lag < 4 * 500 + 2 * 500 + 700); /* its parts, twice their gap, a copy's rest */
}

static void a_gap_that_was_too_long_is_learnt_at_once(void **state)
{
    start();
    uint64_t next = plays(&film, 60, w.now + 50000, 1);
    plays(&toolkit, 200, next, 100); /* another program in the same place */
    run_in_order();
    assert_true(seen.half <= 2);
}

static void the_film_does_not_teach_the_window_beside_it(void **state)
{
    start();
    plays(&film, 600, w.now + 50000, 1);
    plays(&neighbour, 60, w.now + 50000 + 7000, 1000);
    run_in_order();
    assert_int_equal(seen.half, 0);
    assert_int_equal(seen.half_beside, 0);
    assert_true(seen.lag < 1500); /* the film's last picture */
}

static void gaps_are_forgotten(void **state)
{
    start();
    uint64_t next = plays(&toolkit, 20, w.now + 50000, 1);
    plays(&film, 2 * SILENCE_PICTURES + 1, next, 100);
    run_in_order();
    assert_true(seen.lag < 1500);
    assert_int_equal(seen.half, 1); /* as above */
}

/* A letter, and 1 ms later the caret beside it: no picture in parts, whatever it teaches about silence. */
static void small_changes_in_parts_still_leave_at_once(void **state)
{
    static const struct program letter = {3, 3, 1, 1, 1, 0, 50000}, caret = {4, 3, 1, 1, 1, 0, 50000};
    start();
    plays(&letter, 40, w.now + 50000, 1);
    plays(&caret, 39, w.now + 50000 + 1000, 1);
    run_in_order();
    assert_int_equal(seen.lag, 2 * COLLECT_US);
    assert_int_equal(w.frames, 79);
}

static void one_who_never_stops_is_shown_and_not_held_up(void **state)
{
    static const struct program busy = {0, 0, 40, 40, 1, 0, 150};
    start();
    plays(&busy, 10000, w.now + 50000, 1); /* 1.5 s */
    run_in_order();
    assert_true(w.frames >= 1500 / (8 + 2 + 2));
    assert_true(w.most_copies <= FRAME_COPIES_MAX + 1);
    assert_true(w.most_collects <= FRAME_COLLECTS_MAX + 2 + FRAME_WAIT_MAX_US / SILENCE_FLOOR_US);
}

/* Whatever is drawn when, no copy is of an older state than its damage, and in the end the front end shows the screen.
 */
static void every_place_is_right_under_random_drawing(void **state)
{
    srand(7);
    for (int round = 0; round < 200; round++) {
        uint64_t at = w.now + 20000;
        w.ndraws = w.next = 0;
        for (int i = 0; i < 60; i++) {
            uint8_t x = (uint8_t)(rand() % SIDE), y = (uint8_t)(rand() % SIDE);
            at += (uint64_t)(rand() % 4 ? rand() % 700 : rand() % 12000);
            w.draws[w.ndraws++] =
                (struct draw){at, x, y, (uint8_t)(1 + rand() % (SIDE - x)), (uint8_t)(1 + rand() % (SIDE - y)), rand()};
        }
        run_in_order();
    }
}

/* Each time the whole screen changes while it is copied, which takes 1.7 ms. */
static void copies_in_vain_are_few(void **state)
{
    static const uint64_t times[] = {0, 1100, 3800, 6500};
    for (int i = 0; i < 4; i++)
        w.draws[w.ndraws++] = (struct draw){w.now + 50000 + times[i], 0, 0, SIDE, SIDE, i + 1};
    run_in_order();
    assert_int_equal(w.most_copies, FRAME_COPIES_MAX + 1);
}

static void a_small_first_change_leaves_at_once(void **state)
{
    static const struct program caret = {3, 3, 1, 1, 1, 0, 20000};
    plays(&caret, 50, w.now + 50000, 1);
    w.on_frame = look;
    run_in_order();
    assert_int_equal(w.frames, 50);
    assert_int_equal(w.most_parts, 0);
    assert_int_equal(seen.lag, 2 * COLLECT_US);
    assert_int_equal(w.timer, NEVER);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_small_first_change_leaves_at_once),
        CASE(a_picture_in_one_piece_soon_waits_for_its_copy_only),
        CASE(the_first_large_picture_of_a_place_is_copied_early),
        CASE(a_picture_in_parts_stays_whole),
        CASE(a_gap_that_was_too_long_is_learnt_at_once),
        CASE(the_film_does_not_teach_the_window_beside_it),
        CASE(gaps_are_forgotten),
        CASE(small_changes_in_parts_still_leave_at_once),
        CASE(one_who_never_stops_is_shown_and_not_held_up),
        CASE(copies_in_vain_are_few),
        CASE(every_place_is_right_under_random_drawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
