/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One real shell (the argument) reads bad start-up files: whatever a line does, what was exported before it is kept,
 * the files after it are read, and it does not take long. Exit status 77: the shell is not installed. */
#include "session/startup/merge.h"
#include "session/startup/reader.h"
#include "tests/unit/session/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES_MS 1500
#define CAREFUL_MS 1500

static const char *shell;
static char told[8192];
static struct snapshot now;

static int teardown(void **state)
{
    snapshot_finish(&now);
    return scratch_teardown(state);
}

static void on_trouble(void *user, const char *text)
{
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%s\n", text);
}

/* Milliseconds that it took. */
static int64_t read_files(void)
{
    struct timespec a, b;
    char home[80], set[96];
    snprintf(home, sizeof home, "%s/home", scratch);
    struct reader r = {.shell = shell,
        .home = home,
        .root = scratch,
        .note = NOTE,
        .out = open("/dev/null", O_WRONLY | O_CLOEXEC),
        .files_ms = FILES_MS,
        .careful_ms = CAREFUL_MS,
        .total_ms = 20000,
        .trouble = on_trouble};
    snapshot_finish(&now);
    told[0] = 0;
    assert_int_equal(env_put(&now.env, "PATH=/usr/local/bin:/usr/bin:/bin"), 0);
    snprintf(set, sizeof set, "HOME=%s", home);
    assert_int_equal(env_put(&now.env, set), 0);
    clock_gettime(CLOCK_MONOTONIC, &a);
    reader_run(&r, &now);
    clock_gettime(CLOCK_MONOTONIC, &b);
    close(r.out);
    return (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
}

static bool is_shell(const char *name)
{
    return strstr(shell, name) != NULL;
}

static const char *personal_file(void)
{
    return is_shell("zsh") ? "home/.zprofile"
        : is_shell("bash") ? "home/.bash_profile"
        : is_shell("fish") ? "home/.config/fish/conf.d/a.fish"
        : is_shell("csh")  ? "home/.tcshrc"
                           : "home/.profile";
}

static const char *next_file(void)
{
    return is_shell("zsh") ? "home/.zlogin"
        : is_shell("fish") ? "home/.config/fish/config.fish"
        : is_shell("csh")  ? "home/.login"
                           : "home/.xprofile";
}

static void export_line(char *out, size_t cap, const char *name, const char *value)
{
    if (is_shell("fish"))
        snprintf(out, cap, "set -gx %s %s\n", name, value);
    else if (is_shell("csh"))
        snprintf(out, cap, "setenv %s %s\n", name, value);
    else
        snprintf(out, cap, "%s=%s\nexport %s\n", name, value, name);
}

static void expect(const char *body, const char *name, const char *value)
{
    const char *got = env_get(&now.env, name);
    if (!got || strcmp(got, value) != 0)
        fail_msg("%s, file:\n%s\n%s is %s, not %s\ntold: %s", shell, body, name, got ? got : "(unset)", value, told);
}

/* The system's file is good, the user's first one has the line, the second is good. */
static void try_line(const char *line, bool is_lost_to_shell)
{
    char before[128], after[128], body[768];
    export_line(before, sizeof before, "BEFORE", "kept");
    export_line(after, sizeof after, "AFTER", "read");
    snprintf(body, sizeof body, "%s%s\n", before, line);
    put(personal_file(), body, 0644);
    put(next_file(), after, 0644);
    int64_t took = read_files();
    if (getenv("ORIEL_SHOW"))
        print_message("%s %lld ms: %s: %s", shell, (long long)took, line, told[0] ? told : "\n");
    if (!is_lost_to_shell)
        expect(body, "BEFORE", "kept");
    expect(body, "AFTER", "read");
    assert_true(took < 20000);
}

/* Lines that end or hang a shell of sh's kind. */
static const char *const deadly[] = {
    "exit 0",
    "exit 3",
    "exec true",
    "exec /nonexistent/program",
    "exec sleep 1000",
    "kill -9 $$",
    "kill -TERM $$",
    "kill -STOP $$\nexit 0",
    "kill -9 0",
    "set -e\nfalse",
    "set -u\necho $NOT_SET_ANYWHERE",
    "set -n",
    "if [ x",
    "case x in",
    "echo ${",
    "arr=(1 2)\nexit",
    "trap 'true' EXIT\nexit",
    "Y=${HOME:0:3}\nexit",
    "readonly TMOUT=900\nTMOUT=900\nexit",
    "trap '' HUP INT TERM EXIT\nexit 1",
    "sleep 1000",
    "while :; do :; done",
    "trap '' TERM HUP\nwhile :; do :; done",
    "(while :; do :; done)",
    "X=$(cat fifo)",
    "read x < fifo",
    "ulimit -n 3\nexit",
    "ulimit -f 0\nexit",
    "unset PATH\nexit",
    "exec 1>&- 2>&- 3>&-\nexit",
    "set +x\nexec true",
    "PATH=/nonexistent\nexit 1",
    "readonly BEFORE\nexit 0",
    "cd /nonexistent\nexit 1",
    "set -f\nIFS=x\nexit 0",
    "f() { exit 4; }\nf",
    "exec >/dev/null 2>&1 </dev/null\nexit 7",
    "sleep 1000 &\nexit 0",
    "stty sane\nmesg n\nread x\nexit",
    "yes | head -c 300000\nexit",
};
/* Those that fish and csh know. */
static const char *const deadly_elsewhere[] = {"exit 0", "exec true", "exec sleep 1000", "sleep 1000", "if (",
    "kill -9 $fish_pid", "kill -9 $$", "while true; end"};

/* ksh93 and fish parse a file before they run any of it, csh has no trap: a real login keeps nothing then either. */
static bool is_lost(const char *line)
{
    if (is_shell("fish"))
        return !strcmp(line, "if (") || strstr(line, "$$");
    if (is_shell("ksh93"))
        return strstr("if [ x case x in echo ${", line);
    return is_shell("csh") && (strstr(line, "exec true") || strstr(line, "kill") || strstr(line, "while"));
}

static void what_was_exported_before_a_deadly_line_is_kept(void **state)
{
    bool other = is_shell("fish") || is_shell("csh");
    const char *const *lines = other ? deadly_elsewhere : deadly;
    size_t n = other ? sizeof deadly_elsewhere / sizeof deadly_elsewhere[0] : sizeof deadly / sizeof deadly[0];
    put("home/.keep", "", 0644);
    (void)mkfifo(at("home/fifo"), 0600);
    for (size_t i = 0; i < n; i++) {
        try_line(lines[i], is_lost(lines[i]));
    }
}

static void good_files_are_read_once_in_order_without_a_word(void **state)
{
    char text[256];
    put("etc/.keep", "", 0644);
    export_line(text, sizeof text, "ONE", "1");
    put(personal_file(), text, 0644);
    export_line(text, sizeof text, "TWO", is_shell("csh") || is_shell("fish") ? "$ONE" : "${ONE}");
    snprintf(text + strlen(text), sizeof text - strlen(text), "umask 027\necho read >> $HOME/count\n");
    put(next_file(), text, 0644);
    (void)read_files();
    expect(text, "ONE", "1");
    expect(text, "TWO", "1");
    assert_string_equal(told, "");
    assert_true(now.tag != 0);
    assert_int_equal(now.mask, 027);
    assert_null(env_get(&now.env, SHELL_MARKER));
    struct stat st;
    assert_int_equal(stat(at("home/count"), &st), 0);
    assert_int_equal(st.st_size, 5);
}

static void a_value_keeps_its_newlines(void **state)
{
    const char *text = is_shell("fish") ? "set -gx LINES_OF a\\nb\\n\n"
        : is_shell("csh")               ? "setenv LINES_OF 'a\\\nb'\n"
                                        : "export LINES_OF='a\nb\n'\n";
    put(personal_file(), text, 0644);
    (void)read_files();
    assert_non_null(env_get(&now.env, "LINES_OF"));
    assert_non_null(strstr(env_get(&now.env, "LINES_OF"), "a\nb"));
}

static void a_deadly_file_of_the_system_does_not_hide_the_users(void **state)
{
    if (is_shell("fish") || is_shell("csh"))
        skip();
    put(is_shell("zsh") ? "etc/zsh/zshenv" : "etc/profile", "export SYSTEM=kept\nexec true\n", 0644);
    put(personal_file(), "export MINE=$SYSTEM\n", 0644);
    (void)read_files();
    expect("etc", "SYSTEM", "kept");
    expect("etc", "MINE", "kept");
    assert_non_null(strstr(told, is_shell("zsh") ? "zshenv" : "etc/profile"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_files_are_read_once_in_order_without_a_word, scratch_setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_keeps_its_newlines, scratch_setup, teardown),
        cmocka_unit_test_setup_teardown(a_deadly_file_of_the_system_does_not_hide_the_users, scratch_setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_exported_before_a_deadly_line_is_kept, scratch_setup, teardown),
    };
    shell = argc == 2 ? argv[1] : "/bin/sh";
    if (access(shell, X_OK) < 0)
        return 77;
    return cmocka_run_group_tests_name(shell, tests, NULL, NULL);
}
