/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/erect_domain.h"

#include <string.h>

size_t erect_domain_mend(uint8_t *pdu, size_t len)
{
    /* TPKT, X.224 data, DomainMCSPDU choice 1, subHeight 0, subInterval 0 (aligned PER: a length octet before each) */
    static const uint8_t shortest[] = {3, 0, 0, 12, 2, 0xf0, 0x80, 1 << 2, 1, 0, 1, 0};
    enum { KIND_AT = 7, PLAIN_AT = 4 };
    if (len < sizeof shortest || pdu[0] != 3 ||
        memcmp(pdu + PLAIN_AT, shortest + PLAIN_AT, KIND_AT + 1 - PLAIN_AT) != 0)
        return len;
    memcpy(pdu, shortest, sizeof shortest);
    return sizeof shortest;
}
