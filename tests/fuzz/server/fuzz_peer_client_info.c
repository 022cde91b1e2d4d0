/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a PDU from the client. What is taken has its ceilings kept; what is not Client Info is left alone. */
#include "server/rdp/client_info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct credentials ci;
    uint8_t *pdu = malloc(size + 1);
    if (!pdu)
        return 0;
    memcpy(pdu, data, size);
    if (size >= 4) { /* a wrong TPKT length ends the test too early to be of use */
        pdu[2] = (uint8_t)(size >> 8);
        pdu[3] = (uint8_t)size;
    }
    int r = client_info_take(pdu, size, &ci);
    if (r == -ENOENT && size > 4 && memcmp(pdu + 4, data + 4, size - 4) != 0)
        abort();
    if (r == 0 &&
        (ci.npassword > sizeof ci.password || strnlen(ci.user, sizeof ci.user) == sizeof ci.user ||
            strnlen(ci.domain, sizeof ci.domain) == sizeof ci.domain))
        abort();
    free(pdu);
    return 0;
}
