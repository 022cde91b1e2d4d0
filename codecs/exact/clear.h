/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ClearCodec encoder (MS-RDPEGFX 2.2.4.1), exact. One per graphics channel, for all its surfaces: the client counts
 * sequence numbers and keeps caches per channel, so that everything encoded must be sent, in order. A gap closes the
 * client's channel.
 *
 * Used: residual and bands. Not used: the RLEX sub-codec (two thirds of text tiles have more than its 127 colours, and
 * where it fits it is 0 - 12 % below the residual, six times what bands need), NSCodec (lossy: pictures go as
 * RemoteFX), glyphs (a typed letter's columns are hits of two bytes in the V-bar cache by then: its whole frame is some
 * 65 bytes, most of them headers). */
#ifndef ORIEL_CODECS_EXACT_CLEAR_H
#define ORIEL_CODECS_EXACT_CLEAR_H

#include "codecs/change/compare.h"
#include "common/wire.h"

#define CLEAR_WIDTH_MAX 2048
#define CLEAR_PIXELS_MAX (512 * 1024)
/* A bitmap's data is never longer: four bytes of residual or five of a one-pixel V-bar a pixel, and the heads. */
#define CLEAR_BYTES(width, height) (5 * (size_t)(width) * (size_t)(height) + 16384)

struct clear;
struct clear *clear_create(const struct compare_ops *ops); /* NULL: out of memory */
void clear_destroy(struct clear *c);
/* A new channel: sequence and caches start anew. */
void clear_restart(struct clear *c);
/* A bitmap as what a client draws in less than half the time that it takes to write a residual pixel by pixel: the
 * ground all over it, rectangles of other colours, and boxes that bands draw. All are relative to the bitmap and
 * disjoint, and are the encoder's until the next call. */
struct clear_flat {
    struct box box;
    uint32_t color;
};
struct clear_parts {
    uint32_t ground;
    const struct clear_flat *flats;
    const struct box *leaves;
    int nflats, nleaves;
};
/* Returns 0, or -1: it is not made so, or of more flats or leaves than these. */
int clear_find_parts(struct clear *c, const uint8_t *px, size_t stride, int width, int height, int flats, int leaves,
    struct clear_parts *parts);
/* A window's frames, bars and buttons; what has more is another thing */
#define CLEAR_FLATS_MAX 128
/* The most frequent colour of a box, or nearly so: from samples. */
uint32_t clear_ground(const uint8_t *px, size_t stride, struct box b);
/* Append one bitmap of BGRX pixels (X = 0xFF). Needs CLEAR_BYTES of room, so that it cannot fail half way.
 * Returns 0, -EINVAL (size), -EMSGSIZE. */
int clear_encode(struct clear *c, const uint8_t *px, size_t stride, int width, int height, struct wr *w);
/* Encode like clear_encode a bitmap that is all text: bands alone, no residual. Every pixel is covered, so that nobody
 * has to know what a decoder makes of those that are not. */
int clear_encode_bands(struct clear *c, const uint8_t *px, size_t stride, int width, int height, struct wr *w);

#endif
