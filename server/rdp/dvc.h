/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dynamic virtual channels, server side (MS-RDPEDYC, version 1), over the static channel "drdynvc".
 *
 * Our own instead of the library's: that one reserves whatever length a client announces, keeps a queue and an eventfd
 * write for each 1600 bytes, and never notices a channel that the client closed. Every client byte here goes through
 * struct rd; a message longer than DVC_MESSAGE_MAX is a protocol error. Thread: the loop's.
 */
#ifndef ORIEL_SERVER_RDP_DVC_H
#define ORIEL_SERVER_RDP_DVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Graphics and display control today; later sound, microphone, touch and camera. (Clipboard, windows and drives are
 * static channels: svc.h.) */
#define DVC_CHANNELS_MAX 16
#define DVC_PDU_MAX 1600 /* 3.1.5.1.4: no PDU is longer, in either direction */
/* The longest that a client has to say: a cache offer of 5462 entries is 65,544 bytes */
#define DVC_MESSAGE_MAX (128 * 1024)

struct dvc;
struct dvc_channel;
struct dvc_ops {
    void (*opened)(void *user); /* the client accepted. Mandatory */
    /* Refused, or closed later by the client; the channel is gone when this returns. Mandatory. */
    void (*closed)(void *user);
    /* One whole message. Returns 0, or negative errno: the connection is to end. Mandatory. */
    int (*message)(void *user, const uint8_t *data, size_t len);
};
/* Send one PDU of at most DVC_PDU_MAX bytes. Returns 0 or negative errno. */
typedef int (*dvc_send_pdu)(void *user, const uint8_t *data, size_t len);

/* NULL: out of memory. */
struct dvc *dvc_create(dvc_send_pdu send, void *user);
void dvc_destroy(struct dvc *d);
/* Announce ourselves. Only after the login. Returns 0 or the sender's error. */
int dvc_start(struct dvc *d);
/* Open a channel (or as soon as the client answered dvc_start). `name` at most 100 bytes, kept by reference.
 * NULL: DVC_CHANNELS_MAX are open, or out of memory. */
struct dvc_channel *dvc_open(struct dvc *d, const char *name, const struct dvc_ops *ops, void *user);
void dvc_close(struct dvc_channel *c);
bool dvc_is_open(const struct dvc_channel *c);
/* Send one message. Returns 0, -ENOTCONN, or the sender's error. */
int dvc_send(struct dvc_channel *c, const uint8_t *data, size_t len);
/* One whole message of the static channel: one PDU. Fragments of different channels may mix; a channel's next message
 * begins only after the last fragment of the one before. Returns 0, -EPROTO: end the connection; or a callback's error.
 */
int dvc_receive(struct dvc *d, const uint8_t *data, size_t len);

#endif
