/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input: a configuration file. What is taken must dump and read back to the same; what is refused must say why. */
#include "common/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config a, b;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_error err;
    if (size == 0)
        return 0;
    FILE *f = fmemopen((void *)(uintptr_t)data, size, "r");
    if (!f)
        return 0;
    config_defaults(&a);
    int r = config_load_stream(&a, f, "fuzz", &err);
    fclose(f);
    if (r < 0) {
        if (!err.text[0])
            abort();
        config_defaults(&b);
        if (memcmp(&a, &b, sizeof a) != 0)
            abort();
        return 0;
    }
    char *text = NULL;
    size_t len = 0;
    f = open_memstream(&text, &len);
    if (!f || config_dump(&a, f) < 0)
        abort();
    fclose(f);
    f = fmemopen(text, len, "r");
    if (!f || config_load_stream(&b, f, "dump", &err) < 0)
        abort();
    fclose(f);
    free(text);
    for (size_t i = 0; i < config_noptions; i++) {
        char va[CONFIG_STRING_MAX], vb[CONFIG_STRING_MAX];
        config_option_value(&a, &config_options[i], va, sizeof va);
        config_option_value(&b, &config_options[i], vb, sizeof vb);
        if (strcmp(va, vb) != 0)
            abort();
    }
    return 0;
}
