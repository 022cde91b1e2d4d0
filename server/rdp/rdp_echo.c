/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service ECHO as the dynamic channel of MS-RDPEECO: what the session asks goes to the client as it is (2.2.1), and
 * what comes is the answer to the oldest request that has none (2.2.2). In builds for tests only. */
#include "common/log.h"
#include "server/rdp/rdp.h"
#include "session/proto/echo.h"

#include <errno.h>
#include <string.h>

#define CHANNEL "ECHO" /* MS-RDPEECO 1.9 */

/* More would wait for nothing: 512 KiB under way fill a link of 40 Mbit/s and 100 ms */
#define ECHO_WAITING_MAX 16

static struct {
    struct dvc_channel *channel; /* NULL: not asked for, or closed */
    uint32_t ids[ECHO_WAITING_MAX];
    unsigned first, n; /* requests that the client has not answered, the oldest first */
} echo;                /* one client a process */

static void settle(struct front *f)
{
    bool more = dvc_is_open(echo.channel) && echo.n < ECHO_WAITING_MAX && rdp_services_have_room(f, &rdp_echo);
    services_want(f->peer, SERVICE_ECHO, more);
}

static void on_opened(void *user)
{
    log_info("echo channel open", "waiting=%u", echo.n);
    settle(user);
}

/* The client does not have it, or does not want it any more. Its link stays, unread: closed, it would come back. */
static void on_closed(void *user)
{
    struct front *f = user;
    echo.channel = NULL;
    log_info("echo channel closed by the client", "client=%s", f->facts.name);
    settle(f);
}

static int on_message(void *user, const uint8_t *data, size_t len)
{
    static struct echo_response m;
    struct front *f = user;
    const struct granted_service *g = services_granted(f->peer, SERVICE_ECHO);
    if (!g)
        return 0; /* crossed its end */
    if (echo.n == 0 || len > g->limits.piece_max || len > sizeof m.data)
        return -EPROTO; /* an answer to nothing, or longer than any question */
    m = (struct echo_response){.id = echo.ids[echo.first], .ndata = (uint32_t)len};
    echo.first = (echo.first + 1) % ECHO_WAITING_MAX;
    echo.n--;
    memcpy(m.data, data, len);
    if (g->limits.directions & SERVICE_TO_SESSION)
        (void)services_send(f->peer, SERVICE_ECHO, &echo_response_def, &m);
    settle(f);
    return 0;
}

static void open_echo(struct front *f)
{
    static const struct dvc_ops ops = {.opened = on_opened, .closed = on_closed, .message = on_message};
    echo.first = echo.n = 0;
    echo.channel = dvc_open(f->dvc, CHANNEL, &ops, f);
    if (!echo.channel)
        log_error("no channel for a service", "service=%s", "echo");
}

/* From the session's process. */
static int ask(struct front *f, const struct granted_service *g, const struct wire_def *def, const void *msg)
{
    const struct echo_request *m = msg;
    if (!(g->limits.directions & SERVICE_TO_CLIENT) || m->ndata == 0 || m->ndata > g->limits.piece_max ||
        m->ndata > g->limits.transfer_max)
        return -EPROTO;
    echo.ids[(echo.first + echo.n++) % ECHO_WAITING_MAX] = m->id; /* it is read only while there is a place */
    int r = dvc_send(echo.channel, m->data, m->ndata);
    settle(f);
    return r;
}

static void close_echo(struct front *f)
{
    dvc_close(echo.channel);
    echo.channel = NULL;
}

const struct rdp_service rdp_echo = {.service = SERVICE_ECHO,
    .traffic = TRAFFIC_BULK,
    .open = open_echo,
    .message = ask,
    .close = close_echo,
    .room = settle};
