/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The leader's link, the back end's events, layout and keyboard. */
#include "session/agent/agent.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "session/agent/agent_run.h"
#include "session/agent/layouts.h"
#include "session/proto/layout.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOTICE_SECONDS 60
#define NOTICE_SIDE_MAX 4096 /* larger than any message; bounds the memory that a notice may take */

void agent_end(struct agent *a, int code, enum display_end_reason reason)
{
    if (a->ending)
        return; /* the first reason counts */
    a->ending = true;
    a->exit_code = code;
    client_remove_all(a, reason);
    event_base_loopbreak(a->base);
}

/* ---- layout ---- */

static void apply_layout(struct agent *a, const struct display_layout *want)
{
    uint32_t scale = layout_scale(&a->layout);
    /* On failure a->layout is what the server has: go on with that */
    (void)a->ops->set_layout(a->backend, want, &a->layout);
    a->layout_us = clock_us();
    if (layout_scale(&a->layout) != scale)
        (void)a->ops->set_scale(a->backend, layout_scale(&a->layout));
    uint32_t width, height;
    layout_size(&a->layout, &width, &height);
    log_info("layout", "size=%ux%u monitors=%u scale=%u", width, height, a->layout.nmonitors, layout_scale(&a->layout));
    sources_renew(a, true);
}

void agent_want_layout(struct agent *a, const struct display_monitor *monitors, uint32_t n, bool at_once)
{
    struct display_layout want;
    layout_normalise(monitors, n, (uint32_t)a->config.display_max_width, (uint32_t)a->config.display_max_height, &want);
    a->next_layout = want;
    if (evtimer_pending(a->layout_timer, NULL) && !at_once)
        return;
    evtimer_del(a->layout_timer);
    if (layout_equal(&want, &a->asked_layout))
        return;
    uint64_t since = clock_us() - a->layout_us;
    if (a->layout_us && since < LAYOUT_PAUSE_US && !at_once) {
        (void)loop_arm_us(a->layout_timer, LAYOUT_PAUSE_US - since);
        return;
    }
    a->asked_layout = want;
    apply_layout(a, &want);
}

static void on_layout_timer(evutil_socket_t fd, short what, void *arg)
{
    struct agent *a = arg;
    if (!a->backend || layout_equal(&a->next_layout, &a->asked_layout))
        return;
    a->asked_layout = a->next_layout;
    apply_layout(a, &a->next_layout);
    frames_step_all(a);
}

void agent_set_keyboard(struct agent *a, uint32_t layout, uint32_t type, uint32_t subtype)
{
    bool same = layout == a->keyboard_layout && type == a->keyboard_type && subtype == a->keyboard_subtype;
    if (a->keyboard_known && (same || layout == 0))
        return;
    struct backend_keymap k;
    layouts_find(layout, type, subtype, &k);
    a->keyboard_known = true;
    a->keyboard_layout = layout;
    a->keyboard_type = type;
    a->keyboard_subtype = subtype;
    int r = a->ops->set_keymap(a->backend, &k);
    log_info("keyboard", "klid=0x%08x model=%s layout=%s variant=%s result=%d", layout, k.model, k.layout, k.variant,
        r);
}

/* ---- idle ---- */

static bool has_control(const struct agent *a)
{
    for (const struct client *c = a->clients; c; c = c->next)
        if (c->open && c->role == ROLE_CONTROL)
            return true;
    return false;
}

void agent_note_input(struct agent *a)
{
    a->input_us = clock_us();
    if (a->idle_seconds && !evtimer_pending(a->idle_timer, NULL))
        (void)loop_arm_us(a->idle_timer, (uint64_t)a->idle_seconds * 1000000);
}

static void on_idle_timer(evutil_socket_t fd, short what, void *arg)
{
    struct agent *a = arg;
    uint64_t limit = (uint64_t)a->idle_seconds * 1000000, idle = clock_us() - a->input_us;
    if (!has_control(a))
        return;
    if (idle < limit) {
        (void)loop_arm_us(a->idle_timer, limit - idle);
        return;
    }
    struct agent_idle m = {.seconds = (uint32_t)(idle / 1000000)};
    (void)link_send(a->leader, &agent_idle_def, &m, NULL);
}

/* ---- the back end's events ---- */

static void on_damaged(void *user, uint32_t surface, uint64_t when_us)
{
    struct source *s = source_find(user, surface);
    if (s)
        frames_damaged(s, when_us);
}

static void on_surfaces(void *user)
{
    struct agent *a = user;
    sources_renew(a, false);
    frames_step_all(a);
}

static void on_cursor(void *user, const struct display_cursor *cursor)
{
    struct agent *a = user;
    a->cursor = *cursor;
    a->cursor_known = true;
    for (struct client *c = a->clients; c; c = c->next)
        if (c->open && !c->suppressed)
            client_send_cursor(c);
}

static void on_pointer(void *user, int32_t x, int32_t y)
{
    struct agent *a = user;
    struct display_pointer m = {x, y};
    for (struct client *c = a->clients; c; c = c->next)
        if (c->open && !c->suppressed)
            (void)link_send(c->link, &display_pointer_def, &m, NULL);
}

static void on_leds(void *user, uint8_t locks)
{
    struct agent *a = user;
    struct display_leds m = {.locks = locks};
    a->locks = locks;
    a->locks_known = true;
    for (struct client *c = a->clients; c; c = c->next)
        if (c->open)
            (void)link_send(c->link, &display_leds_def, &m, NULL);
}

static void on_layout(void *user)
{
    struct agent *a = user;
    uint32_t scale = layout_scale(&a->layout);
    if (a->ops->get_layout(a->backend, &a->layout) < 0)
        return;
    for (uint32_t i = 0; i < a->layout.nmonitors; i++)
        a->layout.monitors[i].scale = scale;
    a->asked_layout = (struct display_layout){0};
    sources_renew(a, true);
    frames_step_all(a);
}

static void on_died(void *user)
{
    struct agent *a = user;
    struct agent_failed m = {.text = "the display server ended"};
    log_error("display server died", "backend=%s", a->ops->name);
    (void)link_send(a->leader, &agent_failed_def, &m, NULL);
    agent_end(a, AGENT_EXIT_DISPLAY, DISPLAY_END_SERVER_DIED);
}

static const struct backend_events backend_events = {
    .damaged = on_damaged,
    .surfaces = on_surfaces,
    .cursor = on_cursor,
    .pointer = on_pointer,
    .leds = on_leds,
    .layout = on_layout,
    .died = on_died,
};

/* ---- the leader's link ---- */

static void fail(struct agent *a, const char *why)
{
    struct agent_failed m = {0};
    snprintf(m.text, sizeof m.text, "%s", why);
    log_error("agent failed", "reason=%s", why);
    (void)link_send(a->leader, &agent_failed_def, &m, NULL);
    agent_end(a, AGENT_EXIT_FAILED, DISPLAY_END_SERVER_DIED);
}

static void on_start(struct agent *a, const struct agent_start *m)
{
    char why[512] = "started twice";
    struct backend_limits limits = {(uint32_t)a->config.display_max_width, (uint32_t)a->config.display_max_height};
    if (a->backend || a->ops->open(a->base, &backend_events, a, &limits, &a->backend, why, sizeof why) < 0) {
        fail(a, why);
        return;
    }
    a->idle_seconds = m->idle_seconds;
    bool takes_over = m->open.nmonitors == 0; /* a display that an agent before this one set up */
    if (takes_over) {
        (void)a->ops->get_layout(a->backend, &a->layout);
        sources_renew(a, true);
    } else {
        agent_want_layout(a, m->open.monitors, m->open.nmonitors, true);
        (void)a->ops->set_scale(a->backend, layout_scale(&a->layout));
    }
    a->ops->input_done(a->backend);
    /* The desktop may start while the server compiles the keymap (50 ms): its programs are served after that. */
    struct agent_ready ready = {0};
    (void)link_send(a->leader, &agent_ready_def, &ready, NULL);
    if (!takes_over)
        agent_set_keyboard(a, m->open.keyboard_layout, m->open.keyboard_type, m->open.keyboard_subtype);
}

static void on_client(struct agent *a, const struct agent_client *m, int fd)
{
    int r = a->backend && m->role ? client_add(a, m->client, m->role, fd) : -EINVAL;
    if (r == 0)
        return;
    struct agent_client_gone gone = {.client = m->client};
    log_warning("client refused", "client=%u error=%d", m->client, -r);
    close(fd);
    (void)link_send(a->leader, &agent_client_gone_def, &gone, NULL);
}

static void on_notice(struct agent *a, const struct agent_notice *m, int fd)
{
    bool sane = m->width && m->height && m->width <= NOTICE_SIDE_MAX && m->height <= NOTICE_SIDE_MAX;
    sane = sane && m->stride >= m->width * 4 && m->stride <= NOTICE_SIDE_MAX * 8;
    int r =
        a->backend && sane ? a->ops->notice(a->backend, fd, m->width, m->height, m->stride, NOTICE_SECONDS) : -EINVAL;
    if (r < 0)
        log_warning("notice refused", "size=%ux%u error=%d", m->width, m->height, -r);
    close(fd);
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct agent *a = user;
    if (def == &agent_start_def) {
        on_start(a, msg);
    } else if (def == &agent_client_def) {
        on_client(a, msg, fds[0]);
    } else if (def == &agent_notice_def) {
        on_notice(a, msg, fds[0]);
    } else if (def == &agent_drop_def) {
        struct agent_drop *m = msg;
        struct client *c = client_find(a, m->client);
        if (c)
            client_remove(c, DISPLAY_END_DROPPED);
    }
}

/* The session ends with its leader. */
static void on_closed(void *user, struct link *l, int err)
{
    log_info("leader gone", "error=%d", -err);
    agent_end(user, err == -EPIPE || err == -ECONNRESET ? AGENT_EXIT_OK : AGENT_EXIT_FAILED, DISPLAY_END_LOGOFF);
}

static const struct link_ops leader_ops = {.message = on_message, .closed = on_closed};

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    agent_end(arg, AGENT_EXIT_OK, DISPLAY_END_LOGOFF);
}

int agent_init(struct agent *a, const struct config *config, const struct backend_ops *backend, int leader_fd)
{
    int r = backend_ops_check(backend);
    r = r < 0 ? r : backend_events_check(&backend_events);
    if (r < 0)
        return r;
    *a = (struct agent){.config = *config,
        .ops = backend,
        .exit_code = AGENT_EXIT_FAILED,
        .layout_serial = 1,
        .copy_us_per_mpx = FRAME_COPY_US};
    a->base = loop_create_precise();
    if (!a->base)
        return -ENOMEM;
    a->layout_timer = evtimer_new(a->base, on_layout_timer, a);
    a->idle_timer = evtimer_new(a->base, on_idle_timer, a);
    a->leader = link_create(a->base, leader_fd, &leader_to_agent, &leader_ops, a, LINK_QUEUE_DEFAULT);
    return a->layout_timer && a->idle_timer && a->leader ? 0 : -EBADF;
}

void agent_finish(struct agent *a)
{
    client_remove_all(a, DISPLAY_END_LOGOFF);
    if (a->leader)
        (void)link_flush(a->leader, 200);
    link_destroy(a->leader);
    sources_destroy(a);
    if (a->backend)
        a->ops->close(a->backend);
    struct event *events[] = {a->layout_timer, a->idle_timer};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i])
            event_free(events[i]);
    if (a->base)
        event_base_free(a->base);
}

int agent_run(const struct config *config, int leader_fd)
{
    static struct agent agent; /* one per program */
    struct agent *a = &agent;
    struct event *sigterm = NULL;
    int r = agent_init(a, config, &backend_x11, leader_fd);
    if (r == 0)
        sigterm = evsignal_new(a->base, SIGTERM, on_signal, a);
    if (!sigterm || evsignal_add(sigterm, NULL) < 0)
        log_error("agent failed", "reason=%s",
            r == -EINVAL ? "see above" : "no leader at descriptor 3, or out of memory");
    else
        event_base_dispatch(a->base);
    if (sigterm)
        event_free(sigterm);
    agent_finish(a);
    return a->exit_code;
}
