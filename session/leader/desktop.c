/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/desktop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

const char desktop_missing_text[] =
    "This host has no desktop: no session manager, no window manager and no terminal was found. The administrator can install "
    "one, for example with \"apt install openbox xterm\" or \"apt install xfce4\", or set session.start_command in oriel.conf.";

/* Login shells read these; a desktop is a login. A failing line in them must not keep the user out. */
#define PROFILE \
    "[ -r /etc/profile ] && . /etc/profile >/dev/null; [ -r \"$HOME/.profile\" ] && . \"$HOME/.profile\"; cd \"$HOME\" 2>/dev/null; "

static const char *const window_managers[] = {"openbox", "xfwm4", "marco", "metacity", "kwin_x11", "mutter", "muffin", "icewm-session",
                                              "icewm", "fluxbox", "jwm", "blackbox", "wmaker", "fvwm3", "fvwm", "awesome", "i3",
                                              "twm", "matchbox-window-manager", "evilwm", "x-window-manager"};
static const char *const terminals[] = {"x-terminal-emulator", "xfce4-terminal", "mate-terminal", "gnome-terminal", "konsole",
                                        "lxterminal", "qterminal", "xterm", "uxterm", "lxterm", "rxvt", "urxvt", "st"};
/* A session manager that is only a window manager shows an empty screen: the fallback around it is better. */
static const char *const bare[] = {"openbox-session", "openbox", "twm", "evilwm", "matchbox-window-manager", "xfwm4", "metacity", "marco"};

static bool full_path(const char *root, const char *dir, size_t len, const char *name, char *out, size_t cap)
{
    int n = snprintf(out, cap, "%s%.*s/%s", root, (int)len, dir, name);
    return n > 0 && (size_t)n < cap;
}

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

static bool find_program(const struct desktop_options *o, const char *name, char *out, size_t cap)
{
    for (const char *p = o->path; *p;) {
        size_t len = strcspn(p, ":");
        if (len && full_path(o->root, p, len, name, out, cap) && is_program(out))
            return true;
        p += len + (p[len] == ':');
    }
    return false;
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
    int n = snprintf(d->script, sizeof d->script, PROFILE "%s", script);
    return n > 0 && (size_t)n < sizeof d->script ? 0 : -ENAMETOOLONG;
}

static bool choose_xsession(const struct desktop_options *o, const char *home, struct desktop *d)
{
    static const char *const names[] = {".xsession", ".Xsession"};
    char path[2 * PATH_BYTES], script[1024];
    struct stat st;
    for (size_t i = 0; o->user_xsession && i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", home, names[i]);
        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
            continue;
        snprintf(script, sizeof script,
                 "[ -r \"$HOME/.Xresources\" ] && command -v xrdb >/dev/null && xrdb -merge \"$HOME/.Xresources\"; "
                 "if [ -x \"$HOME/%s\" ]; then exec \"$HOME/%s\"; else exec /bin/sh \"$HOME/%s\"; fi", names[i], names[i], names[i]);
        return finish(d, DESKTOP_XSESSION, path, script) == 0;
    }
    return false;
}

static bool choose_distribution(const struct desktop_options *o, struct desktop *d)
{
    static const char *const starters[] = {"/etc/X11/Xsession", "/etc/X11/xinit/Xsession", "/etc/X11/xdm/Xsession"};
    static const char *const managers[] = {"x-session-manager", "startplasma-x11", "xfce4-session", "mate-session", "lxqt-session",
                                           "cinnamon-session", "startlxde"};
    char manager[PATH_BYTES * 2], starter[PATH_BYTES * 2], script[PATH_BYTES * 5];
    if (!find_first(o, managers, sizeof managers / sizeof managers[0], manager, sizeof manager) || is_bare(manager))
        return false;
    snprintf(script, sizeof script, "exec %s", manager);
    for (size_t i = 0; i < sizeof starters / sizeof starters[0]; i++) {
        snprintf(starter, sizeof starter, "%s%s", o->root, starters[i]);
        if (is_program(starter)) {
            snprintf(script, sizeof script, "exec %s %s", starter, manager);
            break;
        }
    }
    return finish(d, DESKTOP_DISTRIBUTION, manager, script) == 0;
}

static int choose_fallback(const struct desktop_options *o, struct desktop *d)
{
    char wm[PATH_BYTES * 2], term[PATH_BYTES * 2], script[PATH_BYTES * 6];
    bool have_wm = find_first(o, window_managers, sizeof window_managers / sizeof window_managers[0], wm, sizeof wm);
    bool have_term = find_first(o, terminals, sizeof terminals / sizeof terminals[0], term, sizeof term);
    static const char colour[] = "command -v xsetroot >/dev/null && xsetroot -solid '#2c3e50' -cursor_name left_ptr; ";
    /* A window that appears while the window manager starts may be overlooked by it: wait until it says that it manages. */
    static const char managed[] = "i=0; until xprop -root _NET_SUPPORTING_WM_CHECK 2>/dev/null | grep -q window || [ $i -ge 15 ]; "
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
    if (choose_xsession(o, home, d))
        return 0;
    if (o->start_command[0])
        return finish(d, DESKTOP_COMMAND, o->start_command, o->start_command);
    if (choose_distribution(o, d))
        return 0;
    return choose_fallback(o, d);
}
