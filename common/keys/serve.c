/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/keys/serve.h"

#include "common/clock.h"
#include "common/link.h"
#include "common/log.h"
#include "common/secret.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHAINS_PER_LINK 4 /* one is needed; a link that asks on and on is not one of ours */

struct requester {
    struct requester *next, **prev;
    struct keys_server *server;
    struct link *link;
    struct pair *pair; /* set when the chain was asked for */
    unsigned signs, chains;
};

struct keys_server {
    struct event_base *base;
    struct pair *pair;
    struct requester *requesters;
    size_t nrequesters, links_max;
    double per_second, tokens, burst;
    double last;  /* seconds, monotonic, of the last refill */
    bool limited; /* said so already; said again after it has eased */
};

static bool take_token(struct keys_server *s)
{
    double t = (double)clock_us() / 1e6;
    s->tokens += (t - s->last) * s->per_second;
    s->last = t;
    if (s->tokens > s->burst)
        s->tokens = s->burst;
    if (s->tokens < 1) {
        if (!s->limited)
            log_warning("signatures limited", "per_minute=%.0f reason=%s", s->per_second * 60,
                "tls.signs_per_minute is reached");
        s->limited = true;
        return false;
    }
    s->limited = false;
    s->tokens -= 1;
    return true;
}

static void requester_destroy(struct requester *c)
{
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->server->nrequesters--;
    link_destroy(c->link);
    pair_unref(c->pair);
    free(c);
}

static void send_chain(struct requester *c)
{
    size_t n;
    if (!c->pair)
        c->pair = pair_ref(c->server->pair);
    const char *pem = pair_chain(c->pair, &n);
    struct keys_chain *m = calloc(1, sizeof *m);
    if (!m || n > sizeof m->chain || ++c->chains > CHAINS_PER_LINK) {
        free(m);
        requester_destroy(c);
        return;
    }
    memcpy(m->chain, pem, n);
    m->nchain = (uint32_t)n;
    int r = link_send(c->link, &keys_chain_def, m, NULL);
    free(m);
    if (r < 0 && r != -EPIPE)
        requester_destroy(c);
}

static void sign(struct requester *c, const struct keys_sign *q)
{
    struct keys_signature a = {.refused = 1};
    const char *reason = NULL;
    if (!c->pair)
        reason = "signature before the chain";
    else if (c->signs++ >= KEYS_SIGNS_PER_LINK)
        reason = "too many signatures on one link";
    else if (!take_token(c->server))
        reason = "rate";
    else if (pair_sign(c->pair, q->op, q->digest, q->ndigest, a.signature, &a.nsignature) < 0)
        reason = "wrong operation or size";
    a.refused = reason != NULL;
    if (reason)
        log_debug("signature refused", "reason=%s", reason);
    (void)link_send(c->link, &keys_signature_def, &a, NULL); /* a dead link reports itself */
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct requester *c = user;
    if (def == &keys_get_chain_def)
        send_chain(c);
    else
        sign(c, msg);
}

static void on_closed(void *user, struct link *l, int err)
{
    struct requester *c = user;
    if (err != -EPIPE)
        log_warning("link broken", "error=%s", strerror(-err));
    requester_destroy(c);
}

static const struct link_ops ops = {.message = on_message, .closed = on_closed};

static void set_rate(struct keys_server *s, unsigned per_minute)
{
    s->per_second = per_minute / 60.0;
    s->burst = per_minute / 10.0 < 10 ? 10 : per_minute / 10.0;
}

struct keys_server *keys_server_create(struct event_base *base, struct pair *pair, unsigned per_minute,
    unsigned links_max)
{
    struct keys_server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct keys_server){.base = base,
        .pair = pair_ref(pair),
        .links_max = links_max,
        .last = (double)clock_us() / 1e6};
    set_rate(s, per_minute);
    s->tokens = s->burst;
    return s;
}

void keys_server_destroy(struct keys_server *s)
{
    if (!s)
        return;
    while (s->requesters)
        requester_destroy(s->requesters);
    pair_unref(s->pair);
    free(s);
}

int keys_server_add(struct keys_server *s, int fd)
{
    int r = s->nrequesters >= s->links_max ? -EMFILE : 0;
    struct requester *c = r == 0 ? calloc(1, sizeof *c) : NULL;
    if (c)
        c->link = link_create(s->base, fd, &link_to_keys, &ops, c, 2 * sizeof(struct keys_chain));
    if (!c || !c->link) {
        free(c);
        close(fd);
        return r < 0 ? r : -ENOMEM;
    }
    c->server = s;
    c->next = s->requesters;
    c->prev = &s->requesters;
    if (c->next)
        c->next->prev = &c->next;
    s->requesters = c;
    s->nrequesters++;
    return 0;
}

void keys_server_set_pair(struct keys_server *s, struct pair *pair)
{
    pair_unref(s->pair);
    s->pair = pair_ref(pair);
}

void keys_server_set_rate(struct keys_server *s, unsigned per_minute)
{
    set_rate(s, per_minute);
}

size_t keys_server_links(const struct keys_server *s)
{
    return s->nrequesters;
}
