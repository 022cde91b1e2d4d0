/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What oriel-startup-note sends: whoever runs as the user can send something else. */
#include "session/startup/snapshot.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snapshot s;
    if (snapshot_decode(data, size, &s) == 0) {
        if (s.tag < NOTE_BEGIN || s.tag > NOTE_TAG_MAX || s.mask > 0777)
            abort();
        for (size_t i = 0; i < s.env.n; i++)
            if (!strchr(s.env.v[i], '='))
                abort();
    }
    snapshot_finish(&s);
    return 0;
}
