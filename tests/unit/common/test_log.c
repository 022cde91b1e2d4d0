/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/log.h"
#include "common/secret.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char got[8192];
static int saved_stderr, pipefd[2];

static void capture(void)
{
    fflush(stderr);
    saved_stderr = dup(2);
    assert_int_equal(pipe2(pipefd, O_NONBLOCK), 0);
    dup2(pipefd[1], 2);
}

static const char *captured(void)
{
    dup2(saved_stderr, 2);
    close(saved_stderr);
    ssize_t n = read(pipefd[0], got, sizeof got - 1);
    got[n > 0 ? n : 0] = 0;
    close(pipefd[0]), close(pipefd[1]);
    return got;
}

static void a_line_has_time_program_level_session_event_and_values(void **state)
{
    log_init("oriel-test", LOG_LEVEL_INFO);
    log_set_session("7 peer=12");
    capture();
    log_info("login refused", "user=%s tries=%d size=%zu big=%" PRIu64 " hex=%02x%%", "bob", -3, (size_t)42, UINT64_MAX,
        5);
    const char *s = captured();
    assert_non_null(strstr(s, "Z oriel-test["));
    assert_non_null(strstr(s,
        "] info session=7 peer=12 login refused user=bob tries=-3 size=42 big=18446744073709551615 hex=05%\n"));
    assert_int_equal(s[4], '-');
}

static void a_domains_backslash_stands_where_it_is_no_escape(void **state)
{
    log_set_session("-");
    capture();
    log_info("name", "user=%s a=%s b=%s c=%s d=%s", "CORP\\carl", "CORP\\x41", "A\\\x1b", "end\\", "CORP\\carl smith");
    assert_non_null(
        strstr(captured(), "user=CORP\\carl a=CORP\\x5cx41 b=A\\x5c\\x1b c=end\\x5c d=\"CORP\\x5ccarl smith\"\n"));
}

static void a_client_string_cannot_forge_a_line_or_a_field(void **state)
{
    log_set_session("-");
    capture();
    log_info("name", "user=%s end", "x\nfake\x1b[2J\x7f\xc2\x85\xff user=root");
    const char *s = captured();
    assert_ptr_equal(strchr(s, '\n'), s + strlen(s) - 1);
    assert_non_null(strstr(s, "user=\"x\\x0afake\\x1b[2J\\x7f\\xc2\\x85\\xff user=root\" end\n"));
    capture();
    log_info("name", "user=%s cut=%.3s", "J\xc3\xbcrgen", "abcdef");
    assert_non_null(strstr(captured(), "user=J\xc3\xbcrgen cut=abc\n"));
}

static void a_very_long_value_is_cut_and_still_one_line(void **state)
{
    static char big[10000];
    memset(big, 'a', sizeof big - 1);
    capture();
    log_info("long", "v=%s after=%d", big, 1);
    const char *s = captured();
    assert_true(strlen(s) <= 2048);
    assert_string_equal(s + strlen(s) - 5, "a...\n");
}

static void levels_below_the_threshold_are_silent(void **state)
{
    capture();
    log_debug("quiet", "%s", "x");
    assert_string_equal(captured(), "");
    log_set_level(LOG_LEVEL_DEBUG);
    capture();
    log_debug("loud", "%s", "x");
    assert_non_null(strstr(captured(), "debug session=- loud x"));
    log_set_level(LOG_LEVEL_INFO);
}

static void secrets_compare_wipe_hash_and_print_as_hex(void **state)
{
    uint8_t a[16], b[16], h[32];
    char hex[65];
    secret_random(a, sizeof a);
    secret_random(b, sizeof b);
    assert_false(secret_equal(a, b, sizeof a));
    memcpy(b, a, sizeof a);
    assert_true(secret_equal(a, b, sizeof a));
    secret_wipe(b, sizeof b);
    for (size_t i = 0; i < sizeof b; i++)
        assert_int_equal(b[i], 0);
    secret_sha256("abc", 3, h);
    secret_hex(h, sizeof h, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_program_level_session_event_and_values),
        cmocka_unit_test(a_domains_backslash_stands_where_it_is_no_escape),
        cmocka_unit_test(a_client_string_cannot_forge_a_line_or_a_field),
        cmocka_unit_test(a_very_long_value_is_cut_and_still_one_line),
        cmocka_unit_test(levels_below_the_threshold_are_silent),
        cmocka_unit_test(secrets_compare_wipe_hash_and_print_as_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
