/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/link.h"

#include "common/clock.h"
#include "common/slots.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES_PER_TURN 32 /* one busy link must not starve the others of its loop */

struct queued {
    struct queued *next;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    size_t len;
    uint8_t data[];
};

struct link {
    struct event *rd_ev, *wr_ev;
    int fd;
    int dead;  /* 0, or the negative errno that `closed` gets */
    bool told; /* `closed` was called */
    bool in_callback, destroyed, paused;
    const struct wire_proto *in;
    const struct link_ops *ops;
    void *user;
    size_t queue_max, queue_len;
    struct queued *head, **tail;
    void *msg;
};

static void queued_free(struct queued *q)
{
    for (int i = 0; i < q->def->nfds; i++)
        close(q->fds[i]);
    explicit_bzero(q->data, q->len);
    free(q);
}

static void drop_queue(struct link *l)
{
    while (l->head) {
        struct queued *q = l->head;
        l->head = q->next;
        queued_free(q);
    }
    l->tail = &l->head;
    l->queue_len = 0;
}

static void link_free(struct link *l)
{
    drop_queue(l);
    free(l->msg);
    free(l);
}

/* The link is over; tell the owner from the loop, not from under its feet. */
static void die(struct link *l, int err)
{
    if (l->dead)
        return;
    l->dead = err;
    event_del(l->wr_ev);
    event_active(l->rd_ev, EV_READ, 0);
}

static void tell_closed(struct link *l)
{
    if (l->told)
        return;
    l->told = true;
    event_del(l->rd_ev);
    l->in_callback = true;
    l->ops->closed(l->user, l, l->dead);
    l->in_callback = false;
    if (l->destroyed)
        link_free(l);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;
    for (int turn = 0; turn < MESSAGES_PER_TURN && !l->dead; turn++) {
        const struct wire_def *def;
        int fds[WIRE_FDS_MAX];
        int r = wire_recv(fd, l->in, &def, l->msg, fds, 0);
        if (r == -EAGAIN)
            return;
        if (r < 0) {
            die(l, r);
            break;
        }
        l->in_callback = true;
        l->ops->message(l->user, l, def, l->msg, fds);
        l->in_callback = false;
        explicit_bzero(l->msg, def->size);
        if (l->destroyed) {
            link_free(l);
            return;
        }
        if (l->paused)
            break;
    }
    if (l->dead)
        tell_closed(l);
}

/* Returns 0 when the queue is empty, -EAGAIN when the socket is full, or the error that ended the link. */
static int drain(struct link *l)
{
    while (l->head) {
        struct queued *q = l->head;
        int r = wire_send_raw(l->fd, q->data, q->len, q->fds, q->def->nfds, MSG_DONTWAIT);
        if (r < 0)
            return r;
        l->head = q->next;
        if (!l->head)
            l->tail = &l->head;
        l->queue_len -= q->len;
        queued_free(q);
    }
    return 0;
}

static void tell_drained(struct link *l)
{
    if (!l->ops->drained)
        return;
    l->in_callback = true;
    l->ops->drained(l->user, l);
    l->in_callback = false;
    if (l->destroyed)
        link_free(l);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;
    int r = drain(l);
    if (r == -EAGAIN)
        return;
    event_del(l->wr_ev);
    if (r < 0)
        die(l, r);
    else
        tell_drained(l);
}

struct link *link_create(struct event_base *base, int fd, const struct wire_proto *in, const struct link_ops *ops,
    void *user, size_t queue_max)
{
    static const struct slot must[] = {SLOT(link_ops, message), SLOT(link_ops, closed)};
    int flags = SLOTS_CHECK("link", ops, must) < 0 ? -1 : fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return NULL;
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct link){.fd = fd, .in = in, .ops = ops, .user = user, .queue_max = queue_max};
    l->tail = &l->head;
    l->msg = aligned_alloc(16, wire_proto_max_size(in));
    l->rd_ev = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, l);
    l->wr_ev = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, l);
    if (!l->msg || !l->rd_ev || !l->wr_ev || event_add(l->rd_ev, NULL) < 0)
        goto fail;
    return l;
fail:
    if (l->rd_ev)
        event_free(l->rd_ev);
    if (l->wr_ev)
        event_free(l->wr_ev);
    link_free(l);
    return NULL;
}

void link_destroy(struct link *l)
{
    if (!l || l->destroyed)
        return;
    l->destroyed = true;
    l->dead = l->dead ? l->dead : -EPIPE;
    event_free(l->rd_ev);
    event_free(l->wr_ev);
    close(l->fd);
    l->fd = -1;
    if (!l->in_callback)
        link_free(l);
}

static int enqueue(struct link *l, const struct wire_def *def, const uint8_t *data, size_t len, const int *fds)
{
    if (l->queue_len + len > l->queue_max) {
        die(l, -ENOBUFS);
        return -EPIPE;
    }
    struct queued *q = malloc(sizeof *q + len);
    if (!q)
        return -ENOMEM;
    *q = (struct queued){.def = def, .len = len};
    memcpy(q->data, data, len);
    for (int i = 0; i < def->nfds; i++) {
        q->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        if (q->fds[i] < 0) {
            int e = -errno;
            while (i-- > 0)
                close(q->fds[i]);
            free(q);
            return e;
        }
    }
    *l->tail = q;
    l->tail = &q->next;
    l->queue_len += len;
    event_add(l->wr_ev, NULL);
    return 0;
}

int link_send(struct link *l, const struct wire_def *def, const void *msg, const int *fds)
{
    uint8_t buf[WIRE_MESSAGE_MAX];
    if (l->dead)
        return -EPIPE;
    ssize_t n = wire_encode(def, msg, buf, sizeof buf);
    if (n < 0)
        return (int)n;
    int r = l->head ? -EAGAIN : wire_send_raw(l->fd, buf, (size_t)n, fds, def->nfds, MSG_DONTWAIT);
    if (r == -EAGAIN)
        r = enqueue(l, def, buf, (size_t)n, fds);
    else if (r < 0) {
        die(l, r);
        r = -EPIPE;
    }
    explicit_bzero(buf, (size_t)n);
    return r;
}

void link_pause(struct link *l)
{
    l->paused = true;
    if (!l->dead) /* of a dead one `closed` is on its way */
        event_del(l->rd_ev);
}

void link_resume(struct link *l)
{
    l->paused = false;
    if (!l->dead)
        event_add(l->rd_ev, NULL);
}

size_t link_queued(const struct link *l)
{
    return l->queue_len;
}
int link_fd(const struct link *l)
{
    return l->fd;
}
void *link_user(const struct link *l)
{
    return l->user;
}

int link_flush(struct link *l, int timeout_ms)
{
    int64_t deadline = clock_ms() + timeout_ms;
    for (;;) {
        int r = l->dead ? -EPIPE : drain(l);
        if (r != -EAGAIN)
            return r;
        int64_t left = deadline - clock_ms();
        if (left <= 0)
            return -ETIMEDOUT;
        struct pollfd p = {l->fd, POLLOUT, 0};
        (void)poll(&p, 1, (int)left);
    }
}

int link_pair(int sv[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0 ? -errno : 0;
}
