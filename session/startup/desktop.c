/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/desktop.h"

#include "session/startup/quote.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char desktop_missing_text[] = "This host has no desktop: no session manager, no window manager and no terminal "
                                    "was found. The administrator can install "
                                    "one, for example with \"apt install openbox xterm\" or \"apt install xfce4\", or "
                                    "set session.start_command in oriel.conf.";

static const char *const window_managers[] = {"openbox", "xfwm4", "marco", "metacity", "kwin_x11", "mutter", "muffin",
    "icewm-session", "icewm", "fluxbox", "jwm", "blackbox", "wmaker", "fvwm3", "fvwm", "awesome", "i3", "twm",
    "matchbox-window-manager", "evilwm", "x-window-manager"};
static const char *const terminals[] = {"x-terminal-emulator", "xfce4-terminal", "mate-terminal", "gnome-terminal",
    "konsole", "lxterminal", "qterminal", "xterm", "uxterm", "lxterm", "rxvt", "urxvt", "st"};
/* A session manager that is only a window manager shows an empty screen: the fallback around it is better. */
static const char *const bare[] = {"openbox-session", "openbox", "twm", "evilwm", "matchbox-window-manager", "xfwm4",
    "metacity", "marco"};

static bool find_program(const struct desktop_options *o, const char *name, char *out, size_t cap)
{
    return desktop_program(o->root, o->path, name, out, cap);
}

static bool find_first(const struct desktop_options *o, const char *const *names, size_t n, char *out, size_t cap)
{
    for (size_t i = 0; i < n; i++)
        if (find_program(o, names[i], out, cap))
            return true;
    return false;
}

/* What an alternatives link such as x-session-manager stands for. */
static bool is_bare(const char *path)
{
    char *real = realpath(path, NULL);
    const char *name = real ? strrchr(real, '/') : NULL;
    bool yes = false;
    for (size_t i = 0; name && i < sizeof bare / sizeof bare[0]; i++)
        yes = yes || !strcmp(name + 1, bare[i]);
    free(real);
    return yes;
}

static int finish(struct desktop *d, enum desktop_kind kind, const char *what, const char *script)
{
    d->kind = kind;
    snprintf(d->what, sizeof d->what, "%.*s", PATH_BYTES - 1, what);
    int n = snprintf(d->script, sizeof d->script, "%s", script);
    return n > 0 && (size_t)n < sizeof d->script ? 0 : -ENAMETOOLONG;
}

static void tell(const struct desktop_options *o, const char *text)
{
    if (o->trouble)
        o->trouble(o->user, text);
}

/* ---- the distribution's Xsession ---- */

static bool find_starter(const struct desktop_options *o, char *out, size_t cap)
{
    static const char *const starters[] = {"/etc/X11/Xsession", "/etc/X11/xinit/Xsession", "/etc/X11/xdm/Xsession"};
    for (size_t i = 0; i < sizeof starters / sizeof starters[0]; i++)
        if (desktop_program(o->root, "", starters[i], out, cap))
            return true;
    return false;
}

static void go_through_starter(const struct desktop_options *o, struct desktop *d)
{
    char starter[PATH_BYTES * 2];
    if (find_starter(o, starter, sizeof starter) && strlen(starter) < sizeof d->starter)
        snprintf(d->starter, sizeof d->starter, "%s", starter);
}

/* Debian's Xsession.options(5): the last word on a matter counts. 1 yes, 0 no, -1 no such file. */
static int option_in(const char *path, const char *name)
{
    char line[256];
    int said = 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    while (fgets(line, sizeof line, f)) {
        bool no = !strncmp(line, "no-", 3);
        const char *p = no ? line + 3 : line;
        if (!strncmp(p, name, strlen(name)) && strchr(" \t\r\n", p[strlen(name)]))
            said = no ? 2 : 1;
    }
    fclose(f);
    return said == 2 ? 0 : said ? 1 : -2; /* -2: silent */
}

static int is_conf(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 5 && !strcmp(e->d_name + n - 5, ".conf");
}

static int xsession_option(const struct desktop_options *o, const char *name)
{
    char path[PATH_BYTES * 2];
    struct dirent **list = NULL;
    snprintf(path, sizeof path, "%s/etc/X11/Xsession.options", o->root);
    int all = option_in(path, name);
    snprintf(path, sizeof path, "%s/etc/X11/Xsession.options.d", o->root);
    int n = scandir(path, &list, is_conf, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/etc/X11/Xsession.options.d/%s", o->root, list[i]->d_name);
        int one = option_in(path, name);
        all = one >= 0 || all == -1 ? one : all;
        free(list[i]);
    }
    free(list);
    return all == -2 ? 0 : all;
}

static bool choose_xsession(const struct desktop_options *o, const char *home, struct desktop *d)
{
    static const char *const names[] = {".xsession", ".Xsession"};
    char path[2 * PATH_BYTES], script[1024];
    struct stat st;
    int allowed = xsession_option(o, "allow-user-xsession");
    for (size_t i = 0; o->user_xsession && allowed != 0 && i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", home, names[i]);
        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
            continue;
        snprintf(script, sizeof script,
            "[ -r \"$HOME/.Xresources\" ] && command -v xrdb >/dev/null && xrdb -merge \"$HOME/.Xresources\"; "
            "if [ -x \"$HOME/%s\" ]; then exec \"$HOME/%s\"; else exec /bin/sh \"$HOME/%s\"; fi",
            names[i], names[i], names[i]);
        if (finish(d, DESKTOP_XSESSION, path, script) < 0)
            return false;
        if (allowed > 0)
            go_through_starter(o, d);
        return true;
    }
    return false;
}

/* ---- entries of xsessions ---- */

static bool choose_entry(const struct desktop_options *o, const struct desktop_entry *e, enum desktop_kind kind,
    struct desktop *d)
{
    char script[COMMAND_BYTES * 3] = "exec", word[DESKTOP_TEXT_BYTES + 64];
    for (size_t i = 0; i < e->nwords; i++) {
        size_t used = strlen(script);
        if (quote_word(desktop_word(e, i), word, sizeof word) < 0 || used + strlen(word) + 2 > sizeof script)
            return false;
        snprintf(script + used, sizeof script - used, " %s", word);
    }
    if (finish(d, kind, desktop_word(e, 0), script) < 0)
        return false;
    memcpy(d->id, e->id, sizeof d->id);
    memcpy(d->current, e->current, sizeof d->current);
    go_through_starter(o, d);
    return true;
}

static bool choose_named(const struct desktop_options *o, const char *id, const char *who, struct desktop *d)
{
    struct desktop_entry e;
    char text[256];
    if (desktop_find(o->root, id, o->locale, &e) == 0 && choose_entry(o, &e, DESKTOP_ENTRY, d))
        return true;
    snprintf(text, sizeof text, "The desktop \"%.*s\", which %s names, is not installed here: another one is started.",
        DESKTOP_ID_BYTES, id, who);
    tell(o, text);
    return false;
}

static void choice_path(const char *home, char out[2 * PATH_BYTES])
{
    snprintf(out, 2 * PATH_BYTES, "%s/.config/oriel/desktop", home);
}

/* The first line of the user's file. */
static bool remembered(const char *home, char id[DESKTOP_ID_BYTES])
{
    char path[2 * PATH_BYTES], line[2 * DESKTOP_ID_BYTES];
    choice_path(home, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
    if (fd >= 0)
        close(fd);
    line[n > 0 ? n : 0] = 0;
    line[strcspn(line, "\r\n")] = 0;
    const char *from = line + strspn(line, " \t");
    size_t len = strcspn(from, " \t");
    if (len == 0 || len >= DESKTOP_ID_BYTES)
        return false;
    memcpy(id, from, len);
    id[len] = 0;
    char *dot = strstr(id, ".desktop");
    if (dot && !dot[8])
        *dot = 0;
    return true;
}

static bool choose_preferred(const struct desktop_options *o, const char *home, struct desktop *d)
{
    char id[DESKTOP_ID_BYTES];
    bool fresh = !strcmp(o->chosen, DESKTOP_DEFAULT);
    if (o->chosen[0] && !fresh && choose_named(o, o->chosen, "the logon screen", d))
        return true;
    if (!fresh && remembered(home, id) && choose_named(o, id, "~/.config/oriel/desktop", d))
        return true;
    return o->desktop[0] && choose_named(o, o->desktop, "session.desktop", d);
}

/* ---- the distribution's ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Some session managers are started by a script of another name. */
static bool is_same_session(const char *manager, const char *program)
{
    static const char *const pairs[][2] = {{"xfce4-session", "startxfce4"}, {"lxqt-session", "startlxqt"},
        {"lxsession", "startlxde"}, {"cinnamon-session", "cinnamon-session-cinnamon"}, {"startkde", "startplasma-x11"}};
    const char *a = base_name(manager), *b = base_name(program);
    bool same = !strcmp(a, b);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && !same; i++)
        same = !strcmp(a, pairs[i][0]) && !strcmp(b, pairs[i][1]);
    return same;
}

/* Whose entry starts what the link `manager` stands for. */
static void name_distribution(const struct desktop_options *o, const char *manager, struct desktop *d)
{
    struct desktop_list list;
    char *real = realpath(manager, NULL);
    if (desktop_list(o->root, o->locale, &list) == 0)
        for (size_t i = 0; real && i < list.n && !d->id[0]; i++)
            if (is_same_session(real, desktop_word(&list.v[i], 0))) {
                memcpy(d->id, list.v[i].id, sizeof d->id);
                memcpy(d->current, list.v[i].current, sizeof d->current);
            }
    desktop_list_finish(&list);
    free(real);
}

static bool choose_distribution(const struct desktop_options *o, struct desktop *d)
{
    static const char *const managers[] = {"x-session-manager", "startplasma-x11", "xfce4-session", "mate-session",
        "lxqt-session", "cinnamon-session", "startlxde"};
    char manager[PATH_BYTES * 2], script[PATH_BYTES * 3];
    if (!find_first(o, managers, sizeof managers / sizeof managers[0], manager, sizeof manager) || is_bare(manager))
        return false;
    snprintf(script, sizeof script, "exec %s", manager);
    if (finish(d, DESKTOP_DISTRIBUTION, manager, script) < 0)
        return false;
    name_distribution(o, manager, d);
    go_through_starter(o, d);
    return true;
}

/* No session manager of a known name, but an entry: the first that is more than a window manager. */
static bool choose_any_entry(const struct desktop_options *o, struct desktop *d)
{
    struct desktop_list list;
    char path[DESKTOP_TEXT_BYTES + PATH_BYTES];
    bool found = false;
    if (desktop_list(o->root, o->locale, &list) == 0)
        for (size_t i = 0; i < list.n && !found; i++)
            if (desktop_program(o->root, o->path, desktop_word(&list.v[i], 0), path, sizeof path) && !is_bare(path))
                found = choose_entry(o, &list.v[i], DESKTOP_ENTRY, d);
    desktop_list_finish(&list);
    return found;
}

static int choose_fallback(const struct desktop_options *o, struct desktop *d)
{
    char wm[PATH_BYTES * 2], term[PATH_BYTES * 2], script[PATH_BYTES * 6];
    bool have_wm = find_first(o, window_managers, sizeof window_managers / sizeof window_managers[0], wm, sizeof wm);
    bool have_term = find_first(o, terminals, sizeof terminals / sizeof terminals[0], term, sizeof term);
    static const char colour[] = "command -v xsetroot >/dev/null && xsetroot -solid '#2c3e50' -cursor_name left_ptr; ";
    /* A window that appears while the window manager starts may be overlooked by it: wait until it says that it
     * manages. */
    static const char managed[] =
        "i=0; until xprop -root _NET_SUPPORTING_WM_CHECK 2>/dev/null | grep -q window || [ $i -ge 15 ]; "
        "do i=$((i + 1)); sleep 0.1; done";
    const char *name = have_wm ? strrchr(wm, '/') + 1 : "";
    if (have_term && !strcmp(name, "openbox"))
        snprintf(script, sizeof script, "%sexec %s --startup %s", colour, wm, term); /* it knows when it manages */
    else if (have_wm && have_term)
        snprintf(script, sizeof script, "%s(%s; exec %s) & exec %s", colour, managed, term, wm);
    else if (have_wm || have_term)
        snprintf(script, sizeof script, "%sexec %s", colour, have_wm ? wm : term);
    else
        return -ENOENT;
    return finish(d, DESKTOP_FALLBACK, have_wm ? wm : term, script);
}

int desktop_choose(const struct desktop_options *o, const char *home, struct desktop *d)
{
    *d = (struct desktop){0};
    if (choose_preferred(o, home, d) || choose_xsession(o, home, d))
        return 0;
    if (o->start_command[0])
        return finish(d, DESKTOP_COMMAND, o->start_command, o->start_command);
    if (choose_distribution(o, d) || choose_any_entry(o, d))
        return 0;
    return choose_fallback(o, d);
}

/* ---- the choice of the next login ---- */

static int make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

int desktop_remember(const char *home, const char *chosen)
{
    char path[2 * PATH_BYTES], next[2 * PATH_BYTES + 8], folder[2 * PATH_BYTES];
    choice_path(home, path);
    if (!strcmp(chosen, DESKTOP_DEFAULT))
        return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
    snprintf(folder, sizeof folder, "%s/.config", home);
    int r = make_folder(folder);
    snprintf(folder, sizeof folder, "%s/.config/oriel", home);
    if (r == 0)
        r = make_folder(folder);
    snprintf(next, sizeof next, "%s.new", path);
    FILE *f = r == 0 ? fopen(next, "we") : NULL;
    if (!f)
        return r < 0 ? r : -errno;
    fprintf(f, "%s\n", chosen);
    if (fclose(f) != 0 || rename(next, path) < 0)
        r = -errno;
    return r;
}
