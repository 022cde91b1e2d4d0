/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A service of PAM says something of all four types itself, or it is refused: nothing falls to "other". */
#include "common/pam_service.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], why[512];

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int set_up(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/oriel-pam-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    put("other",
        "auth required pam_permit.so\naccount required pam_permit.so\npassword required pam_permit.so\nsession "
        "required pam_permit.so\n");
    put("common-auth",
        "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n");
    put("common-rest", "account required pam_unix.so\npassword required pam_unix.so\nsession required pam_unix.so\n");
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    return nftw(dir, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static int check(const char *text)
{
    put("oriel", text);
    return pam_service_check("oriel", dir, why, sizeof why);
}

static void all_four_types_in_any_form_are_a_service(void **state)
{
    assert_int_equal(check(
                         "auth required a.so\naccount required a.so\npassword required a.so\nsession required a.so\n"),
        0);
    assert_int_equal(check("@include common-auth\n@include common-rest\n"), 0);
    assert_int_equal(check("auth include common-auth\n-account required a.so\nPassword substack "
                           "common-rest\n\tsession\toptional a.so"),
        0);
    assert_int_equal(check("auth \\\n required a.so\n# session\n@include common-rest # the rest\n"), 0);
}

static void a_missing_type_is_named_with_its_file(void **state)
{
    static const char *const lines[] = {"auth required a.so\n", "account required a.so\n", "password required a.so\n",
        "session required a.so\n"};
    static const char *const types[] = {"type auth:", "type account:", "type password:", "type session:"};
    for (int missing = 0; missing < 4; missing++) {
        char text[256] = "# of all but one\n";
        for (int i = 0; i < 4; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i == missing ? "# " : "", lines[i]);
        assert_int_equal(check(text), -EINVAL);
        assert_non_null(strstr(why, types[missing]));
        assert_non_null(strstr(why, "/oriel has no line"));
    }
}

static void an_include_gives_only_the_type_that_it_is_asked_for(void **state)
{
    assert_int_equal(check("@include common-auth\naccount include common-rest\nsession include common-rest\n"),
        -EINVAL);
    assert_non_null(strstr(why, "type password:"));
    assert_int_equal(check("auth include common-rest\n@include common-rest\n"), -EINVAL);
    assert_non_null(strstr(why, "type auth:"));
}

static void files_that_are_not_there_are_named(void **state)
{
    assert_int_equal(pam_service_check("nowhere", dir, why, sizeof why), -ENOENT);
    assert_non_null(strstr(why, "/nowhere is not there"));
    assert_int_equal(check("@include common-auth\n@include gone\n"), -EINVAL);
    assert_non_null(strstr(why, "/gone is not there"));
    assert_int_equal(check("@include\n"), -EINVAL);
    assert_int_equal(check("@include oriel\n"), -EINVAL);
    assert_non_null(strstr(why, "without end"));
    assert_int_equal(check(""), -EINVAL);
}

static void names_that_are_no_service_of_its_own_are_refused(void **state)
{
    static const char *const names[] = {"", "other", "../oriel", "/etc/passwd"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(pam_service_check(names[i], dir, why, sizeof why), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_four_types_in_any_form_are_a_service, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_type_is_named_with_its_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_include_gives_only_the_type_that_it_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_are_not_there_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_are_no_service_of_its_own_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
