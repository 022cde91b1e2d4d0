/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a whole TPKT. It never grows, mending twice is mending once, and what is no Erect Domain Request keeps every
 * byte. */
#include "server/rdp/erect_domain.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *pdu = malloc(size); /* of exactly this size, for the sanitizer to see */
    if (size && !pdu)
        return 0;
    if (size)
        memcpy(pdu, data, size);
    size_t n = erect_domain_mend(pdu, size);
    if (n > size || (n < size && n != 12) || erect_domain_mend(pdu, n) != n)
        abort();
    if (size && (size < 12 || data[7] != 4) && memcmp(pdu, data, size) != 0)
        abort();
    free(pdu);
    return 0;
}
