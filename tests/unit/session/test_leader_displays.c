/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display numbers and socket folders, among users who want to keep others out. */
#include "session/leader/socket_folders.h"
#include "session/leader/xorg.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#define STRANGER 61234
#define FIRST 10

static char dir[64], sockets[80], why[512];
static struct xorg_places places = {sockets, dir};

static const char *at(const char *name)
{
    static char path[4][256];
    static unsigned i;
    i = (i + 1) % 4;
    snprintf(path[i], sizeof path[i], "%s/%s", dir, name);
    return path[i];
}

static void put(const char *name, const char *text, uid_t owner)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0444);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchown(fd, owner, owner), 0);
    close(fd);
}

static const char *lock_of(unsigned display)
{
    static char name[32];
    snprintf(name, sizeof name, ".X%u-lock", display);
    return name;
}

static const char *keymap_of(unsigned display)
{
    static char name[32];
    snprintf(name, sizeof name, "server-%u.xkm", display);
    return name;
}

/* Reserve, and hold the abstract name until `forget`. */
static int names[512];
static size_t nnames;
static int reserve(unsigned first)
{
    int d = xorg_reserve_display(&places, first, NULL, &names[nnames], why, sizeof why);
    nnames += d >= 0;
    return d;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

static int set_up(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/oriel-displays-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(sockets, sizeof sockets, "%s/x", dir);
    return mkdir(sockets, 01777) | chmod(sockets, 01777) | chmod(dir, 01777);
}

static int tear_down(void **state)
{
    for (; nnames; nnames--)
        close(names[nnames - 1]);
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- in peace ---- */

static void the_abstract_name_of_a_display_is_held_by_one(void **state)
{
    int fd = xorg_hold_name(&places, 7);
    assert_true(fd >= 0);
    assert_int_equal(xorg_hold_name(&places, 7), -EADDRINUSE);
    assert_int_equal(reserve(7), 8);
    assert_int_equal(access(at(".X7-lock"), F_OK), -1);
    assert_int_equal(access(at("server-7.xkm"), F_OK), -1);
    close(fd);
    assert_int_equal(reserve(7), 7);
}

static void no_two_reservations_are_the_same(void **state)
{
    assert_int_equal(reserve(FIRST), 10);
    assert_int_equal(reserve(FIRST), 11);
    close(names[0]);
    xorg_release_display(&places, 10, getpid() + 1); /* somebody else's */
    assert_int_equal(reserve(FIRST), 12);
    xorg_release_display(&places, 10, getpid());
    assert_int_equal(reserve(FIRST), 10);
    assert_int_equal(access(at(".X10-lock"), F_OK), 0);
}

static void many_processes_reserve_different_displays(void **state)
{
    int pipes[2], seen[64] = {0};
    assert_int_equal(pipe(pipes), 0);
    pid_t pids[16];
    for (int i = 0; i < 16; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            int d = reserve(30);
            ssize_t n = write(pipes[1], &d, sizeof d);
            (void)n;
            (void)pause();
        }
    }
    for (int i = 0; i < 16; i++) {
        int d = -1;
        assert_int_equal(read(pipes[0], &d, sizeof d), (ssize_t)sizeof d);
        assert_in_range(d, 30, 45);
        assert_int_equal(seen[d - 30]++, 0);
    }
    for (int i = 0; i < 16; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    assert_int_equal(reserve(30), 30); /* dead ones' locks do not count */
    close(pipes[0]);
    close(pipes[1]);
}

static void what_is_roots_is_left_alone(void **state)
{
    put(".X50-lock", "what is this\n", 0);
    put(".X51-lock", "", 0);
    assert_int_equal(symlink("/etc/passwd", at(".X52-lock")), 0);
    put("x/X53", "no socket", 0);
    assert_int_equal(reserve(50), 54);
    assert_int_equal(access(at(".X50-lock"), F_OK), 0);
    assert_int_equal(access(at("x/X53"), F_OK), 0);
}

static void a_living_servers_lock_is_left_alone(void **state)
{
    char text[16];
    pid_t pid = fork();
    if (pid == 0) {
        if (setresuid(STRANGER, STRANGER, STRANGER) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    snprintf(text, sizeof text, "%10d\n", (int)pid);
    put(".X10-lock", text, STRANGER); /* X servers of users */
    snprintf(text, sizeof text, "%10d\n", (int)getpid());
    put(".X11-lock", text, 0);                           /* X servers of root's */
    for (int i = 0; i < 500 && kill(pid, 0) == 0; i++) { /* until it is that user's */
        struct stat st;
        char path[32];
        snprintf(path, sizeof path, "/proc/%d", (int)pid);
        if (stat(path, &st) == 0 && st.st_uid == STRANGER)
            break;
        usleep(10000);
    }
    assert_int_equal(reserve(FIRST), 12);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(reserve(FIRST), 10);
}

static void a_number_whose_keymap_another_user_holds_is_passed_over(void **state)
{
    struct stat st;
    put("server-60.xkm", "left by a server that was killed", STRANGER);
    assert_int_equal(mkdir(at("server-61.xkm"), 0700), 0);
    assert_int_equal(reserve(60), 60);
    assert_int_equal(stat(at("server-60.xkm"), &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(reserve(60), 62);
    assert_int_equal(access(at(".X61-lock"), F_OK), -1);
    xorg_release_display(&places, 62, getpid());
    assert_int_equal(access(at("server-62.xkm"), F_OK), -1);
}

/* ---- a stranger holds all that is tried in order, in each way there is ---- */

#define HELD 300 /* from FIRST on: more than are tried in order */

static void hold_by_locks_of_strange_text(unsigned d)
{
    put(lock_of(d), "what is this\n", STRANGER);
}
static void hold_by_locks_that_name_process_1(unsigned d)
{
    put(lock_of(d), "         1\n", STRANGER);
}
static void hold_by_folders_in_place_of_locks(unsigned d)
{
    assert_int_equal(mkdir(at(lock_of(d)), 0700) | chown(at(lock_of(d)), STRANGER, STRANGER), 0);
}
static void hold_by_folders_in_place_of_keymaps(unsigned d)
{
    assert_int_equal(mkdir(at(keymap_of(d)), 0700) | chown(at(keymap_of(d)), STRANGER, STRANGER), 0);
}
static void hold_by_files_in_place_of_sockets(unsigned d)
{
    char name[16];
    snprintf(name, sizeof name, "x/X%u", d);
    put(name, "", STRANGER);
}
static void hold_by_sockets(unsigned d)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/X%u", sockets, d);
    int fd = names[nnames++] = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a) | listen(fd, 4) | lchown(a.sun_path, STRANGER, STRANGER),
        0);
}
static void hold_by_abstract_names(unsigned d)
{
    assert_true((names[nnames++] = xorg_hold_name(&places, d)) >= 0);
}

static void a_stranger_who_holds_hundreds_keeps_nobody_out(void **state)
{
    static void (*const ways[])(unsigned) = {hold_by_locks_of_strange_text, hold_by_locks_that_name_process_1,
        hold_by_folders_in_place_of_locks, hold_by_folders_in_place_of_keymaps, hold_by_files_in_place_of_sockets,
        hold_by_sockets, hold_by_abstract_names};
    struct rlimit many = {4096, 4096};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &many), 0);
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        for (unsigned d = FIRST; d < FIRST + HELD; d++)
            ways[w](d);
        int d = reserve(FIRST);
        if (d < FIRST)
            fail_msg("way %zu: %s", w, why);
        assert_true(d < 60000);
        (void)tear_down(state);
        assert_int_equal(set_up(state), 0);
    }
}

/* Whether it may be removed or not: the administrator hears whose it is. */
static void who_holds_all_is_named(void **state)
{
    unsigned last = 59600;
    for (unsigned d = last - 200; d < last + XORG_DISPLAYS; d++) { /* near the end numbers are tried in order only */
        assert_int_equal(mkdir(at(keymap_of(d)), 0700), 0);
        assert_int_equal(chown(at(keymap_of(d)), STRANGER, STRANGER), 0);
    }
    assert_int_equal(reserve(last), -EADDRINUSE);
    assert_non_null(strstr(why, "61234"));
    assert_non_null(strstr(why, "server-59600.xkm"));
}

/* ---- the folders that all users share ---- */

static void expect_claimed(const char *path)
{
    struct stat st;
    assert_int_equal(socket_folder_claim(path, why, sizeof why), 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 01777);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_gid, 0);
}

static void a_socket_folder_is_roots_whoever_made_it(void **state)
{
    const char *path = at("new");
    mode_t before = umask(077);
    expect_claimed(path); /* was not there */
    umask(before);
    expect_claimed(path);
    put("new/X0", "is kept", STRANGER);
    assert_int_equal(chown(path, STRANGER, STRANGER) | chmod(path, 0700), 0);
    expect_claimed(path); /* another user's */
    assert_int_equal(access(at("new/X0"), F_OK), 0);
    assert_int_equal(chmod(path, 0777), 0);
    expect_claimed(path); /* without the sticky bit */
    assert_int_equal(unlink(at("new/X0")) | rmdir(path) | symlink(dir, path), 0);
    expect_claimed(path); /* a link: what it points to stays */
    assert_int_equal(rmdir(path), 0);
    put("new", "a file", STRANGER);
    expect_claimed(path);
}

static void an_access_list_of_the_former_owner_goes(void **state)
{
    /* user::rwx, user:61234:rwx, group::rwx, mask::rwx, other::rwx: linux/posix_acl_xattr.h, version 2 */
    static const unsigned char list[] = {2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 0x32, 0xef, 0, 0, 4, 0,
        7, 0, 255, 255, 255, 255, 0x10, 0, 7, 0, 255, 255, 255, 255, 0x20, 0, 7, 0, 255, 255, 255, 255};
    const char *path = at("listed");
    assert_int_equal(mkdir(path, 0777) | chown(path, STRANGER, STRANGER), 0);
    if (setxattr(path, "system.posix_acl_default", list, sizeof list, 0) < 0)
        skip(); /* no access lists on this file system */
    expect_claimed(path);
    assert_int_equal(getxattr(path, "system.posix_acl_default", NULL, 0), -1);
}

static void the_session_managers_sockets_have_one_too(void **state)
{
    struct stat st;
    assert_int_equal(mkdir(at(".ICE-unix"), 0755) | chown(at(".ICE-unix"), STRANGER, STRANGER), 0);
    assert_int_equal(socket_folders_claim(dir, sockets, why, sizeof why), 0);
    for (size_t i = 0; i < 3; i++) {
        static const char *const all[] = {".ICE-unix", ".XIM-unix", ".font-unix"};
        assert_int_equal(lstat(at(all[i]), &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 01777);
        assert_int_equal(st.st_uid, 0);
    }
}

static void a_place_where_none_can_be_is_told_in_words(void **state)
{
    put("file", "", 0);
    assert_int_equal(socket_folder_claim(at("file/x"), why, sizeof why), -ENOTDIR);
    assert_non_null(strstr(why, "administrator"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    if (geteuid() != 0)
        return 77;
    const struct CMUnitTest tests[] = {
        TEST(the_abstract_name_of_a_display_is_held_by_one),
        TEST(no_two_reservations_are_the_same),
        TEST(many_processes_reserve_different_displays),
        TEST(what_is_roots_is_left_alone),
        TEST(a_living_servers_lock_is_left_alone),
        TEST(a_number_whose_keymap_another_user_holds_is_passed_over),
        TEST(a_stranger_who_holds_hundreds_keeps_nobody_out),
        TEST(who_holds_all_is_named),
        TEST(a_socket_folder_is_roots_whoever_made_it),
        TEST(an_access_list_of_the_former_owner_goes),
        TEST(the_session_managers_sockets_have_one_too),
        TEST(a_place_where_none_can_be_is_told_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
