/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/rdp/time_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ZONES 141 /* CLDR has 139; Windows keeps two more */

static void each_windows_zone_has_a_file_on_this_system(void **state)
{
    unsigned missing = 0;
    assert_int_equal(time_zone_count(), ZONES);
    for (size_t i = 0; i < time_zone_count(); i++) {
        const char *windows, *iana = time_zone_at(i, &windows);
        char path[256], magic[5] = "";
        snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", iana);
        FILE *f = fopen(path, "re");
        if (!f || fread(magic, 1, 4, f) != 4 || strcmp(magic, "TZif") != 0) {
            print_error("%s (%s): no time zone in %s: is the package tzdata installed?\n", windows, iana, path);
            missing++;
        }
        if (f)
            fclose(f);
    }
    assert_int_equal(missing, 0);
}

static void each_name_is_there_once_and_is_found(void **state)
{
    for (size_t i = 0; i < time_zone_count(); i++) {
        const char *windows, *other, *iana = time_zone_at(i, &windows);
        assert_ptr_equal(time_zone_iana(windows), iana);
        for (size_t j = 0; j < i; j++) {
            (void)time_zone_at(j, &other);
            assert_string_not_equal(windows, other);
        }
    }
}

static void zones_are_where_windows_says(void **state)
{
    static const struct {
        const char *windows, *iana;
    } some[] = {
        {"W. Europe Standard Time", "Europe/Berlin"},
        {"FLE Standard Time", "Europe/Kyiv"},
        {"Yukon Standard Time", "America/Whitehorse"},
        {"Russia Time Zone 10", "Asia/Srednekolymsk"},
        {"UTC+13", "Etc/GMT-13"},
        {"Aus Central W. Standard Time", "Australia/Eucla"},
        {"Mid-Atlantic Standard Time", "Etc/GMT+2"},
        {"Eastern Standard Time (Mexico)", "America/Cancun"},
    };
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        assert_string_equal(time_zone_iana(some[i].windows), some[i].iana);
    assert_null(time_zone_iana("Middle-earth Standard Time"));
    assert_null(time_zone_iana(""));
    assert_null(time_zone_iana(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_windows_zone_has_a_file_on_this_system),
        cmocka_unit_test(each_name_is_there_once_and_is_found),
        cmocka_unit_test(zones_are_where_windows_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
