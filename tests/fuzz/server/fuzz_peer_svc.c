/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: chunks. Before each one a byte for the channel (0 and 1 are open, the others are not), four for the flags,
 * four for the announced length, two for the length of its data. */
#include "common/wire.h"
#include "server/rdp/svc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIRST_ID 1004
#define CEILING 20000
#define SMALL 64

static int on_send(void *user, uint16_t id, const uint8_t *data, size_t len, uint32_t flags, size_t total)
{
    if (id < FIRST_ID || len > SVC_CHUNK || len > total || flags & ~(uint32_t)(SVC_FIRST | SVC_LAST))
        abort();
    return 0;
}
static void on_opened(void *user, struct svc_channel *c)
{
    (void)svc_send(c, (const uint8_t *)"hello", 5);
}
static void on_closed(void *user)
{
}
static int read_all(const uint8_t *data, size_t len, size_t ceiling)
{
    volatile uint8_t sum = 0;
    if (len > ceiling)
        abort();
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + data[i]);
    return 0;
}
static int on_message(void *user, const uint8_t *data, size_t len)
{
    return read_all(data, len, CEILING);
}
static int on_small(void *user, const uint8_t *data, size_t len)
{
    return read_all(data, len, SMALL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct svc_def table[] = {
        {.name = "one", .ceiling = CEILING, .opened = on_opened, .message = on_message, .closed = on_closed},
        {.name = "two", .ceiling = SMALL, .opened = on_opened, .message = on_small, .closed = on_closed},
    };
    struct svc *s = svc_create(table, 2, on_send, NULL);
    if (!s)
        return 0;
    (void)svc_open(s, 0, FIRST_ID);
    (void)svc_open(s, 1, FIRST_ID + 1);
    struct rd r;
    rd_init(&r, data, size);
    while (r.left > 11) {
        uint16_t id = (uint16_t)(FIRST_ID + rd_u8(&r));
        uint32_t flags = rd_u32(&r), total = rd_u32(&r);
        size_t n = rd_u16(&r);
        n = n < r.left ? n : r.left;
        if (svc_receive(s, id, rd_bytes(&r, n), n, flags, total) < 0 && svc_why(s)[0] == '\0')
            abort();
    }
    svc_destroy(s);
    return 0;
}
