/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/listen/first_request.h"

#include "common/wire.h"

#include <errno.h>

#define TPKT_HEADER 4
#define SMALLEST 11 /* TPKT and a request of 7 bytes, without negotiation */
#define CONNECTION_REQUEST 0xe0

int first_request_check(const uint8_t *data, size_t len)
{
    struct rd r;
    rd_init(&r, data, len);
    if (len == 0)
        return TPKT_HEADER;
    if (rd_u8(&r) != 3)
        return -EPROTO;
    if (len < TPKT_HEADER)
        return TPKT_HEADER;
    if (rd_u8(&r) != 0)
        return -EPROTO;
    uint16_t total = rd_u16be(&r);
    if (total < SMALLEST || total > FIRST_REQUEST_MAX)
        return -EPROTO;
    if (len < total)
        return total;
    if (rd_u8(&r) != total - TPKT_HEADER - 1 || (rd_u8(&r) & 0xf0) != CONNECTION_REQUEST)
        return -EPROTO;
    return 0;
}
