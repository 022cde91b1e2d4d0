/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/rundir.h"
#include "common/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct config c;
static char top[] = "/tmp/oriel-rundir-XXXXXX";
static char why[512];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int set_up(void **state)
{
    snprintf(top, sizeof top, "/tmp/oriel-rundir-XXXXXX");
    if (!mkdtemp(top))
        return -1;
    config_defaults(&c);
    snprintf(c.paths_run_dir, sizeof c.paths_run_dir, "%s/deep/run", top);
    snprintf(c.paths_state_dir, sizeof c.paths_state_dir, "%s/state", top);
    /* Accounts that every Debian has stand in for ours. */
    snprintf(c.paths_user_server, sizeof c.paths_user_server, "daemon");
    snprintf(c.paths_user_keys, sizeof c.paths_user_keys, "nobody");
    return 0;
}

static int tear_down(void **state)
{
    return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void assert_entry(const char *name, const char *user, unsigned mode)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", top, name);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_uid, getpwnam(user)->pw_uid);
    assert_int_equal(st.st_mode & 07777, mode);
}

static void the_whole_tree_is_made_with_its_owners(void **state)
{
    if (geteuid() != 0)
        skip();
    for (int twice = 0; twice < 2; twice++) {
        if (rundir_prepare(&c, why, sizeof why) != 0)
            fail_msg("%s", why);
        assert_entry("deep/run", "root", 0755);
        assert_entry("deep/run/keys", "nobody", 02750);
        assert_entry("deep/run/leaders", "root", 0700);
        assert_entry("deep/run/empty", "root", 0755);
        assert_entry("deep/run/port", "daemon", 0644);
        assert_entry("state", "root", 0755);
        assert_entry("state/tls", "nobody", 0750);
    }
}

static void wrong_modes_are_mended(void **state)
{
    char path[512];
    if (geteuid() != 0)
        skip();
    assert_int_equal(rundir_prepare(&c, why, sizeof why), 0);
    snprintf(path, sizeof path, "%s/deep/run/leaders", top);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(rundir_prepare(&c, why, sizeof why), 0);
    assert_entry("deep/run/leaders", "root", 0700);
}

static void a_symbolic_link_in_the_place_of_a_folder_is_refused(void **state)
{
    char path[512];
    if (geteuid() != 0)
        skip();
    assert_int_equal(rundir_prepare(&c, why, sizeof why), 0);
    snprintf(path, sizeof path, "%s/deep/run/leaders", top);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/etc", path), 0);
    assert_true(rundir_prepare(&c, why, sizeof why) < 0);
    assert_non_null(strstr(why, "leaders is a symbolic link or not a folder"));
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/deep/run/port", top);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/motd", path), 0);
    assert_true(rundir_prepare(&c, why, sizeof why) < 0);
}

static void a_folder_of_somebody_else_is_refused(void **state)
{
    char path[512];
    if (geteuid() != 0)
        skip();
    assert_int_equal(rundir_prepare(&c, why, sizeof why), 0);
    snprintf(path, sizeof path, "%s/deep/run/leaders", top);
    assert_int_equal(chown(path, 4711, 4711), 0);
    assert_int_equal(rundir_prepare(&c, why, sizeof why), -EPERM);
    assert_non_null(strstr(why, "leaders belongs to uid 4711"));
}

static void a_missing_account_is_named(void **state)
{
    snprintf(c.paths_user_keys, sizeof c.paths_user_keys, "_oriel-nobody-has-this");
    assert_int_equal(rundir_prepare(&c, why, sizeof why), -ENOENT);
    assert_non_null(strstr(why, "_oriel-nobody-has-this"));
}

static void a_listener_has_its_mode_and_knows_who_connects(void **state)
{
    char path[108];
    struct stat st;
    struct ucred who;
    snprintf(path, sizeof path, "%s/a.sock", top);
    int l = sockets_listen(path, 0660, (gid_t)-1, 4);
    assert_true(l >= 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(sockets_accept(l, &who), -EAGAIN);
    int fd = sockets_connect(path);
    assert_true(fd >= 0);
    int in = sockets_accept(l, &who);
    assert_true(in >= 0);
    assert_int_equal(who.uid, geteuid());
    assert_int_equal(who.pid, getpid());
    assert_int_equal(fcntl(in, F_GETFD), FD_CLOEXEC);
    close(in), close(fd);
    assert_int_equal(sockets_listen(path, 0660, (gid_t)-1, 4), -EADDRINUSE);
    close(l);
    assert_int_equal(sockets_connect(path), -ECONNREFUSED);
    l = sockets_listen(path, 0600, (gid_t)-1, 4);
    assert_true(l >= 0);
    close(l);
    unlink(path);
    assert_int_equal(sockets_connect(path), -ENOENT);
}

static void a_plain_file_is_never_replaced_by_a_socket(void **state)
{
    char path[108];
    snprintf(path, sizeof path, "%s/file", top);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(sockets_listen(path, 0660, (gid_t)-1, 4), -EEXIST);
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(sockets_listen(longer, 0660, (gid_t)-1, 4), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_whole_tree_is_made_with_its_owners, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_modes_are_mended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_symbolic_link_in_the_place_of_a_folder_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_of_somebody_else_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_account_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_listener_has_its_mode_and_knows_who_connects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plain_file_is_never_replaced_by_a_socket, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
