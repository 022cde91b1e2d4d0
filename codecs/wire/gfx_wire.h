/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The graphics pipeline channel (MS-RDPEGFX 2.2): our commands to bytes, the client's bytes to structs.
 *
 * Outgoing: begin, add PDUs, finish. The result is a list of messages; each is one complete payload for the dynamic
 * channel "Microsoft::Windows::RDS::Graphics" (RDP_SEGMENTED_DATA, 2.2.5.1, holding whole PDUs), to be cut into
 * DYNVC_DATA_FIRST and DYNVC_DATA by the caller, in order, nothing in between them lost: compression has state. Nothing
 * but a CapsConfirm may be sent before a CapsConfirm. Incoming: client PDUs travel uncompressed; every byte goes
 * through struct rd.
 */
#ifndef ORIEL_CODECS_WIRE_GFX_WIRE_H
#define ORIEL_CODECS_WIRE_GFX_WIRE_H

#include "codecs/engine/engine.h"
#include "common/wire.h"

#define GFX_MONITORS_MAX 15 /* libfreerdp clients refuse 16 */
/* Eleven exist; a client that lists more than this is broken */
#define GFX_CAPSETS_MAX 32
#define GFX_CACHE_OFFER_MAX 5462 /* MS-RDPEGFX 2.2.2.16: fewer than 5462 entries */
/* A message is closed when it reaches this (a longer single PDU stands alone) */
#define GFX_MESSAGE_BYTES 262144
#define GFX_MESSAGES_MAX 1024

/* Right and bottom inclusive, as on the wire */
struct gfx_monitor {
    int32_t left, top, right, bottom;
    bool primary;
};

struct gfx_message {
    const uint8_t *data;
    size_t len;
};

struct gfx_wire;
/* `compress`: RDP8 bulk compression where it pays. NULL: out of memory. */
struct gfx_wire *gfx_wire_create(bool compress);
void gfx_wire_destroy(struct gfx_wire *w);

/* Forget what was written so far but not the compression history. */
void gfx_wire_begin(struct gfx_wire *w);
/* Each adds PDUs. Returns 0, -ENOMEM, or -EINVAL for a command that has no place in the pipeline. */
int gfx_wire_caps_confirm(struct gfx_wire *w, uint32_t version, uint32_t flags);
int gfx_wire_reset_graphics(struct gfx_wire *w, uint32_t width, uint32_t height, const struct gfx_monitor *monitors,
    size_t n);
int gfx_wire_cache_import_reply(struct gfx_wire *w, const uint16_t *slots, size_t n);
int gfx_wire_frame(struct gfx_wire *w, const struct gfx_frame *frame);
/* Closes the last message. *messages stays valid until the next begin or destroy. Returns 0, -ENOMEM. */
int gfx_wire_finish(struct gfx_wire *w, const struct gfx_message **messages, size_t *n);
/* The channel was closed and opened again: the client's decompressor is new. */
void gfx_wire_restart(struct gfx_wire *w);

/* ---- from the client ---- */
enum gfx_in_type { GFX_IN_UNKNOWN, GFX_IN_CAPS, GFX_IN_ACK, GFX_IN_QOE, GFX_IN_CACHE_OFFER };
struct gfx_capset {
    uint32_t version, flags;
};
struct gfx_in {
    enum gfx_in_type type; /* UNKNOWN: a PDU of another id, skipped whole */
    union {
        struct {
            struct gfx_capset sets[GFX_CAPSETS_MAX];
            size_t nsets;
        } caps;
        struct {
            uint32_t queue_depth, frame_id, total_decoded;
        } ack;
        struct {
            uint32_t frame_id, timestamp;
            uint16_t diff_se, diff_edr;
        } qoe;
        struct {
            struct engine_cache_entry entries[GFX_CACHE_OFFER_MAX];
            size_t nentries;
        } offer;
    };
};
/* The next PDU of a channel payload. Returns 1 and fills *in, 0 at the end, -EPROTO (close the channel). */
int gfx_in_next(struct rd *r, struct gfx_in *in);
/* Choose the highest set that we know; its own flags rule. Fills *caps' GFX fields and the set to confirm.
 * Returns 0, or -ENOENT when the client offers nothing that we know. */
int gfx_caps_choose(const struct gfx_in *in, struct engine_caps *caps, struct gfx_capset *confirm);

#endif
