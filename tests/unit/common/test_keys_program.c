/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-keys as it is started: its account, its sandbox, who may connect, and what a reload does. */
#include "common/keys/pair.h"
#include "common/keys_client.h"
#include "common/rundir.h"
#include "common/sockets.h"
#include "common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 8000

static char top[] = "/tmp/oriel-keysd-XXXXXX";
static char conf[128], sock[128], log_path[128];
static struct config config;
static pid_t daemon_pid;
static uid_t keys_uid, server_uid;
static gid_t keys_gid, server_gid;

static void write_conf(const char *more)
{
    FILE *f = fopen(conf, "w");
    assert_non_null(f);
    fprintf(f, "[paths]\nrun_dir = %s/run\nstate_dir = %s/state\nuser_server = daemon\nuser_keys = nobody\n%s", top,
        top, more);
    fclose(f);
    assert_int_equal(chmod(conf, 0644), 0);
}

static bool log_has(const char *text)
{
    static char buf[65536];
    int fd = open(log_path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof buf - 1);
    buf[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
    return strstr(buf, text) != NULL;
}

static void wait_log(const char *text)
{
    for (int i = 0; i < WAIT_MS / 10; i++, poll(NULL, 0, 10))
        if (log_has(text))
            return;
    fail_msg("the log never says \"%s\"", text);
}

static void start(void)
{
    const char *argv[] = {"oriel-keys", "--config", conf, NULL};
    int keep = dup(2), out = open(log_path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0666);
    dup2(out, 2);
    struct spawn s = {.path = getenv("ORIEL_KEYS"),
        .argv = argv,
        .uid = keys_uid,
        .gid = keys_gid,
        .death_signal = SIGKILL};
    daemon_pid = spawn_program(&s);
    dup2(keep, 2);
    close(keep), close(out);
    assert_true(daemon_pid > 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int set_up(void **state)
{
    char why[512];
    struct config_error err;
    daemon_pid = 0;
    if (geteuid() != 0)
        return 0;
    snprintf(top, sizeof top, "/tmp/oriel-keysd-XXXXXX");
    if (!mkdtemp(top) || chmod(top, 0755) < 0)
        return -1;
    snprintf(conf, sizeof conf, "%s/oriel.conf", top);
    snprintf(sock, sizeof sock, "%s/run/keys/keys.sock", top);
    snprintf(log_path, sizeof log_path, "%s/log", top);
    write_conf("");
    if (config_load(&config, conf, &err) < 0 || rundir_prepare(&config, why, sizeof why) < 0)
        return -1;
    return rundir_account("nobody", &keys_uid, &keys_gid) | rundir_account("daemon", &server_uid, &server_gid);
}

static int tear_down(void **state)
{
    if (geteuid() != 0)
        return 0;
    if (daemon_pid > 0) {
        kill(daemon_pid, SIGKILL);
        waitpid(daemon_pid, NULL, 0);
    }
    return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* As `uid`: connect and fetch the chain. Exit status 0: got it. The leaf's fingerprint's first byte travels in a pipe.
 */
static int fetch_as(uid_t uid, gid_t gid, uint8_t digest[32])
{
    int pipefd[2], status;
    assert_int_equal(pipe(pipefd), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int err;
        unsigned n = 32;
        uint8_t md[EVP_MAX_MD_SIZE];
        if (setgid(gid) < 0 || setuid(uid) < 0)
            _exit(9);
        int fd = sockets_connect(sock);
        struct keys_client *k = fd < 0 ? NULL : keys_client_create(fd, 3000, &err);
        if (!k || X509_digest(keys_client_certificate(k), EVP_sha256(), md, &n) != 1 || write(pipefd[1], md, 32) != 32)
            _exit(1);
        _exit(0);
    }
    close(pipefd[1]);
    if (read(pipefd[0], digest, 32) != 32)
        memset(digest, 0, 32);
    close(pipefd[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void only_the_server_account_gets_anything(void **state)
{
    uint8_t d[32];
    if (geteuid() != 0)
        skip();
    start();
    wait_log("] info session=- ready");
    assert_int_equal(fetch_as(server_uid, server_gid, d), 0);
    assert_int_not_equal(fetch_as(0, 0, d), 0);
    wait_log("link refused uid=0");
    assert_int_not_equal(fetch_as(12345, 12345, d), 0); /* the folder stops it already */
    assert_false(log_has("uid=12345"));
    assert_int_not_equal(fetch_as(12345, server_gid, d), 0);
    wait_log("link refused uid=12345");
}

static void it_is_shut_in_and_its_memory_is_its_own(void **state)
{
    char path[64], text[4096];
    struct stat st;
    if (geteuid() != 0)
        skip();
    start();
    wait_log("] info session=- ready");
    snprintf(path, sizeof path, "/proc/%d/status", (int)daemon_pid);
    FILE *f = fopen(path, "r");
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    assert_non_null(strstr(text, "Seccomp:\t2"));
    assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
    /* Not dumpable: its /proc entries belong to root, another process of the same account cannot read its memory. */
    snprintf(path, sizeof path, "/proc/%d/mem", (int)daemon_pid);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_uid, 0);
    snprintf(path, sizeof path, "%s/state/tls/key.pem", top);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, keys_uid);
    kill(daemon_pid, SIGTERM);
    int status;
    waitpid(daemon_pid, &status, 0);
    daemon_pid = 0;
    assert_int_equal(status, 0);
}

static void the_certificate_stays_the_same_over_restarts(void **state)
{
    uint8_t a[32], b[32];
    if (geteuid() != 0)
        skip();
    start();
    wait_log("ready");
    assert_int_equal(fetch_as(server_uid, server_gid, a), 0);
    kill(daemon_pid, SIGKILL);
    waitpid(daemon_pid, NULL, 0);
    start(); /* the socket of the dead one is in the way */
    wait_log("ready");
    assert_int_equal(fetch_as(server_uid, server_gid, b), 0);
    assert_memory_equal(a, b, 32);
}

static void a_reload_takes_a_good_pair_and_keeps_the_old_one_for_a_bad(void **state)
{
    char cert[128], key[128], why[512], more[512];
    uint8_t old[32], now[32];
    if (geteuid() != 0)
        skip();
    start();
    wait_log("ready");
    assert_int_equal(fetch_as(server_uid, server_gid, old), 0);
    snprintf(cert, sizeof cert, "%s/state/tls/new.pem", top);
    snprintf(key, sizeof key, "%s/state/tls/new.key", top);
    snprintf(more, sizeof more, "[tls]\ncertificate = %s\nkey = %s\n", cert, key);
    write_conf(more);
    kill(daemon_pid, SIGHUP); /* the files are not there yet */
    wait_log("certificate kept");
    assert_int_equal(fetch_as(server_uid, server_gid, now), 0);
    assert_memory_equal(old, now, 32);
    assert_int_equal(pair_generate(cert, key, why, sizeof why), 0);
    assert_int_equal(chown(key, keys_uid, keys_gid), 0);
    kill(daemon_pid, SIGHUP);
    wait_log("reloaded");
    assert_int_equal(fetch_as(server_uid, server_gid, now), 0);
    assert_memory_not_equal(old, now, 32);
    write_conf("[tls]\nminimum = 9\n");
    kill(daemon_pid, SIGHUP);
    wait_log("configuration kept");
}

/* conf.d is read from inside the sandbox, also where it was made later. */
static void a_reload_reads_what_stands_beside_the_file(void **state)
{
    char name[160];
    if (geteuid() != 0)
        skip();
    start();
    wait_log("ready");
    snprintf(name, sizeof name, "%s/conf.d", top);
    assert_int_equal(mkdir(name, 0755), 0);
    snprintf(name, sizeof name, "%s/conf.d/a.conf", top);
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs("[log]\nlevel = loud\n", f);
    assert_int_equal(fclose(f), 0);
    kill(daemon_pid, SIGHUP);
    wait_log("configuration kept file=");
    assert_true(log_has("conf.d/a.conf line=2 reason=\"log.level cannot be"));
    assert_int_equal(unlink(name), 0);
    kill(daemon_pid, SIGHUP);
    wait_log("reloaded");
}

/* As start(), on a kernel without Landlock: a filter answers its first call. */
static void start_without_landlock(void)
{
    daemon_pid = fork();
    assert_true(daemon_pid >= 0);
    if (daemon_pid > 0)
        return;
    int out = open(log_path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0666);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (dup2(out, 2) < 0 || !filter ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) < 0 ||
        seccomp_load(filter) < 0 || setgroups(0, NULL) < 0 || setgid(keys_gid) < 0 || setuid(keys_uid) < 0)
        _exit(126);
    execl(getenv("ORIEL_KEYS"), "oriel-keys", "--config", conf, NULL);
    _exit(127);
}

/* option: server.require_empty_root */
static void without_any_confinement_it_starts_only_where_that_is_allowed(void **state)
{
    int status;
    if (geteuid() != 0)
        skip();
    start_without_landlock();
    waitpid(daemon_pid, &status, 0);
    daemon_pid = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_true(log_has("neither an empty root nor Landlock is to be had (server.require_empty_root)"));
    write_conf("[server]\nrequire_empty_root = false\n");
    start_without_landlock();
    wait_log("] info session=- ready");
}

static void a_broken_certificate_at_the_start_is_named(void **state)
{
    int status;
    if (geteuid() != 0)
        skip();
    write_conf("[tls]\ncertificate = /etc/passwd\nkey = /etc/shadow\n");
    start();
    waitpid(daemon_pid, &status, 0);
    daemon_pid = 0;
    assert_int_equal(WEXITSTATUS(status), 1);
    wait_log("certificate not loaded reason=\"/etc/passwd: no certificate in PEM\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_server_account_gets_anything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_shut_in_and_its_memory_is_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_certificate_stays_the_same_over_restarts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_takes_a_good_pair_and_keeps_the_old_one_for_a_bad, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_reads_what_stands_beside_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_any_confinement_it_starts_only_where_that_is_allowed, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_broken_certificate_at_the_start_is_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
