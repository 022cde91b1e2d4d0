/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/merge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PLAIN_PATH "/usr/local/bin:/usr/bin:/bin"

/* The session's: set over whatever a file says, where we have them. */
static const char *const session_names[] = {"DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
    "XDG_SESSION_TYPE", "XDG_SESSION_ID", "XDG_SESSION_CLASS", "USER", "LOGNAME"};
/* Those of another display or another shell: without a value of ours they go. */
static const char *const foreign_names[] = {"WAYLAND_DISPLAY", "XDG_SEAT", "XDG_VTNR", "DBUS_SESSION_BUS_PID",
    "SESSION_MANAGER", "SHLVL", "_", "PWD", "OLDPWD", "SHELLOPTS", "BASHOPTS"};

static int put_back(const struct merge *m, struct env_list *e, const char *name)
{
    const char *ours = env_get(m->ours, name);
    return ours ? env_set(e, name, ours) : 0;
}

static int put_session_names(const struct merge *m, struct env_list *e)
{
    int r = 0;
    for (size_t i = 0; i < sizeof session_names / sizeof session_names[0] && r == 0; i++)
        r = put_back(m, e, session_names[i]);
    for (size_t i = 0; i < m->ours->n && r == 0; i++)
        if (!strncmp(m->ours->v[i], "ORIEL_", 6))
            r = env_put(e, m->ours->v[i]);
    for (size_t i = 0; i < sizeof foreign_names / sizeof foreign_names[0] && r == 0; i++) {
        env_unset(e, foreign_names[i]);
        r = put_back(m, e, foreign_names[i]);
    }
    return r;
}

static bool has_folder(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    for (const char *p = path; *p; p += strcspn(p, ":"), p += *p == ':')
        if (!strncmp(p, folder, n) && (p[n] == ':' || p[n] == 0 || (p[n] == '/' && (p[n + 1] == ':' || p[n + 1] == 0))))
            return true;
    return false;
}

/* The session's scripts and programs find each other by it. */
static int mend_path(const struct merge *m, struct env_list *e)
{
    char path[8192];
    const char *now = env_get(e, "PATH"), *ours = env_get(m->ours, "PATH");
    if (now && has_folder(now, "/usr/bin"))
        return 0;
    m->trouble(m->user,
        now && now[0] ? "The start-up files left a PATH without /usr/bin. The usual folders are added at its end."
                      : "The start-up files left no PATH. The usual one is set.");
    int n = snprintf(path, sizeof path, "%s%s%s", now ? now : "", now && now[0] ? ":" : "",
        ours && ours[0] ? ours : PLAIN_PATH);
    return env_set(e, "PATH", n > 0 && (size_t)n < sizeof path ? path : PLAIN_PATH);
}

static int mend_home(const struct merge *m, struct env_list *e)
{
    struct stat st;
    const char *home = env_get(e, "HOME"), *shell = env_get(e, "SHELL");
    int r = 0;
    if (!home || stat(home, &st) < 0 || !S_ISDIR(st.st_mode))
        r = put_back(m, e, "HOME");
    if (r == 0 && (!shell || !shell[0]))
        r = put_back(m, e, "SHELL");
    return r;
}

int merge_environment(const struct merge *m, struct snapshot *s)
{
    int r = put_session_names(m, &s->env);
    if (r == 0)
        r = mend_path(m, &s->env);
    return r == 0 ? mend_home(m, &s->env) : r;
}

/* Below these no desktop starts; whoever sets less means a shell. */
static const struct {
    __rlimit_resource_t which;
    rlim_t least;
    const char *name;
} floors[] = {
    {RLIMIT_NOFILE, 256, "open files"},
    {RLIMIT_NPROC, 256, "processes"},
    {RLIMIT_AS, 2ull << 30, "address space"},
    {RLIMIT_DATA, 1ull << 30, "data segment"},
    {RLIMIT_FSIZE, 64u << 20, "file size"},
    {RLIMIT_STACK, 1u << 20, "stack"},
    {RLIMIT_CPU, 3600, "processor time"},
    {RLIMIT_RSS, 1ull << 30, "memory"},
};

/* What was set, but no less than the floor, and the floor no more than what there was before. */
static rlim_t at_least(rlim_t wanted, rlim_t before, rlim_t floor)
{
    rlim_t least = before < floor ? before : floor;
    return wanted < least ? least : wanted;
}

static void take_limit(const struct merge *m, int i, struct rlimit want)
{
    struct rlimit before;
    char text[160];
    if (getrlimit((__rlimit_resource_t)i, &before) < 0)
        return;
    for (size_t k = 0; k < sizeof floors / sizeof floors[0]; k++) {
        if ((int)floors[k].which != i)
            continue;
        struct rlimit mended = {at_least(want.rlim_cur, before.rlim_cur, floors[k].least),
            at_least(want.rlim_max, before.rlim_max, floors[k].least)};
        if (mended.rlim_cur != want.rlim_cur) {
            snprintf(text, sizeof text,
                "The start-up files limit the %s to %llu: no desktop runs with so little. %llu are set.",
                floors[k].name, (unsigned long long)want.rlim_cur, (unsigned long long)mended.rlim_cur);
            m->trouble(m->user, text);
        }
        want = mended;
    }
    if (want.rlim_cur != before.rlim_cur || want.rlim_max != before.rlim_max)
        (void)setrlimit((__rlimit_resource_t)i, &want);
}

void merge_limits(const struct merge *m, const struct snapshot *s)
{
    if (s->tag == 0)
        return;
    if (s->mask & 0700)
        m->trouble(m->user, "The start-up files set a umask that takes the user's own rights away. Those are left.");
    (void)umask(s->mask & ~(mode_t)0700);
    for (int i = 0; i < (int)RLIM_NLIMITS && s->has_limits; i++)
        take_limit(m, i, s->limits[i]);
}
