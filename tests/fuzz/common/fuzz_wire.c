/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: one byte protocol, then a datagram. What decodes must encode again, and decode to the same. */
#include "tests/fuzz/common/wire_protos.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct wire_def *def, const void *msg, size_t cap)
{
    static uint8_t out[WIRE_MESSAGE_MAX];
    ssize_t n = wire_encode(def, msg, out, sizeof out);
    if (n == -EMSGSIZE)
        return; /* an older version's message grows by the fields it lacked */
    if (n < 0)
        abort();
    int err;
    const struct wire_proto one = {"one", &def, 1};
    void *again = aligned_alloc(16, cap);
    if (wire_lookup(&one, out, (size_t)n, &err) != def || wire_decode(def, out, (size_t)n, again, NULL) != 0 ||
        memcmp(msg, again, def->size) != 0)
        abort();
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > WIRE_MESSAGE_MAX + 1)
        return 0;
    const struct wire_proto *proto = wire_protos[data[0] % WIRE_PROTOS];
    size_t cap = wire_proto_max_size(proto);
    int err;
    const struct wire_def *def = wire_lookup(proto, data + 1, size - 1, &err);
    if (!def)
        return 0;
    const char *bad = NULL;
    void *msg = aligned_alloc(16, cap);
    if (wire_decode(def, data + 1, size - 1, msg, &bad) == 0)
        round_trip(def, msg, cap);
    else if (!bad)
        abort(); /* every refusal names a field */
    free(msg);
    return 0;
}
