/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An agent with many surfaces, and a front end that does with each what it likes. */
#include "session/agent/agent.h"
#include "tests/tools/backend_drawn.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { W = 100, H = 80 };

static struct {
    struct agent agent;
    int leader, link;
    bool ended;
    struct display_monitors monitors;
    unsigned announced[DISPLAY_SURFACES_MAX], buffers[DISPLAY_SURFACES_MAX], frames[DISPLAY_SURFACES_MAX];
    uint32_t lent[DISPLAY_SURFACES_MAX]; /* the last frame's number */
    uint8_t hidden[DISPLAY_SURFACES_MAX];
} w;

static void take(const struct wire_def *def, const void *msg, const int *fds)
{
    const uint32_t *surface = msg;
    if (def == &display_monitors_def) {
        memcpy(&w.monitors, msg, sizeof w.monitors);
    } else if (def == &display_surface_def) {
        const struct display_surface *s = msg;
        assert_int_equal(s->layout, w.monitors.serial);
        w.announced[*surface]++;
        w.hidden[*surface] = s->hidden;
    } else if (def == &display_buffer_def) {
        w.buffers[*surface]++;
        close(fds[0]);
    } else if (def == &display_frame_def) {
        w.frames[*surface]++;
        w.lent[*surface] = ((const struct display_frame *)msg)->frame;
    }
}

/* Whatever the agent has to do and to say now. */
static void turn(bool read)
{
    static _Alignas(16) uint8_t buf[sizeof(struct display_cursor) + sizeof(struct display_frame)];
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX], r = 0;
    struct timespec pause = {0, 3000000};
    for (int i = 0; i < 8; i++) {
        event_base_loop(w.agent.base, EVLOOP_NONBLOCK);
        (void)nanosleep(&pause, NULL); /* longer than a burst in all */
        while (recv(w.leader, buf, sizeof buf, MSG_DONTWAIT) > 0)
            ;
        while (read && (r = wire_recv(w.link, &display_to_front, &def, buf, fds, 1)) == 0)
            take(def, buf, fds);
        w.ended |= r == -EPIPE || r == -ECONNRESET;
    }
}

static void done(uint32_t surface, uint32_t frame)
{
    struct display_frame_done m = {.surface = surface, .frame = frame};
    assert_int_equal(wire_send(w.link, &display_frame_done_def, &m, NULL), 0);
}

static void add(uint32_t id, uint32_t width)
{
    struct display_surface s = {.surface = id,
        .kind = SURFACE_WINDOW,
        .owner = DISPLAY_NO_SURFACE,
        .width = width,
        .height = H};
    drawn_surface(&s);
}

static int setup(void **state)
{
    static struct config config;
    struct agent_start start = {.open = {.nmonitors = 1, .monitors = {{.width = 640, .height = 480, .primary = 1}}}};
    struct agent_client client = {.client = 1, .role = ROLE_VIEW};
    int leader[2], link[2];
    memset(&w, 0, sizeof w);
    config_defaults(&config);
    assert_int_equal(link_pair(leader) | link_pair(link), 0);
    drawn_desktop(false);
    assert_int_equal(agent_init(&w.agent, &config, &backend_drawn, leader[1]), 0);
    w.leader = leader[0];
    w.link = link[0];
    assert_int_equal(wire_send(w.leader, &agent_start_def, &start, NULL), 0);
    assert_int_equal(wire_send(w.leader, &agent_client_def, &client, &link[1]), 0);
    close(link[1]);
    assert_int_equal(wire_send(w.link, &display_open_def, &start.open, NULL), 0);
    turn(true);
    assert_int_equal(w.monitors.width, 640);
    return 0;
}

static int teardown(void **state)
{
    agent_finish(&w.agent);
    close(w.leader);
    close(w.link);
    return 0;
}

static void while_one_is_on_loan_frames_of_the_others_come(void **state)
{
    for (uint32_t id = 1; id <= 8; id++)
        add(id, W);
    turn(true);
    for (uint32_t id = 1; id <= 8; id++)
        assert_true(w.announced[id] == 1 && w.buffers[id] == 1 && w.frames[id] == 1);
    for (unsigned round = 1; round <= 5; round++) { /* the first stays on loan */
        for (uint32_t id = 2; id <= 8; id++)
            done(id, w.lent[id]);
        for (uint32_t id = 1; id <= 8; id++)
            drawn_fill(id, 0, 0, 10, 10, round);
        turn(true);
        assert_int_equal(w.frames[1], 1);
        for (uint32_t id = 2; id <= 8; id++)
            assert_int_equal(w.frames[id], 1 + round);
    }
    done(1, w.lent[1]);
    turn(true);
    assert_int_equal(w.frames[1], 2);
}

static void what_crossed_the_agents_own_messages_is_ignored(void **state)
{
    struct display_refresh refresh = {.surface = 3, .nrects = 1, .rects = {{0, 0, 32767, 32767}}};
    add(3, W);
    turn(true);
    done(3, w.lent[3] + 1);
    done(4, w.lent[3]);
    turn(true);
    drawn_fill(3, 0, 0, 1, 1, 1);
    turn(true);
    assert_int_equal(w.frames[3], 1); /* still on loan */
    drawn_gone(3);
    turn(true);
    done(3, w.lent[3]);
    assert_int_equal(wire_send(w.link, &display_refresh_def, &refresh, NULL), 0);
    refresh.surface = DISPLAY_SURFACE_ID_MAX;
    assert_int_equal(wire_send(w.link, &display_refresh_def, &refresh, NULL), 0);
    turn(true);
    assert_false(w.ended);
    add(3, W);
    turn(true);
    assert_int_equal(w.frames[3], 2);
}

static void nobody_who_sees_nothing_gets_a_buffer(void **state)
{
    struct display_suppress suppress = {.on = 1};
    add(1, W);
    turn(true);
    assert_int_equal(wire_send(w.link, &display_suppress_def, &suppress, NULL), 0);
    turn(true);
    add(1, W + 9);
    add(2, W);
    turn(true);
    assert_true(w.announced[1] == 2 && w.buffers[1] == 1 && w.announced[2] == 1 && w.buffers[2] == 0);
    suppress.on = 0;
    assert_int_equal(wire_send(w.link, &display_suppress_def, &suppress, NULL), 0);
    turn(true);
    assert_true(w.buffers[1] == 2 && w.frames[1] == 2 && w.buffers[2] == 1 && w.frames[2] == 1);
}

static void what_only_moves_keeps_its_buffer(void **state)
{
    struct display_surface s = {.surface = 1, .kind = SURFACE_WINDOW, .owner = 2, .x = 5, .width = W, .height = H};
    add(1, W);
    turn(true);
    drawn_surface(&s);
    turn(true);
    assert_true(w.announced[1] == 2 && w.buffers[1] == 1);
    s.hidden = 1;
    drawn_surface(&s);
    turn(true);
    assert_true(w.hidden[1] && w.announced[1] == 3 && w.buffers[1] == 1);
    s.hidden = 0;
    drawn_surface(&s);
    turn(true);
    assert_true(!w.hidden[1] && w.announced[1] == 4 && w.buffers[1] == 2);
}

/* Each buffer that waits to be read holds a descriptor. */
static void who_takes_buffers_without_a_word_is_too_slow(void **state)
{
    add(1, W);
    turn(true);
    for (uint32_t i = 0; i <= CLIENT_BUFFERS_MAX && w.agent.clients; i++) {
        add(1, W + 1 + i % 2);
        for (int k = 0; k < 3; k++)
            event_base_loop(w.agent.base, EVLOOP_NONBLOCK);
    }
    assert_null(w.agent.clients);
    turn(true);
    assert_true(w.ended);
}

static void sixty_four_surfaces_are_told(void **state)
{
    for (uint32_t id = 0; id < DISPLAY_SURFACES_MAX; id++)
        add(id, 8);
    for (int i = 0; i < 4; i++)
        turn(true);
    for (uint32_t id = 0; id < DISPLAY_SURFACES_MAX; id++)
        assert_true(w.announced[id] == 1 && w.frames[id] == 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(while_one_is_on_loan_frames_of_the_others_come),
        CASE(what_crossed_the_agents_own_messages_is_ignored),
        CASE(nobody_who_sees_nothing_gets_a_buffer),
        CASE(what_only_moves_keeps_its_buffer),
        CASE(who_takes_buffers_without_a_word_is_too_slow),
        CASE(sixty_four_surfaces_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
