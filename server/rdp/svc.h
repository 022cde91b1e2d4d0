/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Static virtual channels, server side (MS-RDPBCGR 2.2.6.1, 3.1.5.2): chunks in, whole messages out, and back.
 *
 * The client names its channels before its login and joins all of them; the protocol leaves a server no way to refuse
 * one. So a channel counts for nothing until svc_open: what comes on it before, or on one that the table does not
 * name, is dropped and counted, and nothing is ever sent there.
 *
 * Chunks of different channels may mix. The chunks of one message follow each other in their channel, the first one
 * marked, the last one marked, each with the length of the whole. Anything else ends the connection.
 *
 * Flags of CHANNEL_PDU_HEADER (2.2.6.1.1) besides FIRST and LAST: SUSPEND and RESUME are the server's alone, and
 * ignored from a client. SHOW_PROTOCOL asks that the receiver sees the header: messages are put together here, so
 * there is nobody left to whom it would tell anything. COMPRESSED is refused: our capability set says that we take no
 * compressed data (2.2.7.1.10).
 *
 * Thread: the loop's. No callback may destroy the svc.
 */
#ifndef ORIEL_SERVER_RDP_SVC_H
#define ORIEL_SERVER_RDP_SVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of data in each chunk that we send, and what our capability set allows the client: CHANNEL_CHUNK_LENGTH, which
 * every client takes */
#define SVC_CHUNK 1600
/* Rows of a table: drdynvc, and later cliprdr, rail, rdpsnd and rdpdr; as many again for what nobody thought of */
#define SVC_CHANNELS_MAX 10

enum {
    SVC_FIRST = 0x1,
    SVC_LAST = 0x2,
    SVC_SHOW_PROTOCOL = 0x10,
    SVC_SUSPEND = 0x20,
    SVC_RESUME = 0x40,
    SVC_COMPRESSED = 0x200000,
};

struct svc;
struct svc_channel;

/* One row of the table: a channel that we serve. */
struct svc_def {
    const char *name; /* as the client names it: at most 7 characters (2.2.1.3.4.1) */
    size_t ceiling;   /* longest message that the client may send, in bytes: so much memory it can hold */
    /* The channel is open from now on. Mandatory. */
    void (*opened)(void *user, struct svc_channel *c);
    /* One whole message, borrowed for the call. Returns 0, or negative errno: the connection is to end. May close the
     * channel. Mandatory. */
    int (*message)(void *user, const uint8_t *data, size_t len);
    /* svc_close, or svc_destroy with the channel open; nothing can be sent any more. Mandatory. */
    void (*closed)(void *user);
};

/* Send one chunk of at most SVC_CHUNK bytes; `total` is the length of its whole message. Returns 0 or negative errno.
 */
typedef int (*svc_send_chunk)(void *user, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total);

struct svc_dropped {
    uint64_t chunks, bytes;
};

/* `table` has `n` rows (SVC_CHANNELS_MAX at most) and outlives the svc; `user` is handed to all its callbacks and to
 * `send`. NULL: out of memory, too many rows, or one that lacks a function. */
struct svc *svc_create(const struct svc_def *table, size_t n, svc_send_chunk send, void *user);
/* Closes what is open. NULL is fine. */
void svc_destroy(struct svc *s);

/* Open row `row` of the table on the client's channel `id`, which the client has joined. Only after the monitor's
 * grant. Returns 0; -EALREADY: it is open; -EINVAL: no such row, or the id is another row's. */
int svc_open(struct svc *s, size_t row, uint16_t id);
/* Drops what was received of a message. NULL and a closed channel are fine. */
void svc_close(struct svc_channel *c);
/* Send one message of at least one byte, in as many chunks as it needs. Returns 0; -ENOTCONN: not open; -EINVAL; or the
 * sender's error. */
int svc_send(struct svc_channel *c, const uint8_t *data, size_t len);

/* One chunk as it came: `flags` and `total` from its header. Returns 0, also for what is dropped; -EPROTO: end the
 * connection, svc_why says why; -ENOMEM; or a callback's error. */
int svc_receive(struct svc *s, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total);
/* Why svc_receive said -EPROTO: static string; "" when it never did, or when a callback did. */
const char *svc_why(const struct svc *s);
/* Which row of the table is open on `id`? NULL: none. */
const struct svc_def *svc_at(const struct svc *s, uint16_t id);
/* What came on channels that are not open. */
struct svc_dropped svc_dropped(const struct svc *s);

#endif
