/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The leader's parts one by one: environment, cookie file, display numbers, text, sweeping. */
#include "common/clock.h"
#include "session/leader/account.h"
#include "session/leader/child.h"
#include "session/leader/env.h"
#include "session/leader/lockfile.h"
#include "session/leader/logfile.h"
#include "session/leader/scope.h"
#include "session/leader/sweep.h"
#include "session/leader/userdir.h"
#include "session/leader/warden.h"
#include "session/leader/xauth.h"
#include "session/user_manager.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static const char *at(const char *name)
{
    static char path[4][256];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)fchmod(fd, mode);
    close(fd);
}

static int make_dir(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/oriel-parts-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static struct account me;
    me.uid = getuid();
    me.gid = getgid();
    me.ngroups = getgroups(ACCOUNT_GROUPS_MAX, me.groups);
    if (getuid() == 0)
        return child_remove_tree(&me, dir, 2000);
    char *const argv[] = {(char *)"rm", (char *)"-rf", dir, NULL};
    pid_t pid = fork();
    if (pid == 0)
        execvp("rm", argv);
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static void the_last_value_of_a_variable_counts(void **state)
{
    struct env_list e = {0};
    assert_int_equal(env_set(&e, "A", "1"), 0);
    assert_int_equal(env_set(&e, "AB", "2"), 0);
    assert_int_equal(env_put(&e, "A=3=4"), 0);
    assert_int_equal(e.n, 2);
    assert_string_equal(env_get(&e, "A"), "3=4");
    assert_string_equal(env_get(&e, "AB"), "2");
    assert_null(env_get(&e, "B"));
    assert_int_equal(env_put(&e, "nothing"), -EINVAL);
    assert_int_equal(env_put(&e, "=x"), -EINVAL);
    assert_int_equal(env_set(&e, "A=B", "x"), -EINVAL);
    env_unset(&e, "A");
    assert_null(env_get(&e, "A"));
    assert_int_equal(e.n, 1);
    assert_null(e.v[1]);
    env_finish(&e);
}

static void an_environment_has_an_end(void **state)
{
    struct env_list e = {0};
    char name[16];
    for (int i = 0; i < ENV_LIST_MAX; i++) {
        snprintf(name, sizeof name, "N%d", i);
        assert_int_equal(env_set(&e, name, "x"), 0);
    }
    assert_int_equal(env_set(&e, "ONE", "more"), -ENOSPC);
    assert_int_equal(env_set(&e, "N7", "y"), 0);
    env_finish(&e);
}

static void a_locale_file_gives_locale_variables_and_no_others(void **state)
{
    struct env_list e = {0};
    put("locale",
        "# comment\nLANG=\"de_DE.UTF-8\"\nLC_TIME='C'\n LANGUAGE=de:en\nLD_PRELOAD=/tmp/evil.so\nPATH=/tmp\nLANG\n",
        0644);
    assert_int_equal(env_load_locale(&e, at("locale")), 0);
    assert_string_equal(env_get(&e, "LANG"), "de_DE.UTF-8");
    assert_string_equal(env_get(&e, "LC_TIME"), "C");
    assert_string_equal(env_get(&e, "LANGUAGE"), "de:en");
    assert_int_equal(e.n, 3);
    env_finish(&e);
    assert_int_equal(env_load_locale(&e, at("none")), -ENOENT);
}

static void a_cookie_file_reads_as_xauth_writes_it(void **state)
{
    static const uint8_t cookie[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const uint8_t want[] = {1, 0, 0, 2, 'h', 'o', 0, 2, '1', '0', 0, 18, 'M', 'I', 'T', '-', 'M', 'A', 'G', 'I',
        'C', '-', 'C', 'O', 'O', 'K', 'I', 'E', '-', '1', 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
        255, 255, 0, 0, 0, 2, '1', '0', 0, 18, 'M', 'I', 'T', '-', 'M', 'A', 'G', 'I', 'C', '-', 'C', 'O', 'O', 'K',
        'I', 'E', '-', '1', 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    uint8_t out[XAUTH_FILE_BYTES];
    assert_int_equal(xauth_format("ho", 10, cookie, out, sizeof out), (ssize_t)sizeof want);
    assert_memory_equal(out, want, sizeof want);
    assert_int_equal(xauth_format("ho", 10, cookie, out, 20), -EMSGSIZE);
}

static void a_cookie_file_is_private_random_and_no_link(void **state)
{
    struct stat st;
    uint8_t one[XAUTH_FILE_BYTES] = {0}, two[XAUTH_FILE_BYTES] = {0};
    put("victim", "precious", 0666);
    assert_int_equal(symlink(at("victim"), at("cookie")), 0);
    assert_int_equal(xauth_write_file(at("cookie"), 10), 0);
    assert_int_equal(lstat(at("cookie"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(at("victim"), &st), 0);
    assert_int_equal(st.st_size, 8);
    int fd = open(at("cookie"), O_RDONLY);
    ssize_t n = read(fd, one, sizeof one);
    close(fd);
    assert_int_equal(xauth_write_file(at("cookie"), 10), 0);
    fd = open(at("cookie"), O_RDONLY);
    assert_int_equal(read(fd, two, sizeof two), n);
    close(fd);
    assert_memory_not_equal(one, two, (size_t)n);
}

/* ---- accounts ---- */

static bool forbidden(const struct account_policy *p, const char *name)
{
    struct resolved who;
    assert_int_equal(account_find(name, false, &who), 0);
    return account_forbidden(p, &who);
}

/* option: login.allowed_groups, login.allow_root */
static void root_and_strangers_to_the_groups_stay_out(void **state)
{
    struct account_policy p = {0};
    assert_true(forbidden(&p, "root"));
    assert_true(forbidden(&p, "NOWHERE\\root"));
    assert_true(forbidden(&p, "root@example.org"));
    assert_false(forbidden(&p, "nobody"));
    assert_false(forbidden(&p, "no such account"));
    assert_false(account_allowed(&p, "root", 0, 0));
    assert_true(account_allowed(&p, "nobody", 65534, 65534));
    p.allow_root = true;
    assert_false(forbidden(&p, "root"));
    assert_true(account_allowed(&p, "root", 0, 0));
    p.allowed_groups = "no-such-group daemon";
    assert_false(account_allowed(&p, "nobody", 65534, 65534));
    assert_true(account_allowed(&p, "daemon", 1, 1));
    p.allowed_groups = "\"no such group\",\"daemon\"";
    assert_false(account_allowed(&p, "nobody", 65534, 65534));
    assert_true(account_allowed(&p, "daemon", 1, 1));
    p.allowed_groups = "no-such-group";
    assert_false(account_allowed(&p, "daemon", 1, 1));
    p.allowed_groups = "\"daemon"; /* oriel --check-config refuses it */
    assert_false(account_allowed(&p, "daemon", 1, 1));
}

static void a_domain_is_taken_away_where_nobody_knows_it(void **state)
{
    struct resolved who;
    char host[HOST_NAME_MAX + 1], text[HOST_NAME_MAX + 16];
    assert_int_equal(gethostname(host, sizeof host), 0);
    snprintf(text, sizeof text, "%s\\daemon", host);
    const char *const given[] = {" CORP\\daemon ", "daemon@example.org", ".\\daemon", text};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        assert_int_equal(account_find(given[i], false, &who), 0);
        assert_string_equal(who.name, "daemon");
        assert_true(who.known);
        assert_int_equal(who.uid, 1);
    }
    assert_int_equal(account_find("CORP\\daemon", true, &who), 0);
    assert_false(who.known);
    assert_string_equal(who.name, "CORP\\daemon");
    assert_int_equal(account_find("a:b", false, &who), -EINVAL);
}

/* ---- the session's log ---- */

static void a_log_that_grows_too_long_keeps_its_newest_lines(void **state)
{
    static char line[1024], text[LOGFILE_KEEP_BYTES + 1024];
    struct stat st;
    put("session.log", "", 0600);
    int fd = open(at("session.log"), O_RDWR | O_APPEND | O_CLOEXEC),
        other = open(at("session.log"), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0 && other >= 0);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (unsigned i = 0; i < LOGFILE_BYTES_MAX / sizeof line; i++)
        assert_int_equal(write(other, line, sizeof line), sizeof line);
    assert_int_equal(logfile_cut(fd), 0); /* full, and not over */
    assert_int_equal(write(other, "the newest\n", 11), 11);
    assert_int_equal(logfile_cut(fd), 1);
    assert_int_equal(write(other, "and after\n", 10), 10);
    assert_int_equal(fstat(fd, &st), 0);
    assert_in_range(st.st_size, LOGFILE_KEEP_BYTES / 2, LOGFILE_KEEP_BYTES + 1024);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    assert_int_equal(n, st.st_size);
    text[n] = 0;
    assert_int_equal(strncmp(text, "[earlier lines were dropped here", 32), 0);
    assert_non_null(strstr(text, "x\nthe newest\nand after\n"));
    close(fd);
    close(other);
}

static void a_log_is_watched_while_it_is_written(void **state)
{
    static char block[65536];
    struct event_base *base = event_base_new();
    struct stat st;
    put("session.log", "", 0600);
    int fd = open(at("session.log"), O_RDWR | O_APPEND | O_CLOEXEC);
    struct logfile *l = logfile_create(base, NULL, at("session.log"));
    assert_non_null(l);
    memset(block, '\n', sizeof block);
    for (unsigned i = 0; i <= LOGFILE_BYTES_MAX / sizeof block; i++)
        assert_int_equal(write(fd, block, sizeof block), sizeof block);
    for (int i = 0; i < 50 && fstat(fd, &st) == 0 && (st.st_size == 0 || st.st_size > (off_t)LOGFILE_BYTES_MAX); i++)
        (void)event_base_loop(base, EVLOOP_ONCE);
    assert_in_range(st.st_size, 1, LOGFILE_KEEP_BYTES + 1024);
    logfile_destroy(l);
    event_base_free(base);
    close(fd);
}

/* ---- text ---- */

static void text_from_outside_is_clean_whatever_it_was(void **state)
{
    char out[64];
    srandom(7);
    for (int round = 0; round < 20000; round++) {
        char in[48];
        size_t n = (size_t)random() % (sizeof in - 1), cap = 1 + (size_t)random() % sizeof out;
        for (size_t i = 0; i < n; i++)
            in[i] = (char)(1 + random() % 255);
        in[n] = 0;
        memset(out, 0x7e, sizeof out);
        conv_clean_text(in, out, cap);
        size_t len = strnlen(out, cap);
        assert_true(len < cap);
        for (size_t i = 0; i < len; i++)
            assert_true((unsigned char)out[i] >= 0x20 || out[i] == '\n' || out[i] == '\t');
        char again[64];
        conv_clean_text(out, again, sizeof again);
        assert_string_equal(out, again);
    }
}

/* ---- sweeping ---- */

static void what_carries_the_key_or_hangs_below_is_found(void **state)
{
    static const char key[] = "0123456789abcdef0123456789abcdef";
    char entry[64];
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    snprintf(entry, sizeof entry, "ORIEL_SESSION_KEY=%s", key);
    char *const with[] = {(char *)"PATH=/bin:/usr/bin", entry, NULL};
    char *const without[] = {(char *)"PATH=/bin:/usr/bin", NULL};
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)"echo; sleep 1000; :", NULL};
    pid_t keyed = fork();
    if (keyed == 0) {
        dup2(ready[1], 1);
        execve("/bin/sh", argv, with);
    }
    pid_t plain = fork();
    if (plain == 0) {
        dup2(ready[1], 1);
        execve("/bin/sh", argv, without);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(read(ready[0], &byte, 1), 1);
    struct sweep by_key = {.uid = getuid(), .key = key};
    struct sweep other_user = {.uid = getuid() + 1, .key = key};
    struct sweep other_key = {.uid = getuid(), .key = "0123456789abcdef0123456789abcde0"};
    struct sweep by_tree = {.leader = getpid(), .key = ""};
    for (int i = 0; i < 800 && sweep_signal(&by_tree, 0) < 4; i++)
        (void)poll(NULL, 0, 10); /* both shells fork their sleep after the echo */
    assert_int_equal(sweep_signal(&by_key, 0), 2);
    assert_int_equal(sweep_signal(&other_user, 0), 0);
    assert_int_equal(sweep_signal(&other_key, 0), 0);
    assert_int_equal(sweep_signal(&by_tree, 0), 4);
    by_tree.spare[0] = keyed;
    assert_int_equal(sweep_signal(&by_tree, 0), 3);
    by_tree.spare[0] = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    for (int i = 0; i < 200 && sweep_signal(&by_tree, SIGKILL) > 0; i++) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(sweep_signal(&by_tree, 0), 0);
    assert_int_equal(sweep_signal(&by_key, 0), 0);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    close(ready[0]);
    close(ready[1]);
}

static void what_the_user_s_systemd_runs_is_not_the_session_s(void **state)
{
    assert_true(user_manager_in_group("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", 1000));
    assert_true(user_manager_in_group(
        "3:cpu:/x\n1:name=systemd:/user.slice/user-1000.slice/user@1000.service/init.scope\n0::/\n", 1000));
    assert_true(user_manager_in_group("3:cpu:/x\n0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", 1000));
    assert_false(user_manager_in_group("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", 1001));
    assert_false(user_manager_in_group("0::/user.slice/user-1000.slice/session-4.scope\n", 1000));
    assert_false(user_manager_in_group("0::/a\n3:cpu:/user@1000.service/\n", 1000)); /* not systemd's own hierarchy */
    assert_false(user_manager_in_group("", 1000));
}

/* ---- locks between leaders ---- */

static void a_lock_is_had_by_one_or_shared_and_goes_with_its_holder(void **state)
{
    const char *path = at("lock");
    int a = lockfile_take(path, LOCK_SH, 0), b = lockfile_take(path, LOCK_SH, 0);
    assert_true(a >= 0 && b >= 0);
    assert_int_equal(lockfile_take(path, LOCK_EX, 0), -EAGAIN);
    int64_t before = clock_ms();
    assert_int_equal(lockfile_take(path, LOCK_EX, 60), -EAGAIN);
    assert_true(clock_ms() - before >= 60);
    close(a);
    pid_t pid = fork(); /* a holder that is killed holds nothing */
    if (pid == 0)
        for (;;)
            (void)pause();
    close(b);
    assert_int_equal(lockfile_take(path, LOCK_EX, 0), -EAGAIN);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    a = lockfile_take(path, LOCK_EX, 0);
    assert_true(a >= 0);
    assert_int_equal(lockfile_take(path, LOCK_SH, 0), -EAGAIN);
    lockfile_remove(path, a);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(lockfile_take(at("missing/lock"), LOCK_EX, 1000), -ENOENT);
    assert_int_equal(symlink(at("elsewhere"), at("link")), 0);
    assert_int_equal(lockfile_take(at("link"), LOCK_EX, 0), -ELOOP);
}

/* Whoever waited for a lock whose holder removed the file has a lock on a file that others do not see. */
static void a_lock_is_on_the_file_that_is_there(void **state)
{
    const char *path = at("moving");
    int held = lockfile_take(path, LOCK_EX, 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct stat file, mine;
        close(held);
        int fd = lockfile_take(path, LOCK_EX, 5000);
        _exit(fd >= 0 && stat(path, &file) == 0 && fstat(fd, &mine) == 0 && file.st_ino == mine.st_ino ? 0 : 1);
    }
    (void)poll(NULL, 0, 30); /* it waits, most likely; when not, it has less to do */
    lockfile_remove(path, held);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- the user's runtime folder ---- */

static bool is_private_folder(const char *path, uid_t uid)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0700 && st.st_uid == uid;
}

static void a_runtime_folder_goes_with_the_last_who_made_it(void **state)
{
    static struct account who = {.user = "somebody", .uid = 7001, .gid = 7001};
    struct userdir one = {.lock = -1}, two = {.lock = -1};
    char why[256], users[80];
    if (getuid() != 0)
        skip();
    snprintf(users, sizeof users, "%s/users", dir);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(userdir_enter(&one, &who, users, why, sizeof why), 0);
    assert_true(one.made && is_private_folder(one.path, 7001));
    assert_int_equal(userdir_enter(&two, &who, users, why, sizeof why), 0);
    assert_true(two.made);
    put("users/7001/left", "by a program", 0600);
    assert_int_equal(lchown(at("users/7001/left"), 7001, 7001), 0);
    userdir_leave(&one, &who);
    userdir_leave(&one, &who); /* twice is harmless */
    assert_true(is_private_folder(two.path, 7001));
    userdir_leave(&two, &who);
    assert_int_equal(access(two.path, F_OK), -1);
    assert_int_equal(rmdir(users), 0); /* nor is its mark left */
}

static void a_runtime_folder_that_others_made_stays(void **state)
{
    static struct account who = {.user = "somebody", .uid = 7001, .gid = 7001};
    struct userdir u = {.lock = -1};
    char why[256], users[80];
    if (getuid() != 0)
        skip();
    snprintf(users, sizeof users, "%s/others", dir);
    assert_int_equal(mkdir(users, 0755), 0);
    assert_int_equal(mkdir(at("others/7001"), 0755), 0);
    assert_int_equal(userdir_enter(&u, &who, users, why, sizeof why), -EPERM); /* root's, and we did not make it */
    assert_non_null(strstr(why, "is not a folder that belongs to somebody"));
    assert_int_equal(lchown(at("others/7001"), 7001, 7001), 0);
    assert_int_equal(userdir_enter(&u, &who, users, why, sizeof why), 0);
    assert_true(!u.made && is_private_folder(u.path, 7001)); /* it was open to all */
    userdir_leave(&u, &who);
    assert_true(is_private_folder(at("others/7001"), 7001));
    assert_int_equal(rmdir(at("others/7001")), 0);
    assert_int_equal(symlink("/etc", at("others/7001")), 0);
    assert_int_equal(userdir_enter(&u, &who, users, why, sizeof why), -EPERM);
}

static void an_unfinished_runtime_folder_is_finished(void **state)
{
    static struct account who = {.user = "somebody", .uid = 7001, .gid = 7001};
    struct userdir u = {.lock = -1};
    char why[256], users[80];
    if (getuid() != 0)
        skip();
    snprintf(users, sizeof users, "%s/unfinished", dir);
    assert_int_equal(mkdir(users, 0755), 0);
    assert_int_equal(mkdir(at("unfinished/7001"), 0700), 0); /* its leader was killed before it could give it away */
    put("unfinished/.oriel-7001", "", 0600);
    assert_int_equal(userdir_enter(&u, &who, users, why, sizeof why), 0);
    assert_true(u.made && is_private_folder(u.path, 7001));
    userdir_leave(&u, &who);
    assert_int_equal(rmdir(users), 0);
}

static void a_program_that_takes_too_long_is_killed(void **state)
{
    static struct account me;
    char *const no_env[] = {NULL};
    me.uid = getuid();
    me.gid = getgid();
    me.ngroups = getgroups(ACCOUNT_GROUPS_MAX, me.groups);
    if (getuid() != 0)
        skip();
    const char *slow[] = {"sh", "-c", "sleep 30", NULL}, *fails[] = {"sh", "-c", "exit 3", NULL},
               *well[] = {"sh", "-c", ":", NULL};
    struct child c = {.path = "/bin/sh", .argv = slow, .envp = no_env, .who = &me, .out = -1, .directory = "/"};
    int64_t before = clock_ms();
    assert_int_equal(child_run(&c, 100), -ETIMEDOUT);
    assert_true(clock_ms() - before < 20000);
    c.argv = fails;
    assert_true(child_run(&c, 20000) < 0);
    c.argv = well;
    assert_int_equal(child_run(&c, 20000), 0);
}

static void a_removed_tree_does_not_take_what_links_point_to(void **state)
{
    static struct account me;
    if (getuid() != 0)
        skip();
    me.ngroups = 0;
    assert_int_equal(mkdir(at("tree"), 0700), 0);
    assert_int_equal(mkdir(at("tree/closed"), 0500), 0);
    assert_int_equal(mkdir(at("kept"), 0700), 0);
    put("kept/file", "x", 0600);
    assert_int_equal(symlink(at("kept"), at("tree/link")), 0);
    assert_int_equal(child_remove_tree(&me, at("tree"), 2000), 0);
    assert_int_equal(access(at("tree"), F_OK), -1);
    assert_int_equal(access(at("kept/file"), F_OK), 0);
}

static void a_program_that_does_not_exist_is_an_error_at_once(void **state)
{
    static struct account me;
    const char *argv[] = {"x", NULL};
    char *const envp[] = {NULL};
    if (getuid() != 0)
        skip();
    me.uid = me.gid = 65534;
    struct child c = {.path = "/no/such/program", .argv = argv, .envp = envp, .who = &me, .out = -1};
    assert_int_equal(child_start(&c), -ENOENT);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void a_program_runs_as_the_user_with_nothing_of_ours(void **state)
{
    static struct account me;
    char text[512] = "";
    int p[2], extra = open("/dev/null", O_RDONLY), status;
    const char *argv[] = {"sh", "-c",
        "id -u; id -G; ls /proc/self/fd | tr '\\n' ' '; cat /proc/self/oom_score_adj; echo $X; pwd", NULL};
    char *const envp[] = {(char *)"PATH=/bin:/usr/bin", (char *)"X=y", NULL};
    if (getuid() != 0)
        skip();
    me.uid = me.gid = 65534;
    me.groups[0] = 4;
    me.ngroups = 1;
    assert_int_equal(pipe(p), 0);
    struct child c = {.path = "/bin/sh", .argv = argv, .envp = envp, .who = &me, .out = p[1], .directory = "/no/such"};
    pid_t pid = child_start(&c);
    assert_true(pid > 0);
    close(p[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(read(p[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "65534\n65534 4\n0 1 2 3 0\ny\n/\n"); /* 3 is ls' own */
    close(p[0]);
    close(extra);
}

static void systemd_s_own_hierarchies_are_found_and_no_others(void **state)
{
    char file[256];
    assert_int_equal(mkdir(at("v2"), 0755) | mkdir(at("v2/a"), 0755), 0);
    put("v2/a/cgroup.procs", "", 0600);
    put("v2/cgroup.procs", "", 0600);
    assert_true(scope_file(at("v2"), "0::/a", file, sizeof file));
    assert_string_equal(file, at("v2/a/cgroup.procs"));
    assert_true(scope_file(at("v2"), "0::/", file, sizeof file));
    assert_string_equal(file, at("v2/cgroup.procs"));
    assert_false(scope_file(at("v2"), "0::/b", file, sizeof file));
    assert_false(scope_file(at("v2"), "0::/../a", file, sizeof file));
    assert_false(scope_file(at("v2"), "4:memory:/a", file, sizeof file));
    assert_false(scope_file(at("v2"), "1:name=systemd:/a", file, sizeof file));
    assert_false(scope_file(at("v2"), "", file, sizeof file));

    assert_int_equal(mkdir(at("v1"), 0755) | mkdir(at("v1/systemd"), 0755) | mkdir(at("v1/unified"), 0755), 0);
    put("v1/systemd/cgroup.procs", "", 0600);
    put("v1/unified/cgroup.procs", "", 0600);
    assert_true(scope_file(at("v1"), "1:name=systemd:/", file, sizeof file));
    assert_string_equal(file, at("v1/systemd/cgroup.procs"));
    assert_true(scope_file(at("v1"), "0::/", file, sizeof file));
    assert_string_equal(file, at("v1/unified/cgroup.procs"));
}

/* What the leader knows of its warden, before and after that was killed. */
static _Noreturn void lose_a_warden(int out)
{
    pid_t parent, knew[2];
    if (warden_fork() < 0)
        _exit(EXIT_FAILURE);
    parent = getppid();
    knew[0] = warden_alive() == parent ? parent : -1;
    kill(parent, SIGKILL);
    for (int i = 0; i < 5000 && getppid() == parent; i++)
        (void)poll(NULL, 0, 1);
    knew[1] = warden_alive();
    ssize_t n = write(out, knew, sizeof knew);
    _exit(n == sizeof knew ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void a_killed_warden_is_not_taken_for_process_1(void **state)
{
    int p[2];
    pid_t knew[2] = {0, 0};
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0)
        lose_a_warden(p[1]);
    assert_true(pid > 0);
    close(p[1]);
    assert_int_equal(read(p[0], knew, sizeof knew), sizeof knew);
    close(p[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(knew[0], pid);
    assert_int_equal(knew[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_value_of_a_variable_counts),
        cmocka_unit_test(an_environment_has_an_end),
        cmocka_unit_test(a_locale_file_gives_locale_variables_and_no_others),
        cmocka_unit_test(a_cookie_file_reads_as_xauth_writes_it),
        cmocka_unit_test(a_cookie_file_is_private_random_and_no_link),
        cmocka_unit_test(root_and_strangers_to_the_groups_stay_out),
        cmocka_unit_test(a_domain_is_taken_away_where_nobody_knows_it),
        cmocka_unit_test(a_log_that_grows_too_long_keeps_its_newest_lines),
        cmocka_unit_test(a_log_is_watched_while_it_is_written),
        cmocka_unit_test(text_from_outside_is_clean_whatever_it_was),
        cmocka_unit_test(systemd_s_own_hierarchies_are_found_and_no_others),
        cmocka_unit_test(a_killed_warden_is_not_taken_for_process_1),
        cmocka_unit_test(what_carries_the_key_or_hangs_below_is_found),
        cmocka_unit_test(what_the_user_s_systemd_runs_is_not_the_session_s),
        cmocka_unit_test(a_lock_is_had_by_one_or_shared_and_goes_with_its_holder),
        cmocka_unit_test(a_lock_is_on_the_file_that_is_there),
        cmocka_unit_test(a_runtime_folder_goes_with_the_last_who_made_it),
        cmocka_unit_test(a_runtime_folder_that_others_made_stays),
        cmocka_unit_test(an_unfinished_runtime_folder_is_finished),
        cmocka_unit_test(a_program_that_takes_too_long_is_killed),
        cmocka_unit_test(a_removed_tree_does_not_take_what_links_point_to),
        cmocka_unit_test(a_program_that_does_not_exist_is_an_error_at_once),
        cmocka_unit_test(a_program_runs_as_the_user_with_nothing_of_ours),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
