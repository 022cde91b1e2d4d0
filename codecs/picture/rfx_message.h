/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RemoteFX messages (MS-RDPRFX 2.2.2) for clients without the graphics pipeline, sent in surface-bits commands. */
#ifndef ORIEL_CODECS_PICTURE_RFX_MESSAGE_H
#define ORIEL_CODECS_PICTURE_RFX_MESSAGE_H

#include "codecs/picture/progressive.h"

struct rfx_stream {
    uint32_t frame;
    bool headed; /* the headers were sent: once a connection */
    struct rfx_scratch scratch;
    uint8_t data[RFX_TILE_BYTES];
};
#define RFX_MESSAGE_BYTES (256 + RFX_TILE_BYTES)

/* One tile as one message: `px` is its first pixel, width and height 1 … 64; it is drawn where the surface-bits command
 * says. `screen_*`: the desktop's size, named in the headers. Returns 0, -EMSGSIZE (RFX_MESSAGE_BYTES is enough). */
int rfx_message(struct rfx_stream *s, const uint8_t *px, size_t stride, int width, int height,
    enum picture_quality quality, int entropy, int screen_width, int screen_height, struct wr *w);

#endif
