/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/config.h"

#include "common/config_files.h"
#include "common/log.h"
#include "common/name_list.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MAX 48 /* inih cuts names at 50; ours are shorter */

enum option_index {
#define OPTION(sec, name, type, min, max, choices, def, reload, text) INDEX_##sec##_##name,
#include "common/options.def"
#undef OPTION
    OPTION_COUNT
};

/* Not formatted: clang-format takes {#sec for a directive. */
/* clang-format off */
const struct option_info config_options[] = {
#define OPTION(sec, name, type, min, max, choices, def, reload, text) \
    {#sec, #name, OPTION_##type, (min), (max), choices, def, reload, text, offsetof(struct config, sec##_##name)},
#include "common/options.def"
#undef OPTION
};
const size_t config_noptions = OPTION_COUNT;

static const struct option_gone gone_options[] = {
#define GONE(sec, name, version, now, advice) {#sec, #name, version, now, advice},
#include "common/options_gone.def"
#undef GONE
};
/* clang-format on */
struct option_gone_table config_gone = {gone_options, sizeof gone_options / sizeof gone_options[0]};

/* One parse of one or more files. inih sees "key=" alone; the value stays here, because its own line buffer would split
 * it. */
struct parse {
    struct config c;
    FILE *f;
    const char *file; /* its name */
    unsigned line;
    char value[CONFIG_LINE_MAX + 1];
    struct {
        const char *file;
        unsigned line;
    } set_at[OPTION_COUNT]; /* NULL: not set */
    struct config_error *err;
    bool failed;
};

static void vfail(struct parse *p, const char *file, unsigned line, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));
static void vfail(struct parse *p, const char *file, unsigned line, const char *fmt, va_list ap)
{
    if (p->failed)
        return;
    p->failed = true;
    p->err->line = line;
    snprintf(p->err->file, sizeof p->err->file, "%s", file ? file : p->file);
    vsnprintf(p->err->text, sizeof p->err->text, fmt, ap);
}

/* In the file that is being read. */
static void fail(struct parse *p, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void fail(struct parse *p, unsigned line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfail(p, p->file, line, fmt, ap);
    va_end(ap);
}

/* Where an option was set. */
static void fail_at(struct parse *p, enum option_index i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void fail_at(struct parse *p, enum option_index i, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfail(p, p->set_at[i].file, p->set_at[i].line, fmt, ap);
    va_end(ap);
}

/* ---- values ---- */

static int enum_index(const char *choices, const char *value)
{
    size_t len = strlen(value);
    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == len && memcmp(choices, value, n) == 0)
            return i;
        if (!choices[n])
            return -1;
        choices += n + 1;
    }
}

static void enum_name(const char *choices, int index, char *out, size_t cap)
{
    for (; index > 0; index--)
        choices += strcspn(choices, "|") + 1;
    snprintf(out, cap, "%.*s", (int)strcspn(choices, "|"), choices);
}

static bool set_bool(bool *at, const char *value)
{
    bool on = strcmp(value, "true") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "on") == 0;
    bool off = strcmp(value, "false") == 0 || strcmp(value, "no") == 0 || strcmp(value, "off") == 0;
    if (on || off)
        *at = on;
    return on || off;
}

static bool set_int(int64_t *at, const char *value, int64_t min, int64_t max)
{
    char *end;
    if (!((value[0] >= '0' && value[0] <= '9') || value[0] == '-'))
        return false;
    errno = 0;
    long long v = strtoll(value, &end, 10);
    if (errno || *end || v < min || v > max)
        return false;
    *at = v;
    return true;
}

static bool set_string(char *at, const char *value, int64_t min, int64_t max)
{
    size_t n = strlen(value);
    if ((int64_t)n < min || (int64_t)n > max || n >= CONFIG_STRING_MAX)
        return false;
    memcpy(at, value, n + 1);
    return true;
}

static bool set_option(struct config *c, const struct option_info *o, const char *value)
{
    void *at = (char *)c + o->at;
    switch (o->type) {
    case OPTION_BOOL:
        return set_bool(at, value);
    case OPTION_INT:
        return set_int(at, value, o->min, o->max);
    case OPTION_STRING:
        return set_string(at, value, o->min, o->max);
    case OPTION_ENUM: {
        int i = enum_index(o->choices, value);
        if (i >= 0)
            *(int *)at = i;
        return i >= 0;
    }
    }
    return false;
}

void config_option_expects(const struct option_info *o, char *out, size_t cap)
{
    switch (o->type) {
    case OPTION_BOOL:
        snprintf(out, cap, "true or false");
        break;
    case OPTION_INT:
        snprintf(out, cap, "a number from %" PRId64 " to %" PRId64, o->min, o->max);
        break;
    case OPTION_STRING:
        if (o->min > 0)
            snprintf(out, cap, "%" PRId64 " to %" PRId64 " bytes of text", o->min, o->max);
        else
            snprintf(out, cap, "at most %" PRId64 " bytes of text", o->max);
        break;
    case OPTION_ENUM: {
        size_t n = 0;
        snprintf(out, cap, "one of ");
        n = strlen(out);
        for (const char *p = o->choices; *p && n + 3 < cap; p++) {
            if (*p == '|')
                out[n++] = ',', out[n++] = ' ';
            else
                out[n++] = *p;
            out[n] = 0;
        }
    }
    }
}

const char *config_default_path(void)
{
    return access(ORIEL_CONF, F_OK) == 0 || errno != ENOENT ? ORIEL_CONF : NULL;
}

void config_defaults(struct config *c)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (!set_option(c, &config_options[i], config_options[i].def))
            abort(); /* a default outside its own range: the unit tests cannot have run */
}

/* ---- names ---- */

/* Edit distance, small strings: for "did you mean". */
static size_t distance(const char *a, const char *b)
{
    size_t row[KEY_MAX + 2], nb = strlen(b);
    if (nb > KEY_MAX || strlen(a) > KEY_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diag = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = diag + (a[i - 1] != b[j - 1]);
            diag = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[nb];
}

static bool section_known(const char *section)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(config_options[i].section, section) == 0)
            return true;
    for (size_t i = 0; i < config_gone.n; i++)
        if (strcmp(config_gone.options[i].section, section) == 0)
            return true;
    return false;
}

static void list_sections(char *out, size_t cap)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *s = config_options[i].section;
        if (i && strcmp(s, config_options[i - 1].section) == 0)
            continue;
        n += (size_t)snprintf(out + n, cap - n, "%s[%s]", n ? " " : "", s);
        if (n >= cap)
            return;
    }
}

static void fail_unknown(struct parse *p, const char *section, const char *name)
{
    char sections[256];
    if (!section_known(section)) {
        list_sections(sections, sizeof sections);
        if (section[0])
            fail(p, p->line, "unknown section [%.60s]; there are %s", section, sections);
        else
            fail(p, p->line, "option \"%s\" stands before any section; there are %s", name, sections);
        return;
    }
    const struct option_info *near = NULL, *same_name = NULL;
    size_t best = 3;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *o = &config_options[i];
        if (strcmp(o->name, name) == 0)
            same_name = o;
        size_t d = strcmp(o->section, section) == 0 ? distance(name, o->name) : SIZE_MAX;
        if (d < best) {
            best = d;
            near = o;
        }
    }
    if (same_name)
        fail(p, p->line, "unknown option \"%s\" in [%s]; it belongs into [%s]", name, section, same_name->section);
    else if (near)
        fail(p, p->line, "unknown option \"%s\" in [%s]; did you mean \"%s\"?", name, section, near->name);
    else
        fail(p, p->line, "unknown option \"%s\" in [%s]; oriel.conf(5) lists the options", name, section);
}

static int set_by_file(struct parse *p, enum option_index i)
{
    const struct option_info *o = &config_options[i];
    char want[256];
    config_option_expects(o, want, sizeof want);
    /* a later file has the last word; one file must not contradict itself */
    if (p->set_at[i].file == p->file)
        fail(p, p->line, "%s.%s was set already in line %u; say it once", o->section, o->name, p->set_at[i].line);
    else if (!set_option(&p->c, o, p->value))
        fail(p, p->line, "%s.%s cannot be \"%.80s\"; it takes %s", o->section, o->name, p->value, want);
    p->set_at[i].file = p->file;
    p->set_at[i].line = p->line;
    return !p->failed;
}

static int option_find(const char *section, const char *name)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strcmp(config_options[i].section, section) == 0 && strcmp(config_options[i].name, name) == 0)
            return i;
    return -1;
}

/* Whether this version still takes what that one was the first to have no more. */
static bool gone_just_now(const char *version)
{
    size_t n = strlen(version);
    return strncmp(ORIEL_VERSION, version, n) == 0 && (ORIEL_VERSION[n] == '.' || ORIEL_VERSION[n] == 0);
}

static int on_gone(struct parse *p, const struct option_gone *g)
{
    if (!gone_just_now(g->version)) {
        fail(p, p->line, "option \"%s\" in [%s] went with version %s: %s", g->name, g->section, g->version, g->advice);
        return 0;
    }
    log_warning("option went", "file=%s line=%u option=%s.%s advice=%s", p->file, p->line, g->section, g->name,
        g->advice);
    if (!g->now)
        return 1;
    char section[KEY_MAX + 1];
    size_t n = strcspn(g->now, ".");
    snprintf(section, sizeof section, "%.*s", (int)n, g->now);
    int i = option_find(section, g->now + n + 1);
    if (i < 0)
        abort(); /* the table names an option that is not there: the unit tests cannot have run */
    return set_by_file(p, (enum option_index)i);
}

static int on_option(void *user, const char *section, const char *name, const char *ignored)
{
    struct parse *p = user;
    int i = option_find(section, name);
    if (i >= 0)
        return set_by_file(p, (enum option_index)i);
    for (size_t k = 0; k < config_gone.n; k++)
        if (strcmp(config_gone.options[k].section, section) == 0 && strcmp(config_gone.options[k].name, name) == 0)
            return on_gone(p, &config_gone.options[k]);
    fail_unknown(p, section, name);
    return 0;
}

/* ---- lines ---- */

static char *trim(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        s[--n] = 0;
    return s;
}

/* One line of the file without its end. Returns its length, -1 at the end of the file, -2 on an error (reported). */
static int read_line(struct parse *p, char *line, size_t cap)
{
    size_t n = 0;
    int ch;
    while ((ch = getc(p->f)) != EOF && ch != '\n') {
        if (n == 0)
            p->line++;
        if ((ch < 0x20 && ch != '\t' && ch != '\r') || ch == 0x7f) {
            fail(p, p->line, "control character 0x%02x; the file is plain text", (unsigned)ch);
            return -2;
        }
        if (n + 1 >= cap) {
            fail(p, p->line, "line longer than %d bytes; nothing takes that much", CONFIG_LINE_MAX);
            return -2;
        }
        line[n++] = (char)ch;
    }
    if (n == 0 && ch == '\n')
        p->line++;
    if (ch == EOF && ferror(p->f)) {
        fail(p, 0, "cannot be read: %s", strerror(errno));
        return -2;
    }
    if (ch == EOF && n == 0)
        return -1;
    if (n && line[n - 1] == '\r')
        n--;
    line[n] = 0;
    return (int)n;
}

static bool section_line(struct parse *p, char *text)
{
    size_t n = strlen(text);
    if (text[n - 1] != ']' || n > KEY_MAX) {
        fail(p, p->line, "\"%.60s\" is not a section; write [name] alone on its line", text);
        return false;
    }
    text[n - 1] = 0;
    bool known = section_known(text + 1);
    if (!known)
        fail_unknown(p, text + 1, "");
    text[n - 1] = ']';
    return known;
}

/* Hand inih one section line or "key=" (at most 50 bytes: its buffer has 200), the value being kept in p->value. */
static char *next_line(char *out, int cap, void *stream)
{
    struct parse *p = stream;
    char line[CONFIG_LINE_MAX + 1];
    for (;;) {
        if (p->failed || read_line(p, line, sizeof line) < 0)
            return NULL;
        char *text = line;
        if (p->line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
            text += 3;
        text = trim(text);
        if (!*text || *text == '#' || *text == ';')
            continue;
        if (*text == '[') {
            if (!section_line(p, text))
                return NULL;
            snprintf(out, (size_t)cap, "%s\n", text);
            return out;
        }
        char *sign = strchr(text, '=');
        if (!sign || sign == text) {
            fail(p, p->line, "\"%.60s\" is not an option; write name = value", text);
            return NULL;
        }
        *sign = 0;
        snprintf(p->value, sizeof p->value, "%s", trim(sign + 1));
        text = trim(text);
        if (strlen(text) > KEY_MAX || strpbrk(text, ":;[]")) {
            fail(p, p->line, "unknown option \"%.60s\"; oriel.conf(5) lists the options", text);
            return NULL;
        }
        snprintf(out, (size_t)cap, "%s=\n", text);
        return out;
    }
}

/* ---- rules that concern more than one value ---- */

static void want_absolute(struct parse *p, enum option_index i)
{
    const char *value = (const char *)&p->c + config_options[i].at;
    if (value[0] && value[0] != '/')
        fail_at(p, i, "%s.%s must be an absolute path, not \"%.80s\"", config_options[i].section,
            config_options[i].name, value);
}

static void want_groups(struct parse *p)
{
    char why[256], one[GROUP_NAME_BYTES];
    if (name_list_check(p->c.login_allowed_groups, why, sizeof why) < 0)
        fail_at(p, INDEX_login_allowed_groups, "login.allowed_groups %s", why);
    if (name_list_single(p->c.control_group, one, why, sizeof why) < 0)
        fail_at(p, INDEX_control_group, "control.group %s", why);
}

static void check_whole(struct parse *p)
{
    static const enum option_index paths[] = {INDEX_tls_certificate, INDEX_tls_key, INDEX_display_xorg,
        INDEX_session_log_dir, INDEX_paths_run_dir, INDEX_paths_state_dir, INDEX_paths_libexec_dir};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        want_absolute(p, paths[i]);
    want_groups(p);
    bool cert = p->c.tls_certificate[0], key = p->c.tls_key[0];
    if (cert != key)
        fail_at(p, cert ? INDEX_tls_certificate : INDEX_tls_key, "tls.%s is set without tls.%s; set both or neither",
            cert ? "certificate" : "key", cert ? "key" : "certificate");
    if (strchr(p->c.login_pam_service, '/'))
        fail_at(p, INDEX_login_pam_service, "login.pam_service is the name of a file in /etc/pam.d, without a folder");
}

static struct parse *parse_create(struct config_error *err)
{
    struct parse *p = calloc(1, sizeof *p);
    memset(err, 0, sizeof *err);
    if (!p) {
        snprintf(err->text, sizeof err->text, "out of memory");
        return NULL;
    }
    config_defaults(&p->c);
    p->err = err;
    return p;
}

/* One file over what is there. */
static void parse_stream(struct parse *p, FILE *f, const char *name)
{
    p->f = f;
    p->file = name;
    p->line = 0;
    if (ini_parse_stream(next_line, p, on_option, p) != 0)
        fail(p, p->line, "cannot be understood");
}

/* The end of all files. Frees `p`. */
static int parse_finish(struct parse *p, struct config *c)
{
    check_whole(p);
    bool failed = p->failed;
    if (!failed)
        *c = p->c;
    free(p);
    return failed ? -EINVAL : 0;
}

int config_load_stream(struct config *c, FILE *f, const char *name, struct config_error *err)
{
    struct parse *p = parse_create(err);
    if (!p)
        return -ENOMEM;
    snprintf(err->file, sizeof err->file, "%s", name);
    parse_stream(p, f, name);
    return parse_finish(p, c);
}

/* -errno where a file cannot be read (reported), else 0: what it says may still be wrong. */
static int parse_files(struct parse *p, const struct config_files *files)
{
    int r = 0;
    for (size_t i = 0; i < files->n && r == 0 && !p->failed; i++) {
        FILE *f = config_files_open(files, i, p->err, &r);
        if (!f)
            break;
        parse_stream(p, f, files->paths[i]);
        fclose(f);
    }
    return r;
}

int config_load(struct config *c, const char *path, struct config_error *err)
{
    struct config_files files;
    struct parse *p = parse_create(err);
    if (!p)
        return -ENOMEM;
    int r = config_files_find(&files, path, err);
    if (r == 0)
        r = parse_files(p, &files);
    if (r == 0)
        r = parse_finish(p, c);
    else
        free(p);
    config_files_finish(&files);
    return r;
}

static bool same_value(const struct option_info *o, const void *a, const void *b)
{
    switch (o->type) {
    case OPTION_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case OPTION_INT:
        return *(const int64_t *)a == *(const int64_t *)b;
    case OPTION_STRING:
        return strcmp(a, b) == 0;
    case OPTION_ENUM:
        return *(const int *)a == *(const int *)b;
    }
    return false;
}

void config_keep_fixed(struct config *fresh, const struct config *running)
{
    static const size_t sizes[] = {[OPTION_BOOL] = sizeof(bool),
        [OPTION_INT] = sizeof(int64_t),
        [OPTION_STRING] = CONFIG_STRING_MAX,
        [OPTION_ENUM] = sizeof(int)};
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *o = &config_options[i];
        char *to = (char *)fresh + o->at;
        const char *from = (const char *)running + o->at;
        if (o->reload || same_value(o, to, from))
            continue;
        log_warning("option needs a restart", "option=%s.%s", o->section, o->name);
        memcpy(to, from, sizes[o->type]);
    }
}

/* ---- the way out ---- */

void config_option_value(const struct config *c, const struct option_info *o, char *out, size_t cap)
{
    const void *at = (const char *)c + o->at;
    switch (o->type) {
    case OPTION_BOOL:
        snprintf(out, cap, "%s", *(const bool *)at ? "true" : "false");
        break;
    case OPTION_INT:
        snprintf(out, cap, "%" PRId64, *(const int64_t *)at);
        break;
    case OPTION_STRING:
        snprintf(out, cap, "%s", (const char *)at);
        break;
    case OPTION_ENUM:
        enum_name(o->choices, *(const int *)at, out, cap);
        break;
    }
}

int config_dump(const struct config *c, FILE *out)
{
    char value[CONFIG_STRING_MAX], want[256];
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *o = &config_options[i];
        if (i == 0 || strcmp(o->section, config_options[i - 1].section) != 0)
            fprintf(out, "%s[%s]\n", i ? "\n" : "", o->section);
        config_option_value(c, o, value, sizeof value);
        config_option_expects(o, want, sizeof want);
        fprintf(out, "# %s Takes %s; default \"%s\"%s.\n", o->text, want, o->def, o->reload ? "" : "; needs a restart");
        fprintf(out, "%s = %s\n", o->name, value);
    }
    return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

int config_to_memfd(const struct config *c)
{
    int fd = memfd_create("oriel-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *f = copy < 0 ? NULL : fdopen(copy, "w");
    int r = f ? config_dump(c, f) : -errno;
    if (f)
        fclose(f);
    else if (copy >= 0)
        close(copy);
    if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        r = -errno;
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

int config_from_fd(struct config *c, int fd, struct config_error *err)
{
    char *text = malloc(CONFIG_FILE_MAX);
    size_t len = 0;
    ssize_t n = 1;
    while (text && n > 0 && len < CONFIG_FILE_MAX) {
        n = pread(fd, text + len, CONFIG_FILE_MAX - len, (off_t)len);
        len += n > 0 ? (size_t)n : 0;
    }
    FILE *f = text && n == 0 && len ? fmemopen(text, len, "r") : NULL;
    int r = -EIO;
    if (f) {
        r = config_load_stream(c, f, "configuration", err);
        fclose(f);
    } else {
        memset(err, 0, sizeof *err);
        snprintf(err->file, sizeof err->file, "configuration");
        snprintf(err->text, sizeof err->text, "descriptor %d gives no configuration", fd);
    }
    free(text);
    return r;
}

int config_run_path(const struct config *c, const char *name, char *out, size_t cap)
{
    int n = snprintf(out, cap, "%s/%s", c->paths_run_dir, name);
    return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}
