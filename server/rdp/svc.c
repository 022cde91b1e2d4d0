/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/svc.h"

#include "common/slots.h"
#include "common/wire.h"

#include <errno.h>
#include <stdlib.h>

/* The first memory for a message in chunks: two of them. More is reserved as it comes, so that a length that is only
 * announced costs nothing. */
#define PART_START ((size_t)2 * SVC_CHUNK)

struct svc_channel {
    struct svc *svc;
    const struct svc_def *def;
    uint16_t id; /* on the wire; 0: not open */
    bool begun;  /* a message is being put together: what came of it is in `part`, and `total` bytes it shall have */
    struct wr part;
    size_t total;
};
struct svc {
    svc_send_chunk send;
    void *user;
    size_t n;
    const char *why;
    struct svc_dropped dropped;
    struct svc_channel channels[SVC_CHANNELS_MAX]; /* one for each row of the table */
};

struct svc *svc_create(const struct svc_def *table, size_t n, svc_send_chunk send, void *user)
{
    static const struct slot must[] = {SLOT(svc_def, name), SLOT(svc_def, opened), SLOT(svc_def, message),
        SLOT(svc_def, closed)};
    bool whole = n <= SVC_CHANNELS_MAX;
    for (size_t i = 0; whole && i < n; i++)
        whole = SLOTS_CHECK("static channel", &table[i], must) == 0;
    struct svc *s = whole ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    *s = (struct svc){.send = send, .user = user, .n = n, .why = ""};
    for (size_t i = 0; i < n; i++)
        s->channels[i] = (struct svc_channel){.svc = s, .def = &table[i]};
    return s;
}

void svc_destroy(struct svc *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        svc_close(&s->channels[i]);
    free(s);
}

/* The row that is open on `id`; s->n: none. */
static size_t row_of(const struct svc *s, uint16_t id)
{
    size_t i = 0;
    while (i < s->n && (id == 0 || s->channels[i].id != id))
        i++;
    return i;
}

int svc_open(struct svc *s, size_t row, uint16_t id)
{
    if (row >= s->n || id == 0)
        return -EINVAL;
    struct svc_channel *c = &s->channels[row];
    if (c->id)
        return -EALREADY;
    if (row_of(s, id) < s->n)
        return -EINVAL;
    c->id = id;
    c->def->opened(s->user, c);
    return 0;
}

/* Forget the message being put together; its memory goes to the caller, who frees it. */
static uint8_t *take_part(struct svc_channel *c)
{
    uint8_t *p = c->part.p;
    wr_init(&c->part, NULL, 0);
    c->begun = false;
    return p;
}

void svc_close(struct svc_channel *c)
{
    if (!c || !c->id)
        return;
    free(take_part(c));
    c->id = 0;
    c->def->closed(c->svc->user);
}

int svc_send(struct svc_channel *c, const uint8_t *data, size_t len)
{
    if (!c || !c->id)
        return -ENOTCONN;
    if (len == 0 || len > UINT32_MAX)
        return -EINVAL;
    for (size_t at = 0, n; at < len; at += n) {
        n = len - at < SVC_CHUNK ? len - at : SVC_CHUNK;
        uint32_t flags = (at == 0 ? SVC_FIRST : 0u) | (at + n == len ? SVC_LAST : 0u);
        int r = c->svc->send(c->svc->user, c->id, data + at, n, flags, len);
        if (r < 0)
            return r;
    }
    return 0;
}

static int refuse(struct svc *s, const char *why)
{
    s->why = why;
    return -EPROTO;
}

/* Room for `len` more bytes; the caller knows that they fit into the total. */
static int grow(struct svc_channel *c, size_t len)
{
    size_t need = c->part.len + len, cap = c->part.cap ? c->part.cap : PART_START;
    while (cap < need)
        cap *= 2;
    cap = cap < c->total ? cap : c->total;
    if (cap <= c->part.cap)
        return 0;
    uint8_t *p = realloc(c->part.p, cap);
    if (!p)
        return -ENOMEM;
    c->part.p = p;
    c->part.cap = cap;
    return 0;
}

/* Does this chunk follow what came before it in its channel? Returns NULL, or what is wrong. */
static const char *out_of_place(const struct svc_channel *c, size_t len, uint32_t flags, size_t total)
{
    if (flags & SVC_COMPRESSED)
        return "compressed data, which was never offered";
    if (total > c->def->ceiling)
        return "longer than the channel's ceiling";
    if (flags & SVC_FIRST && c->begun)
        return "a message begins inside another one";
    if (!(flags & SVC_FIRST) && !c->begun)
        return "a message without its first chunk";
    if (c->begun && total != c->total)
        return "chunks of one message that announce different lengths";
    if (len > total - c->part.len)
        return "more data than announced";
    if (flags & SVC_LAST && len < total - c->part.len)
        return "less data than announced";
    return NULL;
}

int svc_receive(struct svc *s, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total)
{
    size_t row = row_of(s, id);
    if (row == s->n) {
        s->dropped.chunks++;
        s->dropped.bytes += len;
        return 0;
    }
    struct svc_channel *c = &s->channels[row];
    if (flags & (SVC_SUSPEND | SVC_RESUME) && !(flags & (SVC_FIRST | SVC_LAST)) && len == 0)
        return 0; /* nothing but flags that are to be ignored */
    const char *wrong = out_of_place(c, len, flags, total);
    if (wrong)
        return refuse(s, wrong);
    if (flags & SVC_FIRST && flags & SVC_LAST)
        return c->def->message(s->user, data, len);
    c->begun = true;
    c->total = total;
    int r = grow(c, len);
    if (r < 0)
        return r;
    wr_bytes(&c->part, data, len);
    if (!(flags & SVC_LAST))
        return 0;
    uint8_t *whole = take_part(c);
    r = c->def->message(s->user, whole, total);
    free(whole);
    return r;
}

const char *svc_why(const struct svc *s)
{
    return s->why;
}

const struct svc_def *svc_at(const struct svc *s, uint16_t id)
{
    size_t row = row_of(s, id);
    return row < s->n ? s->channels[row].def : NULL;
}

struct svc_dropped svc_dropped(const struct svc *s)
{
    return s->dropped;
}
