/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hostile front ends against the agent, in front of a display that only counts. Input: records of
 *   u8 whose (0 the control client, 1 a viewer, 2 the display, 3 the leader), u8 length, bytes
 * A client's bytes are one datagram, headers and all; the display's bytes are damage; the leader's first byte drops
 * that client. Whatever comes: rectangles stay in the buffer, a lent buffer is not written, positions stay on the
 * monitors. */
#include "common/clock.h"
#include "common/log.h"
#include "session/agent/agent.h"
#include "session/proto/layout.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct backend_pixels {
    int fd;
    uint32_t width, height;
};
struct backend {
    const struct backend_events *events;
    void *user;
    struct display_layout layout;
    pixman_region32_t damage;
    int marks;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct agent agent;
static struct backend display;

#define MUST(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

static int fake_open(struct event_base *base, const struct backend_events *ev, void *user,
    const struct backend_limits *limits, struct backend **out, char *why, size_t cap)
{
    display.events = ev;
    display.user = user;
    *out = &display;
    return 0;
}
static void fake_close(struct backend *b)
{
}
static int fake_set_layout(struct backend *b, const struct display_layout *want, struct display_layout *real)
{
    uint32_t width, height;
    layout_size(want, &width, &height);
    MUST(want->nmonitors && width <= 16384 && height <= 8192 && width >= LAYOUT_SIDE_MIN && height >= LAYOUT_SIDE_MIN);
    b->layout = *real = *want;
    return 0;
}
static int fake_get_layout(struct backend *b, struct display_layout *real)
{
    *real = b->layout;
    return 0;
}
static int fake_set_scale(struct backend *b, uint32_t percent)
{
    MUST(percent >= 100 && percent <= 500);
    return 0;
}
static int fake_collect(struct backend *b, uint32_t surface, pixman_region32_t *damage)
{
    pixman_region32_union(damage, damage, &b->damage);
    pixman_region32_clear(&b->damage);
    return 0;
}
static size_t fake_surfaces(struct backend *b, struct display_surface *out, size_t cap)
{
    *out = (struct display_surface){.kind = SURFACE_DESKTOP, .owner = DISPLAY_NO_SURFACE};
    layout_size(&b->layout, &out->width, &out->height);
    return 1;
}
static int fake_create(struct backend *b, uint32_t surface, struct backend_pixels **out)
{
    struct backend_pixels *p = calloc(1, sizeof *p);
    p->fd = memfd_create("fuzz", MFD_CLOEXEC); /* empty: nobody reads it */
    layout_size(&b->layout, &p->width, &p->height);
    *out = p;
    return 0;
}
static void fake_destroy(struct backend *b, struct backend_pixels *p)
{
    if (p)
        close(p->fd);
    free(p);
}
static int fake_info(const struct backend_pixels *p, uint32_t *width, uint32_t *height, uint32_t *stride)
{
    *width = p->width;
    *height = p->height;
    *stride = p->width * 4;
    return p->fd;
}
static void fake_copy(struct backend *b, struct backend_pixels *p, const struct display_rect *rects, size_t n)
{
    MUST(n <= DISPLAY_RECTS_MAX);
    for (size_t i = 0; i < n; i++)
        MUST(rects[i].width && rects[i].height && rects[i].x + rects[i].width <= (int)p->width &&
            rects[i].y + rects[i].height <= (int)p->height);
    for (const struct client *c = agent.clients; c; c = c->next)
        for (const struct view *v = c->views; v; v = v->sibling)
            MUST(v->pixels != p || !v->on_loan);
}
static void fake_mark(struct backend *b)
{
    MUST(++b->marks <= BACKEND_MARKS_MAX);
}
static int fake_wait(struct backend *b)
{
    MUST(b->marks-- > 0);
    return 0;
}
static void fake_key(struct backend *b, uint32_t code, bool down)
{
    MUST(code > 0 && code < 248);
}
static void fake_unicode(struct backend *b, uint32_t c)
{
    MUST(c <= 0x10ffff);
}
static void fake_move(struct backend *b, int32_t x, int32_t y)
{
    uint32_t width, height;
    layout_size(&b->layout, &width, &height);
    MUST(x >= 0 && y >= 0 && x < (int32_t)width && y < (int32_t)height);
}
static void fake_button(struct backend *b, uint32_t button, bool down)
{
    MUST(button >= 1 && button <= 9);
}
static void fake_locks(struct backend *b, uint8_t locks)
{
    MUST(locks <= 15);
}
static void fake_done(struct backend *b)
{
}
static int fake_keymap(struct backend *b, const struct backend_keymap *k)
{
    MUST(k->model && k->layout && k->layout[0] && k->variant && k->options);
    return 0;
}
static int fake_notice(struct backend *b, int fd, uint32_t width, uint32_t height, uint32_t stride, unsigned seconds)
{
    return 0;
}

static const struct backend_ops fake = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .set_layout = fake_set_layout,
    .get_layout = fake_get_layout,
    .set_scale = fake_set_scale,
    .surfaces = fake_surfaces,
    .collect = fake_collect,
    .pixels_create = fake_create,
    .pixels_destroy = fake_destroy,
    .pixels_info = fake_info,
    .copy = fake_copy,
    .mark = fake_mark,
    .wait = fake_wait,
    .key = fake_key,
    .unicode = fake_unicode,
    .move = fake_move,
    .button = fake_button,
    .set_locks = fake_locks,
    .input_done = fake_done,
    .set_keymap = fake_keymap,
    .notice = fake_notice,
};

static void attach(int leader, uint32_t id, uint8_t role, int *mine)
{
    int sv[2];
    MUST(link_pair(sv) == 0);
    struct agent_client m = {.client = id, .role = role};
    (void)wire_send(leader, &agent_client_def, &m, &sv[1]);
    close(sv[1]);
    *mine = sv[0];
}

static void damage(const uint8_t *p, size_t n)
{
    for (; n >= 4; p += 4, n -= 4)
        pixman_region32_union_rect(&display.damage, &display.damage, p[0] * 70, p[1] * 40, p[2] + 1u, p[3] + 1u);
    if (agent.backend)
        display.events->damaged(display.user, DISPLAY_DESKTOP, clock_us());
}

static void act(int leader, const int fds[2], uint8_t whose, const uint8_t *p, size_t n)
{
    struct agent_drop drop = {.client = n ? p[0] & 3u : 0};
    if (whose < 2)
        (void)wire_send_raw(fds[whose], p, n, NULL, 0, MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (whose == 2)
        damage(p, n);
    else
        (void)wire_send(leader, &agent_drop_def, &drop, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    int leader[2], fds[2];
    struct rd r;
    log_init("fuzz", 0);
    config_defaults(&config);
    pixman_region32_init(&display.damage);
    MUST(link_pair(leader) == 0);
    if (agent_init(&agent, &config, &fake, leader[1]) < 0)
        abort();
    struct agent_start start = {.open = {.nmonitors = 1, .monitors = {{.width = 800, .height = 600}}}};
    (void)wire_send(leader[0], &agent_start_def, &start, NULL);
    attach(leader[0], 1, ROLE_CONTROL, &fds[0]);
    attach(leader[0], 2, ROLE_VIEW, &fds[1]);
    rd_init(&r, data, size);
    while (r.left && !r.bad) {
        uint8_t whose = rd_u8(&r) & 3;
        size_t n = rd_u8(&r);
        n = n < r.left ? n : r.left;
        const uint8_t *p = rd_bytes(&r, n);
        event_base_loop(agent.base, EVLOOP_NONBLOCK);
        if (p)
            act(leader[0], fds, whose, p, n);
    }
    event_base_loop(agent.base, EVLOOP_NONBLOCK);
    agent_finish(&agent);
    pixman_region32_fini(&display.damage);
    close(fds[0]);
    close(fds[1]);
    close(leader[0]);
    return 0;
}
