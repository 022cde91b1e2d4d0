/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/listen/self_check.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char inside[] =
    "Name:\toriel-peer\nUid:\t600\t600\t600\t600\nGid:\t600\t600\t600\t600\nCapInh:\t0000000000000000\n"
    "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
    "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t2\n";

static void replace(char *text, const char *old, const char *new)
{
    char *at = strstr(text, old);
    assert_non_null(at);
    assert_int_equal(strlen(old), strlen(new));
    memcpy(at, new, strlen(new));
}

static void a_thread_is_inside_only_with_all_of_it(void **state)
{
    static const char *const changes[][3] = {
        {"Uid:\t600", "Uid:\t000", "Uid"},
        {"600\nGid", "000\nGid", "Uid"},
        {"Gid:\t600", "Gid:\t601", "Gid"},
        {"CapPrm:\t0000000000000000", "CapPrm:\t0000000000040000", "CapPrm"},
        {"CapEff:\t0000000000000000", "CapEff:\t000001ffffffffff", "CapEff"},
        {"CapAmb:\t0000000000000000", "CapAmb:\t0000000000040000", "CapAmb"},
        {"NoNewPrivs:\t1", "NoNewPrivs:\t0", "NoNewPrivs"},
        {"Seccomp:\t2", "Seccomp:\t0", "Seccomp"},
        {"Seccomp:\t2", "Zeccomp:\t2", "Seccomp"},
    };
    char why[128], text[sizeof inside];
    assert_true(self_check_thread(inside, 600, why, sizeof why));
    assert_false(self_check_thread(inside, 601, why, sizeof why));
    assert_false(self_check_thread("", 600, why, sizeof why));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        memcpy(text, inside, sizeof inside);
        replace(text, changes[i][0], changes[i][1]);
        assert_false(self_check_thread(text, 600, why, sizeof why));
        assert_non_null(strstr(why, changes[i][2]));
    }
}

static enum self_check explain(const struct self_check_end *e, const char *words)
{
    char out[4096];
    enum self_check r = self_check_explain(e, out, sizeof out);
    if (!strstr(out, words))
        fail_msg("no \"%s\" in: %s", words, out);
    return r;
}

static void each_end_has_its_words(void **state)
{
    const struct {
        struct self_check_end end;
        const char *words;
        enum self_check verdict;
    } cases[] = {
        {{.spawn_error = -EPERM, .said = ""}, "CAP_SETUID", SELF_CHECK_HINDERED},
        {{.spawn_error = -ENOENT, .said = ""}, "install Oriel anew", SELF_CHECK_HINDERED},
        {{.spawn_error = -EAGAIN, .said = ""}, "cannot be started", SELF_CHECK_UNDECIDED},
        {{.over = true,
             .status = 127 << 8,
             .said = "oriel-peer: error while loading shared libraries: libfreerdp3.so.3: cannot open\n"},
            "libfreerdp3.so.3: cannot open.", SELF_CHECK_HINDERED},
        {{.over = true, .status = 120 << 8, .said = "x error session=- system call forbidden name=rseq number=334\n"},
            "system call rseq,", SELF_CHECK_HINDERED},
        {{.over = true, .status = SIGSYS, .said = ""}, "A filter around Oriel", SELF_CHECK_HINDERED},
        {{.over = true, .status = SIGSEGV, .said = ""}, "crashed (signal 11", SELF_CHECK_HINDERED},
        {{.over = true, .status = SIGKILL, .said = ""}, "crashed (signal 9", SELF_CHECK_UNDECIDED},
        {{.over = true,
             .status = 1 << 8,
             .said = "sandbox failed step=\"other threads are running already\" error=x\n"},
            "ld.so.preload", SELF_CHECK_HINDERED},
        {{.over = true, .status = 1 << 8, .said = "sandbox failed step=\"seccomp\" error=x\n"}, "CONFIG_SECCOMP_FILTER",
            SELF_CHECK_HINDERED},
        {{.over = true, .status = 1 << 8, .said = "sandbox failed step=\"Landlock\" error=x\n"}, "landlock_add_rule",
            SELF_CHECK_HINDERED},
        {{.over = true,
             .status = 1 << 8,
             .said = "sandbox failed step=\"the library's context in an empty root\" error=x\n"},
            "libfreerdp", SELF_CHECK_HINDERED},
        {{.over = true, .status = 3 << 8, .said = "one\ntwo\n"},
            "status 3 before it had served.\nWhat oriel-peer said last:\n  one\n  two\n", SELF_CHECK_HINDERED},
        {{.over = false, .said = "half a line"}, "in time", SELF_CHECK_UNDECIDED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(explain(&cases[i].end, cases[i].words), cases[i].verdict);
}

static void words_never_outgrow_their_place(void **state)
{
    char said[2000], *out;
    memset(said, 'x', sizeof said);
    said[sizeof said - 1] = 0;
    for (size_t cap = 1; cap < 3000; cap += 7) {
        struct self_check_end e = {.over = true, .status = 1 << 8, .said = said};
        out = malloc(cap); /* for the sanitizer to see */
        (void)self_check_explain(&e, out, cap);
        assert_true(strlen(out) < cap);
        self_check_praise(" root=empty landlock=3 ", 2, out, cap);
        assert_true(strlen(out) < cap);
        free(out);
    }
}

static void what_is_missing_is_said_with_the_praise(void **state)
{
    char out[256];
    self_check_praise("debug sandbox entered profile=peer root=empty landlock=7 filter=full\n", 2, out, sizeof out);
    assert_string_equal(out, "self-check passed: 2 threads, all inside; empty root; Landlock 7");
    self_check_praise("sandbox entered profile=peer root=empty landlock=0 filter=full\n", 1, out, sizeof out);
    assert_non_null(strstr(out, "1 thread, all inside; empty root; no Landlock"));
    self_check_praise("sandbox entered profile=peer root=kept landlock=3 filter=full\n", 1, out, sizeof out);
    assert_non_null(strstr(out, "no empty root"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_is_inside_only_with_all_of_it),
        cmocka_unit_test(each_end_has_its_words),
        cmocka_unit_test(words_never_outgrow_their_place),
        cmocka_unit_test(what_is_missing_is_said_with_the_praise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
