/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/shells.h"

#include "session/startup/quote.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum shell_family shell_family_of(const char *path)
{
    static const struct {
        const char *prefix;
        enum shell_family family;
    } known[] = {
        {"bash", SHELL_BASH},
        {"rbash", SHELL_BASH},
        {"zsh", SHELL_ZSH},
        {"rzsh", SHELL_ZSH},
        {"fish", SHELL_FISH},
        {"tcsh", SHELL_CSH},
        {"csh", SHELL_CSH},
        {"bsd-csh", SHELL_CSH},
        {"dash", SHELL_POSIX},
        {"ash", SHELL_POSIX},
        {"ksh", SHELL_POSIX},
        {"rksh", SHELL_POSIX},
        {"mksh", SHELL_POSIX},
        {"lksh", SHELL_POSIX},
        {"oksh", SHELL_POSIX},
        {"posh", SHELL_POSIX},
        {"busybox", SHELL_POSIX},
        {"yash", SHELL_PLAIN},
        {"sh", SHELL_POSIX},
    };
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t n = strlen(known[i].prefix);
        if (!strncmp(name, known[i].prefix, n) && name[n + strspn(name + n, "0123456789.-uvm+")] == 0)
            return known[i].family; /* ksh93u+m, zsh-5.9 */
    }
    return SHELL_OTHER;
}

/* Only plain files: a FIFO in place of one would hold up whoever opens it. */
static bool is_readable_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0;
}

static bool add(struct startup_files *out, const char *folder, const char *name)
{
    if (out->n == STARTUP_FILES_MAX)
        return false;
    struct startup_file *f = &out->v[out->n];
    int n = snprintf(f->path, sizeof f->path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof f->path || !is_readable_file(f->path) ||
        quote_word(f->path, f->word, sizeof f->word) < 0)
        return false;
    out->n++;
    return true;
}

static bool add_system(struct startup_files *out, const char *root, const char *name)
{
    char folder[STARTUP_PATH_BYTES];
    snprintf(folder, sizeof folder, "%s/etc", root);
    return add(out, folder, name);
}

/* zsh's own: below ZDOTDIR, which an earlier file may set. */
static void add_zsh(struct startup_files *out, const char *home, const char *name)
{
    if (out->n == STARTUP_FILES_MAX)
        return;
    struct startup_file *f = &out->v[out->n++];
    snprintf(f->path, sizeof f->path, "%s/%s", home, name);
    snprintf(f->word, sizeof f->word, "\"${ZDOTDIR:-$HOME}/%s\"", name);
}

static void zsh_files(const char *root, const char *home, struct startup_files *out)
{
    static const char *const names[] = {"zshenv", "zprofile", "zlogin"};
    char name[32];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "zsh/%s", names[i]);
        if (!add_system(out, root, name))
            (void)add_system(out, root, names[i]);
        snprintf(name, sizeof name, ".%s", names[i]);
        add_zsh(out, home, name);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct startup_file *x = a, *y = b;
    return strcmp(strrchr(x->path, '/'), strrchr(y->path, '/'));
}

static bool is_named_before(const struct startup_files *out, size_t from, size_t to, const char *name)
{
    for (size_t i = from; i < to; i++)
        if (!strcmp(strrchr(out->v[i].path, '/') + 1, name))
            return true;
    return false;
}

/* Snippets: of several with one name the first folder's counts. */
static void fish_snippets(const char *folder, size_t first, struct startup_files *out)
{
    DIR *d = opendir(folder);
    size_t before = out->n;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        size_t len = strlen(e->d_name);
        if (len > 5 && !strcmp(e->d_name + len - 5, ".fish") && !is_named_before(out, first, before, e->d_name))
            (void)add(out, folder, e->d_name);
    }
    if (d)
        closedir(d);
}

static void fish_files(const char *root, const char *home, struct startup_files *out)
{
    static const char *const folders[] = {"/etc/fish/conf.d", "/usr/share/fish/vendor_conf.d"};
    char folder[STARTUP_PATH_BYTES];
    size_t first = out->n;
    snprintf(folder, sizeof folder, "%s/.config/fish/conf.d", home);
    fish_snippets(folder, first, out);
    for (size_t i = 0; i < 2; i++) {
        snprintf(folder, sizeof folder, "%s%s", root, folders[i]);
        fish_snippets(folder, first, out);
    }
    qsort(out->v + first, out->n - first, sizeof out->v[0], by_name);
    (void)add_system(out, root, "fish/config.fish");
    snprintf(folder, sizeof folder, "%s/.config/fish", home);
    (void)add(out, folder, "config.fish");
}

static void csh_files(const char *root, const char *home, struct startup_files *out)
{
    (void)add_system(out, root, "csh.cshrc");
    (void)add_system(out, root, "csh.login");
    if (!add(out, home, ".tcshrc"))
        (void)add(out, home, ".cshrc");
    (void)add(out, home, ".login");
}

void shell_files(enum shell_family f, const char *root, const char *home, struct startup_files *out)
{
    out->n = 0;
    if (f == SHELL_ZSH)
        zsh_files(root, home, out);
    else if (f == SHELL_FISH)
        fish_files(root, home, out);
    else if (f == SHELL_CSH)
        csh_files(root, home, out);
    else {
        (void)add_system(out, root, "profile");
        if (f != SHELL_BASH || (!add(out, home, ".bash_profile") && !add(out, home, ".bash_login")))
            (void)add(out, home, ".profile");
    }
}

void shell_xprofiles(const char *root, const char *home, struct startup_files *out)
{
    out->n = 0;
    (void)add_system(out, root, "xprofile");
    (void)add(out, home, ".xprofile");
}

/* ---- scripts ---- */

static void posix_careful(FILE *t, const struct shell_script *s, size_t i)
{
    if (s->family == SHELL_POSIX) {
        /* ksh93 has the trap as well, and its traces are not complete. */
        fprintf(t, "(trap : DEBUG) 2>/dev/null && trap '\"%s\" %s line %zu \"$LINENO\"' DEBUG\n", s->note, s->name, i);
        fprintf(t, "PS4='$(\"%s\" %s line %zu \"$LINENO\")'; set -x\n", s->note, s->name, i);
        return;
    }
    if (s->family == SHELL_BASH)
        fputs("set -T; ", t); /* else sourced files do not see the trap */
    fprintf(t, "trap '\"%s\" %s line %zu \"$LINENO\"' DEBUG\n", s->note, s->name, i);
}

static void posix_script(FILE *t, const struct shell_script *s)
{
    if (s->family == SHELL_ZSH) /* called sh, it reads nothing by itself: see shell_command */
        fputs("emulate -R zsh; setopt login\n", t);
    for (size_t i = s->from; i < s->to; i++) {
        const char *word = s->files->v[i].word;
        fprintf(t, "%s=%s.%zu; export %s; \"%s\" %s begin %zu\n", SHELL_MARKER, s->run, i, SHELL_MARKER, s->note,
            s->name, i);
        fprintf(t, "trap '\"%s\" %s exit %zu' EXIT; trap '\"%s\" %s exit %zu; exit 143' TERM\n", s->note, s->name, i,
            s->note, s->name, i);
        fprintf(t, "if [ -f %s ] && [ -r %s ]; then\n", word, word);
        if (s->careful)
            posix_careful(t, s, i);
        fprintf(t, ". %s\nfi\n", word);
    }
    if (s->careful)
        fputs(s->family == SHELL_POSIX ? "set +x; (trap : DEBUG) 2>/dev/null && trap - DEBUG\n" : "trap - DEBUG\n", t);
    fprintf(t, "trap - EXIT TERM\nexec \"%s\" %s final %zu\n", s->note, s->name, s->to);
}

static void csh_script(FILE *t, const struct shell_script *s)
{
    fputs("set loginsh\n", t);
    for (size_t i = s->from; i < s->to; i++)
        fprintf(t, "setenv %s %s.%zu; '%s' %s begin %zu; source %s\n", SHELL_MARKER, s->run, i, s->note, s->name, i,
            s->files->v[i].word);
    fprintf(t, "exec '%s' %s final %zu\n", s->note, s->name, s->to);
}

/* The whole of it at once, as fish itself does: its universal variables come with it. */
static void fish_script(FILE *t, const struct shell_script *s)
{
    fprintf(t, "exec '%s' %s final %zu\n", s->note, s->name, s->to);
}

/* fish parses a file before it runs any of it, and has no trap before a command. So complete commands are cut out of
 * the file, the notes put between them, and what is left after a syntax error is left out. */
static void fish_careful(FILE *t, const struct shell_script *s)
{
    static const char body[] =
        "for v in (string match -rg -- '^SETUVAR --export (.*)' < $HOME/.config/fish/fish_variables 2>/dev/null)\n"
        /* Without its configuration fish does not know its universal variables */
        "  set -l p (string split -m 1 : -- $v)\n"
        "  set -gx $p[1] (string unescape -- $p[2] | string split \\x1e)\n"
        "end\n"
        "set -l out; set -l chunk; set -l n 0; set -l first 1\n"
        "while read -l line\n"
        "  set n (math $n + 1)\n"
        "  test (count $chunk) -eq 0; and set first $n\n"
        "  set -a chunk $line\n"
        "  if string join -- \\n $chunk | $self --no-config --no-execute 2>/dev/null\n"
        "    set -a out \"'$note' $sock line $file $first\"\n"
        "    set -a out (string replace -r -- '^(\\s*)((and |or )?(exec|exit|kill)\\b)' \"\\$1'$note' $sock line $file "
        "$n; \\$2\" $chunk)\n"
        "    set chunk\n"
        "  end\n"
        "end < $path\n"
        "test (count $chunk) -eq 0; or echo \"$path: line $first: fish does not understand what begins here\" >&2\n"
        "set -l ok (count $chunk)\n"
        "set -a out \"'$note' $sock line $file $n\"\n"
        "string join -- \\n $out | source\n"
        "test $ok -eq 0; or exit 2\n";
    fprintf(t, "set -gx %s %s.%zu\n", SHELL_MARKER, s->run, s->from);
    fprintf(t, "set -l note '%s'; set -l sock %s; set -l file %zu; set -l path %s; set -l self (status fish-path)\n",
        s->note, s->name, s->from, s->files->v[s->from].word);
    fprintf(t, "'%s' %s begin %zu\n", s->note, s->name, s->from);
    fprintf(t, "function __oriel_exit --on-event fish_exit --on-signal TERM; '%s' %s exit %zu; end\n", s->note, s->name,
        s->from);
    fputs(body, t);
    fprintf(t, "functions -e __oriel_exit\nexec '%s' %s final %zu\n", s->note, s->name, s->to);
}

char *shell_script(const struct shell_script *s)
{
    char *text = NULL;
    size_t len;
    if (s->careful && (s->family == SHELL_CSH || s->family == SHELL_PLAIN))
        return NULL;
    FILE *t = open_memstream(&text, &len);
    if (!t)
        return NULL;
    if (s->family == SHELL_FISH && s->careful)
        fish_careful(t, s);
    else if (s->family == SHELL_FISH)
        fish_script(t, s);
    else if (s->family == SHELL_CSH)
        csh_script(t, s);
    else
        posix_script(t, s);
    if (fclose(t) == 0)
        return text;
    free(text);
    return NULL;
}

void shell_command(enum shell_family f, const char *path, const char *script, const char *argv[8])
{
    const char *name = strrchr(path, '/');
    size_t n = 0;
    argv[n++] = name ? name + 1 : path;
    if (f == SHELL_BASH) {
        argv[0] = "bash"; /* as rbash it could not start the notes; rbash, too, is free while it reads these files */
        argv[n++] = "--login";
        argv[n++] = "--noprofile";
    } else if (f == SHELL_ZSH) {
        argv[0] = "sh"; /* zsh reads /etc/zshenv whatever its options; under this name it reads nothing */
    } else if (f == SHELL_CSH) {
        argv[n++] = "-f";
    } else if (f == SHELL_FISH) {
        argv[n++] = "--login";
        if (strstr(script, " --on-event "))
            argv[n++] = "--no-config";
    }
    argv[n++] = "-c";
    argv[n++] = script;
    if (f == SHELL_BASH)
        argv[n++] = "-bash"; /* $0, as files look for it */
    argv[n] = NULL;
}
