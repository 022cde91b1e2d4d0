/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pane that is expected to scroll on, and what comes in instead; rows that rest. */
#include "codecs/change/surface.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 300, HEIGHT = 210, STRIDE = WIDTH * 4 };

struct world {
    struct surface s;
    uint8_t screen[STRIDE * HEIGHT], client[STRIDE * HEIGHT];
    uint32_t now_ms;
};

static uint8_t *at(uint8_t *picture, int x, int y)
{
    return picture + (size_t)y * STRIDE + (size_t)x * 4;
}

static void copy(uint8_t *to, const uint8_t *from, const struct box *b, int dx, int dy)
{
    for (int y = b->y0; y < b->y1; y++)
        memcpy(at(to, b->x0, y), at((uint8_t *)from, b->x0 - dx, y - dy), (size_t)(b->x1 - b->x0) * 4);
}

static void paint(struct world *w, const struct box *b)
{
    for (int y = b->y0; y < b->y1; y++)
        for (int x = b->x0; x < b->x1; x++) {
            uint8_t v = (uint8_t)(rand() % 3 * 90);
            memcpy(at(w->screen, x, y), (uint8_t[]){v, v, v, 0xFF}, 4);
        }
}

static int absorb(struct world *w, struct box b)
{
    struct box all = {0, 0, WIDTH, HEIGHT};
    return surface_absorb(&w->s, w->s.ops, w->screen, STRIDE, box_intersect(b, &all), ++w->now_ms);
}

/* What differs reaches the client. */
static void send(struct world *w)
{
    surface_find_dirty(&w->s, w->s.ops);
    for (int t = 0; t < w->s.tiles_x * w->s.tiles_y; t++) {
        struct box dirty = w->s.tiles[t].dirty;
        if (box_empty(&dirty))
            continue;
        copy(w->client, w->screen, &dirty, 0, 0);
        surface_settle_later(&w->s, dirty);
        surface_unmark(&w->s, t);
    }
    assert_int_equal(w->s.checks, 0);
    surface_catch_up(&w->s);
    assert_memory_equal(w->client, w->screen, sizeof w->client);
    for (int y = 0; y < HEIGHT; y++)
        assert_memory_equal(surface_shown(&w->s, 0, y), at(w->screen, 0, y), STRIDE);
}

static struct world *open_world(void)
{
    struct world *w = calloc(1, sizeof *w);
    struct box all = {0, 0, WIDTH, HEIGHT};
    assert_non_null(w);
    assert_int_equal(surface_init(&w->s, 1, WIDTH, HEIGHT, 0, 0), 0);
    paint(w, &all);
    absorb(w, all);
    send(w);
    return w;
}

static void close_world(struct world *w)
{
    surface_finish(&w->s);
    free(w);
}

static struct box some_box(int margin)
{
    int x = margin + rand() % 120, y = margin + rand() % 80;
    struct box b = {x, y, x + 1 + rand() % (WIDTH - margin - x - 1), y + 1 + rand() % (HEIGHT - margin - y - 1)};
    return b;
}

/* The copy that was followed, at the client and here. */
static void shift(struct world *w, const struct box *to, int dx, int dy)
{
    uint8_t *before = malloc(sizeof w->client);
    assert_non_null(before);
    memcpy(before, w->client, sizeof w->client);
    copy(w->client, before, to, dx, dy);
    free(before);
    surface_shift(&w->s);
}

static void scroll(struct world *w, const struct box *to, int dx, int dy)
{
    copy(w->screen, w->client, to, dx, dy);
}

/* In lines from above, as parts of a copy come, or in pieces that are no whole lines, some of them twice. Returns
 * whether all lines were whole. */
static bool absorb_pieces(struct world *w, const struct box *to)
{
    bool whole = rand() % 3 > 0;
    int step = 1 + rand() % 60, middle = whole ? to->x0 : to->x0 + rand() % (to->x1 - to->x0);
    for (int y = to->y0; y < to->y1; y += step) {
        int y1 = y + step < to->y1 ? y + step : to->y1;
        struct box left = {to->x0 - 3 > 0 ? to->x0 - 3 : 0, y, middle, y1},
                   right = {middle, y, to->x1 + rand() % 5, y1};
        absorb(w, left);
        absorb(w, right);
        if (rand() % 4 == 0)
            absorb(w, right);
    }
    return middle == to->x0;
}

static void a_pane_that_scrolls_on_is_told_while_it_comes_in(void **state)
{
    srand(1);
    struct world *w = open_world();
    for (int round = 0; round < 600; round++) {
        int dx = rand() % 3 ? 0 : rand() % 33 - 16, dy = rand() % 41 - 20;
        struct box to = some_box(20), beside = some_box(0);
        surface_follow(&w->s, to, dx, dy);
        scroll(w, &to, dx, dy);
        bool whole = absorb_pieces(w, &to);
        assert_int_equal(surface_followed(&w->s), whole);
        bool drawn = rand() % 2;
        if (drawn) {
            struct box both = box_intersect(beside, &to);
            bool touches = !box_empty(&both);
            paint(w, &beside);
            absorb(w, beside);
            if (touches && both.x1 - both.x0 > 4 && both.y1 - both.y0 > 4)
                assert_false(surface_followed(&w->s));
        }
        if (surface_followed(&w->s)) {
            shift(w, &to, dx, dy);
            int left = surface_find_dirty(&w->s, w->s.ops);
            assert_true(drawn || left == 0);
        }
        send(w);
    }
    close_world(w);
}

/* One pixel, anywhere in the pane, and when half of it has come in already. */
static void one_pixel_that_did_not_come_along_is_enough(void **state)
{
    srand(2);
    struct world *w = open_world();
    for (int round = 0; round < 300; round++) {
        struct box to = some_box(20);
        int x = to.x0 + rand() % (to.x1 - to.x0), y = to.y0 + rand() % (to.y1 - to.y0);
        surface_follow(&w->s, to, 0, -18);
        scroll(w, &to, 0, -18);
        if (rand() % 2)
            absorb(w, (struct box){to.x0, to.y0, to.x1, to.y0 + (to.y1 - to.y0) / 2});
        at(w->screen, x, y)[1] ^= 0x40;
        absorb(w, to);
        assert_false(surface_followed(&w->s));
        send(w);
    }
    close_world(w);
}

/* Drawn anew as it was, but for a pixel: nothing else is sent. */
static void what_came_otherwise_is_looked_for(void **state)
{
    struct world *w = open_world();
    struct box to = {40, 40, 250, 160}, pixel = {101, 77, 102, 78};
    surface_follow(&w->s, to, 0, -20);
    at(w->screen, pixel.x0, pixel.y0)[0] ^= 0x40;
    absorb(w, to);
    assert_int_equal(surface_find_dirty(&w->s, w->s.ops), 1);
    assert_memory_equal(&w->s.tiles[pixel.y0 / TILE * w->s.tiles_x + pixel.x0 / TILE].dirty, &pixel, sizeof pixel);
    send(w);
    close_world(w);
}

/* What else the client was sent meanwhile was compared with something that it does not show any more. */
static void what_was_sent_between_ends_it(void **state)
{
    srand(3);
    struct world *w = open_world();
    for (int round = 0; round < 100; round++) {
        struct box to = {40, 40, 250, 160};
        surface_follow(&w->s, to, 0, -20);
        struct box other = some_box(0);
        paint(w, &other);
        absorb(w, other);
        send(w);
        scroll(w, &to, 0, -20);
        absorb(w, to);
        assert_false(surface_followed(&w->s));
        send(w);
    }
    close_world(w);
}

enum { LARGE = 1024, LARGE_STRIDE = LARGE * 4 };

/* A screen large enough to rest, as it is shown. */
static uint8_t *open_large(struct surface *s)
{
    uint8_t *screen = malloc((size_t)LARGE * LARGE_STRIDE);
    struct box all = {0, 0, LARGE, LARGE};
    assert_non_null(screen);
    srand(4);
    for (size_t i = 0; i < (size_t)LARGE * LARGE_STRIDE; i++)
        screen[i] = i % 4 == 3 ? 0xFF : (uint8_t)rand();
    assert_int_equal(surface_init(s, 1, LARGE, LARGE, 0, 0), 0);
    surface_absorb(s, s->ops, screen, LARGE_STRIDE, all, 1);
    surface_settle(s, all);
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++)
        surface_unmark(s, t);
    return screen;
}

/* A picture that rests has given its memory back: it is there again before anything is compared with it. */
static void a_pane_is_followed_after_a_rest(void **state)
{
    struct surface s;
    uint8_t *screen = open_large(&s);
    struct box to = {100, 100, 900, 800};
    surface_rest(&s, 2001, 2000);
    assert_true(surface_rests(&s));
    surface_follow(&s, to, 0, -90);
    for (int y = to.y0; y < to.y1; y++)
        memcpy(screen + y * LARGE_STRIDE + 400, screen + (y + 90) * LARGE_STRIDE + 400, 3200);
    surface_absorb(&s, s.ops, screen, LARGE_STRIDE, to, 2);
    assert_true(surface_followed(&s));
    surface_finish(&s);
    free(screen);
}

/* Nor does a pane that scrolled before take the memory back for a cursor that blinks after. */
static void what_rests_is_not_followed(void **state)
{
    struct surface s;
    uint8_t *screen = open_large(&s);
    struct box cursor = {300, 300, 302, 316};
    surface_follow(&s, (struct box){100, 100, 900, 800}, 0, -90);
    surface_rest(&s, 2001, 2000);
    screen[304 * LARGE_STRIDE + 301 * 4] ^= 0x20;
    surface_absorb(&s, s.ops, screen, LARGE_STRIDE, cursor, 2);
    assert_int_equal(s.nborrowed, s.tiles_y - 1);
    assert_int_equal(surface_find_dirty(&s, s.ops), 1);
    surface_finish(&s);
    free(screen);
}

/* Each time a row comes back it is copied: what is drawn again and again, changed or not, keeps its memory, and the
 * others rest. */
static void rows_that_are_drawn_on_do_not_rest(void **state)
{
    struct surface s;
    uint8_t *screen = open_large(&s);
    struct box line = {300, 300, 600, 316};
    assert_int_equal(surface_rest(&s, 1500, 2000), 501);
    assert_int_equal(s.nborrowed, 0);
    surface_absorb(&s, s.ops, screen, LARGE_STRIDE, line, 1500);
    assert_int_equal(surface_rest(&s, 2500, 2000), 1000);
    assert_int_equal(s.nborrowed, s.tiles_y - 1);
    assert_false(s.borrowed[300 / TILE]);
    screen[304 * LARGE_STRIDE + 301 * 4] ^= 0x20;
    surface_absorb(&s, s.ops, screen, LARGE_STRIDE, line, 2600);
    assert_int_equal(surface_rest(&s, 9000, 2000), -1); /* it waits to be sent */
    assert_int_equal(surface_find_dirty(&s, s.ops), 1);
    surface_settle(&s, line);
    surface_unmark(&s, 300 / TILE * s.tiles_x + 300 / TILE);
    assert_int_equal(surface_rest(&s, 9000, 2000), -1);
    assert_true(surface_rests(&s));
    surface_finish(&s);
    free(screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pane_that_scrolls_on_is_told_while_it_comes_in),
        cmocka_unit_test(one_pixel_that_did_not_come_along_is_enough),
        cmocka_unit_test(what_came_otherwise_is_looked_for),
        cmocka_unit_test(what_was_sent_between_ends_it),
        cmocka_unit_test(a_pane_is_followed_after_a_rest),
        cmocka_unit_test(what_rests_is_not_followed),
        cmocka_unit_test(rows_that_are_drawn_on_do_not_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
