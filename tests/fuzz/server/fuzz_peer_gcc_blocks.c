/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a whole TPKT. What is cut off at its end can only make the answer no. */
#include "server/rdp/gcc_blocks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool whole = gcc_has_message_channel(data, size);
    if (!whole && size && gcc_has_message_channel(data, size - 1))
        abort();
    return 0;
}
