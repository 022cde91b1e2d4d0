/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/fast_path.h"

#include "common/wire.h"

#define ACTION_BITS 3u /* of the first byte; 0 is fast path, 3 a TPKT header */
#define LONG_LENGTH 0x80u
#define FRAGMENT_FIRST 2u
#define FRAGMENT_NEXT 3u

bool fast_path_goes_on(const uint8_t *pdu, size_t len)
{
    struct rd r;
    rd_init(&r, pdu, len);
    bool fast = (rd_u8(&r) & ACTION_BITS) == 0;
    if (rd_u8(&r) & LONG_LENGTH)
        rd_u8(&r);
    unsigned fragmentation = rd_u8(&r) >> 4 & 3;
    return fast && !r.bad && (fragmentation == FRAGMENT_FIRST || fragmentation == FRAGMENT_NEXT);
}
