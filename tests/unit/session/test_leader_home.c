/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work that may hang, done aside; the places and names of logs; what is said of a home. */
#include "common/clock.h"
#include "session/leader/home.h"
#include "session/leader/logplace.h"
#include "session/leader/tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];
static struct account me;

static int make_dir(void **state)
{
    me.uid = getuid();
    me.gid = getgid();
    me.ngroups = getgroups(ACCOUNT_GROUPS_MAX, me.groups);
    snprintf(me.user, sizeof me.user, "somebody");
    snprintf(dir, sizeof dir, "/tmp/oriel-home-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char *const argv[] = {(char *)"rm", (char *)"-rf", dir, NULL};
    pid_t pid = fork();
    if (pid == 0)
        execvp("rm", argv);
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* ---- aside ---- */

struct sum {
    int a, b, result, upto;
    pid_t pid;
};

static struct aside_job job(int (*work)(struct aside *a, void *what), struct sum *s)
{
    return (
        struct aside_job){.who = NULL, .work = work, .what = s, .bytes = sizeof *s, .stall_ms = 5000, .total_ms = 5000};
}

static int add(struct aside *a, void *what)
{
    struct sum *s = what;
    s->result = s->a + s->b;
    s->pid = getpid();
    return s->result > 100 ? -ERANGE : 0;
}

static void what_was_worked_out_comes_back(void **state)
{
    struct sum s = {.a = 3, .b = 4};
    struct aside_job j = job(add, &s);
    assert_int_equal(aside_run(&j), 0);
    assert_int_equal(s.result, 7);
    assert_true(s.pid > 0 && s.pid != getpid());
    assert_int_equal(waitpid(s.pid, NULL, WNOHANG), -1); /* nothing is left to reap */
    s.b = 98;
    assert_int_equal(aside_run(&j), -ERANGE);
    assert_int_equal(s.result, 101);
}

static int hang(struct aside *a, void *what)
{
    struct sum *s = what;
    s->pid = getpid();
    aside_report(a, -1);
    while (pause() < 0)
        ;
    return 0;
}

static void what_hangs_is_given_up(void **state)
{
    struct sum s = {0};
    struct aside_job j = job(hang, &s);
    j.stall_ms = 100;
    int64_t before = clock_ms();
    assert_int_equal(aside_run(&j), -ETIMEDOUT);
    assert_in_range(clock_ms() - before, 90, 3000);
    assert_true(s.pid > 0);
    assert_int_equal(kill(s.pid, 0), -1); /* killed and reaped */
}

static int count_slowly(struct aside *a, void *what)
{
    struct sum *s = what;
    for (; s->upto < 1000; s->upto++) {
        (void)poll(NULL, 0, 20);
        aside_report(a, -1);
    }
    return 0;
}

static void what_is_slow_is_not_what_hangs_and_has_an_end_all_the_same(void **state)
{
    struct sum s = {0};
    struct aside_job j = job(count_slowly, &s);
    j.stall_ms = 4000;
    j.total_ms = 300;
    assert_int_equal(aside_run(&j), -ETIME);
    assert_in_range(s.upto, 1, 16);
}

static int die(struct aside *a, void *what)
{
    raise(SIGKILL);
    return 0;
}

static void what_dies_is_told(void **state)
{
    struct sum s = {0};
    struct aside_job j = job(die, &s);
    assert_int_equal(aside_run(&j), -ECHILD);
}

static int list_descriptors(struct aside *a, void *what)
{
    struct sum *s = what;
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *e; d && (e = readdir(d));)
        s->result += e->d_name[0] != '.' && strtol(e->d_name, NULL, 10) != dirfd(d);
    s->b = fcntl(s->a, F_GETFD);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    aside_report(a, fd);
    return 0;
}

static void a_child_holds_nothing_of_the_leaders_and_hands_over_what_it_opened(void **state)
{
    int open_here[2], fd = -1;
    struct stat st;
    assert_int_equal(pipe(open_here), 0);
    struct sum s = {.a = open_here[1]};
    struct aside_job j = job(list_descriptors, &s);
    j.fd = &fd;
    assert_int_equal(aside_run(&j), 0);
    assert_int_equal(s.result, 4); /* three times /dev/null, and its end of the socket */
    assert_int_equal(s.b, -1);
    assert_true(fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode));
    close(fd);
    s = (struct sum){.a = open_here[1]};
    j.keep[0] = open_here[1];
    assert_int_equal(aside_run(&j), 0);
    assert_int_equal(s.result, 5);
    assert_int_equal(s.b, 0);
    close(fd);
    close(open_here[0]);
    close(open_here[1]);
}

static int look_who_it_is(struct aside *a, void *what)
{
    struct sum *s = what;
    uid_t r, e, saved;
    gid_t gr, ge, gsaved;
    if (getresuid(&r, &e, &saved) < 0 || getresgid(&gr, &ge, &gsaved) < 0)
        return -errno;
    s->result = r == 7001 && e == 7001 && saved == 7001 && gr == 7002 && ge == 7002 && gsaved == 7002 &&
        getgroups(0, NULL) == 1;
    return 0;
}

static void it_is_wholly_the_user(void **state)
{
    static struct account other = {.uid = 7001, .gid = 7002, .groups = {7003}, .ngroups = 1};
    struct sum s = {0};
    struct aside_job j = job(look_who_it_is, &s);
    j.who = &other;
    if (getuid() != 0)
        skip();
    assert_int_equal(aside_run(&j), 0);
    assert_int_equal(s.result, 1);
}

static void started_work_tells_its_end(void **state)
{
    struct sum s = {0};
    const struct aside_job j = job(add, &s);
    int fd = aside_start(&j);
    char left[256];
    assert_true(fd >= 0);
    while (read(fd, left, sizeof left) > 0)
        ;
    close(fd);
    assert_true(wait(NULL) > 0);
}

/* ---- logs ---- */

struct logs {
    struct logplace place;
    char top[64];
    int err;
};

static int open_a_log(struct aside *a, void *what)
{
    struct logs *l = what;
    int dir_fd = -1, top = open(l->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = logplace_open(a, &l->place, top, LOGPLACE_FOLDER, &dir_fd);
    l->err = fd < 0 ? fd : 0;
    aside_report(a, fd);
    if (fd >= 0)
        logplace_prune(a, &l->place, dir_fd);
    return 0;
}

static int new_log(const char *host, uint64_t session, char *path, size_t cap)
{
    struct logs l = {0};
    int fd = -1;
    logplace_name(&l.place, &me, session);
    if (host) {
        snprintf(l.place.host, sizeof l.place.host, "%s", host);
        snprintf(l.place.name, sizeof l.place.name, "%s-session-%u.log", host, (unsigned)session);
    }
    snprintf(l.top, sizeof l.top, "%s", dir);
    const struct aside_job j =
        {.work = open_a_log, .what = &l, .bytes = sizeof l, .fd = &fd, .stall_ms = 5000, .total_ms = 5000};
    assert_int_equal(aside_run(&j), 0);
    snprintf(path, cap, "%s/" LOGPLACE_FOLDER "/%s", dir, l.place.name);
    if (fd >= 0)
        close(fd);
    return l.err;
}

static void age(const char *path, time_t seconds)
{
    const struct timespec t[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void of_each_host_the_newest_five_logs_stay(void **state)
{
    char path[10][256], other[256];
    assert_int_equal(new_log("elsewhere", 3, other, sizeof other), 0);
    age(other, 100000);
    for (int i = 0; i < 8; i++) { /* numbers may begin anew: the time counts */
        assert_int_equal(new_log("here", i == 0 ? 3 : (uint64_t)(90 - i), path[i], sizeof path[i]), 0);
        age(path[i], 1000 - i);
    }
    assert_int_equal(new_log("here", 2, path[8], sizeof path[8]), 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(access(path[i], F_OK), i < 4 ? -1 : 0);
    assert_int_equal(access(other, F_OK), 0);
    assert_int_equal(access(path[8], F_OK), 0);
}

static void a_log_is_named_after_its_host_and_begins_with_its_session(void **state)
{
    struct logplace p;
    char path[256], text[512] = "";
    logplace_name(&p, &me, 41);
    assert_non_null(strstr(p.name, "-session-41.log"));
    assert_true(strlen(p.host) > 0 && strncmp(p.name, p.host, strlen(p.host)) == 0);
    assert_null(strchr(p.name, '/'));
    assert_int_equal(new_log(NULL, 41, path, sizeof path), 0);
    tail_read(path, 0, text, sizeof text);
    assert_int_equal(strncmp(text, "[Oriel: session 41 of somebody on ", 34), 0);
}

static void a_link_or_a_folder_under_the_logs_name_is_refused(void **state)
{
    char path[256], precious[256];
    struct stat st;
    snprintf(precious, sizeof precious, "%s/precious", dir);
    close(open(precious, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(new_log("h", 1, path, sizeof path), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(precious, path), 0);
    assert_int_equal(new_log("h", 1, path, sizeof path), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(link(precious, path), 0);
    assert_int_equal(new_log("h", 1, path, sizeof path), -EPERM);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(new_log("h", 1, path, sizeof path), -EISDIR);
    assert_int_equal(stat(precious, &st), 0);
    assert_int_equal(st.st_size, 0);
}

static void the_administrators_folder_must_be_roots_alone(void **state)
{
    struct logplace p;
    char path[128];
    int dir_fd = -1;
    if (getuid() != 0)
        skip();
    logplace_name(&p, &me, 5);
    p.owner = 7001;
    snprintf(path, sizeof path, "%s/admin", dir);
    assert_int_equal(mkdir(path, 0755), 0);
    int fd = logplace_open_admin(&p, path, &dir_fd);
    struct stat st;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    assert_int_equal(st.st_uid, 7001);
    close(fd);
    close(dir_fd);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(logplace_open_admin(&p, path, &dir_fd), -EPERM);
    close(dir_fd);
    assert_int_equal(logplace_open_admin(&p, "/nonexistent", &dir_fd), -ENOENT);
}

/* ---- words ---- */

static void each_way_a_home_can_be_wrong_has_words_of_its_own(void **state)
{
    static const struct {
        int err;
        const char *say;
    } cases[] = {{ENOENT, "does not exist"}, {ENOTDIR, "does not exist"}, {EACCES, "is closed to you"},
        {EKEYEXPIRED, "asks for a ticket"}, {ENOKEY, "asks for a ticket"}, {ETIMEDOUT, "does not answer"},
        {ENOTCONN, "cannot be used"}, {ESTALE, "cannot be used"}};
    char text[TEXT_BYTES];
    snprintf(me.home, sizeof me.home, "/home/somebody");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        home_words(&me, -cases[i].err, text, sizeof text);
        assert_non_null(strstr(text, cases[i].say));
        assert_non_null(strstr(text, "/home/somebody"));
    }
}

static void logs_are_appended_with_title_and_path(void **state)
{
    char text[LOG_TAIL_BYTES] = "It failed.";
    struct tail_file files[3] = {{.title = "First"}, {.title = "Missing"},
        {.title = "Old", .not_before = time(NULL) + 1000}};
    for (int i = 0; i < 3; i++) {
        snprintf(files[i].path, sizeof files[i].path, "%s/f%d", dir, i);
        int fd = i == 1 ? -1 : open(files[i].path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0) {
            assert_int_equal(write(fd, "the reason\n", 11), 11);
            close(fd);
        }
    }
    tail_append(NULL, files, 3, text, sizeof text);
    assert_non_null(strstr(text, "It failed.\n\nFirst ("));
    assert_non_null(strstr(text, "f0):\nthe reason"));
    assert_null(strstr(text, "Missing"));
    assert_null(strstr(text, "Old"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_worked_out_comes_back),
        cmocka_unit_test(what_hangs_is_given_up),
        cmocka_unit_test(what_is_slow_is_not_what_hangs_and_has_an_end_all_the_same),
        cmocka_unit_test(what_dies_is_told),
        cmocka_unit_test(a_child_holds_nothing_of_the_leaders_and_hands_over_what_it_opened),
        cmocka_unit_test(it_is_wholly_the_user),
        cmocka_unit_test(started_work_tells_its_end),
        cmocka_unit_test(of_each_host_the_newest_five_logs_stay),
        cmocka_unit_test(a_log_is_named_after_its_host_and_begins_with_its_session),
        cmocka_unit_test(a_link_or_a_folder_under_the_logs_name_is_refused),
        cmocka_unit_test(the_administrators_folder_must_be_roots_alone),
        cmocka_unit_test(each_way_a_home_can_be_wrong_has_words_of_its_own),
        cmocka_unit_test(logs_are_appended_with_title_and_path),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
