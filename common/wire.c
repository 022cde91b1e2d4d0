/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/wire.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void rd_init(struct rd *r, const void *data, size_t len)
{
    *r = (struct rd){.p = data, .left = len};
}

const uint8_t *rd_bytes(struct rd *r, size_t len)
{
    if (r->bad || len > r->left) {
        r->bad = true;
        r->left = 0;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += len;
    r->left -= len;
    return p;
}

void rd_skip(struct rd *r, size_t len)
{
    (void)rd_bytes(r, len);
}

static uint64_t rd_le(struct rd *r, size_t len)
{
    const uint8_t *p = rd_bytes(r, len);
    uint64_t v = 0;
    for (size_t i = 0; p && i < len; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static uint64_t rd_be(struct rd *r, size_t len)
{
    const uint8_t *p = rd_bytes(r, len);
    uint64_t v = 0;
    for (size_t i = 0; p && i < len; i++)
        v = v << 8 | p[i];
    return v;
}

uint8_t rd_u8(struct rd *r)
{
    return (uint8_t)rd_le(r, 1);
}
uint16_t rd_u16(struct rd *r)
{
    return (uint16_t)rd_le(r, 2);
}
uint32_t rd_u32(struct rd *r)
{
    return (uint32_t)rd_le(r, 4);
}
uint64_t rd_u64(struct rd *r)
{
    return rd_le(r, 8);
}
uint16_t rd_u16be(struct rd *r)
{
    return (uint16_t)rd_be(r, 2);
}
uint32_t rd_u32be(struct rd *r)
{
    return (uint32_t)rd_be(r, 4);
}

void wr_init(struct wr *w, void *data, size_t cap)
{
    *w = (struct wr){.p = data, .cap = cap};
}

uint8_t *wr_reserve(struct wr *w, size_t len)
{
    if (w->bad || len > w->cap - w->len) {
        w->bad = true;
        return NULL;
    }
    uint8_t *p = w->p + w->len;
    w->len += len;
    return p;
}

void wr_bytes(struct wr *w, const void *data, size_t len)
{
    uint8_t *p = wr_reserve(w, len);
    if (p && len)
        memcpy(p, data, len);
}

static void wr_le(struct wr *w, uint64_t v, size_t len)
{
    uint8_t *p = wr_reserve(w, len);
    for (size_t i = 0; p && i < len; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static void wr_be(struct wr *w, uint64_t v, size_t len)
{
    uint8_t *p = wr_reserve(w, len);
    for (size_t i = 0; p && i < len; i++)
        p[i] = (uint8_t)(v >> (8 * (len - 1 - i)));
}

void wr_u8(struct wr *w, uint8_t v)
{
    wr_le(w, v, 1);
}
void wr_u16(struct wr *w, uint16_t v)
{
    wr_le(w, v, 2);
}
void wr_u32(struct wr *w, uint32_t v)
{
    wr_le(w, v, 4);
}
void wr_u64(struct wr *w, uint64_t v)
{
    wr_le(w, v, 8);
}
void wr_u16be(struct wr *w, uint16_t v)
{
    wr_be(w, v, 2);
}
void wr_u32be(struct wr *w, uint32_t v)
{
    wr_be(w, v, 4);
}

static size_t int_bytes(enum wire_type t)
{
    switch (t) {
    case WIRE_U8:
        return 1;
    case WIRE_U16:
        return 2;
    case WIRE_U32:
    case WIRE_I32:
        return 4;
    case WIRE_U64:
        return 8;
    default:
        return 0;
    }
}

static uint64_t load_int(const struct wire_field *f, const uint8_t *at)
{
    switch (int_bytes(f->type)) {
    case 1:
        return *at;
    case 2: {
        uint16_t v;
        memcpy(&v, at, 2);
        return v;
    }
    case 4: {
        uint32_t v;
        memcpy(&v, at, 4);
        return v;
    }
    default: {
        uint64_t v;
        memcpy(&v, at, 8);
        return v;
    }
    }
}

static void store_int(const struct wire_field *f, uint8_t *at, uint64_t v)
{
    uint8_t v1 = (uint8_t)v;
    uint16_t v2 = (uint16_t)v;
    uint32_t v4 = (uint32_t)v;
    switch (int_bytes(f->type)) {
    case 1:
        memcpy(at, &v1, 1);
        break;
    case 2:
        memcpy(at, &v2, 2);
        break;
    case 4:
        memcpy(at, &v4, 4);
        break;
    default:
        memcpy(at, &v, 8);
        break;
    }
}

static uint32_t load_count(const struct wire_field *f, const uint8_t *msg)
{
    uint32_t n;
    memcpy(&n, msg + f->count_at, sizeof n);
    return n;
}

static int encode_fields(const struct wire_def *def, const uint8_t *msg, struct wr *w);

static int encode_field(const struct wire_field *f, const uint8_t *msg, struct wr *w)
{
    const uint8_t *at = msg + f->at;
    if (f->type == WIRE_STR) {
        size_t n = strnlen((const char *)at, f->max + 1);
        if (n > f->max)
            return -EINVAL;
        wr_u16(w, (uint16_t)n);
        wr_bytes(w, at, n);
        return 0;
    }
    if (f->type == WIRE_BYTES || f->type == WIRE_ARRAY) {
        uint32_t n = load_count(f, msg);
        if (n > f->max)
            return -EINVAL;
        wr_u32(w, n);
        if (f->type == WIRE_BYTES) {
            wr_bytes(w, at, n);
            return 0;
        }
        int r = 0;
        for (uint32_t i = 0; i < n && r == 0; i++)
            r = encode_fields(f->sub, at + i * f->sub->size, w);
        return r;
    }
    if (f->type == WIRE_STRUCT)
        return encode_fields(f->sub, at, w);
    uint64_t v = load_int(f, at);
    if (f->type != WIRE_I32 && v > f->max)
        return -EINVAL;
    wr_le(w, v, int_bytes(f->type));
    return 0;
}

static int encode_fields(const struct wire_def *def, const uint8_t *msg, struct wr *w)
{
    for (size_t i = 0; i < def->nfields; i++) {
        int r = encode_field(&def->fields[i], msg, w);
        if (r < 0)
            return r;
    }
    return 0;
}

ssize_t wire_encode(const struct wire_def *def, const void *msg, void *out, size_t cap)
{
    struct wr w;
    wr_init(&w, out, cap < WIRE_MESSAGE_MAX ? cap : WIRE_MESSAGE_MAX);
    wr_u8(&w, WIRE_VERSION);
    wr_u8(&w, 0);
    wr_u16(&w, def->id);
    uint8_t *len_at = wr_reserve(&w, 4);
    int r = encode_fields(def, msg, &w);
    if (r < 0)
        return r;
    if (w.bad)
        return -EMSGSIZE;
    struct wr lw;
    wr_init(&lw, len_at, 4);
    wr_u32(&lw, (uint32_t)(w.len - WIRE_HEADER_BYTES));
    return (ssize_t)w.len;
}

const struct wire_def *wire_lookup(const struct wire_proto *proto, const void *data, size_t len, int *err)
{
    struct rd r;
    rd_init(&r, data, len);
    uint8_t version = rd_u8(&r), reserved = rd_u8(&r);
    uint16_t id = rd_u16(&r);
    uint32_t payload = rd_u32(&r);
    *err = -EPROTO;
    if (r.bad || reserved != 0 || payload != r.left || (version != WIRE_VERSION && version != WIRE_VERSION - 1))
        return NULL;
    for (size_t i = 0; i < proto->ndefs; i++) {
        if (proto->defs[i]->id == id) {
            *err = 0;
            return proto->defs[i];
        }
    }
    return NULL;
}

static bool decode_fields(const struct wire_def *def, struct rd *r, uint8_t *msg, bool may_end, const char **bad);

static bool decode_str(const struct wire_field *f, struct rd *r, uint8_t *at)
{
    uint16_t n = rd_u16(r);
    if (n > f->max)
        return false;
    const uint8_t *p = rd_bytes(r, n);
    if (!p || (n && memchr(p, 0, n)))
        return false;
    if (n)
        memcpy(at, p, n);
    at[n] = 0;
    return true;
}

static bool decode_field(const struct wire_field *f, struct rd *r, uint8_t *msg, const char **bad)
{
    uint8_t *at = msg + f->at;
    if (f->type == WIRE_STR)
        return decode_str(f, r, at);
    if (f->type == WIRE_BYTES || f->type == WIRE_ARRAY) {
        uint32_t n = rd_u32(r);
        if (r->bad || n > f->max)
            return false;
        memcpy(msg + f->count_at, &n, sizeof n);
        if (f->type == WIRE_BYTES) {
            const uint8_t *p = rd_bytes(r, n);
            if (p && n)
                memcpy(at, p, n);
            return p != NULL;
        }
        for (uint32_t i = 0; i < n; i++)
            if (!decode_fields(f->sub, r, at + i * f->sub->size, false, bad))
                return false;
        return true;
    }
    if (f->type == WIRE_STRUCT)
        return decode_fields(f->sub, r, at, false, bad);
    uint64_t v = rd_le(r, int_bytes(f->type));
    if (f->type != WIRE_I32 && v > f->max)
        return false;
    store_int(f, at, v);
    return !r->bad;
}

static bool decode_fields(const struct wire_def *def, struct rd *r, uint8_t *msg, bool may_end, const char **bad)
{
    for (size_t i = 0; i < def->nfields; i++) {
        if (may_end && r->left == 0 && !r->bad)
            return true;
        *bad = def->fields[i].name;
        if (!decode_field(&def->fields[i], r, msg, bad))
            return false;
    }
    *bad = NULL;
    return true;
}

int wire_decode(const struct wire_def *def, const void *data, size_t len, void *msg, const char **bad_field)
{
    const char *bad = NULL;
    struct rd r;
    memset(msg, 0, def->size);
    rd_init(&r, data, len);
    bool older = rd_u8(&r) == WIRE_VERSION - 1;
    rd_skip(&r, WIRE_HEADER_BYTES - 1);
    bool ok = !r.bad && decode_fields(def, &r, msg, older, &bad);
    if (ok && r.left != 0) {
        ok = false;
        bad = "(trailing bytes)";
    }
    if (bad_field)
        *bad_field = ok ? NULL : bad ? bad : "(header)";
    return ok ? 0 : -EPROTO;
}

size_t wire_proto_max_size(const struct wire_proto *proto)
{
    size_t m = 16;
    for (size_t i = 0; i < proto->ndefs; i++)
        if (proto->defs[i]->size > m)
            m = proto->defs[i]->size;
    return (m + 15) & ~(size_t)15;
}

int wire_send_raw(int sock, const void *data, size_t len, const int *fds, size_t nfds, int flags)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
    } ctl;
    struct iovec iov = {(void *)(uintptr_t)data, len};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (nfds) {
        memset(&ctl, 0, sizeof ctl);
        mh.msg_control = &ctl;
        mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
    }
    ssize_t n;
    do
        n = sendmsg(sock, &mh, MSG_NOSIGNAL | flags);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int wire_send(int sock, const struct wire_def *def, const void *msg, const int *fds)
{
    uint8_t buf[WIRE_MESSAGE_MAX];
    ssize_t n = wire_encode(def, msg, buf, sizeof buf);
    if (n < 0)
        return (int)n;
    int r = wire_send_raw(sock, buf, (size_t)n, fds, def->nfds, 0);
    explicit_bzero(buf, (size_t)n);
    return r;
}

static size_t take_fds(struct msghdr *mh, int *fds)
{
    size_t n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t have = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < have; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (n < WIRE_FDS_MAX)
                fds[n++] = fd;
            else
                close(fd);
        }
    }
    return n;
}

static int wait_readable(int sock, int timeout_ms)
{
    struct pollfd p = {sock, POLLIN, 0};
    int64_t end = clock_ms() + timeout_ms;
    int left = timeout_ms;
    for (;;) {
        int r = poll(&p, 1, left);
        if (r > 0)
            return 0;
        if (r == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
        if (timeout_ms >= 0) {
            int64_t until = end - clock_ms();
            left = until > 0 ? (int)until : 0;
        }
    }
}

static int recv_datagram(int sock, uint8_t *buf, size_t cap, size_t *len, int *fds, size_t *nfds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
    } ctl;
    struct iovec iov = {buf, cap};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof ctl};
    ssize_t n;
    do
        n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    *nfds = take_fds(&mh, fds);
    *len = (size_t)n;
    if (n == 0)
        return -EPIPE;
    return mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EPROTO : 0;
}

int wire_recv(int sock, const struct wire_proto *proto, const struct wire_def **def, void *buf, int *fds,
    int timeout_ms)
{
    uint8_t data[WIRE_MESSAGE_MAX];
    size_t len = 0, nfds = 0;
    int r = timeout_ms == 0 ? 0 : wait_readable(sock, timeout_ms);
    if (r < 0)
        return r;
    r = recv_datagram(sock, data, sizeof data, &len, fds, &nfds);
    if (r == 0)
        *def = wire_lookup(proto, data, len, &r);
    if (r == 0 && nfds != (*def)->nfds)
        r = -EPROTO;
    if (r == 0)
        r = wire_decode(*def, data, len, buf, NULL);
    if (r < 0)
        for (size_t i = 0; i < nfds; i++)
            close(fds[i]);
    explicit_bzero(data, len);
    return r;
}
