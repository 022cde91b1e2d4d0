/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-startup: between the leader and the desktop, as the user. Reads the start-up files as a login does, chooses the
 * desktop, and becomes it. Nothing of the user's home is opened by a process with more rights than the user's.
 * Descriptor 3: link to the leader, 4: the configuration, 5: a pipe that ends when screen and keyboard are as the
 * client has them. The files are read while the agent sees to that; the desktop is started after it. Standard error:
 * the session's log. */
#include "common/config.h"
#include "common/spawn.h"
#include "session/startup/drain.h"
#include "session/startup/launch.h"
#include "session/startup/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct startup {
    struct config config;
    char chosen[DESKTOP_ID_BYTES];
    struct env_list ours; /* as the leader gave it */
    struct snapshot now;
    struct desktop desktop;
    char note[PATH_BYTES * 4]; /* the program oriel-startup-note; "" when it cannot be used */
    unsigned troubles;
};

static void on_trouble(void *user, const char *text)
{
    struct startup *s = user;
    struct startup_trouble m = {0};
    snprintf(m.text, sizeof m.text, "%s", text);
    dprintf(STDERR_FILENO, "oriel: %s\n", m.text);
    if (s->troubles++ < STARTUP_TROUBLES_MAX)
        (void)wire_send(FD_STARTUP_LEADER, &startup_trouble_def, &m, NULL);
}

static void on_started(void *user)
{
    const struct startup *s = user;
    struct startup_desktop m = {.kind = (uint8_t)s->desktop.kind};
    snprintf(m.what, sizeof m.what, "%s", s->desktop.what);
    snprintf(m.id, sizeof m.id, "%s", s->desktop.id);
    (void)wire_send(FD_STARTUP_LEADER, &startup_desktop_def, &m, NULL);
}

static int fail(const char *text)
{
    struct startup_failed m = {0};
    snprintf(m.text, sizeof m.text, "%s", text);
    (void)wire_send(FD_STARTUP_LEADER, &startup_failed_def, &m, NULL);
    return EXIT_FAILURE;
}

static int read_arguments(struct startup *s, int argc, char **argv)
{
    static const struct option options[] = {{"desktop", required_argument, NULL, 'd'}, {NULL, 0, NULL, 0}};
    struct config_error err;
    int opt;
    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt != 'd' || strlen(optarg) >= sizeof s->chosen)
            return -EINVAL;
        snprintf(s->chosen, sizeof s->chosen, "%s", optarg);
    }
    for (int fd = FD_STARTUP_LEADER; fd <= FD_STARTUP_GATE; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
            return -EBADF;
    config_defaults(&s->config);
    return config_from_fd(&s->config, FD_STARTUP_CONFIG, &err);
}

static const char *locale(const struct env_list *e)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *v = NULL;
    for (size_t i = 0; i < 3 && (!v || !v[0]); i++)
        v = env_get(e, names[i]);
    return v ? v : "";
}

/* It stands in scripts of several shells as it is. */
static void find_note(struct startup *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";
    int r = spawn_sibling(s->config.paths_libexec_dir, "oriel-startup-note", s->note, sizeof s->note);
    if (r < 0 || s->note[strspn(s->note, plain)] || access(s->note, X_OK) < 0)
        s->note[0] = 0;
}

static void read_files(struct startup *s, const char *home, const struct merge *m)
{
    const char *shell = env_get(&s->ours, "SHELL");
    int out = drain_start();
    struct reader r = {.shell = shell ? shell : "/bin/sh",
        .home = home,
        .root = "",
        .note = s->note,
        .out = out,
        .files_ms = READER_FILES_MS,
        .careful_ms = READER_CAREFUL_MS,
        .total_ms = READER_TOTAL_MS,
        .trouble = on_trouble,
        .user = s};
    if (!s->note[0])
        on_trouble(s,
            "The start-up files are not read: oriel-startup-note is not to be had, or lies in a folder with an unusual "
            "name.");
    else
        reader_run(&r, &s->now);
    if (out >= 0)
        close(out);
    if (merge_environment(m, &s->now) < 0)
        on_trouble(s, "There is no memory for the environment of the start-up files.");
}

static int choose(struct startup *s, const char *home)
{
    struct desktop_options o = {.user_xsession = s->config.session_user_xsession,
        .start_command = s->config.session_start_command,
        .desktop = s->config.session_desktop,
        .chosen = s->chosen,
        .locale = locale(&s->now.env),
        .root = "",
        .path = "/usr/local/bin:/usr/bin:/bin",
        .trouble = on_trouble,
        .user = s};
    struct desktop_entry e;
    bool offered = !strcmp(s->chosen, DESKTOP_DEFAULT) || (s->chosen[0] && desktop_find("", s->chosen, "", &e) == 0);
    int r = offered ? desktop_remember(home, s->chosen) : 0;
    if (r < 0)
        dprintf(STDERR_FILENO, "oriel: The choice of the desktop is not kept for the next login: %s\n", strerror(-r));
    return desktop_choose(&o, home, &s->desktop);
}

static void name_desktop(struct startup *s)
{
    if (!s->desktop.id[0])
        return;
    (void)env_set(&s->now.env, "DESKTOP_SESSION", s->desktop.id);
    (void)env_set(&s->now.env, "XDG_SESSION_DESKTOP", s->desktop.id);
    if (s->desktop.current[0])
        (void)env_set(&s->now.env, "XDG_CURRENT_DESKTOP", s->desktop.current);
    else
        env_unset(&s->now.env, "XDG_CURRENT_DESKTOP");
}

/* A leader that is gone opens it, too; then the signal that ends this process is on its way. */
static void wait_at_gate(void)
{
    char c;
    ssize_t n = 0;
    do
        n = read(FD_STARTUP_GATE, &c, 1);
    while (n > 0 || (n < 0 && errno == EINTR));
    close(FD_STARTUP_GATE);
}

int main(int argc, char **argv, char **envp)
{
    static struct startup s;
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts("oriel-startup " ORIEL_VERSION);
        return EXIT_SUCCESS;
    }
    if (read_arguments(&s, argc, argv) < 0) {
        fputs("oriel-startup is started by oriel-leader\n", stderr);
        return EXIT_FAILURE;
    }
    for (char **e = envp; *e; e++) {
        (void)env_put(&s.ours, *e);
        (void)env_put(&s.now.env, *e);
    }
    const char *home = env_get(&s.ours, "HOME");
    home = home ? home : "/";
    struct merge m = {.ours = &s.ours, .trouble = on_trouble, .user = &s};
    find_note(&s);
    read_files(&s, home, &m);
    int r = choose(&s, home);
    if (r < 0)
        return fail(r == -ENOENT ? desktop_missing_text : "The desktop's start command is too long.");
    name_desktop(&s);
    if (!s.note[0])
        s.desktop.starter[0] = 0;
    wait_at_gate();
    const struct launch l = {.desktop = &s.desktop,
        .merge = &m,
        .now = &s.now,
        .home = home,
        .note = s.note,
        .starter_ms = LAUNCH_STARTER_MS,
        .started = on_started,
        .user = &s};
    return launch_desktop(&l);
}
