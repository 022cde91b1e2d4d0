/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a drawer may do, and what ends its link: the test is the drawer. */
#include "common/link.h"
#include "server/peer/shown.h"
#include "surfaces_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)

enum { W = 100, H = 80, WINDOW = 7 };

static void say(const struct wire_def *def, const void *msg, const int *fds)
{
    assert_int_equal(wire_send(rig_drawer(), def, msg, fds), 0);
}

/* All that was said is read. */
static void let_it_read(void)
{
    for (int i = 0; i < 3; i++)
        rig_turn();
}

static void layout(uint32_t serial, uint32_t width, uint32_t height)
{
    struct display_monitors m = {.serial = serial, .width = width, .height = height, .nmonitors = 1};
    m.monitors[0] = (struct display_monitor){.width = width, .height = height, .primary = 1};
    say(&display_monitors_def, &m, NULL);
}

static void surface(uint32_t id, uint32_t under, uint8_t kind, uint32_t width, uint32_t height, uint8_t hidden)
{
    struct display_surface m = {.surface = id,
        .layout = under,
        .kind = kind,
        .hidden = hidden,
        .owner = DISPLAY_NO_SURFACE,
        .width = width,
        .height = height};
    say(&display_surface_def, &m, NULL);
}

static void window(uint32_t id)
{
    surface(id, 1, SURFACE_WINDOW, W, H, 0);
}

static void buffer(uint32_t id, uint32_t stride, size_t bytes, int seals)
{
    struct display_buffer m = {.surface = id, .stride = stride};
    int fd = memfd_create("buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    say(&display_buffer_def, &m, &fd);
    close(fd);
}

static void good_buffer(uint32_t id)
{
    buffer(id, W * 4, W * H * 4, SEALS);
}

static void frame(uint32_t id, uint32_t number, struct display_rect r)
{
    struct display_frame m = {.surface = id, .frame = number, .nrects = 1, .rects = {r}};
    say(&display_frame_def, &m, NULL);
}

static void part(uint32_t id, struct display_rect r)
{
    struct display_copied m = {.surface = id, .nrects = 1, .rects = {r}};
    say(&display_copied_def, &m, NULL);
}

static const struct display_rect all = {0, 0, W, H};

static void gone(uint32_t id)
{
    struct display_surface_gone m = {.surface = id};
    say(&display_surface_gone_def, &m, NULL);
}

/* A window with a buffer, under layout 1. */
static void begin(void)
{
    layout(1, 640, 480);
    window(WINDOW);
    good_buffer(WINDOW);
}

/* ---- what ends the link ---- */

static void before_any_layout(void)
{
    window(WINDOW);
}
static void no_serial(void)
{
    layout(0, 640, 480);
}
static void the_same_serial(void)
{
    layout(1, 640, 480);
    layout(1, 800, 600);
}
static void no_monitors(void)
{
    struct display_monitors m = {.serial = 1, .width = 640, .height = 480};
    say(&display_monitors_def, &m, NULL);
}
static void a_monitor_outside(void)
{
    struct display_monitors m = {.serial = 1, .width = 640, .height = 480, .nmonitors = 1};
    m.monitors[0] = (struct display_monitor){.x = 1, .width = 640, .height = 480};
    say(&display_monitors_def, &m, NULL);
}
static void a_monitor_left_of_the_corner(void)
{
    struct display_monitors m = {.serial = 1, .width = 640, .height = 480, .nmonitors = 1};
    m.monitors[0] = (struct display_monitor){.x = -1, .width = 640, .height = 480};
    say(&display_monitors_def, &m, NULL);
}
static void an_empty_monitor(void)
{
    struct display_monitors m = {.serial = 1, .width = 640, .height = 480, .nmonitors = 1};
    say(&display_monitors_def, &m, NULL);
}
static void a_layout_that_is_none(void)
{
    layout(1, 640, 480);
    surface(WINDOW, 2, SURFACE_WINDOW, W, H, 0);
}
static void an_empty_surface(void)
{
    layout(1, 640, 480);
    surface(WINDOW, 1, SURFACE_WINDOW, W, 0, 0);
}
static void no_kind(void)
{
    layout(1, 640, 480);
    surface(WINDOW, 1, 0, W, H, 0);
}
static void a_second_desktop(void)
{
    layout(1, 640, 480);
    surface(WINDOW, 1, SURFACE_DESKTOP, W, H, 0);
}
static void a_window_with_the_desktops_id(void)
{
    layout(1, 640, 480);
    surface(DISPLAY_DESKTOP, 1, SURFACE_WINDOW, W, H, 0);
}
static void too_many_surfaces(void)
{
    layout(1, 640, 480);
    for (uint32_t id = 1; id <= DISPLAY_SURFACES_MAX + 1; id++) {
        surface(id, 1, SURFACE_WINDOW, 1, 1, 1);
        rig_turn();
    }
}
static void too_many_pixels(void)
{
    layout(1, 640, 480);
    surface(1, 1, SURFACE_WINDOW, 640, 480 * DISPLAY_OUTPUTS_MAX, 0);
    surface(2, 1, SURFACE_WINDOW, 1, 1, 0);
}
static void a_buffer_of_nothing(void)
{
    layout(1, 640, 480);
    good_buffer(WINDOW);
}
static void a_buffer_of_a_hidden_one(void)
{
    layout(1, 640, 480);
    surface(WINDOW, 1, SURFACE_WINDOW, W, H, 1);
    good_buffer(WINDOW);
}
static void a_buffer_too_small(void)
{
    layout(1, 640, 480);
    window(WINDOW);
    buffer(WINDOW, W * 4, W * H * 4 - 1, SEALS);
}
static void a_buffer_that_may_shrink(void)
{
    layout(1, 640, 480);
    window(WINDOW);
    buffer(WINDOW, W * 4, W * H * 4, SEALS & ~F_SEAL_SHRINK);
}
static void a_buffer_that_may_be_written(void)
{
    layout(1, 640, 480);
    window(WINDOW);
    buffer(WINDOW, W * 4, W * H * 4, F_SEAL_SHRINK | F_SEAL_GROW);
}
static void a_stride_too_short(void)
{
    layout(1, 640, 480);
    window(WINDOW);
    buffer(WINDOW, W * 4 - 4, W * H * 4, SEALS);
}
static void a_crooked_stride(void)
{
    layout(1, 640, 480);
    window(WINDOW);
    buffer(WINDOW, W * 4 + 2, W * H * 8, SEALS);
}
static void a_frame_of_nothing(void)
{
    layout(1, 640, 480);
    frame(WINDOW, 1, all);
}
static void a_frame_without_a_buffer(void)
{
    layout(1, 640, 480);
    window(WINDOW);
    frame(WINDOW, 1, all);
}
static void a_frame_of_a_surface_that_is_gone(void)
{
    begin();
    gone(WINDOW);
    frame(WINDOW, 1, all);
}
static void a_frame_of_the_old_size(void)
{
    begin();
    surface(WINDOW, 1, SURFACE_WINDOW, W, H / 2, 0);
    buffer(WINDOW, W * 4, W * H * 4, SEALS);
    frame(WINDOW, 1, all);
}
static void a_rectangle_outside(void)
{
    begin();
    frame(WINDOW, 1, (struct display_rect){1, 0, W, H});
}
static void a_part_outside(void)
{
    begin();
    part(WINDOW, (struct display_rect){0, H, 1, 1});
}
static void a_second_loan(void)
{
    begin();
    rig_stop_client(true);
    frame(WINDOW, 1, all);
    frame(WINDOW, 2, all);
}
static void a_part_while_a_frame_is_on_loan(void)
{
    begin();
    rig_stop_client(true);
    frame(WINDOW, 1, all);
    part(WINDOW, all);
}
static void too_many_parts(void)
{
    begin();
    for (int i = 0; i <= DISPLAY_COPIED_MAX; i++)
        part(WINDOW, all);
}
static void an_end_of_nothing(void)
{
    layout(1, 640, 480);
    gone(WINDOW);
}

static const struct refusal {
    void (*act)(void);
    const char *reason;
} refusals[] = {
    {before_any_layout, "not of this layout"},
    {no_serial, "the serial is no new one"},
    {the_same_serial, "the serial is no new one"},
    {no_monitors, "no monitors"},
    {a_monitor_outside, "a monitor that is not within the output"},
    {a_monitor_left_of_the_corner, "a monitor that is not within the output"},
    {an_empty_monitor, "a monitor that is not within the output"},
    {a_layout_that_is_none, "not of this layout"},
    {an_empty_surface, "empty"},
    {no_kind, "wrong kind"},
    {a_second_desktop, "wrong kind"},
    {a_window_with_the_desktops_id, "wrong kind"},
    {too_many_surfaces, "too many surfaces"},
    {too_many_pixels, "too many pixels"},
    {a_buffer_of_nothing, "unknown surface"},
    {a_buffer_of_a_hidden_one, "the surface is hidden"},
    {a_buffer_too_small, "too small"},
    {a_buffer_that_may_shrink, "not sealed"},
    {a_buffer_that_may_be_written, "not sealed"},
    {a_stride_too_short, "impossible stride"},
    {a_crooked_stride, "impossible stride"},
    {a_frame_of_nothing, "unknown surface"},
    {a_frame_without_a_buffer, "no buffer"},
    {a_frame_of_a_surface_that_is_gone, "unknown surface"},
    {a_frame_of_the_old_size, "a rectangle that is not within the surface"},
    {a_rectangle_outside, "a rectangle that is not within the surface"},
    {a_part_outside, "a rectangle that is not within the surface"},
    {a_second_loan, "a frame is on loan"},
    {a_part_while_a_frame_is_on_loan, "a frame is on loan"},
    {too_many_parts, "too many parts"},
    {an_end_of_nothing, "unknown surface"},
};

static void whoever_breaks_a_rule_is_refused_with_the_reason(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        rig_open((struct rig_options){.played = true});
        let_it_read();
        refusals[i].act();
        let_it_read();
        bool ended = !rig_peer()->display.link && rig_peer()->display.nsurfaces == 0;
        bool said = strstr(rig_log(), refusals[i].reason) != NULL;
        rig_close();
        if (!ended || !said)
            fail_msg("refusal %zu, %s: link ended %d, reason said %d", i, refusals[i].reason, ended, said);
    }
}

/* ---- what does not ---- */

static unsigned frames_given_back(uint32_t id, uint32_t number)
{
    static _Alignas(16) uint8_t buf[65536];
    const struct wire_def *def;
    unsigned n = 0;
    int fds[WIRE_FDS_MAX];
    while (wire_recv(rig_drawer(), &display_to_drawer, &def, buf, fds, 1) == 0) {
        const struct display_frame_done *m = (void *)buf;
        n += def == &display_frame_done_def && m->surface == id && m->frame == number;
    }
    return n;
}

static void assert_linked(void)
{
    let_it_read();
    assert_non_null(rig_peer()->display.link);
}

static void each_frame_goes_back_to_the_surface_that_lent_it(void **state)
{
    rig_open((struct rig_options){.played = true});
    begin();
    surface(9, 1, SURFACE_WINDOW, W, H, 0);
    good_buffer(9);
    frame(9, 41, all);
    frame(WINDOW, 17, all);
    assert_linked();
    assert_int_equal(frames_given_back(9, 41), 1);
    frame(9, 42, all);
    frame(9, 43, (struct display_rect){W, H, 0, 0}); /* empty, at the very corner */
    assert_linked();
    assert_int_equal(frames_given_back(9, 43), 1);
    rig_close();
}

static void a_frame_of_an_older_layout_goes_back_unread(void **state)
{
    rig_open((struct rig_options){.played = true});
    begin();
    layout(2, 640, 480);
    part(WINDOW, all);
    frame(WINDOW, 5, all);
    assert_linked();
    assert_int_equal(frames_given_back(WINDOW, 5), 1);
    assert_false(rig_peer()->display.surfaces[0]->in_engine);
    surface(WINDOW, 2, SURFACE_WINDOW, W, H, 0); /* it keeps its buffer */
    assert_linked();
    assert_true(rig_peer()->display.surfaces[0]->in_engine);
    frame(WINDOW, 6, all);
    assert_linked();
    assert_int_equal(frames_given_back(WINDOW, 6), 1);
    assert_int_equal(rig_resets(), 2);
    rig_close();
}

static void a_layout_takes_the_frame_that_waits_back(void **state)
{
    rig_open((struct rig_options){.played = true});
    begin();
    rig_stop_client(true);
    frame(WINDOW, 8, all);
    assert_linked();
    assert_int_equal(frames_given_back(WINDOW, 8), 0);
    layout(2, 800, 480);
    assert_linked();
    assert_int_equal(frames_given_back(WINDOW, 8), 1);
    rig_close();
}

static void hidden_and_gone_ones_give_their_memory_back(void **state)
{
    rig_open((struct rig_options){.played = true});
    begin();
    frame(WINDOW, 1, all);
    assert_linked();
    const struct shown *s = rig_peer()->display.surfaces[0];
    assert_true(s->in_engine && s->px);
    surface(WINDOW, 1, SURFACE_WINDOW, W, H, 1);
    assert_linked();
    assert_true(!s->in_engine && !s->px);
    surface(WINDOW, 1, SURFACE_WINDOW, W, H, 0);
    good_buffer(WINDOW);
    assert_linked();
    assert_true(s->in_engine && s->px);
    gone(WINDOW);
    window(WINDOW); /* the id is free again */
    good_buffer(WINDOW);
    frame(WINDOW, 1, all);
    assert_linked();
    assert_int_equal(frames_given_back(WINDOW, 1), 2);
    rig_close();
}

static void a_layout_alone_resets_the_graphics(void **state)
{
    rig_open((struct rig_options){.played = true});
    begin();
    for (uint32_t i = 0; i < 5; i++) {
        surface(WINDOW, 1, SURFACE_WINDOW, W + i, H, 0);
        surface(20 + i, 1, SURFACE_WINDOW, W, H, 0);
        good_buffer(20 + i);
    }
    gone(21);
    assert_linked();
    assert_int_equal(rig_resets(), 1);
    layout(2, 640, 480);
    assert_linked();
    assert_int_equal(rig_resets(), 2);
    rig_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_breaks_a_rule_is_refused_with_the_reason),
        cmocka_unit_test(each_frame_goes_back_to_the_surface_that_lent_it),
        cmocka_unit_test(a_frame_of_an_older_layout_goes_back_unread),
        cmocka_unit_test(a_layout_takes_the_frame_that_waits_back),
        cmocka_unit_test(hidden_and_gone_ones_give_their_memory_back),
        cmocka_unit_test(a_layout_alone_resets_the_graphics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
