/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A directory for stories ("oriel_test" in nsswitch.conf), read anew for each question from /etc/oriel-test-directory.
 * Lines of fields with tabs between them:
 *
 *   user ASKED SPELLED UID GID HOME     who asks for ASKED is told of SPELLED; an account has a line for each name
 *   group ASKED SPELLED GID MEMBER...   members as they are spelled
 *   sleep NAME SECONDS                  whoever asks for this user or group waits first
 *
 * Passwords lie in /etc/shadow under the spelled name. */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY "/etc/oriel-test-directory"
#define FIELDS_MAX 400 /* a group of many members */

typedef enum nss_status status;

/* glibc finds these by name: nss(5). */
status _nss_oriel_test_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t len, int *err);
status _nss_oriel_test_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t len, int *err);
status _nss_oriel_test_getgrnam_r(const char *name, struct group *gr, char *buf, size_t len, int *err);
status _nss_oriel_test_getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t len, int *err);
status _nss_oriel_test_initgroups_dyn(const char *user, gid_t group, long *start, long *size, gid_t **groups,
    long limit, int *err);

struct line {
    FILE *f;
    char *text;
    size_t cap, n;
    char *field[FIELDS_MAX];
};

static bool next(struct line *l)
{
    l->n = 0;
    if (!l->f && !(l->f = fopen(DIRECTORY, "re")))
        return false;
    ssize_t len = getline(&l->text, &l->cap, l->f);
    if (len <= 0)
        return false;
    l->text[len - (l->text[len - 1] == '\n')] = 0;
    for (char *rest = l->text; rest && l->n < FIELDS_MAX;)
        l->field[l->n++] = strsep(&rest, "\t");
    return true;
}

static void finish(struct line *l)
{
    if (l->f)
        fclose(l->f);
    free(l->text);
    *l = (struct line){0};
}

static bool is(const struct line *l, const char *kind, size_t least)
{
    return l->n >= least && strcmp(l->field[0], kind) == 0;
}

static void wait_as_told(const char *name)
{
    struct line l = {0};
    while (next(&l))
        if (is(&l, "sleep", 3) && strcmp(l.field[1], name) == 0)
            sleep((unsigned)strtoul(l.field[2], NULL, 10));
    finish(&l);
}

/* The string in the caller's buffer; NULL when that is full. */
static char *keep(const char *s, char **buf, size_t *left)
{
    size_t n = strlen(s) + 1;
    char *at = *buf;
    if (n > *left)
        return NULL;
    memcpy(at, s, n);
    *buf += n;
    *left -= n;
    return at;
}

static status too_small(int *err)
{
    *err = ERANGE;
    return NSS_STATUS_TRYAGAIN;
}

static status give_user(const struct line *l, struct passwd *pw, char *buf, size_t len, int *err)
{
    pw->pw_name = keep(l->field[2], &buf, &len);
    pw->pw_passwd = keep("x", &buf, &len);
    pw->pw_gecos = keep("", &buf, &len);
    pw->pw_dir = keep(l->field[5], &buf, &len);
    pw->pw_shell = keep("/bin/bash", &buf, &len);
    pw->pw_uid = (uid_t)strtoul(l->field[3], NULL, 10);
    pw->pw_gid = (gid_t)strtoul(l->field[4], NULL, 10);
    return pw->pw_name && pw->pw_passwd && pw->pw_gecos && pw->pw_dir && pw->pw_shell ? NSS_STATUS_SUCCESS
                                                                                      : too_small(err);
}

static status give_group(const struct line *l, struct group *gr, char *buf, size_t len, int *err)
{
    size_t members = l->n - 4, table = (members + 1) * sizeof(char *), pad = -(size_t)buf % sizeof(char *);
    if (len < pad + table)
        return too_small(err);
    gr->gr_mem = (char **)(void *)(buf + pad);
    buf += pad + table;
    len -= pad + table;
    for (size_t i = 0; i < members; i++)
        if (!(gr->gr_mem[i] = keep(l->field[4 + i], &buf, &len)))
            return too_small(err);
    gr->gr_mem[members] = NULL;
    gr->gr_name = keep(l->field[2], &buf, &len);
    gr->gr_passwd = keep("x", &buf, &len);
    gr->gr_gid = (gid_t)strtoul(l->field[3], NULL, 10);
    return gr->gr_name && gr->gr_passwd ? NSS_STATUS_SUCCESS : too_small(err);
}

/* The first line of that kind whose field is the value. The caller finishes it. */
static bool find(struct line *l, const char *kind, size_t least, size_t field, const char *value)
{
    while (next(l))
        if (is(l, kind, least) && strcmp(l->field[field], value) == 0)
            return true;
    return false;
}

static status find_user(size_t field, const char *value, struct passwd *pw, char *buf, size_t len, int *err)
{
    struct line l = {0};
    status s = find(&l, "user", 6, field, value) ? give_user(&l, pw, buf, len, err) : NSS_STATUS_NOTFOUND;
    finish(&l);
    return s;
}

static status find_group(size_t field, const char *value, struct group *gr, char *buf, size_t len, int *err)
{
    struct line l = {0};
    status s = find(&l, "group", 4, field, value) ? give_group(&l, gr, buf, len, err) : NSS_STATUS_NOTFOUND;
    finish(&l);
    return s;
}

status _nss_oriel_test_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t len, int *err)
{
    wait_as_told(name);
    return find_user(1, name, pw, buf, len, err);
}

status _nss_oriel_test_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t len, int *err)
{
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned)uid);
    return find_user(3, text, pw, buf, len, err);
}

status _nss_oriel_test_getgrnam_r(const char *name, struct group *gr, char *buf, size_t len, int *err)
{
    wait_as_told(name);
    return find_group(1, name, gr, buf, len, err);
}

status _nss_oriel_test_getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t len, int *err)
{
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned)gid);
    return find_group(3, text, gr, buf, len, err);
}

static bool has_member(const struct line *l, const char *user)
{
    for (size_t i = 4; i < l->n; i++)
        if (strcmp(l->field[i], user) == 0)
            return true;
    return false;
}

/* Room for one more, within the caller's limit (0 or less: none). */
static bool make_room(long start, long *size, gid_t **groups, long limit)
{
    if (start < *size)
        return true;
    long more = *size > 0 ? *size * 2 : 16;
    if (limit > 0 && more > limit)
        more = limit;
    gid_t *g = more > *size ? realloc(*groups, (size_t)more * sizeof **groups) : NULL;
    if (g) {
        *groups = g;
        *size = more;
    }
    return g != NULL;
}

status _nss_oriel_test_initgroups_dyn(const char *user, gid_t group, long *start, long *size, gid_t **groups,
    long limit, int *err)
{
    struct line l = {0};
    while (next(&l)) {
        gid_t gid = is(&l, "group", 4) ? (gid_t)strtoul(l.field[3], NULL, 10) : group;
        if (!is(&l, "group", 4) || gid == group || !has_member(&l, user))
            continue;
        if (!make_room(*start, size, groups, limit))
            break;
        (*groups)[(*start)++] = gid;
    }
    finish(&l);
    return NSS_STATUS_SUCCESS;
}
