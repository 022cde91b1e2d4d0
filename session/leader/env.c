/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/env.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t find(const struct env_list *e, const char *name, size_t len)
{
    size_t i = 0;
    while (i < e->n && (strncmp(e->v[i], name, len) != 0 || e->v[i][len] != '='))
        i++;
    return i;
}

static int grow(struct env_list *e)
{
    size_t room = e->room ? 2 * e->room : 64;
    if (e->n >= ENV_LIST_MAX)
        return -ENOSPC;
    if (e->n + 2 <= e->room)
        return 0;
    char **v = reallocarray(e->v, room, sizeof *v);
    if (!v)
        return -ENOMEM;
    e->v = v;
    e->room = room;
    return 0;
}

int env_put(struct env_list *e, const char *entry)
{
    const char *eq = strchr(entry, '=');
    if (!eq || eq == entry)
        return -EINVAL;
    size_t i = find(e, entry, (size_t)(eq - entry));
    int r = i == e->n ? grow(e) : 0;
    if (r < 0)
        return r;
    char *copy = strdup(entry);
    if (!copy)
        return -ENOMEM;
    if (i == e->n)
        e->v[++e->n] = NULL;
    else
        free(e->v[i]);
    e->v[i] = copy;
    return 0;
}

int env_put_all(struct env_list *e, const struct env_list *from)
{
    int r = 0;
    for (size_t i = 0; i < from->n && r == 0; i++)
        r = env_put(e, from->v[i]);
    return r;
}

int env_set(struct env_list *e, const char *name, const char *value)
{
    char *entry = NULL;
    if (!name[0] || strchr(name, '='))
        return -EINVAL;
    if (asprintf(&entry, "%s=%s", name, value) < 0)
        return -ENOMEM;
    int r = env_put(e, entry);
    free(entry);
    return r;
}

void env_unset(struct env_list *e, const char *name)
{
    size_t i = find(e, name, strlen(name));
    if (i == e->n)
        return;
    free(e->v[i]);
    e->v[i] = e->v[--e->n];
    e->v[e->n] = NULL;
}

const char *env_get(const struct env_list *e, const char *name)
{
    size_t i = find(e, name, strlen(name));
    return i == e->n ? NULL : e->v[i] + strlen(name) + 1;
}

static bool is_locale_name(const char *name)
{
    return !strcmp(name, "LANG") || !strcmp(name, "LANGUAGE") || !strncmp(name, "LC_", 3);
}

static void load_line(struct env_list *e, char *line)
{
    while (isspace((unsigned char)*line))
        line++;
    char *eq = strchr(line, '=');
    if (*line == '#' || !eq)
        return;
    *eq = 0;
    char *value = eq + 1, *end = value + strcspn(value, "\r\n");
    *end = 0;
    if ((*value == '"' || *value == '\'') && end - value >= 2 && end[-1] == *value) {
        end[-1] = 0;
        value++;
    }
    if (is_locale_name(line))
        (void)env_set(e, line, value);
}

int env_load_locale(struct env_list *e, const char *path)
{
    FILE *f = fopen(path, "re");
    char line[512];
    if (!f)
        return -errno;
    while (fgets(line, sizeof line, f))
        load_line(e, line);
    fclose(f);
    return 0;
}

void env_finish(struct env_list *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->v[i]);
    free(e->v);
    *e = (struct env_list){0};
}
