/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RDP8 bulk compression (MS-RDPEGFX 3.1.9.1), the compressing side: LZ77 with static codes over everything sent before.
 *
 * One per graphics channel. Every segment handed in becomes part of the history, also when it is sent uncompressed.
 * Matches reach ZGFX_WINDOW back: the client keeps 2.5 MB, but a smaller window costs less memory and time, and has
 * shorter codes. Pages of text grow by a fiftieth.
 */
#ifndef ORIEL_CODECS_WIRE_ZGFX_H
#define ORIEL_CODECS_WIRE_ZGFX_H

#include "common/wire.h"

#include <stdbool.h>
#include <stdint.h>

#define ZGFX_SEGMENT_BYTES 65535 /* 2.2.5.1: no segment is longer before compression */
#define ZGFX_WINDOW (1u << 18)

struct zgfx;
struct zgfx *zgfx_create(void); /* NULL: out of memory */
void zgfx_destroy(struct zgfx *z);
/* The client's history is empty again. */
void zgfx_reset(struct zgfx *z);
/* Append one RDP8_BULK_ENCODED_DATA of `len` (1 … ZGFX_SEGMENT_BYTES) bytes to `w`: at most len + 1 bytes. `dense`:
 * data that is known not to shrink (H.264) is not tried. Returns 0 or -EINVAL, -EMSGSIZE. */
int zgfx_segment(struct zgfx *z, const uint8_t *data, size_t len, bool dense, struct wr *w);

#endif
