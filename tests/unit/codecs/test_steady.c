/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In steady state a frame costs no allocation: counted by standing in front of the allocator. */
#include "allocator.h"
#include "codecs/wire/gfx_wire.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t allocations;
static bool counting;

static bool refused(void)
{
    allocations += counting;
    return false;
}

static void draw(struct canvas *c, int i)
{
    draw_scroll(c, 0, 0, 300, 400, 0, -18);
    draw_text(c, 0, 382, 300, 18, (uint32_t)i * 13 + 1, 0, 0xFFFFFF, 1);
    draw_photo(c, 320, 0, 280, 400, (uint32_t)i, 0, 0, 256, 2);
    draw_rect(c, 10 + i, 200, 9, 9, (uint32_t)i * 77);
}

static size_t parts;

static void transmit(struct gfx_wire *w, const struct gfx_frame *f)
{
    const struct gfx_message *m;
    size_t n;
    gfx_wire_begin(w);
    assert_int_equal(gfx_wire_frame(w, f), 0);
    assert_int_equal(gfx_wire_finish(w, &m, &n), 0);
}

static void on_part(void *user, const struct gfx_frame *part)
{
    parts++;
    transmit(user, part);
}

static void play(bool in_parts)
{
    struct gfx_wire *w = gfx_wire_create(true);
    const struct engine_config config = {.max_frame_rate = 60,
        .h264 = ENGINE_H264_OFF,
        .part = in_parts ? on_part : NULL,
        .user = w,
        .caps = {.gfx = true, .clear_codec = true, .planar = true, .progressive = true}};
    struct engine *e = engine_create(&config);
    struct canvas c = canvas_new(640, 400);
    const struct engine_rect all = {0, 0, 640, 400};
    uint64_t now = 1000000;
    engine_surface_create(e, 0, 640, 400, 0, 0);
    for (int i = 0; i < 200; i++, now += 20000) {
        struct gfx_frame f;
        counting = false;
        draw(&c, i);
        counting = i >= 100;
        engine_damage(e, 0, c.px, c.stride, &all, 1, now);
        if (engine_produce(e, now, &f) != 1)
            continue;
        transmit(w, &f);
        engine_ack(e, f.frame_id, 0, 0, now);
    }
    counting = false;
    assert_int_equal(allocations, 0);
    engine_destroy(e);
    gfx_wire_destroy(w);
    canvas_free(&c);
}

static void a_frame_in_steady_state_allocates_nothing(void **state)
{
    play(false);
    assert_int_equal(parts, 0);
    play(true);
    assert_true(parts > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_frame_in_steady_state_allocates_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
