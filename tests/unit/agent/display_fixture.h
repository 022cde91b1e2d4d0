/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One X server for a group of tests, one agent and one drawing X client for each test. */
#ifndef ORIEL_TESTS_UNIT_AGENT_DISPLAY_FIXTURE_H
#define ORIEL_TESTS_UNIT_AGENT_DISPLAY_FIXTURE_H

#include "tests/tools/front.h"
#include "tests/tools/xserver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <xcb/xcb.h>

#include <cmocka.h>

struct fixture {
    struct xserver server;
    struct front_agent agent;
    xcb_connection_t *c;
    xcb_window_t root, window; /* a plain window in front of everything, with input events */
    xcb_gcontext_t gc;
};
extern enum xserver_kind fixture_kind;

int fixture_group_setup(void **state);
int fixture_group_teardown(void **state);
int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_stop_agent(struct fixture *x);
void fixture_kill_agent(struct fixture *x); /* as kill -9 does */
const char *fixture_program(void);

struct display_layout fixture_single(uint32_t width, uint32_t height);
/* Attach, open, and take the first frame. */
void fixture_attach(struct fixture *x, struct front *f, uint32_t id, uint8_t role, struct display_layout l);
/* Take messages until it has so many; fails after 5 s. */
void fixture_wait_frames(struct front *f, unsigned frames);
void fixture_wait_buffers(struct front *f, unsigned buffers);
void fixture_wait_cursor(struct front *f, unsigned width, unsigned height);
void fixture_wait_pointer(struct fixture *x, int x_want, int y_want);
uint64_t fixture_now_us(void);
int fixture_run(const char *command);

void fixture_root_size(struct fixture *x, uint16_t *w, uint16_t *h);
void fixture_cover_root(struct fixture *x);
void fixture_fill(struct fixture *x, int left, int top, int width, int height, uint32_t colour);
void fixture_set_cursor(struct fixture *x, uint16_t w, uint16_t h, uint16_t hot_x, uint16_t hot_y, uint32_t argb);
/* Take messages until the front end shows what XGetImage says; fails after 5 s. */
void fixture_wait_same_picture(struct fixture *x, struct front *f);
void fixture_assert_monitors(struct fixture *x, const struct front_buffer *b);
void fixture_expect_click(struct fixture *x, uint8_t button);
void fixture_expect_release(struct fixture *x, uint8_t button);
int fixture_keys_down(struct fixture *x);
/* The same, once it is 0 or so many ms went by. */
int fixture_keys_down_after(struct fixture *x, int ms);
/* The next KeyPress within 3 s: keycode, and the state beside it. */
uint8_t fixture_next_key(struct fixture *x, uint16_t *state);
/* KeyPress events until `ms` were quiet. */
int fixture_count_presses(struct fixture *x, int ms);
void fixture_focus(struct fixture *x);

unsigned long fixture_cpu_ticks(pid_t pid);
unsigned long fixture_switches(pid_t pid);

#endif
