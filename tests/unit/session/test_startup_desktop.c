/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entries of xsessions, and which desktop a session starts. */
#include "session/startup/desktop.h"
#include "session/startup/merge.h"
#include "session/startup/quote.h"
#include "tests/unit/session/scratch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static char told[2048];

static void on_trouble(void *user, const char *text)
{
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%s\n", text);
}

/* ---- entries ---- */

static int parse(const char *text, const char *locale, struct desktop_entry *e)
{
    *e = (struct desktop_entry){0};
    return desktop_parse(text, strlen(text), locale, e);
}

static void an_entry_is_read_as_its_specification_says(void **state)
{
    static const char text[] = "# comment\n\n[Desktop Entry]\nType=XSession\nName = MATE \nName[de]=MATE auf "
                               "Deutsch\nName[de_AT]=MATE, Servus\n"
                               "Exec=mate-session \"--with a blank\" \"q\\\\\"uote\" 100%% %f --icon "
                               "%i\nTryExec=mate-session\nDesktopNames=MATE;GNOME;\n"
                               "[Desktop Action x]\nName=other\nExec=other\n";
    struct desktop_entry e;
    assert_int_equal(parse(text, "", &e), 0);
    assert_string_equal(e.name, "MATE");
    assert_string_equal(e.current, "MATE:GNOME");
    assert_string_equal(e.try_exec, "mate-session");
    assert_false(e.hidden);
    static const char *const words[] = {"mate-session", "--with a blank", "q\"uote", "100%", "--icon"};
    assert_int_equal(e.nwords, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(desktop_word(&e, i), words[i]);
    assert_null(desktop_word(&e, 5));
    assert_int_equal(parse(text, "de_DE.UTF-8", &e), 0);
    assert_string_equal(e.name, "MATE auf Deutsch");
    assert_int_equal(parse(text, "de_AT.UTF-8@euro", &e), 0);
    assert_string_equal(e.name, "MATE, Servus");
    assert_int_equal(parse(text, "C", &e), 0);
    assert_string_equal(e.name, "MATE");
}

static void what_is_no_entry_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "Name=x\nExec=y\n",
        "[Desktop Entry]\nName=x\n",
        "[Desktop Entry]\nExec=x\n",
        "[Desktop Entry]\nType=Link\nName=x\nExec=y\n",
        "[Desktop Entry]\nName=x\nExec=\n",
        "[Desktop Entry]\nName=x\nExec=%f\n",
        "[Desktop Entry]\nName=x\nExec=\"open\n",
        "[Desktop Entry]\nName=x\nExec=y %q\n",
        "[Other]\nName=x\nExec=y\n",
        "[Desktop Entry]\nName=x\nExec=\"\"\n",
        "[Desktop Entry]\nName=x\nExec=a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 4 5 6 7\n",
    };
    struct desktop_entry e;
    static char huge[DESKTOP_FILE_MAX + 2];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(parse(bad[i], "", &e) < 0);
    memset(huge, '#', sizeof huge - 1);
    assert_int_equal(parse(huge, "", &e), -E2BIG);
    memset(huge, 'x', 3000);
    memcpy(huge, "[Desktop Entry]\nName=x\nExec=", 28);
    huge[3000] = 0;
    assert_int_equal(parse(huge, "", &e), -E2BIG);
    assert_int_equal(desktop_parse("[Desktop Entry]\nName=x\0\nExec=y\n", 31, "", &e), -EINVAL);
}

static void an_id_is_a_plain_file_name(void **state)
{
    static const char *const bad[] = {"", ".", "..", ".hidden", "a/b", "../x", "a b", "a\nb", "-x", "a;b", "\xc3\xa4"};
    assert_true(desktop_id_ok("gnome-xorg"));
    assert_true(desktop_id_ok("org.kde.Plasma_6+x"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(desktop_id_ok(bad[i]));
}

#define ENTRY(name, exec, more) "[Desktop Entry]\nName=" name "\nExec=" exec "\n" more

static void the_list_holds_what_can_be_started_once_and_by_name(void **state)
{
    struct desktop_list list;
    put("usr/bin/one", "", 0755);
    put("usr/bin/two", "", 0755);
    put("usr/share/xsessions/b.desktop", ENTRY("Zebra", "one", ""), 0644);
    put("usr/share/xsessions/a.desktop", ENTRY("apple", "/usr/bin/two --x", "DesktopNames=Apple\n"), 0644);
    put("usr/share/xsessions/hidden.desktop", ENTRY("Hidden", "one", "Hidden=true\n"), 0644);
    put("usr/share/xsessions/nodisplay.desktop", ENTRY("No", "one", "NoDisplay=true\n"), 0644);
    put("usr/share/xsessions/missing.desktop", ENTRY("Missing", "three", ""), 0644);
    put("usr/share/xsessions/try.desktop", ENTRY("Try", "one", "TryExec=three\n"), 0644);
    put("usr/share/xsessions/broken.desktop", "nonsense", 0644);
    put("usr/share/xsessions/readme.txt", "", 0644);
    put("usr/local/share/xsessions/b.desktop", ENTRY("Mine", "two", ""), 0644);
    assert_int_equal(mkfifo(at("usr/share/xsessions/pipe.desktop"), 0644), 0);
    assert_int_equal(desktop_list(scratch, "", &list), 0);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.v[0].name, "apple");
    assert_string_equal(list.v[1].name, "Mine");
    desktop_list_finish(&list);
}

/* ---- the choice ---- */

static struct desktop_options options = {.user_xsession = true,
    .start_command = "",
    .desktop = "",
    .chosen = "",
    .locale = "",
    .path = "/usr/local/bin:/usr/bin",
    .trouble = on_trouble};

static int choose(struct desktop *d)
{
    char home[80];
    snprintf(home, sizeof home, "%s/home", scratch);
    options.root = scratch;
    told[0] = 0;
    return desktop_choose(&options, home, d);
}

static void expect(enum desktop_kind kind, const char *script, const char *starter)
{
    static struct desktop d;
    assert_int_equal(choose(&d), 0);
    if (d.kind != kind || !strstr(d.script, script) || !strstr(d.starter, starter) || !d.starter[0] != !starter[0])
        fail_msg("kind %d, script %s, starter %s; wanted %d, %s, %s", (int)d.kind, d.script, d.starter, (int)kind,
            script, starter);
}

/* option: session.desktop */
static void a_desktop_is_found_from_the_most_personal_to_the_smallest(void **state)
{
    struct desktop d;
    put("home/.keep", "", 0644);
    assert_int_equal(choose(&d), -ENOENT);
    assert_non_null(strstr(desktop_missing_text, "apt install"));
    put("usr/bin/xterm", "", 0755);
    expect(DESKTOP_FALLBACK, "/usr/bin/xterm", "");
    put("usr/bin/openbox", "", 0755);
    expect(DESKTOP_FALLBACK, "/usr/bin/openbox --startup", "");
    put("usr/bin/openbox-session", "", 0755);
    put("usr/share/xsessions/openbox.desktop", ENTRY("Openbox", "openbox-session", ""), 0644);
    assert_int_equal(symlink("openbox-session", at("usr/bin/x-session-manager")), 0);
    expect(DESKTOP_FALLBACK, "/usr/bin/openbox", ""); /* a bare window manager shows a black screen */
    put("usr/bin/grand", "", 0755);
    put("usr/share/xsessions/grand.desktop", ENTRY("Grand", "grand", "DesktopNames=GRAND\n"), 0644);
    expect(DESKTOP_ENTRY, "exec 'grand'", "");
    assert_int_equal(unlink(at("usr/bin/x-session-manager")), 0);
    put("usr/bin/startxfce4", "", 0755);
    put("usr/share/xsessions/xfce.desktop", ENTRY("Xfce", "startxfce4", "DesktopNames=XFCE\n"), 0644);
    put("usr/bin/xfce4-session", "", 0755);
    assert_int_equal(symlink("xfce4-session", at("usr/bin/x-session-manager")), 0);
    expect(DESKTOP_DISTRIBUTION, "x-session-manager", "");
    assert_int_equal(choose(&d), 0);
    assert_string_equal(d.id, "xfce");
    assert_string_equal(d.current, "XFCE");
    options.start_command = "exec my-desktop";
    expect(DESKTOP_COMMAND, "exec my-desktop", "");
    put("home/.xsession", "xterm\n", 0644);
    expect(DESKTOP_XSESSION, ".xsession", "");
    options.user_xsession = false;
    expect(DESKTOP_COMMAND, "exec my-desktop", "");
    options.user_xsession = true;
    options.desktop = "grand";
    expect(DESKTOP_ENTRY, "exec 'grand'", "");
    put("home/.config/oriel/desktop", " openbox.desktop \nmore\n", 0644);
    expect(DESKTOP_ENTRY, "exec 'openbox-session'", "");
    options.chosen = "xfce";
    expect(DESKTOP_ENTRY, "exec 'startxfce4'", "");
    options.chosen = DESKTOP_DEFAULT;
    expect(DESKTOP_ENTRY, "exec 'grand'", "");
    options.desktop = "";
    expect(DESKTOP_XSESSION, ".xsession", "");
    options.start_command = options.chosen = "";
}

static void a_choice_that_is_not_there_is_told_and_passed_over(void **state)
{
    put("usr/bin/xterm", "", 0755);
    put("home/.config/oriel/desktop", "gone\n", 0644);
    options.desktop = "gone-too";
    expect(DESKTOP_FALLBACK, "xterm", "");
    assert_non_null(strstr(told, "\"gone\""));
    assert_non_null(strstr(told, "session.desktop"));
    options.desktop = "../../etc/passwd";
    expect(DESKTOP_FALLBACK, "xterm", "");
    options.desktop = "";
    put("home/.config/oriel/desktop", "", 0644);
    expect(DESKTOP_FALLBACK, "xterm", "");
    assert_string_equal(told, "");
}

static void the_distributions_script_starts_it_where_there_is_one(void **state)
{
    put("etc/X11/Xsession", "", 0755);
    put("etc/X11/Xsession.options", "# x\nallow-failsafe\nallow-user-xsession\n", 0644);
    put("usr/bin/grand", "", 0755);
    put("usr/share/xsessions/grand.desktop", ENTRY("Grand", "/usr/bin/grand --quick", ""), 0644);
    put("usr/share/xsessions/odd.desktop", ENTRY("Odd", "grand \"a b\"", ""), 0644);
    put("home/.xsession", "xterm\n", 0644);
    expect(DESKTOP_XSESSION, ".xsession", "/etc/X11/Xsession");
    options.desktop = "grand";
    expect(DESKTOP_ENTRY, "exec '/usr/bin/grand' '--quick'", "/etc/X11/Xsession");
    options.desktop = "odd";
    expect(DESKTOP_ENTRY, "exec 'grand' 'a b'", "/etc/X11/Xsession");
    options.desktop = "";
    put("etc/X11/Xsession.options.d/50.conf", "no-allow-user-xsession\n", 0644);
    expect(DESKTOP_ENTRY, "grand", "/etc/X11/Xsession");
    assert_int_equal(unlink(at("etc/X11/Xsession.options.d/50.conf")), 0);
    put("etc/X11/Xsession.options", "use-ssh-agent\n", 0644);
    expect(DESKTOP_ENTRY, "grand", "/etc/X11/Xsession");
    options.start_command = "mine";
    expect(DESKTOP_COMMAND, "mine", "");
    options.start_command = "";
}

static void a_choice_is_remembered_and_forgotten(void **state)
{
    char home[80], line[64] = "";
    put("home/.keep", "", 0644);
    snprintf(home, sizeof home, "%s/home", scratch);
    assert_int_equal(desktop_remember(home, "xfce"), 0);
    FILE *f = fopen(at("home/.config/oriel/desktop"), "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_string_equal(line, "xfce\n");
    assert_int_equal(desktop_remember(home, DESKTOP_DEFAULT), 0);
    assert_int_not_equal(access(at("home/.config/oriel/desktop"), F_OK), 0);
    assert_int_equal(desktop_remember(home, DESKTOP_DEFAULT), 0);
    put("flat/.config", "a file", 0644);
    snprintf(home, sizeof home, "%s/flat", scratch);
    assert_true(desktop_remember(home, "xfce") < 0);
}

static void a_quoted_word_is_one_word(void **state)
{
    char out[32];
    assert_int_equal(quote_word("it's $HOME", out, sizeof out), 0);
    assert_string_equal(out, "'it'\\''s $HOME'");
    assert_int_equal(quote_word("a\nb", out, sizeof out), -EINVAL);
    assert_int_equal(quote_word("a!b", out, sizeof out), -EINVAL);
    assert_int_equal(quote_word("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", out, sizeof out), -ENAMETOOLONG);
}

/* ---- merging ---- */

static void the_sessions_variables_win_and_the_users_stay(void **state)
{
    static const char *const ours[] = {"DISPLAY=:10", "XAUTHORITY=/run/x", "PATH=/usr/bin:/bin", "HOME=/",
        "LANG=C.UTF-8", "ORIEL_SESSION_KEY=k", "SHELL=/bin/bash", "DBUS_SESSION_BUS_ADDRESS=unix:path=/b", "USER=anna"};
    static const char *const files[] = {"DISPLAY=:0", "XAUTHORITY=/tmp/evil", "PATH=/home/anna/bin:/usr/bin",
        "HOME=/nonexistent", "LANG=de_DE.UTF-8", "ORIEL_SESSION_KEY=other", "WAYLAND_DISPLAY=wayland-0", "SHLVL=2",
        "DBUS_SESSION_BUS_ADDRESS=autolaunch:", "EDITOR=vi", "SESSION_MANAGER=x", "USER=root", "SHELLOPTS=noexec"};
    struct env_list a = {0};
    struct snapshot s = {.tag = NOTE_FINAL};
    struct merge m = {.ours = &a, .trouble = on_trouble};
    told[0] = 0;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        assert_int_equal(env_put(&a, ours[i]), 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_int_equal(env_put(&s.env, files[i]), 0);
    assert_int_equal(merge_environment(&m, &s), 0);
    assert_string_equal(env_get(&s.env, "DISPLAY"), ":10");
    assert_string_equal(env_get(&s.env, "XAUTHORITY"), "/run/x");
    assert_string_equal(env_get(&s.env, "PATH"), "/home/anna/bin:/usr/bin");
    assert_string_equal(env_get(&s.env, "HOME"), "/");
    assert_string_equal(env_get(&s.env, "LANG"), "de_DE.UTF-8");
    assert_string_equal(env_get(&s.env, "ORIEL_SESSION_KEY"), "k");
    assert_string_equal(env_get(&s.env, "DBUS_SESSION_BUS_ADDRESS"), "unix:path=/b");
    assert_string_equal(env_get(&s.env, "EDITOR"), "vi");
    assert_string_equal(env_get(&s.env, "USER"), "anna");
    assert_string_equal(env_get(&s.env, "SHELL"), "/bin/bash");
    assert_null(env_get(&s.env, "WAYLAND_DISPLAY"));
    assert_null(env_get(&s.env, "SESSION_MANAGER"));
    assert_null(env_get(&s.env, "SHELLOPTS"));
    assert_string_equal(told, "");
    assert_int_equal(env_set(&s.env, "PATH", "/home/anna/bin"), 0);
    assert_int_equal(merge_environment(&m, &s), 0);
    assert_string_equal(env_get(&s.env, "PATH"), "/home/anna/bin:/usr/bin:/bin");
    assert_non_null(strstr(told, "PATH"));
    env_unset(&s.env, "PATH");
    assert_int_equal(merge_environment(&m, &s), 0);
    assert_string_equal(env_get(&s.env, "PATH"), "/usr/bin:/bin");
    env_finish(&a);
    snapshot_finish(&s);
}

static void a_note_is_read_or_refused_whole(void **state)
{
    static const char env[] = "A=1\nx\0B=2";
    uint8_t note[NOTE_HEAD_MAX + sizeof env];
    struct snapshot s;
    size_t n = snapshot_encode_head(NOTE_LINE, 3, 77, sizeof env, note, NOTE_HEAD_MAX);
    assert_true(n > 0);
    memcpy(note + n, env, sizeof env);
    assert_int_equal(snapshot_decode(note, n + sizeof env, &s), 0);
    assert_int_equal(s.tag, NOTE_LINE);
    assert_int_equal(s.line, 77);
    assert_string_equal(env_get(&s.env, "A"), "1\nx");
    snapshot_finish(&s);
    for (size_t cut = 0; cut < n + sizeof env; cut++)
        assert_int_equal(snapshot_decode(note, cut, &s), -EPROTO);
    note[4] = 9;
    assert_int_equal(snapshot_decode(note, n + sizeof env, &s), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_read_as_its_specification_says),
        cmocka_unit_test(what_is_no_entry_is_refused),
        cmocka_unit_test(an_id_is_a_plain_file_name),
        cmocka_unit_test_setup_teardown(the_list_holds_what_can_be_started_once_and_by_name, scratch_setup,
            scratch_teardown),
        cmocka_unit_test_setup_teardown(a_desktop_is_found_from_the_most_personal_to_the_smallest, scratch_setup,
            scratch_teardown),
        cmocka_unit_test_setup_teardown(a_choice_that_is_not_there_is_told_and_passed_over, scratch_setup,
            scratch_teardown),
        cmocka_unit_test_setup_teardown(the_distributions_script_starts_it_where_there_is_one, scratch_setup,
            scratch_teardown),
        cmocka_unit_test_setup_teardown(a_choice_is_remembered_and_forgotten, scratch_setup, scratch_teardown),
        cmocka_unit_test(a_quoted_word_is_one_word),
        cmocka_unit_test(the_sessions_variables_win_and_the_users_stay),
        cmocka_unit_test(a_note_is_read_or_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
