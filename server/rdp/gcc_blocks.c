/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/gcc_blocks.h"

#include "common/wire.h"

#include <string.h>

#define HEADERS 7 /* TPKT and X.224 data */
#define CS_MCS_MSGCHANNEL 0xC006u

/* T.125 Connect Initial: BER application tag 101. */
static bool is_connect_initial(const uint8_t *pdu, size_t len)
{
    return len > HEADERS + 2 && pdu[0] == 3 && pdu[HEADERS] == 0x7f && pdu[HEADERS + 1] == 0x65;
}

bool gcc_has_message_channel(const uint8_t *pdu, size_t len)
{
    static const char key[] = {'D', 'u', 'c', 'a'}; /* T.124's key of the client's data */
    const uint8_t *at = is_connect_initial(pdu, len) ? memmem(pdu, len, key, sizeof key) : NULL;
    struct rd r;
    if (!at)
        return false;
    rd_init(&r, at + sizeof key, len - (size_t)(at - pdu) - sizeof key);
    if (rd_u8(&r) & 0x80) /* PER length: one byte or two */
        rd_skip(&r, 1);
    while (r.left >= 4 && !r.bad) {
        uint16_t type = rd_u16(&r), n = rd_u16(&r);
        if (n < 4)
            return false;
        rd_skip(&r, n - 4u);
        if (type == CS_MCS_MSGCHANNEL)
            return !r.bad && n >= 8;
    }
    return false;
}
