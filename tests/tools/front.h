/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A front end of the display protocol for tests: what oriel-peer is to an agent, without RDP. Blocking; one thread.
 * Also the leader's side of an agent, so that a test needs nothing else. */
#ifndef ORIEL_TESTS_TOOLS_FRONT_H
#define ORIEL_TESTS_TOOLS_FRONT_H

#include "session/proto/display.h"
#include "session/proto/leader.h"

#include <stdbool.h>
#include <sys/types.h>

/* One surface's buffer, and the layout under which it was announced */
struct front_buffer {
    uint32_t surface, width, height, stride;
    uint32_t nmonitors;
    struct display_monitor monitors[DISPLAY_MONITORS_MAX];
};

struct front {
    int sock;
    int buffer_fd; /* -1 before the first display_buffer */
    const uint8_t *map;
    size_t map_len;
    struct front_buffer buffer;
    struct display_monitors monitors;
    struct display_surface surface;
    /* What a client would show: BGRX, stride width * 4; copied from frames, and what is told before them, only */
    uint8_t *picture;
    struct display_frame frame; /* the last one */
    struct display_cursor cursor;
    struct display_pointer pointer;
    struct display_leds leds;
    unsigned layouts, buffers, frames, copied, cursors, pointers, ledses;
    int end_reason; /* 0: none yet */
    bool hold;      /* do not answer frames (a slow client) */
};

void front_init(struct front *f, int sock);
void front_finish(struct front *f);
int front_open(struct front *f, const struct display_layout *layout, uint32_t klid);
/* Take one message. 0; -ETIMEDOUT; -EPIPE; -EPROTO (also for a buffer without seals, or a rectangle outside of it). */
int front_step(struct front *f, int timeout_ms);
/* Take messages until nothing came for `quiet_ms`, at most `limit_ms` long. Returns the number taken, or -EPIPE,
 * -EPROTO. */
int front_settle(struct front *f, int quiet_ms, int limit_ms);
int front_done(struct front *f);
int front_key(struct front *f, uint32_t scancode, unsigned flags);
int front_event(struct front *f, const struct display_event *e);
int front_ppm(const struct front *f, const char *path);

struct front_agent {
    pid_t pid;
    int sock;
};
/* Start `program` for the display `display` (":5") with this layout. Waits for agent_ready. 0 or negative errno. */
int front_agent_start(struct front_agent *a, const char *program, const char *display,
    const struct display_layout *layout, uint32_t klid, uint32_t idle_seconds);
/* Attach a client; its end of the link, or negative errno. */
int front_agent_client(struct front_agent *a, uint32_t id, uint8_t role);
/* Close the link and wait. Returns the exit code, or negative errno. */
int front_agent_stop(struct front_agent *a);
/* The next message from the agent within the time, or NULL. The struct behind *msg stays valid until the next call. */
const struct wire_def *front_agent_message(struct front_agent *a, const void **msg, int timeout_ms);

#endif
