/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct config c;
static struct config_error err;

static int load(const char *text)
{
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(f);
    int r = config_load_stream(&c, f, "test.conf", &err);
    fclose(f);
    return r;
}

static void assert_refused(const char *text, unsigned line, const char *says)
{
    struct config before = c;
    assert_int_equal(load(text), -EINVAL);
    if (err.line != line || !strstr(err.text, says))
        fail_msg("%s:%u: %s (wanted line %u, \"%s\")", err.file, err.line, err.text, line, says);
    assert_memory_equal(&before, &c, sizeof c);
}

static void defaults_are_within_their_own_ranges(void **state)
{
    config_defaults(&c);
    assert_int_equal(c.server_port, 3389);
    assert_string_equal(c.server_listen, "127.0.0.1 ::1");
    assert_true(c.server_require_empty_root);
    assert_false(c.login_allow_root);
    assert_int_equal(c.tls_minimum, 0);
}

static void values_of_every_type_are_read_over_the_defaults(void **state)
{
    assert_int_equal(
        load("\xef\xbb\xbf# comment\n; another\n\n[server]\r\n  port = 3390\n listen=0.0.0.0 ; [::]\r\n"
             "[tls]\nminimum=1.3\n[login]\nallow_root = yes\nbanner =  a = b # c  \n[server]\nmax_clients=7"),
        0);
    assert_int_equal(c.server_port, 3390);
    assert_string_equal(c.server_listen, "0.0.0.0 ; [::]");
    assert_int_equal(c.tls_minimum, 1);
    assert_true(c.login_allow_root);
    assert_string_equal(c.login_banner, "a = b # c");
    assert_int_equal(c.server_max_clients, 7);
    assert_int_equal(c.server_max_half_open, 100);
}

static void a_long_value_is_one_value(void **state)
{
    char text[1200];
    int n = snprintf(text, sizeof text, "[login]\nbanner = ");
    memset(text + n, 'x', 900);
    text[n + 900] = 0;
    assert_int_equal(load(text), 0);
    assert_int_equal(strlen(c.login_banner), 900);
}

static void errors_name_the_line_and_what_would_be_right(void **state)
{
    config_defaults(&c);
    assert_refused("[server]\nport = 99999\n", 2, "server.port cannot be \"99999\"; it takes a number from 0 to 65535");
    assert_refused("[server]\n\nport = 33x\n", 3, "a number from 0 to 65535");
    assert_refused("[server]\nport =\n", 2, "a number from");
    assert_refused("[server]\nport = +1\n", 2, "a number from");
    assert_refused("[server]\nport = 9223372036854775808\n", 2, "a number from");
    assert_refused("[login]\nallow_root = maybe\n", 2, "true or false");
    assert_refused("[tls]\nminimum = 1.1\n", 2, "one of 1.2, 1.3");
    assert_refused("[paths]\nrun_dir =\n", 2, "1 to 64 bytes of text");
    assert_refused("[server]\nport = 1\nport = 1\n", 3, "server.port was set already in line 2; say it once");
    assert_refused("[server]\nprot = 1\n", 2, "did you mean \"port\"?");
    assert_refused("[server]\nbanner = x\n", 2, "it belongs into [login]");
    assert_refused("[server]\nzzzzzzzz = x\n", 2, "oriel.conf(5)");
    assert_refused("port = 1\n", 1, "stands before any section");
    assert_refused("[srever]\n", 1, "unknown section [srever]; there are [server] [tls]");
    assert_refused("[server\n", 1, "is not a section");
    assert_refused("[server]\nport\n", 2, "is not an option; write name = value");
    assert_refused("[server]\n= 3\n", 2, "is not an option");
    assert_refused("[server]\nport: 3 = 4\n", 2, "unknown option");
    assert_refused("[server]\nport = 1\x01\n", 2, "control character 0x01");
}

static void a_line_too_long_is_an_error_and_never_a_second_option(void **state)
{
    static char text[CONFIG_LINE_MAX + 200];
    config_defaults(&c);
    int n = snprintf(text, sizeof text, "[login]\nbanner = ");
    memset(text + n, ' ', sizeof text - (size_t)n);
    snprintf(text + n + CONFIG_LINE_MAX, 100, "\nport = 5\n");
    assert_refused(text, 2, "line longer than");
    n = snprintf(text, sizeof text, "[login]\nbanner = ");
    memset(text + n, 'x', 1100);
    text[n + 1100] = 0;
    assert_refused(text, 2, "at most 1023 bytes");
}

static void rules_over_several_values_name_their_line(void **state)
{
    config_defaults(&c);
    assert_refused("[tls]\ncertificate = /a.pem\n", 2, "tls.certificate is set without tls.key");
    assert_refused("[tls]\nkey = /a.pem\n", 2, "set both or neither");
    assert_refused("[tls]\n\nkey = a.pem\ncertificate = /b\n", 3, "absolute path");
    assert_refused("[paths]\nrun_dir = run\n", 2, "absolute path");
    assert_refused("[login]\npam_service = ../login\n", 2, "without a folder");
    assert_refused("[login]\nattempts = 3\nallowed_groups = staff \"Domain Users\n", 3,
        "login.allowed_groups cannot be read from \"Domain Users on");
    assert_refused("[control]\ngroup = \"Domain\" Admins\n", 2, "control.group takes one name");
}

static void a_missing_file_and_a_folder_are_named(void **state)
{
    assert_int_equal(config_load(&c, "/nonexistent/oriel.conf", &err), -ENOENT);
    assert_string_equal(err.file, "/nonexistent/oriel.conf");
    assert_int_equal(err.line, 0);
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(config_load(&c, "/", &err), -EISDIR);
}

static void what_is_dumped_reads_back_the_same(void **state)
{
    struct config d;
    assert_int_equal(
        load("[server]\nport=1\n[session]\nelsewhere=refuse\nuser_xsession=false\n[login]\nbanner= \xc3\xa4 = #;\n"),
        0);
    int fd = config_to_memfd(&c);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    memset(&d, 0x55, sizeof d);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(config_from_fd(&d, fd, &err), 0);
        assert_int_equal(d.server_port, 1);
        assert_int_equal(d.session_elsewhere, 1);
        assert_false(d.session_user_xsession);
        assert_string_equal(d.login_banner, "\xc3\xa4 = #;");
        assert_string_equal(d.paths_run_dir, c.paths_run_dir);
    }
    close(fd);
    assert_true(config_from_fd(&d, -1, &err) < 0);
}

static void every_option_can_be_set_and_refuses_rubbish(void **state)
{
    char text[256], value[CONFIG_STRING_MAX];
    for (size_t i = 0; i < config_noptions; i++) {
        const struct option_info *o = &config_options[i];
        assert_true(strlen(o->text) > 5 && o->text[strlen(o->text) - 1] == '.');
        assert_true(o->type != OPTION_STRING || o->max < CONFIG_STRING_MAX);
        snprintf(text, sizeof text, "[%s]\n%s = %s\n", o->section, o->name, o->def);
        assert_int_equal(load(text), 0);
        config_option_value(&c, o, value, sizeof value);
        assert_string_equal(value, o->def);
        if (o->type == OPTION_STRING)
            continue;
        snprintf(text, sizeof text, "[%s]\n%s = ?\n", o->section, o->name);
        assert_refused(text, 2, "cannot be");
        if (o->type == OPTION_INT) {
            snprintf(text, sizeof text, "[%s]\n%s = %lld\n", o->section, o->name, (long long)o->max + 1);
            assert_refused(text, 2, "cannot be");
            snprintf(text, sizeof text, "[%s]\n%s = %lld\n", o->section, o->name, (long long)o->min - 1);
            assert_refused(text, 2, "cannot be");
        }
    }
}

static void a_reload_changes_only_what_may_change(void **state)
{
    struct config fresh;
    config_defaults(&c);
    assert_int_equal(load("[server]\nport = 1\nmax_clients = 5\n[paths]\nrun_dir = /other\n"), 0);
    fresh = c;
    config_defaults(&c);
    config_keep_fixed(&fresh, &c);
    assert_int_equal(fresh.server_max_clients, 5);
    assert_int_equal(fresh.server_port, 3389);
    assert_string_equal(fresh.paths_run_dir, "/run/oriel");
}

static void paths_in_the_run_folder_must_fit(void **state)
{
    char out[32];
    config_defaults(&c);
    assert_int_equal(config_run_path(&c, "monitor.sock", out, sizeof out), 0);
    assert_string_equal(out, "/run/oriel/monitor.sock");
    assert_int_equal(config_run_path(&c, "monitor.sock.of.a.length", out, sizeof out), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_within_their_own_ranges),
        cmocka_unit_test(values_of_every_type_are_read_over_the_defaults),
        cmocka_unit_test(a_long_value_is_one_value),
        cmocka_unit_test(errors_name_the_line_and_what_would_be_right),
        cmocka_unit_test(a_line_too_long_is_an_error_and_never_a_second_option),
        cmocka_unit_test(rules_over_several_values_name_their_line),
        cmocka_unit_test(a_missing_file_and_a_folder_are_named),
        cmocka_unit_test(what_is_dumped_reads_back_the_same),
        cmocka_unit_test(every_option_can_be_set_and_refuses_rubbish),
        cmocka_unit_test(a_reload_changes_only_what_may_change),
        cmocka_unit_test(paths_in_the_run_folder_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
