/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages between Oriel's own processes: one description per message, one checked codec for all.
 *
 * A message is a plain C struct and a table of its fields. Encoding and decoding walk the table, so every length and
 * count meets its ceiling in one place (wire.c). Integers are little-endian on the wire.
 *
 * Header, 8 bytes: u8 version, u8 reserved (0), u16 message id, u32 payload bytes.
 * Versions: WIRE_VERSION and WIRE_VERSION - 1 are accepted. Fields are only ever appended to a message: a payload of
 * the older version may end early at a field boundary, the fields it lacks are zero. Of the present version the length
 * must match exactly.
 */
#ifndef ORIEL_COMMON_WIRE_H
#define ORIEL_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_VERSION 1
#define WIRE_HEADER_BYTES 8
/* One SEQPACKET datagram that fits the default socket buffer with room for three more */
#define WIRE_MESSAGE_MAX 65536
#define WIRE_FDS_MAX 4 /* no message needs more than two; four leaves the door open */

/* ---- the checked reader: every read past the end sets `bad` and yields zero; test `bad` at decision points ---- */
struct rd {
    const uint8_t *p;
    size_t left;
    bool bad;
};
void rd_init(struct rd *r, const void *data, size_t len);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r); /* little-endian */
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
uint16_t rd_u16be(struct rd *r); /* big-endian */
uint32_t rd_u32be(struct rd *r);
/* Borrow `len` bytes of the input, or NULL (and bad) when fewer are left. */
const uint8_t *rd_bytes(struct rd *r, size_t len);
void rd_skip(struct rd *r, size_t len);

/* ---- the checked writer: a write past the end sets `bad` and writes nothing ---- */
struct wr {
    uint8_t *p;
    size_t len, cap;
    bool bad;
};
void wr_init(struct wr *w, void *data, size_t cap);
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v); /* little-endian */
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_u16be(struct wr *w, uint16_t v);
void wr_u32be(struct wr *w, uint32_t v);
void wr_bytes(struct wr *w, const void *data, size_t len);
/* Reserve `len` bytes to fill later; NULL (and bad) when they do not fit. */
uint8_t *wr_reserve(struct wr *w, size_t len);

/* ---- message descriptions ---- */
enum wire_type {
    WIRE_U8,     /* uint8_t;  `max` = highest legal value */
    WIRE_U16,    /* uint16_t; likewise */
    WIRE_U32,    /* uint32_t; likewise */
    WIRE_U64,    /* uint64_t; any value */
    WIRE_I32,    /* int32_t;  any value */
    WIRE_STR,    /* char[max + 1]: always terminated; an embedded NUL or more than `max` bytes is refused */
    WIRE_BYTES,  /* uint8_t[max], its length in the uint32_t at `count_at` */
    WIRE_ARRAY,  /* struct[max] described by `sub`, its length in the uint32_t at `count_at` */
    WIRE_STRUCT, /* one struct described by `sub` */
};
struct wire_field {
    const char *name; /* for error texts */
    enum wire_type type;
    size_t at;                  /* offsetof in the struct */
    uint64_t max;               /* by type, see above */
    size_t count_at;            /* offset of the uint32_t count: WIRE_BYTES and WIRE_ARRAY */
    const struct wire_def *sub; /* WIRE_ARRAY, WIRE_STRUCT: its description; the id is not used */
};
struct wire_def {
    uint16_t id; /* unique within one protocol */
    const char *name;
    size_t size; /* sizeof the struct */
    const struct wire_field *fields;
    size_t nfields;
    uint8_t nfds; /* exactly so many descriptors travel with it */
};
/* All messages that one end of a link may send. */
struct wire_proto {
    const char *name;
    const struct wire_def *const *defs;
    size_t ndefs;
};

/* Field table helpers; not formatted, because clang-format takes {#f for a directive. */
/* clang-format off */
#define WF_U8(S, f, mx) {#f, WIRE_U8, offsetof(struct S, f), (mx), 0, NULL}
#define WF_U16(S, f, mx) {#f, WIRE_U16, offsetof(struct S, f), (mx), 0, NULL}
#define WF_U32(S, f, mx) {#f, WIRE_U32, offsetof(struct S, f), (mx), 0, NULL}
#define WF_U64(S, f) {#f, WIRE_U64, offsetof(struct S, f), UINT64_MAX, 0, NULL}
#define WF_I32(S, f) {#f, WIRE_I32, offsetof(struct S, f), UINT64_MAX, 0, NULL}
#define WF_STR(S, f) {#f, WIRE_STR, offsetof(struct S, f), sizeof(((struct S *)0)->f) - 1, 0, NULL}
#define WF_BYTES(S, f, n) \
    {#f, WIRE_BYTES, offsetof(struct S, f), sizeof(((struct S *)0)->f), offsetof(struct S, n), NULL}
#define WF_ARRAY(S, f, n, subdef) \
    {#f, WIRE_ARRAY, offsetof(struct S, f), sizeof(((struct S *)0)->f) / sizeof(((struct S *)0)->f[0]), \
        offsetof(struct S, n), subdef}
#define WF_STRUCT(S, f, subdef) {#f, WIRE_STRUCT, offsetof(struct S, f), 0, 0, subdef}
#define WIRE_FIELDS(name) name##_fields, sizeof(name##_fields) / sizeof(name##_fields[0])
/* clang-format on */
/* Define `const struct wire_def NAME_def` for `struct NAME` from `NAME_fields`. */
#define WIRE_DEF(name, num, fds) \
    const struct wire_def name##_def = {num, #name, sizeof(struct name), WIRE_FIELDS(name), fds}
/* The same for a message without fields: `struct NAME` must still exist (give it one unused byte). */
#define WIRE_DEF_EMPTY(name, num, fds) \
    const struct wire_def name##_def = {num, #name, sizeof(struct name), NULL, 0, fds}

/* Encode header and payload into `out`. Returns bytes written; -EINVAL: a value over its ceiling; -EMSGSIZE: does not
 * fit. */
ssize_t wire_encode(const struct wire_def *def, const void *msg, void *out, size_t cap);
/* Look a received datagram's message up. Returns its description, or NULL with *err = -EPROTO (no such id, bad header).
 */
const struct wire_def *wire_lookup(const struct wire_proto *proto, const void *data, size_t len, int *err);
/* Decode a whole datagram into `msg` (def->size bytes, zeroed first). Returns 0, or -EPROTO with *bad_field naming the
 * first field that broke a rule (static string; may be NULL when the caller does not care). */
int wire_decode(const struct wire_def *def, const void *data, size_t len, void *msg, const char **bad_field);
/* The largest struct of a protocol, for a decode buffer. */
size_t wire_proto_max_size(const struct wire_proto *proto);

/* ---- blocking transfer on a SOCK_SEQPACKET descriptor: for programs that have no loop (yet), such as a PAM
 * conversation ---- */
/* Send one message with def->nfds descriptors (they stay the caller's). Returns 0 or negative errno. */
int wire_send(int sock, const struct wire_def *def, const void *msg, const int *fds);
/* Send one encoded datagram; `flags` as for sendmsg. Returns 0 or negative errno (-EAGAIN: nothing was sent). */
int wire_send_raw(int sock, const void *data, size_t len, const int *fds, size_t nfds, int flags);
/* Receive one message of `proto` into `buf` (wire_proto_max_size bytes, 16-aligned). `timeout_ms` < 0 waits for ever.
 * Descriptors land in fds[WIRE_FDS_MAX] and become the caller's. Returns 0; -ETIMEDOUT; -EPIPE: other end closed;
 * -EPROTO. */
int wire_recv(int sock, const struct wire_proto *proto, const struct wire_def **def, void *buf, int *fds,
    int timeout_ms);

#endif
