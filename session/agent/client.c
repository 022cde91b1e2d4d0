/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One attachment: its link, its buffer, its life. */
#include "common/log.h"
#include "session/agent/agent.h"
#include "session/proto/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One frame on loan, one buffer per layout, few LEDs: reached only by one who never reads */
#define CLIENT_QUEUE_MAX (256 * 1024)
#define CURSOR_QUEUE_MAX (64 * 1024) /* two shapes of the largest kind */

struct client *client_find(struct agent *a, uint32_t id)
{
    struct client *c = a->clients;
    while (c && c->id != id)
        c = c->next;
    return c;
}

static void tell_size(struct client *c)
{
    struct agent_client_size m = {.client = c->id, .nmonitors = c->agent->layout.nmonitors};
    layout_size(&c->agent->layout, &m.width, &m.height);
    (void)link_send(c->agent->leader, &agent_client_size_def, &m, NULL);
}

static void lost(struct client *c, const char *why, enum display_end_reason reason)
{
    struct agent *a = c->agent;
    struct agent_client_gone m = {.client = c->id};
    log_info("client gone", "client=%u reason=%s", c->id, why);
    client_remove(c, reason);
    (void)link_send(a->leader, &agent_client_gone_def, &m, NULL);
}

static void send_monitors(struct client *c, uint32_t width, uint32_t height)
{
    const struct display_layout *l = &c->agent->layout;
    struct display_monitors m = {.serial = c->agent->layout_serial,
        .width = width,
        .height = height,
        .nmonitors = l->nmonitors};
    memcpy(m.monitors, l->monitors, sizeof m.monitors);
    (void)link_send(c->link, &display_monitors_def, &m, NULL);
}

void client_new_buffer(struct client *c)
{
    struct agent *a = c->agent;
    struct display_surface s = {.surface = DISPLAY_DESKTOP,
        .layout = a->layout_serial,
        .kind = SURFACE_DESKTOP,
        .owner = DISPLAY_NO_SURFACE,
        .scale = layout_scale(&a->layout)};
    struct display_buffer b = {.surface = DISPLAY_DESKTOP};
    struct backend_pixels *old = c->pixels;
    c->pixels = NULL;
    c->on_loan = false;
    a->ops->pixels_destroy(a->backend, old);
    if (a->ops->pixels_create(a->backend, &c->pixels) < 0) {
        lost(c, "no buffer", DISPLAY_END_DROPPED);
        return;
    }
    int fd = a->ops->pixels_info(c->pixels, &s.width, &s.height, &b.stride);
    send_monitors(c, s.width, s.height);
    (void)link_send(c->link, &display_surface_def, &s, NULL);
    (void)link_send(c->link, &display_buffer_def, &b, &fd);
    pixman_region32_clear(&c->pending);
    pixman_region32_clear(&c->uncopied);
    pixman_region32_clear(&c->told);
    c->ntold = 0;
    c->pending_us = 0;
    frames_invalidate(c, NULL, 0);
    tell_size(c);
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
    client_new_buffer(c);
    if (client_find(a, id) != c)
        return;
    client_send_cursor(c);
    struct display_leds leds = {.locks = a->locks};
    if (a->locks_known)
        (void)link_send(c->link, &display_leds_def, &leds, NULL);
    frames_step(a);
}

static void on_frame_done(struct client *c, const struct display_frame_done *m)
{
    if (!c->on_loan || m->surface != DISPLAY_DESKTOP || m->frame != c->frame)
        return; /* of an older buffer */
    c->on_loan = false;
    if (c->cursor_stale)
        client_send_cursor(c);
    frames_step(c->agent);
}

static void on_suppress(struct client *c, const struct display_suppress *m)
{
    bool shown_again = c->suppressed && !m->on;
    c->suppressed = m->on;
    if (!shown_again)
        return;
    client_send_cursor(c);
    frames_invalidate(c, NULL, 0);
    frames_step(c->agent);
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
    if (c->open == (def == &display_open_def)) {
        lost(c, c->open ? "second display_open" : "no display_open", DISPLAY_END_DROPPED);
    } else if (def == &display_open_def) {
        on_open(c, msg);
    } else if (def == &display_frame_done_def) {
        on_frame_done(c, msg);
    } else if (def == &display_refresh_def) {
        struct display_refresh *r = msg;
        if (r->surface == DISPLAY_DESKTOP)
            frames_invalidate(c, r->rects, r->nrects);
        frames_step(c->agent);
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
    pixman_region32_init(&c->pending);
    pixman_region32_init(&c->uncopied);
    pixman_region32_init(&c->told);
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
    if (a->backend)
        a->ops->pixels_destroy(a->backend, c->pixels);
    pixman_region32_fini(&c->pending);
    pixman_region32_fini(&c->uncopied);
    pixman_region32_fini(&c->told);
    free(c);
}

void client_remove_all(struct agent *a, enum display_end_reason reason)
{
    while (a->clients)
        client_remove(a->clients, reason);
}
