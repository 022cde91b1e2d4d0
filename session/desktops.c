/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/desktops.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const folders[] = {"/usr/local/share/xsessions", "/usr/share/xsessions"};

bool desktop_id_ok(const char *id)
{
    size_t n = strlen(id);
    return n > 0 && n < DESKTOP_ID_BYTES && id[0] != '.' && id[0] != '-' &&
        !id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")];
}

/* ---- values ---- */

/* \s \n \t \r \\ and, in lists, \; : "\\;" stays for the list's reader. 0, or -E2BIG. */
static int unescape(const char *value, size_t len, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = value[i];
        if (n + 3 > cap)
            return -E2BIG;
        if (c != '\\' || i + 1 == len) {
            out[n++] = c;
            continue;
        }
        c = value[++i];
        if (c == ';')
            out[n++] = '\\';
        out[n++] = c == 's' ? ' ' : c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    out[n] = 0;
    return 0;
}

/* How well a key's locale fits ours: 0 not at all, 1 none given, then language, with modifier, with country, with both.
 */
static int locale_fit(const char *key, size_t len, const char *locale)
{
    size_t lang = strcspn(locale, "_.@"), country = locale[lang] == '_' ? strcspn(locale + lang, ".@") : 0;
    const char *modifier = strchr(locale, '@');
    char want[4][96];
    if (len == 0)
        return 1;
    if (lang == 0 || strlen(locale) > 40)
        return 0;
    const char *mod = modifier ? modifier : "";
    snprintf(want[0], sizeof want[0], "%.*s", (int)lang, locale);
    snprintf(want[1], sizeof want[1], "%.*s%s", (int)lang, locale, mod);
    snprintf(want[2], sizeof want[2], "%.*s", (int)(lang + country), locale);
    snprintf(want[3], sizeof want[3], "%.*s%s", (int)(lang + country), locale, mod);
    for (int i = 3; i >= 0; i--)
        if (strlen(want[i]) == len && !strncmp(want[i], key, len))
            return i + 2;
    return 0;
}

/* "a;b\;c;" becomes "a:b;c". */
static void join_names(char *text)
{
    size_t n = 0;
    for (size_t i = 0; text[i]; i++) {
        if (text[i] == '\\' && text[i + 1])
            text[n++] = text[++i];
        else
            text[n++] = text[i] == ';' ? ':' : text[i];
    }
    while (n > 0 && text[n - 1] == ':')
        n--;
    text[n] = 0;
}

/* ---- the command line ---- */

struct words {
    struct desktop_entry *e;
    size_t used;
    bool open, bad;
};

static void put_char(struct words *w, char c)
{
    if (w->used + 2 > sizeof w->e->words) {
        w->bad = true;
        return;
    }
    w->open = true;
    w->e->words[w->used++] = c;
}

static void end_word(struct words *w)
{
    if (!w->open)
        return;
    w->e->words[w->used++] = 0; /* put_char left room */
    w->open = false;
    if (++w->e->nwords > DESKTOP_ARGS_MAX)
        w->bad = true;
}

/* Of the field codes only %% and %c mean anything without files and icons: the rest goes, a word of nothing else with
 * it. */
static void field_code(struct words *w, char code)
{
    if (code == '%')
        put_char(w, '%');
    else if (code == 'c')
        for (const char *p = w->e->name; *p; p++)
            put_char(w, *p);
    else if (!strchr("fFuUdDnNickvm", code))
        w->bad = true;
}

static const char *quoted(struct words *w, const char *p)
{
    w->open = true; /* "" is a word, too */
    while (*p && *p != '"') {
        if (*p == '\\' && p[1] && strchr("\"`$\\", p[1]))
            p++;
        put_char(w, *p++);
    }
    w->bad = w->bad || *p != '"';
    return *p ? p + 1 : p;
}

static bool split_command(const char *exec, struct desktop_entry *e)
{
    struct words w = {.e = e};
    e->nwords = 0;
    for (const char *p = exec; *p && !w.bad;) {
        if (*p == ' ' || *p == '\t' || *p == '\n') {
            end_word(&w);
            p++;
        } else if (*p == '"') {
            p = quoted(&w, p + 1);
        } else if (*p == '%' && p[1]) {
            field_code(&w, p[1]);
            p += 2;
        } else {
            put_char(&w, *p++);
        }
    }
    if (w.used + 1 < sizeof e->words)
        end_word(&w);
    return !w.bad && !w.open && e->nwords > 0 && e->words[0];
}

const char *desktop_word(const struct desktop_entry *e, size_t i)
{
    const char *p = e->words;
    if (i >= e->nwords)
        return NULL;
    while (i-- > 0)
        p += strlen(p) + 1;
    return p;
}

/* ---- a file ---- */

struct entry_parse {
    struct desktop_entry *e;
    const char *locale;
    char exec[DESKTOP_TEXT_BYTES];
    bool in_group, seen_group, type_ok;
    int name_fit;
};

static bool is(const char *key, size_t len, const char *name)
{
    return strlen(name) == len && !strncmp(key, name, len);
}

static int set_name(struct entry_parse *p, const char *key, size_t len, const char *value, size_t value_len)
{
    char text[DESKTOP_TEXT_BYTES];
    size_t at = 4;
    int fit = locale_fit(key + at + (len > at), len > at + 2 ? len - at - 2 : 0, p->locale);
    if (fit <= p->name_fit || unescape(value, value_len, text, sizeof text) < 0)
        return 0;
    size_t n = 0;
    for (const char *c = text; *c && n + 1 < sizeof p->e->name; c++)
        p->e->name[n++] = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c;
    while (n > 0 && n + 1 == sizeof p->e->name && ((unsigned char)p->e->name[n - 1] & 0xc0) == 0x80)
        n--; /* not in the middle of a character */
    p->e->name[n] = 0;
    p->name_fit = fit;
    return 0;
}

static int take_key(struct entry_parse *p, const char *key, size_t len, const char *value, size_t n)
{
    bool yes = is(value, n, "true");
    if (is(key, len, "Type"))
        p->type_ok = is(value, n, "Application") || is(value, n, "XSession");
    else if (len >= 4 && !strncmp(key, "Name", 4) && (len == 4 || (key[4] == '[' && key[len - 1] == ']')))
        return set_name(p, key, len, value, n);
    else if (is(key, len, "Exec"))
        return unescape(value, n, p->exec, sizeof p->exec);
    else if (is(key, len, "TryExec"))
        return unescape(value, n, p->e->try_exec, sizeof p->e->try_exec);
    else if (is(key, len, "DesktopNames"))
        return unescape(value, n, p->e->current, sizeof p->e->current);
    else if (is(key, len, "Hidden") || is(key, len, "NoDisplay"))
        p->e->hidden = p->e->hidden || yes;
    return 0;
}

static int take_line(struct entry_parse *p, const char *line, size_t len)
{
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        len--;
    if (len == 0 || line[0] == '#')
        return 0;
    if (line[0] == '[') {
        p->in_group = !p->seen_group && is(line, len, "[Desktop Entry]");
        p->seen_group = p->seen_group || p->in_group;
        return 0;
    }
    const char *eq = memchr(line, '=', len);
    if (!p->in_group || !eq)
        return 0;
    size_t key = (size_t)(eq - line), skip = 1;
    while (key > 0 && (line[key - 1] == ' ' || line[key - 1] == '\t'))
        key--;
    while (eq + skip < line + len && (eq[skip] == ' ' || eq[skip] == '\t'))
        skip++;
    return take_key(p, line, key, eq + skip, len - (size_t)(eq + skip - line));
}

int desktop_parse(const char *text, size_t len, const char *locale, struct desktop_entry *e)
{
    struct entry_parse p = {.e = e,
        .locale = !strcmp(locale, "C") || !strcmp(locale, "POSIX") ? "" : locale,
        .type_ok = true};
    int r = 0;
    char id[DESKTOP_ID_BYTES];
    memcpy(id, e->id, sizeof id);
    *e = (struct desktop_entry){0};
    memcpy(e->id, id, sizeof id);
    if (len > DESKTOP_FILE_MAX)
        return -E2BIG;
    if (memchr(text, 0, len))
        return -EINVAL;
    for (size_t at = 0; at < len && r == 0;) {
        const char *nl = memchr(text + at, '\n', len - at);
        size_t line = nl ? (size_t)(nl - text) - at : len - at;
        r = take_line(&p, text + at, line);
        at += line + 1;
    }
    join_names(e->current);
    if (r == 0 && (!p.seen_group || !p.type_ok || !e->name[0] || !split_command(p.exec, e)))
        r = -EINVAL;
    return r;
}

/* ---- files ---- */

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

bool desktop_program(const char *root, const char *path, const char *name, char *out, size_t cap)
{
    int n;
    if (!name[0])
        return false;
    if (name[0] == '/') {
        n = snprintf(out, cap, "%s%s", root, name);
        return n > 0 && (size_t)n < cap && is_program(out);
    }
    for (size_t at = 0, len; path[at]; at += len + (path[at + len] == ':')) {
        len = strcspn(&path[at], ":");
        n = snprintf(out, cap, "%s%.*s/%s", root, (int)len, &path[at], name);
        if (len && n > 0 && (size_t)n < cap && is_program(out))
            return true;
    }
    return false;
}

/* A regular file that anybody may have put there: read whole, or not at all. */
static int load(const char *path, const char *locale, struct desktop_entry *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = -ENOENT;
    if (fd < 0)
        return -errno;
    char *text = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= DESKTOP_FILE_MAX
        ? malloc((size_t)st.st_size + 1)
        : NULL;
    ssize_t n = text ? read(fd, text, (size_t)st.st_size) : -1;
    if (n >= 0)
        r = desktop_parse(text, (size_t)n, locale, e);
    free(text);
    close(fd);
    return r;
}

static bool can_start(const char *root, const struct desktop_entry *e)
{
    char path[DESKTOP_TEXT_BYTES + 256];
    return !e->hidden && desktop_program(root, DESKTOP_PATH, desktop_word(e, 0), path, sizeof path) &&
        (!e->try_exec[0] || desktop_program(root, DESKTOP_PATH, e->try_exec, path, sizeof path));
}

int desktop_find(const char *root, const char *id, const char *locale, struct desktop_entry *e)
{
    char path[1024];
    struct stat st;
    if (!desktop_id_ok(id))
        return -ENOENT;
    snprintf(e->id, sizeof e->id, "%s", id);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int n = snprintf(path, sizeof path, "%s%s/%s.desktop", root, folders[i], id);
        if (n < 0 || (size_t)n >= sizeof path || stat(path, &st) < 0)
            continue;
        int r = load(path, locale, e); /* the first file of a name counts, also one that hides it */
        return r < 0 ? r : can_start(root, e) ? 0 : -ENOENT;
    }
    return -ENOENT;
}

static bool is_listed(const struct desktop_list *list, const char *id)
{
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(list->v[i].id, id))
            return true;
    return false;
}

static void list_folder(const char *root, const char *folder, const char *locale, struct desktop_list *list)
{
    static const char ending[] = ".desktop";
    char path[1024], id[DESKTOP_ID_BYTES];
    snprintf(path, sizeof path, "%s%s", root, folder);
    DIR *d = opendir(path);
    for (struct dirent *f; d && list->n < DESKTOPS_MAX && (f = readdir(d)) != NULL;) {
        size_t len = strlen(f->d_name), cut = sizeof ending - 1;
        if (len <= cut || len - cut >= sizeof id || strcmp(f->d_name + len - cut, ending) != 0)
            continue;
        snprintf(id, sizeof id, "%.*s", (int)(len - cut), f->d_name);
        if (!is_listed(list, id) && desktop_find(root, id, locale, &list->v[list->n]) == 0)
            list->n++;
    }
    if (d)
        closedir(d);
}

static int by_name(const void *a, const void *b)
{
    const struct desktop_entry *x = a, *y = b;
    int r = strcasecmp(x->name, y->name);
    return r ? r : strcmp(x->id, y->id);
}

int desktop_list(const char *root, const char *locale, struct desktop_list *list)
{
    *list = (struct desktop_list){.v = calloc(DESKTOPS_MAX, sizeof *list->v)};
    if (!list->v)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        list_folder(root, folders[i], locale, list);
    qsort(list->v, list->n, sizeof list->v[0], by_name);
    return 0;
}

void desktop_list_finish(struct desktop_list *list)
{
    free(list->v);
    *list = (struct desktop_list){0};
}
