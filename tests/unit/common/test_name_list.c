/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/name_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The names of a list, each in brackets. */
static const char *names(const char *list)
{
    static char all[1024];
    char name[GROUP_NAME_BYTES];
    int r;
    all[0] = 0;
    while ((r = name_list_next(&list, name)) > 0)
        snprintf(all + strlen(all), sizeof all - strlen(all), "[%s]", name);
    return r < 0 ? "bad" : all;
}

/* option: login.allowed_groups */
static void groups_are_separated_by_blanks_or_commas_and_quoted_where_they_have_some(void **state)
{
    static const struct {
        const char *list, *names;
    } cases[] = {
        {"", ""},
        {" \t, ", ""},
        {"staff", "[staff]"},
        {"staff wheel", "[staff][wheel]"},
        {"staff, wheel,x", "[staff][wheel][x]"},
        {"\"Domain Users\"", "[Domain Users]"},
        {"staff \"Domain Users\",\"CORP\\Domain Users\" x", "[staff][Domain Users][CORP\\Domain Users][x]"},
        {"CORP\\admins linux-admins@corp.example", "[CORP\\admins][linux-admins@corp.example]"},
        {"\"a,b\" \"it's ours\"", "[a,b][it's ours]"},
        {"d'accord Größe", "[d'accord][Größe]"},
    };
    char why[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(names(cases[i].list), cases[i].names);
        assert_int_equal(name_list_check(cases[i].list, why, sizeof why), 0);
        assert_int_equal(name_list_any(cases[i].list), cases[i].names[0] != 0);
    }
}

static void a_list_that_cannot_be_read_says_where(void **state)
{
    static const struct {
        const char *list, *where;
    } cases[] = {
        {"staff \"Domain Users", "from \"Domain Users on"},
        {"\"", "from \" on"},
        {"a \"\" b", "from \"\" b on"},
        {"a \"b\"c", "from \"b\"c on"},
        {"a b\"c d\"", "from b\"c d\" on"},
        {"\"a\"\"b\"", "from \"a\"\"b\" on"},
    };
    char why[256], longest[2 * GROUP_NAME_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(name_list_check(cases[i].list, why, sizeof why), -EINVAL);
        if (!strstr(why, cases[i].where))
            fail_msg("%s: %s", cases[i].list, why);
        assert_non_null(strstr(why, "as in staff \"Domain Users\""));
        assert_string_equal(names(cases[i].list), "bad");
    }
    memset(longest, 'g', sizeof longest);
    longest[GROUP_NAME_BYTES] = 0;
    assert_int_equal(name_list_check(longest, why, sizeof why), -EINVAL);
    longest[GROUP_NAME_BYTES - 1] = 0;
    assert_int_equal(name_list_check(longest, why, sizeof why), 0);
}

/* option: control.group */
static void one_name_may_have_quotes(void **state)
{
    static const struct {
        const char *text, *name;
    } cases[] = {
        {"", ""},
        {"adm", "adm"},
        {"Domain Admins", "Domain Admins"},
        {"\"Domain Admins\"", "Domain Admins"},
        {"CORP\\Domain Admins", "CORP\\Domain Admins"},
    };
    static const char *const bad[] = {"\"Domain Admins", "Domain \"Admins\"", "\"a\" \"b\"", "\"\"", "\"a\"b"};
    char name[GROUP_NAME_BYTES], why[256];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(name_list_single(cases[i].text, name, why, sizeof why), 0);
        assert_string_equal(name, cases[i].name);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(name_list_single(bad[i], name, why, sizeof why), -EINVAL);
        assert_non_null(strstr(why, bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_separated_by_blanks_or_commas_and_quoted_where_they_have_some),
        cmocka_unit_test(a_list_that_cannot_be_read_says_where),
        cmocka_unit_test(one_name_may_have_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
