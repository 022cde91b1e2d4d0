/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: the first bytes of a connection. More is never asked for than a request can have, and always more than there
 * is. */
#include "server/listen/first_request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int need = first_request_check(data, size);
    if (need > FIRST_REQUEST_MAX || (need > 0 && (size_t)need <= size))
        abort();
    return 0;
}
