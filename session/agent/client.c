/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One attachment: its link, its role, its life. */
#include "common/log.h"
#include "session/agent/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Of each surface one frame on loan, with its parts, is 8 KiB at the most: reached only by one who never reads */
#define CLIENT_QUEUE_MAX (1024 * 1024)
#define CURSOR_QUEUE_MAX (64 * 1024) /* two shapes of the largest kind */

struct client *client_find(struct agent *a, uint32_t id)
{
    struct client *c = a->clients;
    while (c && c->id != id)
        c = c->next;
    return c;
}

static void lost(struct client *c, const char *why, enum display_end_reason reason)
{
    struct agent *a = c->agent;
    struct agent_client_gone m = {.client = c->id};
    log_info("client gone", "client=%u reason=%s", c->id, why);
    client_remove(c, reason);
    (void)link_send(a->leader, &agent_client_gone_def, &m, NULL);
}

void clients_reap(struct agent *a)
{
    struct client *next;
    for (struct client *c = a->clients; c; c = next) {
        next = c->next;
        if (c->failed)
            lost(c, c->failed, DISPLAY_END_DROPPED);
    }
}

/* The part of it that lies within the output: where a session defines monitors itself, some may lie elsewhere. */
static bool clip(struct display_monitor *m, uint32_t width, uint32_t height)
{
    int64_t x = m->x < 0 ? 0 : m->x, y = m->y < 0 ? 0 : m->y;
    int64_t right = (int64_t)m->x + m->width, bottom = (int64_t)m->y + m->height;
    right = right < width ? right : width;
    bottom = bottom < height ? bottom : height;
    if (right <= x || bottom <= y)
        return false;
    m->x = (int32_t)x;
    m->y = (int32_t)y;
    m->width = (uint32_t)(right - x);
    m->height = (uint32_t)(bottom - y);
    return true;
}

void client_send_layout(struct client *c)
{
    const struct agent *a = c->agent;
    struct agent_client_size size = {.client = c->id, .width = a->output_width, .height = a->output_height};
    struct display_monitors m = {.serial = a->layout_serial, .width = size.width, .height = size.height};
    for (uint32_t i = 0; i < a->layout.nmonitors; i++) {
        m.monitors[m.nmonitors] = a->layout.monitors[i];
        m.nmonitors += clip(&m.monitors[m.nmonitors], m.width, m.height);
    }
    if (m.nmonitors == 0)
        m.monitors[m.nmonitors++] = (struct display_monitor){.width = m.width, .height = m.height, .primary = 1};
    size.nmonitors = m.nmonitors;
    (void)link_send(c->link, &display_monitors_def, &m, NULL);
    (void)link_send(a->leader, &agent_client_size_def, &size, NULL);
}

/* A client that does not read gets the shape of the day when it comes back, not every one it missed. */
void client_send_cursor(struct client *c)
{
    c->cursor_stale = link_queued(c->link) > CURSOR_QUEUE_MAX;
    if (c->agent->cursor_known && !c->cursor_stale)
        (void)link_send(c->link, &display_cursor_def, &c->agent->cursor, NULL);
}

static void on_open(struct client *c, const struct display_open *m)
{
    struct agent *a = c->agent;
    uint32_t id = c->id;
    if (c->role == ROLE_CONTROL) {
        agent_want_layout(a, m->monitors, m->nmonitors, true);
        agent_set_keyboard(a, m->keyboard_layout, m->keyboard_type, m->keyboard_subtype);
        agent_note_input(a);
    }
    c->open = true;
    client_send_layout(c);
    for (struct source *s = a->sources; s && !c->failed; s = s->next) {
        struct view *v = view_create(c, s);
        if (v)
            view_announce(v);
        else
            c->failed = "no memory";
    }
    clients_reap(a);
    if (client_find(a, id) != c)
        return;
    client_send_cursor(c);
    struct display_leds leds = {.locks = a->locks};
    if (a->locks_known)
        (void)link_send(c->link, &display_leds_def, &leds, NULL);
    frames_step_all(a);
}

static void on_frame_done(struct client *c, const struct display_frame_done *m)
{
    struct view *v = view_find(c, m->surface);
    if (!v || !v->on_loan || m->frame != v->frame)
        return; /* of an older buffer, or of a surface that went meanwhile */
    v->on_loan = false;
    if (c->cursor_stale)
        client_send_cursor(c);
    frames_step(v->source);
}

static void on_refresh(struct client *c, const struct display_refresh *m)
{
    struct view *v = view_find(c, m->surface);
    if (!v)
        return; /* it went meanwhile */
    view_invalidate(v, m->rects, m->nrects);
    frames_step(v->source);
}

static void on_suppress(struct client *c, const struct display_suppress *m)
{
    bool shown_again = c->suppressed && !m->on;
    struct agent *a = c->agent;
    c->suppressed = m->on;
    if (!shown_again)
        return;
    client_send_cursor(c);
    for (struct view *v = c->views; v; v = v->sibling)
        if (v->pixels)
            view_invalidate(v, NULL, 0);
        else
            view_announce(v);
    clients_reap(a);
    frames_step_all(a);
}

static void on_control(struct client *c, const struct wire_def *def, void *msg)
{
    struct agent *a = c->agent;
    if (def == &display_input_def) {
        input_handle(c, msg);
    } else if (def == &display_layout_def) {
        struct display_layout *l = msg;
        agent_want_layout(a, l->monitors, l->nmonitors, false);
    } else if (def == &display_keyboard_def) {
        struct display_keyboard *k = msg;
        agent_set_keyboard(a, k->keyboard_layout, k->keyboard_type, k->keyboard_subtype);
    }
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct client *c = user;
    /* No message to a drawer carries descriptors. */
    c->unanswered = 0;
    if (c->open == (def == &display_open_def)) {
        lost(c, c->open ? "second display_open" : "no display_open", DISPLAY_END_DROPPED);
    } else if (def == &display_open_def) {
        on_open(c, msg);
    } else if (def == &display_frame_done_def) {
        on_frame_done(c, msg);
    } else if (def == &display_refresh_def) {
        on_refresh(c, msg);
    } else if (def == &display_suppress_def) {
        on_suppress(c, msg);
    } else if (c->role == ROLE_CONTROL) {
        on_control(c, def, msg);
    }
}

static void on_closed(void *user, struct link *l, int err)
{
    const char *why = err == -EPIPE || err == -ECONNRESET ? "link closed"
        : err == -EPROTO                                  ? "protocol broken"
        : err == -ENOBUFS                                 ? "too slow"
                                                          : "link failed";
    lost(user, why, DISPLAY_END_DROPPED);
}

static const struct link_ops ops = {.message = on_message, .closed = on_closed};

int client_add(struct agent *a, uint32_t id, uint8_t role, int fd)
{
    size_t n = 0;
    for (struct client *c = a->clients; c; c = c->next)
        n++;
    if (n >= CLIENTS_MAX || client_find(a, id))
        return -EINVAL;
    struct client *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->agent = a;
    c->id = id;
    c->role = role;
    c->link = link_create(a->base, fd, &display_to_drawer, &ops, c, CLIENT_QUEUE_MAX);
    if (!c->link) {
        free(c);
        return -ENOMEM;
    }
    c->next = a->clients;
    a->clients = c;
    return 0;
}

void client_remove(struct client *c, enum display_end_reason reason)
{
    struct agent *a = c->agent;
    struct client **at = &a->clients;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    input_release_all(c);
    struct display_end m = {.reason = (uint8_t)reason};
    (void)link_send(c->link, &display_end_def, &m, NULL);
    link_destroy(c->link);
    while (c->views)
        view_destroy(c->views);
    free(c);
}

void client_remove_all(struct agent *a, enum display_end_reason reason)
{
    while (a->clients)
        client_remove(a->clients, reason);
}
