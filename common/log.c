/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/log.h"

#include "common/clock.h"
#include "common/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* A pipe or a journal takes so much in one piece; longer lines are cut */
#define LINE_MAX_BYTES 2048
#define SESSION_BYTES 64

static const char *program = "oriel";
static _Atomic int threshold = LOG_LEVEL_INFO;
static char session[SESSION_BYTES + 1] = "-";
static bool journal; /* standard error is systemd's */

struct log_line {
    char text[LINE_MAX_BYTES];
    size_t len;
    bool cut;
};

static void put_raw(struct log_line *l, const char *s, size_t n)
{
    if (n > sizeof l->text - 4 - l->len) { /* room for "..." and the newline */
        n = sizeof l->text - 4 - l->len;
        l->cut = true;
    }
    memcpy(l->text + l->len, s, n);
    l->len += n;
}

static void put_fmt(struct log_line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put_fmt(struct log_line *l, const char *fmt, ...)
{
    char tmp[128];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(tmp, sizeof tmp, fmt, ap);
    va_end(ap);
    if (n > 0)
        put_raw(l, tmp, (size_t)n < sizeof tmp ? (size_t)n : sizeof tmp - 1);
}

/* Bytes of the character at `s` if it may stand in a line as it is, 0 when its first byte has to be escaped. */
static size_t printable(const char *s, size_t left)
{
    uint32_t code;
    size_t n = text_char(s, left, &code);
    return n && code != '\\' && text_is_plain(code) ? n : 0;
}

/* The backslash of CORP\carl stands as it is. It is escaped where it could be read as the beginning of an escape, and
 * between quotes. */
static bool is_domains_backslash(const char *s, size_t left)
{
    return left > 1 && *s == '\\' && s[1] != 'x' && printable(s + 1, left - 1);
}

static void put_escaped(struct log_line *l, const char *text, size_t len, bool quoted)
{
    for (size_t i = 0; i < len && !l->cut;) {
        size_t n = quoted && text[i] == '"' ? 0 : printable(text + i, len - i);
        n += !quoted && is_domains_backslash(text + i, len - i);
        if (n) {
            put_raw(l, text + i, n);
            i += n;
        } else {
            put_fmt(l, "\\x%02x", (unsigned char)text[i++]);
        }
    }
}

/* A value with a blank, a quote or a sign in it goes into quotes, so that no client can write a field of its own. */
static void put_value(struct log_line *l, const char *text, size_t len)
{
    bool quote = memchr(text, ' ', len) || memchr(text, '"', len) || memchr(text, '=', len);
    if (quote)
        put_raw(l, "\"", 1);
    put_escaped(l, text, len, quote);
    if (quote)
        put_raw(l, "\"", 1);
}

/* One conversion of the format, as the compiler's format check has let it through. */
struct conversion {
    char spec[32]; /* "%-5ld" with the stars filled in */
    int precision; /* of %s; -1: none */
    char length;   /* 0, 'l', 'L' for ll, 'z', 'j', 't' */
    char type;
};

static const char *take_number(const char *p, int *value, va_list *ap)
{
    *value = -1;
    if (*p == '*') {
        *value = va_arg(*ap, int);
        return p + 1;
    }
    for (; *p >= '0' && *p <= '9'; p++)
        *value = (*value < 0 ? 0 : *value) * 10 + (*p - '0');
    return p;
}

static const char *take_conversion(const char *p, struct conversion *c, va_list *ap)
{
    const char *flags = p;
    size_t nflags = strspn(p, "-+ #0");
    int width;
    *c = (struct conversion){.precision = -1};
    p = take_number(p + nflags, &width, ap);
    if (*p == '.') {
        p = take_number(p + 1, &c->precision, ap);
        if (c->precision < 0 && p[-1] == '.')
            c->precision = 0;
    }
    for (; *p && strchr("hlzjt", *p); p++)
        c->length = c->length == 'l' && *p == 'l' ? 'L' : *p == 'h' ? 0 : *p;
    c->type = *p ? *p++ : 0;
    char w[12] = "", pr[13] = "";
    if (width >= 0)
        snprintf(w, sizeof w, "%d", width < 100 ? width : 100);
    if (c->precision >= 0)
        snprintf(pr, sizeof pr, ".%d", c->precision < 100 ? c->precision : 100);
    snprintf(c->spec, sizeof c->spec, "%%%.*s%s%s", nflags < 4 ? (int)nflags : 4, flags, w, pr);
    return p;
}

static void put_integer(struct log_line *l, struct conversion *c, va_list *ap)
{
    char spec[40];
    bool is_signed = c->type == 'd' || c->type == 'i';
    snprintf(spec, sizeof spec, "%sj%c", c->spec, c->type);
    char out[128];
    if (is_signed) {
        intmax_t v = c->length == 'l'              ? va_arg(*ap, long)
            : c->length == 'L'                     ? va_arg(*ap, long long)
            : c->length == 'z' || c->length == 't' ? va_arg(*ap, ssize_t)
            : c->length == 'j'                     ? va_arg(*ap, intmax_t)
                                                   : va_arg(*ap, int);
        snprintf(out, sizeof out, spec, v);
    } else {
        uintmax_t v = c->length == 'l'             ? va_arg(*ap, unsigned long)
            : c->length == 'L'                     ? va_arg(*ap, unsigned long long)
            : c->length == 'z' || c->length == 't' ? va_arg(*ap, size_t)
            : c->length == 'j'                     ? va_arg(*ap, uintmax_t)
                                                   : va_arg(*ap, unsigned);
        snprintf(out, sizeof out, spec, v);
    }
    put_raw(l, out, strlen(out));
}

static void put_double(struct log_line *l, struct conversion *c, va_list *ap)
{
    char spec[40], out[400];
    snprintf(spec, sizeof spec, "%s%c", c->spec, c->type);
    snprintf(out, sizeof out, spec, va_arg(*ap, double));
    put_raw(l, out, strlen(out));
}

static void put_conversion(struct log_line *l, struct conversion *c, va_list *ap, int saved_errno)
{
    switch (c->type) {
    case 's': {
        const char *s = va_arg(*ap, const char *);
        s = s ? s : "-";
        put_value(l, s, c->precision >= 0 ? strnlen(s, (size_t)c->precision) : strlen(s));
        break;
    }
    case 'c': {
        char ch = (char)va_arg(*ap, int);
        put_value(l, &ch, 1);
        break;
    }
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        put_integer(l, c, ap);
        break;
    case 'f':
    case 'g':
    case 'e':
        put_double(l, c, ap);
        break;
    case 'p':
        put_fmt(l, "%p", va_arg(*ap, void *));
        break;
    case 'm': {
        const char *s = strerrordesc_np(saved_errno);
        put_value(l, s ? s : "unknown error", strlen(s ? s : "unknown error"));
        break;
    }
    case '%':
        put_raw(l, "%", 1);
        break;
    default:
        put_raw(l, "?", 1);
        l->cut = true;
        break;
    }
}

static void put_format(struct log_line *l, const char *fmt, va_list *ap)
{
    int saved = errno;
    while (*fmt && !l->cut) {
        size_t plain = strcspn(fmt, "%");
        put_escaped(l, fmt, plain, false);
        fmt += plain;
        if (*fmt == '%') {
            struct conversion c;
            fmt = take_conversion(fmt + 1, &c, ap);
            put_conversion(l, &c, ap, saved);
        }
    }
}

/* By the socket's other end: the environment that says it, too, is not handed on to every process. */
static bool is_journal(int fd)
{
    struct sockaddr_un peer = {0};
    socklen_t len = sizeof peer - 1;
    return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sun_family == AF_UNIX &&
        strcmp(peer.sun_path, "/run/systemd/journal/stdout") == 0;
}

/* The journal takes a line's priority from its beginning. */
static int priority_of(const char *level)
{
    return level[0] == 'e' ? LOG_ERR : level[0] == 'w' ? LOG_WARNING : level[0] == 'd' ? LOG_DEBUG : LOG_INFO;
}

static void put_head(struct log_line *l, const char *level)
{
    if (journal)
        put_fmt(l, "<%d>", priority_of(level));
    int64_t now = clock_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    put_fmt(l, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s[%d] %s ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
        tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now % 1000), program, (int)getpid(), level);
}

static void write_line(struct log_line *l)
{
    if (l->cut)
        memcpy(l->text + l->len, "...", 3), l->len += 3;
    l->text[l->len++] = '\n';
    ssize_t n;
    do
        n = write(STDERR_FILENO, l->text, l->len);
    while (n < 0 && errno == EINTR);
}

static void log_line(const char *level, const char *prefix, const char *event, const char *fmt, va_list *ap, bool audit)
{
    int saved = errno;
    struct log_line l = {.len = 0};
    put_head(&l, level);
    size_t body = l.len;
    put_fmt(&l, "session=%s %s%s", session, prefix, event);
    if (*fmt)
        put_raw(&l, " ", 1);
    errno = saved;
    put_format(&l, fmt, ap);
    bool told = audit && access("/dev/log", W_OK) == 0;
    if (told)
        syslog(LOG_AUTHPRIV | LOG_NOTICE, "%.*s", (int)(l.len - body), l.text + body);
    if (!told || !journal) /* which has syslog's lines, too */
        write_line(&l);
    errno = saved;
}

void log_init(const char *name, enum log_level level)
{
    program = name;
    threshold = (int)level;
    journal = is_journal(STDERR_FILENO);
    tzset(); /* reads its file now: a sandboxed process could not */
    openlog(name, LOG_PID, LOG_AUTHPRIV);
}

void log_set_level(enum log_level level)
{
    threshold = (int)level;
}

void log_set_session(const char *s)
{
    struct log_line l = {.len = 0};
    put_escaped(&l, s, strnlen(s, SESSION_BYTES), false);
    size_t n = l.len < SESSION_BYTES ? l.len : SESSION_BYTES;
    memcpy(session, l.text, n);
    session[n] = 0;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    if ((int)level > threshold)
        return;
    va_list ap;
    va_start(ap, fmt);
    log_line(names[level], "", event, fmt, &ap, false);
    va_end(ap);
}

void log_audit(const char *event, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    log_line("info", "audit ", event, fmt, &ap, true);
    va_end(ap);
}
