/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes one input per message of every protocol into a folder: empty, and with every count and text at its longest
 * that fits. */
#include "tests/fuzz/common/wire_protos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(const struct wire_def *def, uint8_t *msg, unsigned permille)
{
    for (size_t i = 0; i < def->nfields; i++) {
        const struct wire_field *f = &def->fields[i];
        uint32_t n = (uint32_t)(f->max * permille / 1000);
        if (f->type == WIRE_STR)
            memset(msg + f->at, 'x', n);
        if (f->type == WIRE_BYTES || f->type == WIRE_ARRAY)
            memcpy(msg + f->count_at, &n, sizeof n);
        for (uint32_t k = 0; f->type == WIRE_ARRAY && k < n; k++)
            fill(f->sub, msg + f->at + k * f->sub->size, permille);
        if (f->type == WIRE_STRUCT)
            fill(f->sub, msg + f->at, permille);
    }
}

static void write_seed(const char *folder, size_t proto, const struct wire_def *def, unsigned permille)
{
    static uint8_t out[WIRE_MESSAGE_MAX + 1];
    char path[4096];
    uint8_t *msg = calloc(1, def->size);
    if (!msg)
        abort();
    fill(def, msg, permille);
    out[0] = (uint8_t)proto;
    ssize_t n = wire_encode(def, msg, out + 1, sizeof out - 1);
    free(msg);
    if (n < 0 || n > 8192)
        return;
    snprintf(path, sizeof path, "%s/%02zu-%s-%u", folder, proto, def->name, permille);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(out, 1, (size_t)n + 1, f) != (size_t)n + 1 || fclose(f) != 0)
        abort();
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (size_t p = 0; p < WIRE_PROTOS; p++)
        for (size_t i = 0; i < wire_protos[p]->ndefs; i++) {
            write_seed(argv[1], p, wire_protos[p]->defs[i], 0);
            write_seed(argv[1], p, wire_protos[p]->defs[i], 200);
        }
    return 0;
}
