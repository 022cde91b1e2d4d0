/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/pam_service.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define DEPTH_MAX 32 /* libpam's own limit for files that include each other */
#define TYPES 4
#define ALL ((1u << TYPES) - 1)

static const char *const types[TYPES] = {"auth", "account", "password", "session"};
static const char *const system_dirs[] = {"/etc/pam.d", "/usr/lib/pam.d"};

struct scan {
    const char *dir;
    unsigned found; /* bit i: a line of types[i] was seen */
    char *why;
    size_t cap;
};

static int scan_file(struct scan *s, const char *name, unsigned wanted, unsigned depth);

/* Open the first regular file of that name; its path stays in `path`. */
static FILE *open_service(const struct scan *s, const char *name, char *path, size_t cap)
{
    bool own = s->dir[0], absolute = name[0] == '/';
    size_t dirs = own || absolute ? 1 : sizeof system_dirs / sizeof system_dirs[0];
    for (size_t i = 0; i < dirs; i++) {
        struct stat st;
        int n = absolute ? snprintf(path, cap, "%s", name)
                         : snprintf(path, cap, "%s/%s", own ? s->dir : system_dirs[i], name);
        if (n > 0 && (size_t)n < cap && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            return fopen(path, "re");
    }
    (void)snprintf(path, cap, absolute ? "%s" : "%s/%s", absolute ? name : own ? s->dir : system_dirs[0], name);
    return NULL;
}

static unsigned type_of(const char *word)
{
    if (*word == '-') /* a module that may be missing */
        word++;
    for (unsigned i = 0; i < TYPES; i++)
        if (strcasecmp(word, types[i]) == 0)
            return 1u << i;
    return 0;
}

static int include(struct scan *s, const char *name, unsigned wanted, unsigned depth)
{
    if (name && depth < DEPTH_MAX)
        return scan_file(s, name, wanted, depth + 1);
    snprintf(s->why, s->cap, name ? "files include each other without end" : "an include names no file");
    return -EINVAL;
}

static int scan_line(struct scan *s, char *line, unsigned wanted, unsigned depth)
{
    static const char blank[] = " \t\n";
    char *save = NULL;
    line[strcspn(line, "#")] = 0;
    const char *first = strtok_r(line, blank, &save);
    if (!first)
        return 0;
    if (strcasecmp(first, "@include") == 0)
        return include(s, strtok_r(NULL, blank, &save), wanted, depth);
    unsigned type = type_of(first) & wanted;
    const char *control = strtok_r(NULL, blank, &save);
    if (!type || !control)
        return 0;
    if (strcasecmp(control, "include") == 0 || strcasecmp(control, "substack") == 0)
        return include(s, strtok_r(NULL, blank, &save), type, depth);
    s->found |= type;
    return 0;
}

/* A line goes on in the next after a backslash. */
static bool goes_on(char *line, size_t len)
{
    if (len < 2 || line[len - 1] != '\n' || line[len - 2] != '\\')
        return false;
    line[len - 2] = 0;
    return true;
}

static int scan_open_file(struct scan *s, FILE *f, unsigned wanted, unsigned depth)
{
    char *line = NULL, *whole = NULL;
    size_t cap = 0;
    ssize_t n;
    int r = 0;
    while (r == 0 && (n = getline(&line, &cap, f)) >= 0) {
        bool more = goes_on(line, (size_t)n);
        char *joined = NULL;
        if (asprintf(&joined, "%s%s", whole ? whole : "", line) < 0) {
            r = -ENOMEM;
            break;
        }
        free(whole);
        whole = joined;
        if (more)
            continue;
        r = scan_line(s, whole, wanted, depth);
        free(whole);
        whole = NULL;
    }
    free(whole);
    free(line);
    return r;
}

static int scan_file(struct scan *s, const char *name, unsigned wanted, unsigned depth)
{
    char path[1024];
    FILE *f = open_service(s, name, path, sizeof path);
    if (!f) {
        snprintf(s->why, s->cap, "%s%s is not there or cannot be read", depth ? "the included file " : "", path);
        return depth ? -EINVAL : -ENOENT;
    }
    int r = scan_open_file(s, f, wanted, depth);
    fclose(f);
    for (unsigned i = 0; r == 0 && depth == 0 && i < TYPES; i++) {
        if (s->found & 1u << i)
            continue;
        snprintf(s->why, s->cap, "%s has no line of the type %s: the service other would decide", path, types[i]);
        r = -EINVAL;
    }
    return r;
}

int pam_service_check(const char *service, const char *dir, char *why, size_t cap)
{
    struct scan s = {.dir = dir ? dir : "", .why = why, .cap = cap};
    why[0] = 0;
    if (!service[0] || strchr(service, '/') || strcmp(service, "other") == 0) {
        snprintf(why, cap, "%s is no name of a service of its own", service);
        return -EINVAL;
    }
    return scan_file(&s, service, ALL, 0);
}
