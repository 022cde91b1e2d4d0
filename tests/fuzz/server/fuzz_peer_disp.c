/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a display control PDU. A layout that is accepted lies within its ceilings. */
#include "server/peer/layout.h"
#include "server/rdp/disp_wire.h"
#include "session/proto/layout.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct display_layout l;
    uint32_t w, h;
    if (disp_wire_layout(data, size, &l) < 0 || client_layout_normalise(&l, 16384, 8192) < 0)
        return 0;
    layout_size(&l, &w, &h);
    if (l.nmonitors == 0 || l.nmonitors > DISPLAY_MONITORS_MAX || w > 16384 || h > 8192)
        abort();
    return 0;
}
