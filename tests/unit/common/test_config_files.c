/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel.conf and conf.d: which files count, in which order, and which are refused. And options that went. */
#include "common/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[64];
static struct config c;
static struct config_error err;

static const char *in_top(const char *name)
{
    static char path[4][256];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", top, name);
    return p;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(in_top(name), "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(in_top(name), 0644), 0);
}

static int load(void)
{
    return config_load(&c, in_top("oriel.conf"), &err);
}

static void assert_refused(int error, const char *file, unsigned line, const char *says)
{
    struct config before = c;
    int r = load();
    if (r != error || strcmp(err.file, in_top(file)) != 0 || err.line != line || !strstr(err.text, says))
        fail_msg("%d %s:%u: %s (wanted %d %s:%u, \"%s\")", r, err.file, err.line, err.text, error, file, line, says);
    assert_memory_equal(&before, &c, sizeof c);
}

static int set_up(void **state)
{
    snprintf(top, sizeof top, "/tmp/test-config-XXXXXX");
    if (!mkdtemp(top) || mkdir(in_top("conf.d"), 0755) < 0)
        return -1;
    put("oriel.conf", "[server]\nport = 1\nmax_clients = 1\n[login]\nbanner = main\n");
    config_defaults(&c);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", top);
    FILE *f = popen(command, "r");
    return f && pclose(f) == 0 ? 0 : -1;
}

static void the_last_file_has_the_last_word(void **state)
{
    put("conf.d/10-a.conf", "[server]\nport = 10\nmax_clients = 10\n");
    put("conf.d/9.conf", "[server]\nport = 9\n"); /* bytes, not numbers: after 10-a */
    put("conf.d/B.conf", "# nothing\n");
    assert_int_equal(load(), 0);
    assert_int_equal(c.server_port, 9);
    assert_int_equal(c.server_max_clients, 10);
    assert_string_equal(c.login_banner, "main");
    /* a later file may say the default again */
    put("conf.d/z.conf", "[server]\nport = 3389\n");
    assert_int_equal(load(), 0);
    assert_int_equal(c.server_port, 3389);
}

static void what_package_tools_and_editors_leave_is_not_read(void **state)
{
    put("conf.d/.hidden.conf", "[nonsense]\n");
    put("conf.d/a.conf.dpkg-old", "[nonsense]\n");
    put("conf.d/a.conf~", "[nonsense]\n");
    put("conf.d/.conf", "[nonsense]\n");
    put("conf.d/README", "nonsense\n");
    assert_int_equal(load(), 0);
    assert_int_equal(c.server_port, 1);
}

static void no_folder_is_fine_and_a_file_in_its_place_is_not(void **state)
{
    assert_int_equal(rmdir(in_top("conf.d")), 0);
    assert_int_equal(load(), 0);
    put("conf.d", "");
    assert_refused(-ENOTDIR, "conf.d", 0, "Not a directory");
}

static void errors_name_file_and_line(void **state)
{
    put("conf.d/a.conf", "[server]\nport = 2\nport = 3\n");
    assert_refused(-EINVAL, "conf.d/a.conf", 3, "server.port was set already in line 2; say it once");
    put("conf.d/a.conf", "[server]\n\nprot = 2\n");
    assert_refused(-EINVAL, "conf.d/a.conf", 3, "did you mean \"port\"?");
    /* a rule over several values speaks of the place where the value was set */
    put("conf.d/a.conf", "[tls]\ncertificate = /a.pem\n");
    put("conf.d/b.conf", "# nothing\n");
    assert_refused(-EINVAL, "conf.d/a.conf", 2, "set both or neither");
    put("conf.d/b.conf", "[tls]\nkey = /b.pem\n");
    assert_int_equal(load(), 0);
    /* and what is in oriel.conf stays there */
    put("oriel.conf", "[paths]\nrun_dir = run\n");
    assert_refused(-EINVAL, "oriel.conf", 2, "absolute path");
}

static void what_others_may_write_is_refused(void **state)
{
    put("conf.d/a.conf", "[server]\nport = 2\n");
    assert_int_equal(chmod(in_top("conf.d/a.conf"), 0666), 0);
    assert_refused(-EPERM, "conf.d/a.conf", 0, "everybody may write it");
    assert_int_equal(chmod(in_top("conf.d/a.conf"), 0664), 0);
    assert_int_equal(load(), 0);
    assert_int_equal(chmod(in_top("conf.d"), 01777), 0);
    assert_refused(-EPERM, "conf.d", 0, "everybody may write it");
    assert_int_equal(chmod(in_top("conf.d"), 0755), 0);
    assert_int_equal(chmod(in_top("oriel.conf"), 0646), 0);
    assert_refused(-EPERM, "oriel.conf", 0, "everybody may write it");
}

static void what_belongs_to_a_stranger_is_refused(void **state)
{
    if (geteuid() != 0)
        skip();
    put("conf.d/a.conf", "[server]\nport = 2\n");
    assert_int_equal(chown(in_top("conf.d/a.conf"), 12345, 0), 0);
    assert_refused(-EPERM, "conf.d/a.conf", 0, "belongs to the user id 12345");
    /* who may write the one may write the other */
    assert_int_equal(chown(in_top("oriel.conf"), 12345, 0), 0);
    assert_int_equal(load(), 0);
    assert_int_equal(c.server_port, 2);
    assert_int_equal(chown(in_top("oriel.conf"), 0, 0), 0);
    assert_int_equal(unlink(in_top("conf.d/a.conf")), 0);
    assert_int_equal(chown(in_top("conf.d"), 12345, 0), 0);
    assert_refused(-EPERM, "conf.d", 0, "belongs to the user id 12345");
}

static void a_file_that_the_daemons_cannot_read_is_named(void **state)
{
    if (geteuid() != 0)
        skip();
    put("conf.d/a.conf", "[server]\nport = 2\n");
    assert_int_equal(chmod(in_top("conf.d/a.conf"), 0600), 0);
    assert_int_equal(chmod(top, 0755), 0);
    assert_int_equal(seteuid(12345), 0);
    int r = load();
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(r, -EACCES);
    assert_string_equal(err.file, in_top("conf.d/a.conf"));
    assert_non_null(strstr(err.text, "Permission denied; Oriel's programs read it with accounts of their own"));
}

static void only_regular_files_are_read_and_none_is_waited_for(void **state)
{
    assert_int_equal(mkfifo(in_top("conf.d/a.conf"), 0600), 0);
    assert_refused(-EINVAL, "conf.d/a.conf", 0, "is not a regular file");
    assert_int_equal(unlink(in_top("conf.d/a.conf")), 0);
    assert_int_equal(mkdir(in_top("conf.d/a.conf"), 0755), 0);
    assert_refused(-EISDIR, "conf.d/a.conf", 0, "Is a directory");
    assert_int_equal(rmdir(in_top("conf.d/a.conf")), 0);
    assert_int_equal(symlink("/nonexistent", in_top("conf.d/a.conf")), 0);
    assert_refused(-ENOENT, "conf.d/a.conf", 0, "No such file");
    put("elsewhere", "[server]\nport = 5\n");
    assert_int_equal(unlink(in_top("conf.d/a.conf")), 0);
    assert_int_equal(symlink("../elsewhere", in_top("conf.d/a.conf")), 0);
    assert_int_equal(load(), 0);
    assert_int_equal(c.server_port, 5);
}

static void number_and_size_have_ceilings(void **state)
{
    char name[32];
    for (int i = 0; i < CONFIG_FILES_MAX; i++) {
        snprintf(name, sizeof name, "conf.d/%03d.conf", i);
        put(name, "[server]\nport = 7\n");
    }
    assert_int_equal(load(), 0);
    put("conf.d/one-more.conf", "");
    assert_refused(-E2BIG, "conf.d", 0, "has 65 files; at most 64 are read");
    assert_int_equal(unlink(in_top("conf.d/one-more.conf")), 0);
    assert_int_equal(truncate(in_top("conf.d/000.conf"), CONFIG_FILE_MAX + 1), 0);
    assert_refused(-EFBIG, "conf.d/000.conf", 0, "is longer than 262144 bytes");
}

/* A table of the tests' own, put back afterwards. */
static struct option_gone_table real;
static int set_up_gone(void **state)
{
    static const struct option_gone options[] = {
        {"server", "tcp_port", "0.1", "server.port", "it is called server.port"},
        {"server", "old", "0.1", NULL, "remove the line"},
        {"attic", "older", "0.0", NULL, "there is nothing like it"},
    };
    real = config_gone;
    config_gone = (struct option_gone_table){options, sizeof options / sizeof options[0]};
    return set_up(state);
}
static int tear_down_gone(void **state)
{
    config_gone = real;
    return tear_down(state);
}

static void an_option_that_went_in_this_version_is_a_warning(void **state)
{
    assert_true(strncmp(ORIEL_VERSION, "0.1", 3) == 0); /* the tables of this file speak of it */
    put("conf.d/a.conf", "[server]\nold = of no account\ntcp_port = 77\n");
    char said[2048] = "";
    FILE *log = tmpfile();
    int before = dup(2);
    assert_true(log && before >= 0 && dup2(fileno(log), 2) == 2);
    int r = load();
    assert_int_equal(dup2(before, 2), 2);
    close(before);
    rewind(log);
    said[fread(said, 1, sizeof said - 1, log)] = 0;
    fclose(log);
    assert_int_equal(r, 0);
    assert_int_equal(c.server_port, 77);
    assert_non_null(strstr(said, "line=2 option=server.old"));
    assert_non_null(strstr(said, "remove the line"));
    assert_non_null(strstr(said, "line=3 option=server.tcp_port"));
    assert_non_null(strstr(said, in_top("conf.d/a.conf")));
}

static void its_new_name_keeps_its_rules(void **state)
{
    put("conf.d/a.conf", "[server]\ntcp_port = 99999\n");
    assert_refused(-EINVAL, "conf.d/a.conf", 2, "server.port cannot be \"99999\"");
    put("conf.d/a.conf", "[server]\ntcp_port = 5\nport = 6\n");
    assert_refused(-EINVAL, "conf.d/a.conf", 3, "server.port was set already in line 2");
}

static void an_option_that_went_earlier_is_an_error_that_says_when(void **state)
{
    put("conf.d/a.conf", "[attic]\nolder = 1\n");
    assert_refused(-EINVAL, "conf.d/a.conf", 2,
        "option \"older\" in [attic] went with version 0.0: there is nothing like it");
}

static void the_table_names_options_that_are_there_and_that_are_not(void **state)
{
    assert_true(config_gone.n > 0);
    for (size_t i = 0; i < config_gone.n; i++) {
        const struct option_gone *g = &config_gone.options[i];
        bool target = !g->now;
        for (size_t k = 0; k < config_noptions; k++) {
            char full[128];
            snprintf(full, sizeof full, "%s.%s", config_options[k].section, config_options[k].name);
            assert_false(
                strcmp(g->section, config_options[k].section) == 0 && strcmp(g->name, config_options[k].name) == 0);
            target = target || strcmp(full, g->now) == 0;
        }
        assert_true(target);
        assert_true(g->advice[0] && g->version[0]);
    }
    put("conf.d/a.conf", "[session]\nmax_per_user = 1\n");
    assert_int_equal(load(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_GONE(name) cmocka_unit_test_setup_teardown(name, set_up_gone, tear_down_gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_file_has_the_last_word),
        TEST(what_package_tools_and_editors_leave_is_not_read),
        TEST(no_folder_is_fine_and_a_file_in_its_place_is_not),
        TEST(errors_name_file_and_line),
        TEST(what_others_may_write_is_refused),
        TEST(what_belongs_to_a_stranger_is_refused),
        TEST(a_file_that_the_daemons_cannot_read_is_named),
        TEST(only_regular_files_are_read_and_none_is_waited_for),
        TEST(number_and_size_have_ceilings),
        TEST_GONE(an_option_that_went_in_this_version_is_a_warning),
        TEST_GONE(its_new_name_keeps_its_rules),
        TEST_GONE(an_option_that_went_earlier_is_an_error_that_says_when),
        TEST(the_table_names_options_that_are_there_and_that_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
