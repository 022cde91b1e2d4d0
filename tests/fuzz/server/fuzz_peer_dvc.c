/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: PDUs, each with a byte that is not used and a byte of length before it. */
#include "server/rdp/dvc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_send(void *user, const uint8_t *data, size_t len)
{
    if (len > DVC_PDU_MAX)
        abort();
    return 0;
}
static void on_event(void *user)
{
}
static int on_message(void *user, const uint8_t *data, size_t len)
{
    volatile uint8_t sum = 0;
    if (len > DVC_MESSAGE_MAX)
        abort();
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + data[i]);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dvc_ops ops = {.opened = on_event, .closed = on_event, .message = on_message};
    struct dvc *d = dvc_create(on_send, NULL);
    if (!d)
        return 0;
    (void)dvc_start(d);
    (void)dvc_open(d, "one", &ops, NULL);
    (void)dvc_open(d, "two", &ops, NULL);
    while (size >= 2) {
        size_t n = data[1] < size - 2 ? data[1] : size - 2;
        if (dvc_receive(d, data + 2, n) < 0)
            break;
        data += 2 + n;
        size -= 2 + n;
    }
    dvc_destroy(d);
    return 0;
}
