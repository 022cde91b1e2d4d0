/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real oriel-agent in front of a real X server: argv[1] is "xvfb" or "xorg", argv[2] a pattern of test names.
 * ORIEL_AGENT names the program. */
#include "tests/tools/front.h"
#include "tests/tools/xserver.h"
#include "tests/unit/agent/display_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xcb/randr.h>
#include <xcb/xcb.h>

#include <cmocka.h>

/* ---- frames ---- */

static void random_drawing(struct fixture *x, int n)
{
    uint16_t w, h;
    fixture_root_size(x, &w, &h);
    for (int i = 0; i < n; i++) {
        uint32_t colour = (uint32_t)rand() & 0xffffff;
        bool big = rand() % 10 == 0;
        xcb_rectangle_t r = {(int16_t)(rand() % w), (int16_t)(rand() % h), (uint16_t)(1 + rand() % (big ? w : 60)),
            (uint16_t)(1 + rand() % (big ? h : 60))};
        xcb_change_gc(x->c, x->gc, XCB_GC_FOREGROUND, &colour);
        xcb_poly_fill_rectangle(x->c, i % 3 ? x->window : x->root, x->gc, 1, &r);
        if (i % 5 == 0)
            xcb_copy_area(x->c, x->root, x->root, x->gc, r.x, r.y, (int16_t)(rand() % w), (int16_t)(rand() % h), 200,
                150);
    }
    xcb_flush(x->c);
}

static void every_pixel_is_right_under_random_drawing(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(1280, 800));
    for (int round = 0; round < 25; round++) {
        random_drawing(x, 40);
        fixture_wait_same_picture(x, &f);
    }
    front_finish(&f);
}

static void pixels_stay_right_through_resizes_and_monitors(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(1024, 768));
    struct display_layout layouts[] = {
        fixture_single(1366, 769),
        fixture_single(801, 601),
        fixture_single(1080, 1920),
        fixture_single(2560, 1440),
        {.nmonitors = 2,
            .monitors = {{.width = 1280, .height = 720, .primary = 1},
                {.x = 1280, .y = 100, .width = 801, .height = 601}}},
        {.nmonitors = 3,
            .monitors = {{.x = 640, .width = 640, .height = 480, .primary = 1}, {.width = 640, .height = 480},
                {.x = 1280, .y = -120, .width = 600, .height = 800}}},
        fixture_single(1024, 768),
    };
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        unsigned before = f.buffers;
        assert_int_equal(wire_send(f.sock, &display_layout_def, &layouts[i], NULL), 0);
        fixture_wait_buffers(&f, before + 1);
        fixture_cover_root(x);
        random_drawing(x, 30);
        assert_int_equal(f.buffer.nmonitors, layouts[i].nmonitors);
        fixture_wait_same_picture(x, &f);
        fixture_assert_monitors(x, &f.buffer);
    }
    front_finish(&f);
}

static void a_large_desktop_is_possible(void **state)
{
    struct fixture *x = *state;
    struct front f;
    bool grows = x->server.kind == XSERVER_XORG;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(grows ? 7680 : 3840, grows ? 4320 : 2160));
    assert_int_equal(f.buffer.width, grows ? 7680 : 3840);
    random_drawing(x, 10);
    fixture_wait_same_picture(x, &f);
    struct display_layout too_large = fixture_single(32767, 32767);
    assert_int_equal(wire_send(f.sock, &display_layout_def, &too_large, NULL), 0);
    if (grows)
        fixture_wait_buffers(&f, f.buffers + 1);
    assert_true(front_settle(&f, 300, 10000) >= 0);
    assert_true(f.buffer.width <= 16384 && f.buffer.height <= 8192);
    front_finish(&f);
}

static void the_session_may_change_the_size_itself(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(1280, 800));
    char command[128];
    snprintf(command, sizeof command, "xrandr --output %s --mode 800x600 >/dev/null 2>&1",
        x->server.kind == XSERVER_XORG ? "DUMMY0" : "screen");
    if (fixture_run(command) == 0) {
        fixture_wait_buffers(&f, f.buffers + 1);
        assert_int_equal(f.buffer.width, 800);
        fixture_wait_same_picture(x, &f);
    }
    front_finish(&f);
}

/* ---- buffers ---- */

static void the_receiver_cannot_write_or_resize_the_buffer(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(640, 480));
    char byte = 'x', path[64];
    assert_int_equal(pwrite(f.buffer_fd, &byte, 1, 0), -1);
    assert_int_equal(ftruncate(f.buffer_fd, 10), -1);
    assert_int_equal(ftruncate(f.buffer_fd, (off_t)f.map_len * 2), -1);
    assert_ptr_equal(mmap(NULL, f.map_len, PROT_READ | PROT_WRITE, MAP_SHARED, f.buffer_fd, 0), MAP_FAILED);
    assert_int_equal(mprotect((void *)f.map, f.map_len, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(fcntl(f.buffer_fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", f.buffer_fd);
    int again = open(path, O_RDWR);
    if (again >= 0) {
        assert_int_equal(pwrite(again, &byte, 1, 0), -1);
        assert_ptr_equal(mmap(NULL, f.map_len, PROT_WRITE, MAP_SHARED, again, 0), MAP_FAILED);
        close(again);
    }
    front_finish(&f);
}

static void a_frame_on_loan_is_not_written(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(640, 480));
    f.hold = true;
    fixture_fill(x, 0, 0, 100, 100, 0xff0000);
    fixture_wait_frames(&f, f.frames + 1);
    uint32_t before;
    memcpy(&before, f.map, 4);
    fixture_fill(x, 0, 0, 100, 100, 0x00ff00);
    assert_int_equal(front_settle(&f, 200, 1000), 0);
    assert_memory_equal(&before, f.map, 4);
    f.hold = false;
    front_done(&f);
    fixture_wait_same_picture(x, &f);
    front_finish(&f);
}

/* ---- several clients ---- */

static void a_viewer_that_never_reads_delays_nobody(void **state)
{
    struct fixture *x = *state;
    struct front first, viewer;
    fixture_attach(x, &first, 1, ROLE_CONTROL, fixture_single(1024, 768));
    fixture_attach(x, &viewer, 2, ROLE_VIEW, fixture_single(300, 200)); /* its own size counts for nothing */
    assert_int_equal(viewer.buffer.width, 1024);
    viewer.hold = true;
    uint64_t worst = 0;
    for (int i = 0; i < 60; i++) {
        uint64_t t = fixture_now_us();
        fixture_fill(x, (i * 37) % 900, (i * 53) % 700, 50, 50, (uint32_t)i * 4321);
        fixture_wait_frames(&first, first.frames + 1);
        t = fixture_now_us() - t;
        worst = t > worst ? t : worst;
        usleep(12000);
    }
    print_message("slowest frame beside a stuck viewer: %llu us\n", (unsigned long long)worst);
    fixture_wait_same_picture(x, &first);
    assert_true(front_settle(&viewer, 60, 1000) >= 0);
    assert_true(viewer.frames <= 3);
    viewer.hold = false;
    front_done(&viewer);
    fixture_wait_same_picture(x, &viewer);
    front_finish(&viewer);
    front_finish(&first);
}

static void a_viewer_has_no_hands(void **state)
{
    struct fixture *x = *state;
    struct front first, viewer;
    fixture_attach(x, &first, 1, ROLE_CONTROL, fixture_single(1024, 768));
    fixture_attach(x, &viewer, 2, ROLE_VIEW, fixture_single(1024, 768));
    front_event(&first, &(struct display_event){.type = INPUT_MOVE, .x = 50, .y = 60});
    fixture_wait_pointer(x, 50, 60);
    front_event(&viewer, &(struct display_event){.type = INPUT_MOVE, .x = 500, .y = 600});
    front_key(&viewer, 0x1e, INPUT_DOWN);
    struct display_layout l = fixture_single(640, 480);
    wire_send(viewer.sock, &display_layout_def, &l, NULL);
    assert_true(front_settle(&viewer, 150, 1000) >= 0);
    assert_true(front_settle(&first, 50, 1000) >= 0);
    fixture_wait_pointer(x, 50, 60);
    assert_int_equal(first.buffer.width, 1024);
    assert_int_equal(fixture_keys_down(x), 0);
    front_finish(&viewer);
    front_finish(&first);
}

static void a_dropped_client_is_told_and_the_other_goes_on(void **state)
{
    struct fixture *x = *state;
    struct front one, two;
    fixture_attach(x, &one, 1, ROLE_CONTROL, fixture_single(1024, 768));
    fixture_attach(x, &two, 2, ROLE_VIEW, fixture_single(1024, 768));
    struct agent_drop drop = {.client = 1, .cause = END_REPLACED};
    assert_int_equal(wire_send(x->agent.sock, &agent_drop_def, &drop, NULL), 0);
    int r = 0;
    while (r >= 0)
        r = front_step(&one, 2000);
    assert_true(r == -EPIPE || r == -ECONNRESET);
    assert_int_equal(one.end_reason, DISPLAY_END_DROPPED);
    fixture_fill(x, 10, 10, 20, 20, 0x123456);
    fixture_wait_frames(&two, two.frames + 1);
    front_finish(&one);
    front_finish(&two);
}

static void suppression_stops_frames_and_ends_with_a_whole_one(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    wire_send(f.sock, &display_suppress_def, &(struct display_suppress){.on = 1}, NULL);
    usleep(50000);
    unsigned before = f.frames;
    fixture_fill(x, 0, 0, 50, 50, 0xabcdef);
    front_settle(&f, 150, 1000);
    assert_int_equal(f.frames, before);
    wire_send(f.sock, &display_suppress_def, &(struct display_suppress){.on = 0}, NULL);
    fixture_wait_frames(&f, before + 1);
    assert_int_equal(f.frame.nrects, 1);
    assert_int_equal(f.frame.rects[0].width, 800);
    assert_int_equal(f.frame.rects[0].height, 600);
    before = f.frames;
    struct display_refresh r = {.nrects = 1, .rects = {{5, 6, 7, 8}}};
    wire_send(f.sock, &display_refresh_def, &r, NULL);
    fixture_wait_frames(&f, before + 1);
    assert_memory_equal(&f.frame.rects[0], &r.rects[0], sizeof r.rects[0]);
    front_finish(&f);
}

/* ---- hostile front ends ---- */

static void expect_thrown_out(struct fixture *x, struct front *bad, struct front *good)
{
    int r = 0;
    for (int i = 0; i < 200 && r >= 0; i++)
        r = front_step(bad, 2000);
    assert_true(r == -EPIPE || r == -ECONNRESET);
    front_finish(bad);
    fixture_fill(x, rand() % 500, rand() % 500, 20, 20, (uint32_t)rand() & 0xffffff);
    fixture_wait_frames(good, good->frames + 1);
}

static void broken_rules_end_only_the_one_who_broke_them(void **state)
{
    struct fixture *x = *state;
    struct front good, bad;
    fixture_attach(x, &good, 1, ROLE_CONTROL, fixture_single(800, 600));
    static const uint8_t junk[][12] = {{1, 0, 99, 0, 0, 0, 0, 0}, {9, 0, 3, 0, 0, 0, 0, 0},
        {1, 0, 3, 0, 4, 0, 0, 0, 255, 255, 255, 255}, {1, 0, 1, 0, 4, 0, 0, 0, 16, 0, 0, 0}, {1}};
    static const size_t lengths[] = {8, 8, 12, 12, 1};
    for (unsigned i = 0; i < 5; i++) {
        fixture_attach(x, &bad, 10 + i, ROLE_VIEW, fixture_single(800, 600));
        assert_int_equal(wire_send_raw(bad.sock, junk[i], lengths[i], NULL, 0, 0), 0);
        expect_thrown_out(x, &bad, &good);
    }
    struct display_layout l = fixture_single(800, 600);
    fixture_attach(x, &bad, 20, ROLE_VIEW, l); /* opens twice */
    front_open(&bad, &l, 0);
    expect_thrown_out(x, &bad, &good);
    front_init(&bad, front_agent_client(&x->agent, 21, ROLE_CONTROL)); /* input before opening */
    front_key(&bad, 0x1e, INPUT_DOWN);
    expect_thrown_out(x, &bad, &good);
    front_finish(&good);
}

static void wild_numbers_do_no_harm(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    static const int32_t wild[] = {INT32_MIN, -1, 0, 1, 799, 800, 32767, 32768, 65536, INT32_MAX};
    for (int i = 0; i < 3000; i++) {
        struct display_event e = {.type = (uint8_t)(1 + rand() % INPUT_TYPE_MAX),
            .flags = (uint8_t)(rand() & 15),
            .code = rand() % 3 ? (uint32_t)rand() % 0x110000 : (uint32_t)rand() % 256,
            .x = wild[rand() % 10],
            .y = wild[rand() % 10],
            .value = wild[rand() % 10]};
        if (e.type == INPUT_WHEEL && rand() % 8)
            continue; /* a click storm tests only the X server */
        assert_int_equal(front_event(&f, &e), 0);
        if (i % 100 == 0)
            assert_true(front_settle(&f, 1, 1000) >= 0);
    }
    struct display_refresh r = {.nrects = 3,
        .rects = {{32767, 32767, 32767, 32767}, {0, 0, 32767, 32767}, {799, 599, 0, 5}}};
    assert_int_equal(wire_send(f.sock, &display_refresh_def, &r, NULL), 0);
    struct display_frame_done done = {.frame = 0xffffffff};
    assert_int_equal(wire_send(f.sock, &display_frame_done_def, &done, NULL), 0);
    fixture_wait_same_picture(x, &f);
    front_finish(&f);
    assert_int_equal(fixture_keys_down_after(x, 2000), 0);
}

static void a_storm_of_layouts_is_gathered(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    for (uint32_t i = 0; i < 100; i++) {
        struct display_layout l = fixture_single(700 + i, 500 + i);
        assert_int_equal(wire_send(f.sock, &display_layout_def, &l, NULL), 0);
    }
    assert_true(front_settle(&f, 250, 10000) >= 0);
    assert_int_equal(f.buffer.width, 799);
    assert_int_equal(f.buffer.height, 599);
    print_message("100 layouts made %u buffers\n", f.buffers - 1);
    assert_true(f.buffers < 12);
    fixture_wait_same_picture(x, &f);
    front_finish(&f);
}

/* ---- timing ---- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void a_small_change_leaves_at_once(void **state)
{
    enum { N = 100 };
    struct fixture *x = *state;
    struct front f;
    uint64_t draw[N], damage[N];
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(1920, 1080));
    for (int i = 0; i < N; i++) {
        usleep(15000);
        uint64_t t = fixture_now_us();
        fixture_fill(x, (i * 7) % 1800, (i * 5) % 1000, 8, 16, (uint32_t)rand() & 0xffffff);
        fixture_wait_frames(&f, f.frames + 1);
        uint64_t now = fixture_now_us();
        draw[i] = now - t;
        damage[i] = now - f.frame.damaged_us;
    }
    qsort(draw, N, sizeof draw[0], by_value);
    qsort(damage, N, sizeof damage[0], by_value);
    print_message("draw to frame: median %llu us, p90 %llu us; damage seen to frame: median %llu us\n",
        (unsigned long long)draw[N / 2], (unsigned long long)draw[N * 9 / 10], (unsigned long long)damage[N / 2]);
    assert_true(draw[N / 2] < 5000); /* goal: 1 ms on an idle machine; this bound only catches waiting for a clock */
    front_finish(&f);
}

static void large_pictures_in_one_piece_soon_wait_no_longer(void **state)
{
    enum { N = 80, LEARNT = 40 };
    struct fixture *x = *state;
    struct front f;
    uint64_t lag[N];
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(1920, 1080));
    for (int i = 0; i < N; i++) {
        usleep(12000);
        uint64_t t = fixture_now_us();
        fixture_fill(x, 0, 0, 1280, 720, (uint32_t)i * 54321);
        fixture_wait_frames(&f, f.frames + 1);
        lag[i] = fixture_now_us() - t;
    }
    uint64_t first = lag[0], *later = lag + LEARNT;
    qsort(later, N - LEARNT, sizeof later[0], by_value);
    print_message("first large picture: %llu us, later ones: best %llu us, median %llu us\n", (unsigned long long)first,
        (unsigned long long)later[0], (unsigned long long)later[(N - LEARNT) / 2]);
    assert_true(first >= 2000); /* it might have come in parts */
    /* Without the waiting. The best of forty, as this machine may be busy; copying alone takes longer on some than the
     * silence does. */
    assert_true(later[0] < first);
    front_finish(&f);
}

enum { PARTS = 5, PART_US = 500, PAUSE_US = 1500, PART_HEIGHT = 80, PICTURES = 120 };

/* A program that draws each picture in five requests, and tells of each whether the machine let it do so without a
 * pause. */
static pid_t draw_in_parts(struct fixture *x, uint8_t *punctual)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    xcb_connection_t *c = xcb_connect(x->server.display, NULL);
    xcb_gcontext_t gc = xcb_generate_id(c);
    uint32_t inferiors[] = {XCB_SUBWINDOW_MODE_INCLUDE_INFERIORS, 0};
    xcb_create_gc(c, gc, x->root, XCB_GC_SUBWINDOW_MODE | XCB_GC_GRAPHICS_EXPOSURES, inferiors);
    for (uint32_t i = 1; i <= PICTURES; i++) {
        usleep(30000);
        uint64_t begun = fixture_now_us();
        for (int k = 0; k < PARTS; k++) {
            xcb_rectangle_t r = {0, (int16_t)(k * PART_HEIGHT), 1000, PART_HEIGHT};
            xcb_change_gc(c, gc, XCB_GC_FOREGROUND, &i);
            xcb_poly_fill_rectangle(c, x->root, gc, 1, &r);
            xcb_flush(c);
            usleep(PART_US);
        }
        punctual[i] = fixture_now_us() - begun < PARTS * PART_US + PAUSE_US;
    }
    _exit(xcb_connection_has_error(c) ? 1 : 0);
}

/* The picture of which only some parts are there; 0: none. */
static uint32_t half_drawn(const struct front *f)
{
    const uint32_t *px = (const uint32_t *)(const void *)f->picture;
    for (size_t k = 1; k < PARTS; k++)
        if (((px[k * PART_HEIGHT * f->buffer.width] ^ px[0]) & 0xffffff) != 0)
            return px[0] & 0xffffff;
    return 0;
}

static unsigned count(const uint8_t *flags)
{
    unsigned n = 0;
    for (int i = 0; i <= PICTURES; i++)
        n += flags[i];
    return n;
}

static void pictures_in_parts_are_rarely_seen_half(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(1280, 720));
    fixture_fill(x, 0, 0, 1000, PARTS * PART_HEIGHT, 0);
    fixture_wait_frames(&f, f.frames + 1);
    unsigned before = f.frames;
    uint8_t half[PICTURES + 1] = {0},
                            *punctual =
                                mmap(NULL, PICTURES + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(punctual, MAP_FAILED);
    pid_t pid = draw_in_parts(x, punctual);
    assert_true(pid > 0);
    const uint32_t *px = (const uint32_t *)(const void *)f.picture;
    unsigned frames = f.frames;
    for (; (px[(PARTS * PART_HEIGHT - 1) * f.buffer.width] & 0xffffff) != PICTURES; frames = f.frames) {
        fixture_wait_frames(&f, frames + 1);
        half[half_drawn(&f)] = 1;
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (int i = 0; i <= PICTURES; i++)
        half[i] = half[i] && punctual[i];
    print_message("%d pictures in %d parts, %u without a pause: %u frames, %u of those half-drawn\n", PICTURES, PARTS,
        count(punctual), f.frames - before, count(half));
    /* X may not be run for 2 ms, and then the program counts as done */
    assert_true(count(half) * 4 <= count(punctual));
    munmap(punctual, PICTURES + 1);
    front_finish(&f);
}

static void an_idle_agent_does_not_wake_up(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(1280, 800));
    front_settle(&f, 500, 5000);
    unsigned long ticks = fixture_cpu_ticks(x->agent.pid), switches = fixture_switches(x->agent.pid);
    int n = front_settle(&f, 3000, 3000);
    print_message("idle for 3 s: %lu ticks, %lu switches, %d messages\n", fixture_cpu_ticks(x->agent.pid) - ticks,
        fixture_switches(x->agent.pid) - switches, n);
    assert_int_equal(n, 0);
    assert_int_equal(fixture_cpu_ticks(x->agent.pid), ticks);
    assert_true(fixture_switches(x->agent.pid) - switches <= 1);
    front_finish(&f);
}

/* ---- pointer ---- */

static void shapes_reach_the_client(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    front_event(&f, &(struct display_event){.type = INPUT_MOVE, .x = 400, .y = 300});
    fixture_set_cursor(x, 24, 24, 3, 4, 0xff112233);
    fixture_wait_cursor(&f, 24, 24);
    assert_int_equal(f.cursor.hot_x, 3);
    assert_int_equal(f.cursor.hot_y, 4);
    assert_int_equal(f.cursor.pixels[0], 0x33);
    assert_int_equal(f.cursor.pixels[3], 0xff);
    fixture_set_cursor(x, 200, 100, 100, 50, 0xff445566);
    fixture_wait_cursor(&f, 96, 48);
    assert_int_equal(f.cursor.hot_x, 48);
    assert_int_equal(f.cursor.nbytes, 96 * 48 * 4);
    fixture_set_cursor(x, 16, 16, 0, 0, 0);
    fixture_wait_cursor(&f, 0, 0);
    front_finish(&f);
}

static void a_pointer_moved_by_a_program_is_reported(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    front_event(&f, &(struct display_event){.type = INPUT_MOVE, .x = 100, .y = 100});
    fixture_wait_pointer(x, 100, 100);
    fixture_fill(x, 0, 0, 10, 10, 0x111111);
    front_settle(&f, 60, 1000);
    unsigned before = f.pointers;
    xcb_warp_pointer(x->c, XCB_NONE, x->root, 0, 0, 0, 0, 333, 222);
    fixture_fill(x, 0, 0, 10, 10, 0x222222);
    while (f.pointers == before)
        assert_int_equal(front_step(&f, 30000), 0);
    front_settle(&f, 60, 1000);
    assert_int_equal(f.pointers, before + 1);
    assert_true(f.pointer.x == 333 && f.pointer.y == 222);
    front_finish(&f);
}

static void buttons_and_wheel_reach_the_window(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    static const uint32_t buttons[] = {1, 2, 3, 8, 9};
    for (size_t i = 0; i < 5; i++) {
        struct display_event e = {.type = INPUT_BUTTON, .code = buttons[i], .flags = INPUT_DOWN, .x = 20, .y = 30};
        front_event(&f, &e);
        e.flags = 0;
        front_event(&f, &e);
        fixture_expect_click(x, (uint8_t)buttons[i]);
    }
    for (int i = 0; i < 8; i++)
        front_event(&f, &(struct display_event){.type = INPUT_WHEEL, .value = 30});
    fixture_expect_click(x, 4);
    fixture_expect_click(x, 4);
    front_event(&f, &(struct display_event){.type = INPUT_WHEEL, .value = -120, .flags = INPUT_HORIZONTAL});
    fixture_expect_click(x, 6);
    front_finish(&f);
}

/* ---- the leader's side ---- */

static void clients_and_sizes_are_told_to_the_leader(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 7, ROLE_CONTROL, fixture_single(999, 777));
    const void *msg;
    const struct wire_def *def;
    const struct agent_client_size *size = NULL;
    while ((def = front_agent_message(&x->agent, &msg, 1000)) == &agent_client_gone_def)
        ;
    assert_ptr_equal(def, &agent_client_size_def);
    size = msg;
    assert_true(size->client == 7 && size->width == 999 && size->height == 777 && size->nmonitors == 1);
    front_finish(&f);
    def = front_agent_message(&x->agent, &msg, 2000);
    assert_ptr_equal(def, &agent_client_gone_def);
    assert_int_equal(((const struct agent_client_gone *)msg)->client, 7);
}

static void a_notice_is_shown_until_clicked(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(800, 600));
    int fd = memfd_create("notice", 0);
    uint32_t px[100 * 50];
    for (size_t i = 0; i < 5000; i++)
        px[i] = 0xff00dd11;
    assert_int_equal(write(fd, px, sizeof px), sizeof px);
    struct agent_notice m = {.width = 100, .height = 50, .stride = 400};
    assert_int_equal(wire_send(x->agent.sock, &agent_notice_def, &m, &fd), 0);
    fixture_wait_frames(&f, f.frames + 1);
    fixture_wait_same_picture(x, &f);
    const uint32_t *picture = (const uint32_t *)(const void *)f.picture;
    assert_int_equal(picture[300 * 800 + 400] & 0xffffff, 0x00dd11);
    front_event(&f, &(struct display_event){.type = INPUT_BUTTON, .code = 1, .flags = INPUT_DOWN, .x = 400, .y = 300});
    front_event(&f, &(struct display_event){.type = INPUT_BUTTON, .code = 1, .x = 400, .y = 300});
    fixture_wait_frames(&f, f.frames + 1);
    fixture_wait_same_picture(x, &f);
    assert_int_not_equal(picture[300 * 800 + 400] & 0xffffff, 0x00dd11);
    m.width = 101; /* more than the memory holds */
    m.height = 5000;
    assert_int_equal(wire_send(x->agent.sock, &agent_notice_def, &m, &fd), 0);
    close(fd);
    fixture_fill(x, 0, 0, 10, 10, 0x777777);
    fixture_wait_frames(&f, f.frames + 1);
    front_finish(&f);
}

static bool resources_are(struct fixture *x, const char *want)
{
    xcb_get_property_reply_t *r = xcb_get_property_reply(x->c,
        xcb_get_property(x->c, 0, x->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 0, 1000), NULL);
    assert_non_null(r);
    size_t n = (size_t)xcb_get_property_value_length(r);
    bool same = n == strlen(want) && memcmp(xcb_get_property_value(r), want, n) == 0;
    free(r);
    return same;
}

static void the_scale_reaches_resources_and_monitors(void **state)
{
    struct fixture *x = *state;
    struct front f;
    struct display_layout l = fixture_single(1600, 1200);
    const char *resources = "Mine.color:\tred\nXft.dpi:\t12\n";
    xcb_change_property(x->c, XCB_PROP_MODE_REPLACE, x->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 8,
        (uint32_t)strlen(resources), resources);
    (void)fixture_keys_down(x); /* a round trip: it is there */
    l.monitors[0].scale = 200;
    fixture_attach(x, &f, 1, ROLE_CONTROL, l);
    const char *want = "Mine.color:\tred\nXft.dpi:\t192\nXcursor.size:\t48\n";
    /* the agent writes them after the buffer that the front end waited for */
    for (uint64_t since = fixture_now_us(); !resources_are(x, want);)
        assert_true(fixture_now_us() - since < 5000000);
    assert_int_equal(f.buffer.monitors[0].scale, 200);
    assert_int_equal(f.buffer.monitors[0].phys_width, 1600 * 254 / 1920);
    front_finish(&f);
}

/* Lines of others, appended while the agent edits its own. */
static void the_resources_of_others_survive_changes_of_scale(void **state)
{
    enum { CHANGES = 10, LINES_MAX = 30000 }; /* of two bytes each: within the 64 KiB that an agent reads */
    struct fixture *x = *state;
    struct front f;
    struct display_layout l = fixture_single(800, 600);
    unsigned lines = 0, kept = 0;
    xcb_delete_property(x->c, x->root, XCB_ATOM_RESOURCE_MANAGER);
    fixture_attach(x, &f, 1, ROLE_CONTROL, l);
    uint64_t since = fixture_now_us();
    for (unsigned i = 0, first = f.layouts; i < CHANGES; i++) {
        l.monitors[0].scale = 125 + 25 * i;
        assert_int_equal(wire_send(f.sock, &display_layout_def, &l, NULL), 0);
        while (f.layouts <= first + i) {
            for (int k = 0; k < 16 && lines < LINES_MAX; k++, lines++) {
                xcb_change_property(x->c, XCB_PROP_MODE_APPEND, x->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 8,
                    2, "!\n");
                (void)fixture_keys_down(x); /* a round trip: it is there */
            }
            while (front_step(&f, 1) == 0)
                ;
            assert_true(fixture_now_us() - since < 30000000);
        }
    }
    xcb_get_property_reply_t *r = xcb_get_property_reply(x->c,
        xcb_get_property(x->c, 0, x->root, XCB_ATOM_RESOURCE_MANAGER, XCB_ATOM_STRING, 0, 65536), NULL);
    assert_non_null(r);
    const char *text = xcb_get_property_value(r);
    for (int i = 0; i < xcb_get_property_value_length(r); i++)
        kept += text[i] == '\n';
    free(r);
    front_finish(&f);
    assert_int_equal(kept, lines + 2);
}

/* ---- ends ---- */

static void silence_is_told_after_the_idle_limit(void **state)
{
    struct fixture *x = *state;
    struct front_agent a;
    struct front f;
    struct display_layout l = fixture_single(640, 480);
    fixture_stop_agent(x);
    assert_int_equal(front_agent_start(&a, fixture_program(), x->server.display, &l, 0x409, 1), 0);
    front_init(&f, front_agent_client(&a, 1, ROLE_CONTROL));
    front_open(&f, &l, 0x409);
    const void *msg;
    assert_ptr_equal(front_agent_message(&a, &msg, 2000), &agent_client_size_def);
    usleep(600000);
    front_event(&f, &(struct display_event){.type = INPUT_MOVE, .x = 1, .y = 1});
    uint64_t t = fixture_now_us();
    assert_ptr_equal(front_agent_message(&a, &msg, 3000), &agent_idle_def);
    t = fixture_now_us() - t;
    assert_true(t > 800000 && t < 2500000);
    front_finish(&f);
    assert_int_equal(front_agent_stop(&a), 0);
}

static void the_death_of_the_display_is_told_to_everybody(void **state)
{
    struct fixture *x = *state;
    struct front f;
    fixture_attach(x, &f, 1, ROLE_CONTROL, fixture_single(640, 480));
    kill(x->server.pid, SIGKILL);
    int r = 0;
    while (r >= 0)
        r = front_step(&f, 3000);
    assert_int_equal(f.end_reason, DISPLAY_END_SERVER_DIED);
    const void *msg;
    const struct wire_def *def;
    while ((def = front_agent_message(&x->agent, &msg, 2000)) && def != &agent_failed_def)
        ;
    assert_ptr_equal(def, &agent_failed_def);
    int status;
    assert_int_equal(waitpid(x->agent.pid, &status, 0), x->agent.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    close(x->agent.sock);
    x->agent.pid = -1;
    front_finish(&f);
}

static void a_missing_display_is_a_clear_failure(void **state)
{
    struct fixture *x = *state;
    struct front_agent a;
    struct display_layout l = fixture_single(640, 480);
    fixture_stop_agent(x);
    assert_int_equal(front_agent_start(&a, fixture_program(), ":59999", &l, 0, 0), -EIO);
    assert_int_equal(front_agent_stop(&a), 1);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
    fixture_kind = strcmp(argv[1], "xorg") == 0 ? XSERVER_XORG : XSERVER_XVFB;
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(every_pixel_is_right_under_random_drawing),
        CASE(pixels_stay_right_through_resizes_and_monitors),
        CASE(a_large_desktop_is_possible),
        CASE(the_session_may_change_the_size_itself),
        CASE(the_receiver_cannot_write_or_resize_the_buffer),
        CASE(a_frame_on_loan_is_not_written),
        CASE(a_viewer_that_never_reads_delays_nobody),
        CASE(a_viewer_has_no_hands),
        CASE(a_dropped_client_is_told_and_the_other_goes_on),
        CASE(suppression_stops_frames_and_ends_with_a_whole_one),
        CASE(broken_rules_end_only_the_one_who_broke_them),
        CASE(wild_numbers_do_no_harm),
        CASE(a_storm_of_layouts_is_gathered),
        CASE(a_small_change_leaves_at_once),
        CASE(large_pictures_in_one_piece_soon_wait_no_longer),
        CASE(pictures_in_parts_are_rarely_seen_half),
        CASE(an_idle_agent_does_not_wake_up),
        CASE(shapes_reach_the_client),
        CASE(a_pointer_moved_by_a_program_is_reported),
        CASE(buttons_and_wheel_reach_the_window),
        CASE(clients_and_sizes_are_told_to_the_leader),
        CASE(a_notice_is_shown_until_clicked),
        CASE(the_scale_reaches_resources_and_monitors),
        CASE(the_resources_of_others_survive_changes_of_scale),
        CASE(silence_is_told_after_the_idle_limit),
        CASE(a_missing_display_is_a_clear_failure),
        CASE(the_death_of_the_display_is_told_to_everybody),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
