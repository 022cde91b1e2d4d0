/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When memory runs out in the middle of a frame, parts of which may have left: each allocation of some frames fails
 * once, and all from it on within its frame. What the engine says then must be enough to go on, and the picture as it
 * was drawn. */
#include "allocator.h"
#include "codecs/engine/engine.h"
#include "ref_client.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { W = 1664, H = 1088, FRAMES = 14, SCATTERED = 3 };

static bool inside;   /* the engine */
static bool lasting;  /* what fails, fails for the rest of the frame */
static bool short_of; /* memory, until then */
static unsigned allocations, fails_at;

static bool refused(void)
{
    bool now = inside && ++allocations == fails_at;
    short_of |= now && lasting;
    return now || (inside && short_of);
}

struct world {
    struct engine *engine;
    struct gfx_wire *wire;
    struct ref_client *client;
    struct canvas screen;
    uint64_t now;
    unsigned parts, lost, lost_after_parts;
};

static void transmit(struct world *w, const struct gfx_frame *f)
{
    const struct gfx_message *m;
    size_t n;
    gfx_wire_begin(w->wire);
    assert_int_equal(gfx_wire_frame(w->wire, f), 0);
    assert_int_equal(gfx_wire_finish(w->wire, &m, &n), 0);
    for (size_t i = 0; i < n; i++)
        if (ref_client_message(w->client, m[i].data, m[i].len) < 0)
            fail_msg("allocation %u%s: %s", fails_at, lasting ? " and those after it" : "",
                ref_client_error(w->client));
}

static void on_part(void *user, const struct gfx_frame *part)
{
    struct world *w = user;
    inside = false;
    w->parts++;
    transmit(w, part);
    inside = true;
}

static void open_channel(struct world *w)
{
    ref_client_destroy(w->client);
    w->client = ref_client_create(false);
    gfx_wire_restart(w->wire);
}

static void produce(struct world *w)
{
    struct gfx_frame f;
    w->parts = 0;
    inside = true;
    int r = engine_produce(w->engine, w->now, &f);
    inside = short_of = false;
    if (r < 0) {
        w->lost++;
        w->lost_after_parts += w->parts > 0;
        open_channel(w);
    } else if (r == 1) {
        transmit(w, &f);
        engine_ack(w->engine, f.frame_id, 0, 0, w->now);
    }
}

/* More commands than any frame before it, the most of them after what leaves as parts. */
static void scatter(struct canvas *c)
{
    draw_text(c, 0, 0, W, 384, 99, 0, 0xFFFFFF, 1);
    for (int y = 384 + 20; y < H; y += 64)
        for (int x = 20; x < W; x += 64)
            draw_rect(c, x, y, 9, 9, 0x102030u + (uint32_t)(y * W + x) % 0xC0C0C0u);
}

static void draw(struct world *w, int i)
{
    const struct engine_rect all = {0, 0, W, H};
    if (i == SCATTERED)
        scatter(&w->screen);
    else
        draw_photo(&w->screen, 64, 64, 384, 512, 7, i * 3, i * 2, 256 + i, 3);
    assert_true(engine_damage(w->engine, 0, w->screen.px, w->screen.stride, &all, 1, w->now) >= 0);
}

static void rest(struct world *w)
{
    for (int64_t wait; (wait = engine_next(w->engine, w->now)) >= 0;) {
        w->now += (uint64_t)wait;
        produce(w);
    }
    assert_int_equal(ref_surface_wrong(ref_client_surface(w->client, 0), w->screen.px, w->screen.stride), 0);
}

/* Returns whether there was such an allocation. */
static bool play(struct world *w, unsigned at)
{
    const struct engine_config config = {.max_frame_rate = 60,
        .part = on_part,
        .user = w,
        .caps = {.gfx = true, .avc420 = true, .clear_codec = true, .planar = true, .progressive = true}};
    w->engine = engine_create(&config);
    w->wire = gfx_wire_create(true);
    open_channel(w);
    w->screen = canvas_new(W, H);
    w->now = 1000000;
    assert_int_equal(engine_surface_create(w->engine, 0, W, H, 0, 0), 0);
    engine_link(w->engine, &(struct engine_link_state){.rtt_us = 500, .bytes_per_second = 100000000});
    allocations = 0;
    fails_at = at;
    for (int i = 0; i < FRAMES; i++, w->now += 33000) {
        draw(w, i);
        produce(w);
    }
    rest(w);
    engine_destroy(w->engine);
    gfx_wire_destroy(w->wire);
    ref_client_destroy(w->client);
    w->client = NULL;
    canvas_free(&w->screen);
    return allocations >= at;
}

static void every_allocation_fails(bool all_after)
{
    struct world w = {.lost = 0};
    unsigned at = 1;
    lasting = all_after;
    while (play(&w, at))
        at++;
    print_message("%u allocations: %u frames lost, %u of them after parts had left\n", at - 1, w.lost,
        w.lost_after_parts);
    assert_true(w.lost >= 5 && w.lost_after_parts > 0);
}

static void any_allocation_may_fail(void **state)
{
    every_allocation_fails(false);
}

static void memory_may_be_short_for_a_frame(void **state)
{
    every_allocation_fails(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(memory_may_be_short_for_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
