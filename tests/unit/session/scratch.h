/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder of a test's own, and files in it. */
#ifndef ORIEL_TESTS_UNIT_SESSION_SCRATCH_H
#define ORIEL_TESTS_UNIT_SESSION_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char scratch[64];

/* A path in it, good until the fourth call after this. */
static inline const char *at(const char *name)
{
    static char path[4][256];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", scratch, name);
    return p;
}

/* Write a file; its folders are made. */
static inline void put(const char *name, const char *text, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s", at(name));
    for (char *p = path + strlen(scratch) + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
        *p = 0;
        (void)mkdir(path, 0755);
    }
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, mode) < 0)
        abort();
}

static inline int scratch_setup(void **state)
{
    snprintf(scratch, sizeof scratch, "/tmp/oriel-scratch-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    return remove(path);
}

static inline int scratch_teardown(void **state)
{
    return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
