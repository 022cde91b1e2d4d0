/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/dvc.h"

#include "common/slots.h"
#include "common/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* MS-RDPEDYC 2.2: the high four bits of the first byte */
enum {
    CMD_CREATE = 1,
    CMD_DATA_FIRST = 2,
    CMD_DATA = 3,
    CMD_CLOSE = 4,
    CMD_CAPS = 5,
    CMD_DATA_FIRST_PACKED = 6,
    CMD_DATA_PACKED = 7
};
#define NAME_MAX_BYTES 100

/* CLOSING: our close is under way; its id is used again only when the client has answered it (MS-RDPEDYC 3.1.5.2). */
enum channel_state { CHANNEL_FREE, CHANNEL_WAITING, CHANNEL_ASKED, CHANNEL_OPEN, CHANNEL_CLOSING };
struct dvc_channel {
    struct dvc *dvc;
    enum channel_state state;
    const char *name;
    const struct dvc_ops *ops;
    void *user;
    uint8_t *part; /* a message being put together; NULL none */
    size_t part_len, part_total;
};
struct dvc {
    dvc_send_pdu send;
    void *user;
    bool ready;                                    /* the client answered our capabilities */
    struct dvc_channel channels[DVC_CHANNELS_MAX]; /* its id on the wire: index + 1 */
};

struct dvc *dvc_create(dvc_send_pdu send, void *user)
{
    struct dvc *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->send = send;
    d->user = user;
    for (size_t i = 0; i < DVC_CHANNELS_MAX; i++)
        d->channels[i].dvc = d;
    return d;
}

static void drop_part(struct dvc_channel *c)
{
    free(c->part);
    c->part = NULL;
    c->part_len = c->part_total = 0;
}

void dvc_destroy(struct dvc *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < DVC_CHANNELS_MAX; i++)
        drop_part(&d->channels[i]);
    free(d);
}

static uint8_t id_of(const struct dvc_channel *c)
{
    return (uint8_t)(c - c->dvc->channels + 1);
}

int dvc_start(struct dvc *d)
{
    static const uint8_t caps[] = {CMD_CAPS << 4, 0, 1, 0}; /* DYNVC_CAPS_VERSION1 */
    return d->send(d->user, caps, sizeof caps);
}

static int ask_create(struct dvc_channel *c)
{
    uint8_t pdu[2 + NAME_MAX_BYTES + 1];
    struct wr w;
    wr_init(&w, pdu, sizeof pdu);
    wr_u8(&w, CMD_CREATE << 4);
    wr_u8(&w, id_of(c));
    wr_bytes(&w, c->name, strlen(c->name) + 1);
    if (w.bad)
        return -EINVAL;
    c->state = CHANNEL_ASKED;
    return c->dvc->send(c->dvc->user, pdu, w.len);
}

struct dvc_channel *dvc_open(struct dvc *d, const char *name, const struct dvc_ops *ops, void *user)
{
    static const struct slot must[] = {SLOT(dvc_ops, opened), SLOT(dvc_ops, closed), SLOT(dvc_ops, message)};
    if (SLOTS_CHECK(name, ops, must) < 0)
        return NULL;
    for (size_t i = 0; i < DVC_CHANNELS_MAX; i++) {
        struct dvc_channel *c = &d->channels[i];
        if (c->state != CHANNEL_FREE)
            continue;
        *c = (struct dvc_channel){.dvc = d, .state = CHANNEL_WAITING, .name = name, .ops = ops, .user = user};
        if (d->ready && ask_create(c) < 0) {
            c->state = CHANNEL_FREE;
            return NULL;
        }
        return c;
    }
    return NULL;
}

static void forget(struct dvc_channel *c)
{
    drop_part(c);
    c->state = CHANNEL_FREE;
}

void dvc_close(struct dvc_channel *c)
{
    if (!c || c->state == CHANNEL_FREE || c->state == CHANNEL_CLOSING)
        return;
    bool known = c->state != CHANNEL_WAITING;
    uint8_t pdu[2] = {CMD_CLOSE << 4, id_of(c)};
    if (known)
        (void)c->dvc->send(c->dvc->user, pdu, sizeof pdu);
    forget(c);
    if (known)
        c->state = CHANNEL_CLOSING;
}

bool dvc_is_open(const struct dvc_channel *c)
{
    return c && c->state == CHANNEL_OPEN;
}

/* DYNVC_DATA_FIRST's length field: 0 one byte, 1 two, 2 four. */
static uint8_t length_code(size_t len)
{
    return len <= 0xff ? 0 : len <= 0xffff ? 1 : 2;
}

int dvc_send(struct dvc_channel *c, const uint8_t *data, size_t len)
{
    uint8_t pdu[DVC_PDU_MAX];
    bool first = true, whole = len <= sizeof pdu - 2;
    if (!dvc_is_open(c))
        return -ENOTCONN;
    for (size_t at = 0; at < len; first = false) {
        struct wr w;
        wr_init(&w, pdu, sizeof pdu);
        uint8_t lc = length_code(len);
        bool with_length = first && !whole;
        wr_u8(&w, (uint8_t)((with_length ? CMD_DATA_FIRST << 4 | lc << 2 : CMD_DATA << 4)));
        wr_u8(&w, id_of(c));
        if (with_length && lc == 2)
            wr_u32(&w, (uint32_t)len);
        else if (with_length && lc == 1)
            wr_u16(&w, (uint16_t)len);
        size_t n = len - at < w.cap - w.len ? len - at : w.cap - w.len;
        wr_bytes(&w, data + at, n);
        at += n;
        int r = c->dvc->send(c->dvc->user, pdu, w.len);
        if (r < 0)
            return r;
    }
    return 0;
}

static uint32_t read_sized(struct rd *r, unsigned code)
{
    switch (code) {
    case 0:
        return rd_u8(r);
    case 1:
        return rd_u16(r);
    case 2:
        return rd_u32(r);
    default:
        r->bad = true;
        return 0;
    }
}

static int on_caps(struct dvc *d)
{
    if (d->ready)
        return -EPROTO;
    d->ready = true;
    for (size_t i = 0; i < DVC_CHANNELS_MAX; i++) {
        int r = d->channels[i].state == CHANNEL_WAITING ? ask_create(&d->channels[i]) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int on_created(struct dvc_channel *c, struct rd *r)
{
    uint32_t status = rd_u32(r);
    if (r->bad || c->state != CHANNEL_ASKED)
        return -EPROTO;
    if (status & 0x80000000u) {
        const struct dvc_ops *ops = c->ops;
        forget(c);
        ops->closed(c->user);
        return 0;
    }
    c->state = CHANNEL_OPEN;
    c->ops->opened(c->user);
    return 0;
}

static int on_first(struct dvc_channel *c, struct rd *r, unsigned code)
{
    uint32_t total = read_sized(r, code);
    if (r->bad || c->part || total > DVC_MESSAGE_MAX || r->left > total)
        return -EPROTO;
    if (r->left == total)
        return c->ops->message(c->user, r->p, r->left);
    c->part = malloc(total);
    if (!c->part)
        return -ENOMEM;
    c->part_total = total;
    memcpy(c->part, r->p, r->left);
    c->part_len = r->left;
    return 0;
}

static int on_data(struct dvc_channel *c, struct rd *r)
{
    if (!c->part)
        return c->ops->message(c->user, r->p, r->left);
    if (r->left > c->part_total - c->part_len)
        return -EPROTO;
    memcpy(c->part + c->part_len, r->p, r->left);
    c->part_len += r->left;
    if (c->part_len < c->part_total)
        return 0;
    uint8_t *whole = c->part;
    size_t len = c->part_total;
    c->part = NULL;
    c->part_len = c->part_total = 0;
    int ret = c->ops->message(c->user, whole, len);
    free(whole);
    return ret;
}

static void on_close(struct dvc_channel *c)
{
    const struct dvc_ops *ops = c->ops;
    void *user = c->user;
    forget(c);
    ops->closed(user);
}

static int on_channel_pdu(struct dvc_channel *c, unsigned cmd, unsigned sp, struct rd *r)
{
    if (c->state == CHANNEL_CLOSING) {
        if (cmd == CMD_CLOSE)
            forget(c);
        return 0;
    }
    if (cmd == CMD_CREATE)
        return on_created(c, r);
    if (c->state != CHANNEL_OPEN)
        return 0; /* data that crossed our close */
    switch (cmd) {
    case CMD_DATA_FIRST:
        return on_first(c, r, sp);
    case CMD_DATA:
        return on_data(c, r);
    case CMD_CLOSE:
        on_close(c);
        return 0;
    default:
        return -EPROTO; /* compressed data and soft sync belong to version 3 */
    }
}

int dvc_receive(struct dvc *d, const uint8_t *data, size_t len)
{
    struct rd r;
    rd_init(&r, data, len);
    uint8_t head = rd_u8(&r);
    if (!r.bad && head >> 4 == CMD_CAPS)
        return on_caps(d);
    if (!d->ready)
        return -EPROTO;
    uint32_t id = read_sized(&r, head & 3);
    if (r.bad)
        return -EPROTO;
    if (id == 0 || id > DVC_CHANNELS_MAX || d->channels[id - 1].state == CHANNEL_FREE)
        return 0; /* crossed our close */
    return on_channel_pdu(&d->channels[id - 1], head >> 4, head >> 2 & 3, &r);
}
