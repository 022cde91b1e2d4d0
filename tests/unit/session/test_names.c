/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names as people and clients give them, and the accounts that a name service makes of them. */
#include "session/leader/resolve.h"
#include "session/names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- text ---- */

static void a_name_is_taken_apart(void **state)
{
    static const struct {
        const char *typed, *domain, *user, *in, *text;
    } cases[] = {
        {"anna", "", "anna", "", "anna"},
        {"  anna ", " ", "anna", "", "anna"},
        {"anna", "CORP", "anna", "CORP", "CORP\\anna"},
        {"anna", " CORP ", "anna", "CORP", "CORP\\anna"},
        {"CORP\\anna", "", "anna", "CORP", "CORP\\anna"},
        {"CORP\\anna", "OTHER", "anna", "CORP", "CORP\\anna"},
        {"anna@corp.example", "", "anna", "corp.example", "anna@corp.example"},
        {"anna@corp.example", "OTHER", "anna", "corp.example", "anna@corp.example"},
        {"CORP\\anna@corp.example", "", "anna@corp.example", "CORP", "CORP\\anna@corp.example"},
        {"a@b@c", "", "a@b", "c", "a@b@c"},
        {".\\anna", "CORP", "anna", "", "anna"},
        {"\\anna", "CORP", "anna", "", "anna"},
        {"anna", ".", "anna", "", "anna"},
        {"anna@", "CORP", "anna", "", "anna"},
        {"anna@.", "", "anna", "", "anna"},
        {"anna smith", "", "anna smith", "", "anna smith"},
        {"jürgen", "MÜNCHEN", "jürgen", "MÜNCHEN", "MÜNCHEN\\jürgen"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct name n;
        char text[2 * NAME_BYTES];
        if (name_parse(cases[i].typed, cases[i].domain, &n) < 0)
            fail_msg("\"%s\" of \"%s\" was refused", cases[i].typed, cases[i].domain);
        assert_string_equal(n.user, cases[i].user);
        assert_string_equal(n.domain, cases[i].in);
        assert_int_equal(name_text(&n, text, sizeof text), 0);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_name_that_no_account_can_have_is_refused(void **state)
{
    static const char *const bad[] = {"", "   ", "-f root", "../x", "a:b", "a\nb", "a\tb", "\x7f", "DOM\\", "\\",
        "@example.org", "DOM\\-x", "DOM\\a/b", "A\\B\\c", "\\A\\c", "a@b/c", "-D\\anna", "D:\\anna", "anna@a\x01"};
    static const char *const bad_domains[] = {"-x", "a/b", "a:b", "a\nb"};
    char longest[NAME_BYTES + 1], small[8];
    struct name n;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (name_parse(bad[i], "", &n) != -EINVAL)
            fail_msg("\"%s\" passed", bad[i]);
    for (size_t i = 0; i < sizeof bad_domains / sizeof bad_domains[0]; i++)
        assert_int_equal(name_parse("anna", bad_domains[i], &n), -EINVAL);
    memset(longest, 'a', NAME_BYTES);
    longest[NAME_BYTES] = 0;
    assert_int_equal(name_parse(longest, "", &n), -EINVAL);
    assert_int_equal(name_parse("anna", longest, &n), -EINVAL);
    longest[NAME_BYTES - 1] = 0;
    assert_int_equal(name_parse(longest, longest, &n), 0);
    assert_int_equal(name_text(&n, longest, sizeof longest), -EINVAL);
    assert_int_equal(name_parse("CORP\\anna", "", &n), 0);
    assert_int_equal(name_text(&n, small, sizeof small), -EINVAL);
}

static void a_domain_can_be_a_machine(void **state)
{
    static const struct {
        const char *domain, *host;
        bool is;
    } cases[] = {
        {"desk", "desk", true},
        {"DESK", "desk", true},
        {"desk", "desk.corp.example", true},
        {"Desk.Corp.Example", "desk.corp.example", true},
        {"desk.corp.example", "desk", true},
        {"a-rather-long-n", "a-rather-long-name", true},
        {"A-RATHER-LONG-N", "a-rather-long-name.corp.example", true},
        {"a-rather-long-", "a-rather-long-name", false},
        {"desk.other.example", "desk.corp.example", false},
        {"desktop", "desk", false},
        {"des", "desk", false},
        {"corp.example", "desk.corp.example", false},
        {"CORP", "desk", false},
        {"", "desk", false},
        {"desk", "", false},
        {"", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (name_is_machine(cases[i].domain, cases[i].host) != cases[i].is)
            fail_msg("\"%s\" on \"%s\"", cases[i].domain, cases[i].host);
}

static void every_spelling_of_a_name_has_one_count(void **state)
{
    static const char *const carl[] = {"carl", "Carl", "CARL", "CORP\\carl", "corp.example\\CARL", "carl@corp.example",
        "CARL@CORP", "A\\CORP\\carl", "CORP\\carl@corp.example", "carl@a@b"};
    static const char *const others[][2] = {{"Jürgen", "jürgen"}, {"ÉLODIE", "élodie"}, {"Ἀθηνᾶ", "ἀθηνᾶ"},
        {"ИВАН", "иван"},
        {"\xff"
         "AB",
            "\xff"
            "ab"}};
    char key[NAME_BYTES], longest[4 * NAME_BYTES] = "";
    for (size_t i = 0; i < sizeof carl / sizeof carl[0]; i++) {
        name_key(carl[i], key);
        assert_string_equal(key, "carl");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        name_key(others[i][0], key);
        assert_string_equal(key, others[i][1]);
    }
    name_key("", key);
    assert_string_equal(key, "");
    for (size_t i = 0; i < NAME_BYTES; i++)
        memcpy(longest + 2 * i, "\u023a", 3); /* two bytes, three in lower case */
    name_key(longest, key);
    assert_in_range(strlen(key), NAME_BYTES - 4, NAME_BYTES - 1);
}

/* ---- a name service ---- */

static char asked[1024];
static unsigned asks;

/* A member of CORP (corp.example) that spells its people as sssd does with short names, and of OTHER with full ones. */
static const struct {
    const char *name, *spelled;
    uid_t uid;
} people[] = {
    {"root", "root", 0},
    {"carl", "carl", 1000},
    {"dora", "dora", 1001},
    {"lone", "lone", 1002},
    {"john@site", "john@site", 1003},
    {"CORP\\carl", "carl", 5000},
    {"carl@corp.example", "carl", 5000},
    {"CARL", "carl", 5000},
    {"c.long@corp.example", "carl", 5000},
    {"OTHER\\dora", "dora@other.example", 6000},
    {"dora@other.example", "dora@other.example", 6000},
    {"CORP\\krbtgt", "krbtgt", 5002},
    {"CORP\\administrator", "administrator", 0},
    {"admin@ipa.example", "admin", 7000},
    {"CORP\\boss", "root", 0},
    {"ROOT", "root", 0},
};

static bool user(const char *name, struct resolved *out)
{
    asks++;
    snprintf(asked + strlen(asked), sizeof asked - strlen(asked), " %s", name);
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        if (strcmp(people[i].name, name) == 0) {
            *out = (struct resolved){.known = true, .uid = people[i].uid};
            snprintf(out->name, sizeof out->name, "%s", people[i].spelled);
            return true;
        }
    }
    return false;
}

static bool group(const char *name, gid_t *gid)
{
    asks++;
    snprintf(asked + strlen(asked), sizeof asked - strlen(asked), " %s", name);
    *gid = 6001;
    return strcmp(name, "OTHER\\Domain Users") == 0;
}

static const struct name_source service = {user, group};

static struct resolved resolve(const char *given)
{
    struct resolved who;
    asked[0] = 0;
    asks = 0;
    assert_int_equal(resolve_name(&service, given, "desk.corp.example", &who), 0);
    assert_in_range(asks, 1, RESOLVE_ASKS_MAX);
    return who;
}

static void means(const char *given, const char *name, uid_t uid)
{
    struct resolved who = resolve(given);
    if (!who.known || strcmp(who.name, name) != 0 || who.uid != uid)
        fail_msg("%s is %s, %sknown, uid %u", given, who.name, who.known ? "" : "un", (unsigned)who.uid);
}

static void the_name_service_decides_which_account_it_is(void **state)
{
    means("CORP\\carl", "carl", 5000);
    assert_string_equal(asked, " CORP\\carl");
    means("carl@corp.example", "carl", 5000);
    means("c.long@corp.example", "carl", 5000);
    means("OTHER\\dora", "dora@other.example", 6000);
    means("john@site", "john@site", 1003);
    /* the other form */
    means("other.example\\dora", "dora@other.example", 6000);
    means("carl@CORP", "carl", 5000);
    assert_string_equal(asked, " carl@CORP CORP\\carl");
}

static void a_bare_name_and_a_machines_domain_mean_the_machines_own_account(void **state)
{
    means("carl", "carl", 1000);
    means("desk\\carl", "carl", 1000);
    means("DESK.corp.example\\carl", "carl", 1000);
    means("carl@desk", "carl", 1000);
    assert_string_equal(asked, " carl@desk desk\\carl carl");
    means(".\\carl", "carl", 1000);
}

static void of_a_domain_that_nobody_knows_the_user_counts(void **state)
{
    means("NOWHERE\\carl", "carl", 1000);
    means("carl@example.org", "carl", 1000);
    struct resolved who = resolve("NOWHERE\\zoe");
    assert_false(who.known);
    assert_string_equal(who.name, "zoe");
}

static void of_a_domain_that_is_known_its_own_people_count(void **state)
{
    static const char *const given[] = {"CORP\\lone", "lone@CORP", "OTHER\\lone", "lone@ipa.example", "CORP\\nobody"};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        struct resolved who = resolve(given[i]);
        if (who.known || strcmp(who.name, given[i]) != 0)
            fail_msg("%s is %s", given[i], who.name);
    }
}

static void root_is_found_under_each_of_its_names(void **state)
{
    static const char *const given[] = {"root", "desk\\root", "root@desk", "root@desk.corp.example", "NOWHERE\\root",
        "root@example.org", "ROOT", "CORP\\administrator", "CORP\\boss", ".\\root", "\\root"};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        struct resolved who = resolve(given[i]);
        if (!who.known || who.uid != 0)
            fail_msg("%s is %s, uid %u", given[i], who.name, (unsigned)who.uid);
    }
}

static void what_is_no_name_is_not_asked_for(void **state)
{
    struct resolved who;
    asks = 0;
    assert_int_equal(resolve_name(&service, "CORP\\a:b", "desk", &who), -EINVAL);
    assert_int_equal(resolve_name(&service, "", "desk", &who), -EINVAL);
    assert_int_equal(asks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_taken_apart),
        cmocka_unit_test(a_name_that_no_account_can_have_is_refused),
        cmocka_unit_test(a_domain_can_be_a_machine),
        cmocka_unit_test(every_spelling_of_a_name_has_one_count),
        cmocka_unit_test(the_name_service_decides_which_account_it_is),
        cmocka_unit_test(a_bare_name_and_a_machines_domain_mean_the_machines_own_account),
        cmocka_unit_test(of_a_domain_that_nobody_knows_the_user_counts),
        cmocka_unit_test(of_a_domain_that_is_known_its_own_people_count),
        cmocka_unit_test(root_is_found_under_each_of_its_names),
        cmocka_unit_test(what_is_no_name_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
