/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/elsewhere.h"
#include "session/monitor/login_limits.h"
#include "session/monitor/policy.h"
#include "session/monitor/reap.h"
#include "session/monitor/throttle.h"
#include "session/monitor/tokens.h"
#include "session/names.h"

#include <errno.h>
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
#include <unistd.h>

#include <cmocka.h>

static uint64_t clock_ms;
static uint64_t fake_clock(void)
{
    return clock_ms;
}
static const struct throttle_limits ten_a_minute = {10, 60};
static char dir[32], db[64];

static int make_dir(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/oriel-parts-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(db, sizeof db, "%s/monitor.db", dir);
    clock_ms = 1000000;
    return 0;
}

static int remove_dir(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "%s", dir);
    const char *names[] = {"monitor.db", "monitor.db-wal", "monitor.db-shm", "monitor.db.broken", "c1", "2"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(command, sizeof command, "%s/%s", dir, names[i]);
        (void)unlink(command);
    }
    return rmdir(dir);
}

static struct store *open_db(void)
{
    int err = 0;
    struct store *s = store_open(db, &err);
    if (!s)
        fail_msg("store_open: %s", strerror(-err));
    return s;
}

/* ---- names ---- */

static void a_source_is_its_prefix(void **state)
{
    static const struct {
        const char *address, *prefix;
    } cases[] = {
        {"192.0.2.77", "192.0.2.0/24"},
        {"192.0.2.1", "192.0.2.0/24"},
        {"192.0.3.1", "192.0.3.0/24"},
        {"::ffff:192.0.2.9", "192.0.2.0/24"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
        {"2001:db8:1:ffff::1", "2001:db8:1::/48"},
        {"2001:db8:2::1", "2001:db8:2::/48"},
        {"fe80::1%eth0", "fe80::/48"},
        {"::1", "::/48"},
        {"unix", "unix"},
        {"", ""},
    };
    char out[PREFIX_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        name_source_prefix(cases[i].address, out);
        assert_string_equal(out, cases[i].prefix);
    }
}

/* ---- throttle ---- */

static unsigned evaluated(struct throttle *t, const char *user, const char *prefix, unsigned guesses)
{
    unsigned n = 0;
    while (guesses--)
        n += throttle_begin(t, ten_a_minute, user, prefix).wait_s == 0;
    return n;
}

static void a_prefix_gets_its_burst_and_then_its_rate(void **state)
{
    struct throttle *t = throttle_create(NULL, "boot", fake_clock);
    unsigned users = 0;
    char user[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(user, sizeof user, "user%d", i);
        users += evaluated(t, user, "192.0.2.0/24", 1);
    }
    assert_int_equal(users, 10);
    assert_true(throttle_begin(t, ten_a_minute, "x", "192.0.2.0/24").wait_s <= 6);
    for (int second = 0; second < 60; second++) {
        clock_ms += 1000;
        users += evaluated(t, "anybody", "192.0.2.0/24", 5);
    }
    assert_in_range(users, 15, 20);
    assert_int_equal(evaluated(t, "anna", "198.51.100.0/24", 1), 1);
    throttle_destroy(t);
}

static void nobody_can_lock_a_user_out_from_elsewhere(void **state)
{
    struct throttle *t = throttle_create(NULL, "boot", fake_clock);
    char prefix[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(prefix, sizeof prefix, "10.%d.%d.0/24", i / 200, i % 200);
        (void)evaluated(t, "anna", prefix, 20);
    }
    struct throttle_verdict v = throttle_begin(t, ten_a_minute, "anna", "192.0.2.0/24");
    assert_int_equal(v.wait_s, 0);
    assert_int_equal(v.delay_ms, THROTTLE_DELAY_MS);
    v = throttle_begin(t, ten_a_minute, "bert", "192.0.2.0/24");
    assert_int_equal(v.delay_ms, 0);
    throttle_destroy(t);
}

static void a_right_password_costs_nothing(void **state)
{
    struct throttle *t = throttle_create(NULL, "boot", fake_clock);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 1), 1);
        throttle_success(t, ten_a_minute, "anna", "192.0.2.0/24");
    }
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 9), 9);
    throttle_refund(t, ten_a_minute, "anna", "192.0.2.0/24");
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 9), 2);
    throttle_destroy(t);
}

static void a_users_success_does_not_wash_a_prefix_clean(void **state)
{
    struct throttle *t = throttle_create(NULL, "boot", fake_clock);
    assert_int_equal(evaluated(t, "victim", "192.0.2.0/24", 9), 9);
    assert_int_equal(evaluated(t, "attacker", "192.0.2.0/24", 1), 1);
    throttle_success(t, ten_a_minute, "attacker", "192.0.2.0/24");
    assert_int_equal(evaluated(t, "victim", "192.0.2.0/24", 9), 1);
    throttle_destroy(t);
}

static void a_clock_that_jumps_back_gives_nothing(void **state)
{
    struct throttle *t = throttle_create(NULL, "boot", fake_clock);
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 50), 10);
    clock_ms -= 500000;
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 50), 0);
    throttle_destroy(t);
}

static void count_one(void *user, const char *key, double tokens, uint32_t wait_s)
{
    ++*(int *)user;
}

static void the_administrator_can_look_and_clear(void **state)
{
    struct throttle *t = throttle_create(NULL, "boot", fake_clock);
    int n = 0;
    (void)evaluated(t, "anna", "192.0.2.0/24", 50);
    (void)evaluated(t, "anna", "198.51.100.0/24", 2);
    throttle_each(t, ten_a_minute, count_one, &n);
    assert_int_equal(n, 5);
    assert_int_equal(throttle_clear(t, "no such key"), 0);
    assert_int_equal(throttle_clear(t, "192.0.2.0/24"), 1);
    assert_int_equal(throttle_clear(t, "anna@192.0.2.0/24"), 1);
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 50), 10);
    assert_true(throttle_clear(t, "") > 0);
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 50), 10);
    throttle_destroy(t);
}

static void the_throttle_survives_a_restart_and_a_reboot(void **state)
{
    struct store *s = open_db();
    struct throttle *t = throttle_create(s, "boot-1", fake_clock);
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 50), 10);
    throttle_destroy(t);
    store_close(s);
    s = open_db();
    t = throttle_create(s, "boot-1", fake_clock);
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 50), 0);
    clock_ms += 13000;
    assert_int_equal(evaluated(t, "other", "192.0.2.0/24", 50), 2);
    throttle_destroy(t);
    store_close(s);
    clock_ms = 5; /* the clock of another boot */
    s = open_db();
    t = throttle_create(s, "boot-2", fake_clock);
    assert_int_equal(evaluated(t, "anna", "192.0.2.0/24", 50), 0);
    throttle_destroy(t);
    store_close(s);
}

static void endless_names_do_not_fill_the_memory(void **state)
{
    struct throttle *t = throttle_create(NULL, "boot", fake_clock);
    static const struct throttle_limits many = {1000, 3600};
    char user[32], prefix[32];
    for (int i = 0; i < 80000; i++) {
        snprintf(user, sizeof user, "u%d", i);
        snprintf(prefix, sizeof prefix, "10.%d.%d.0/24", i / 250 % 250, i % 250);
        assert_int_equal(throttle_begin(t, many, user, prefix).wait_s, 0);
        clock_ms += 20;
    }
    int n = 0;
    throttle_each(t, many, count_one, &n);
    assert_true(n <= THROTTLE_BUCKETS_MAX);
    throttle_destroy(t);
}

/* ---- store ---- */

static void a_session_number_is_never_given_twice(void **state)
{
    struct store *s = open_db();
    assert_int_equal(store_next_session(s), 1);
    assert_int_equal(store_next_session(s), 2);
    store_close(s);
    s = open_db();
    assert_int_equal(store_next_session(s), 3);
    assert_int_equal(store_session_seen(s, 40), 0);
    assert_int_equal(store_session_seen(s, 7), 0);
    assert_int_equal(store_next_session(s), 41);
    store_close(s);
    struct stat st;
    assert_int_equal(stat(db, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_broken_store_is_set_aside(void **state)
{
    FILE *f = fopen(db, "w");
    assert_non_null(f);
    for (int i = 0; i < 4096; i++)
        fputs("this is no database ", f);
    fclose(f);
    struct store *s = open_db();
    assert_int_equal(store_next_session(s), 1);
    store_close(s);
    char aside[80];
    snprintf(aside, sizeof aside, "%s.broken", db);
    assert_int_equal(access(aside, F_OK), 0);
}

/* ---- cookies ---- */

static void secret_of(const struct peer_cookie *c, uint8_t out[COOKIE_SECRET_BYTES])
{
    struct wr w;
    uint8_t verifier[16];
    assert_int_equal(cookie_verifier(c->random, verifier), 0);
    wr_init(&w, out, COOKIE_SECRET_BYTES);
    wr_u32(&w, c->logon_id);
    wr_bytes(&w, verifier, sizeof verifier);
    assert_false(w.bad);
}

static void the_verifier_is_hmac_md5_over_zeros(void **state)
{
    /* python3 -c 'import hmac; print(hmac.new(bytes(range(16)), bytes(32), "md5").hexdigest())' */
    static const uint8_t want[16] = {0xb6, 0x39, 0xc8, 0x73, 0x16, 0x38, 0x61, 0x8b, 0x70, 0x79, 0x72, 0xaa, 0x6e, 0x96,
        0xcf, 0x90};
    uint8_t key[16], got[16];
    for (uint8_t i = 0; i < 16; i++)
        key[i] = i;
    assert_int_equal(cookie_verifier(key, got), 0);
    assert_memory_equal(got, want, 16);
}

static void a_cookie_works_once(void **state)
{
    struct store *s = open_db();
    struct peer_cookie c;
    struct store_cookie got;
    uint8_t secret[COOKIE_SECRET_BYTES];
    assert_int_equal(cookie_mint(s, 7, "anna", "boot", 1000, &c), 0);
    secret_of(&c, secret);
    store_close(s); /* a restart of the monitor does not void it */
    s = open_db();
    assert_int_equal(cookie_redeem(s, secret, sizeof secret, "boot", 2000, &got), 0);
    assert_int_equal(got.session, 7);
    assert_string_equal(got.user, "anna");
    assert_int_equal(cookie_redeem(s, secret, sizeof secret, "boot", 2000, &got), -EACCES);
    store_close(s);
}

static void a_cache_has_one_salt_for_a_user_of_a_host(void **state)
{
    uint8_t anna[CACHE_SALT_LENGTH], bert[CACHE_SALT_LENGTH], again[CACHE_SALT_LENGTH];
    struct store *s = open_db();
    assert_int_equal(cache_salt(s, 1000, anna), 0);
    assert_int_equal(cache_salt(s, 1001, bert), 0);
    assert_memory_not_equal(anna, bert, sizeof anna);
    store_close(s);
    s = open_db();
    assert_int_equal(cache_salt(s, 1000, again), 0);
    assert_memory_equal(again, anna, sizeof anna);
    store_close(s);
    assert_int_equal(unlink(db), 0); /* another host */
    s = open_db();
    assert_int_equal(cache_salt(s, 1000, again), 0);
    assert_memory_not_equal(again, anna, sizeof anna);
    store_close(s);
}

static void a_cookie_is_refused_when(void **state)
{
    struct store *s = open_db();
    struct peer_cookie c, later;
    struct store_cookie got;
    uint8_t secret[COOKIE_SECRET_BYTES + 1];
    assert_int_equal(cookie_mint(s, 7, "anna", "boot", 0, &c), 0); /* its verifier is wrong … */
    secret_of(&c, secret);
    secret[10] ^= 1;
    assert_int_equal(cookie_redeem(s, secret, COOKIE_SECRET_BYTES, "boot", 0, &got), -EACCES);
    secret[10] ^= 1;
    /* … and that was its one use */
    assert_int_equal(cookie_redeem(s, secret, COOKIE_SECRET_BYTES, "boot", 0, &got), -EACCES);
    assert_int_equal(cookie_mint(s, 7, "anna", "boot", 0, &c), 0);
    secret_of(&c, secret);
    assert_int_equal(cookie_redeem(s, secret, COOKIE_SECRET_BYTES - 1, "boot", 0, &got), -EACCES); /* too short */
    assert_int_equal(cookie_redeem(s, secret, COOKIE_SECRET_BYTES + 1, "boot", 0, &got), -EACCES); /* too long */
    assert_int_equal(cookie_redeem(s, NULL, 0, "boot", 0, &got), -EACCES);
    assert_int_equal(cookie_redeem(s, secret, COOKIE_SECRET_BYTES, "other boot", 0, &got), -EACCES);
    assert_int_equal(cookie_mint(s, 7, "anna", "boot", 0, &c), 0);
    secret_of(&c, secret);
    /* expired */
    assert_int_equal(cookie_redeem(s, secret, COOKIE_SECRET_BYTES, "boot", COOKIE_LIFE_MS, &got), -EACCES);
    assert_int_equal(cookie_mint(s, 7, "anna", "boot", 0, &c), 0);
    assert_int_equal(cookie_mint(s, 7, "anna", "boot", 0, &later), 0); /* a later one voids it */
    secret_of(&c, secret);
    assert_int_equal(cookie_redeem(s, secret, COOKIE_SECRET_BYTES, "boot", 0, &got), -EACCES);
    assert_int_equal(store_cookie_delete_session(s, 7), 0); /* the session ended */
    secret_of(&later, secret);
    assert_int_equal(cookie_redeem(s, secret, COOKIE_SECRET_BYTES, "boot", 0, &got), -EACCES);
    store_close(s);
}

static void the_store_does_not_hold_the_secret(void **state)
{
    struct store *s = open_db();
    struct peer_cookie c;
    uint8_t secret[COOKIE_SECRET_BYTES];
    assert_int_equal(cookie_mint(s, 7, "anna", "boot", 0, &c), 0);
    secret_of(&c, secret);
    store_close(s);
    static char bytes[1 << 20];
    FILE *f = fopen(db, "r");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_non_null(memmem(bytes, n, "anna", 4));
    assert_null(memmem(bytes, n, c.random, 16));
    assert_null(memmem(bytes, n, secret + 4, 16));
}

/* ---- policy ---- */

static void write_session(const char *name, const char *text)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void a_graphical_session_elsewhere_is_seen(void **state)
{
    assert_false(elsewhere_graphical("/nonexistent", 1000, "oriel"));
    write_session("2", "UID=1000\nUSER=anna\nACTIVE=1\nSTATE=active\nTYPE=tty\nCLASS=user\nSERVICE=sshd\n");
    assert_false(elsewhere_graphical(dir, 1000, "oriel"));
    write_session("c1", "UID=1000\nUSER=anna\nSTATE=online\nTYPE=x11\nCLASS=user\nSERVICE=oriel\n");
    assert_false(elsewhere_graphical(dir, 1000, "oriel")); /* ours */
    write_session("c1", "UID=1000\nUSER=anna\nSTATE=closing\nTYPE=x11\nCLASS=user\nSERVICE=gdm-password\n");
    assert_false(elsewhere_graphical(dir, 1000, "oriel"));
    write_session("c1", "UID=1000\nSTATE=online\nTYPE=x11\nCLASS=greeter\nSERVICE=gdm-launch-environment\n");
    assert_false(elsewhere_graphical(dir, 1000, "oriel"));
    write_session("c1", "UID=1000\nUSER=anna\nSTATE=online\nTYPE=wayland\nCLASS=user\nSERVICE=gdm-password\n");
    assert_true(elsewhere_graphical(dir, 1000, "oriel"));
    assert_false(elsewhere_graphical(dir, 1001, "oriel"));
}

/* ---- clearing up ---- */

static pid_t sleeper(const char *key)
{
    char variable[128];
    int p[2];
    assert_int_equal(pipe(p), 0);
    snprintf(variable, sizeof variable, "ORIEL_SESSION_KEY=%s", key);
    pid_t pid = fork();
    if (pid == 0) {
        char *const argv[] = {"sleep", "60", NULL}, *const env[] = {"A=1", variable, NULL};
        dup2(p[1], 1);
        close(p[0]);
        close(p[1]);
        execve("/bin/sleep", argv, env);
        _exit(1);
    }
    close(p[1]);
    char path[64], buf[256];
    for (int i = 0; i < 500; i++) { /* until the exec happened */
        snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
        FILE *f = fopen(path, "r");
        size_t n = f ? fread(buf, 1, sizeof buf, f) : 0;
        if (f)
            fclose(f);
        if (memmem(buf, n, variable, strlen(variable)))
            break;
        usleep(10000);
    }
    close(p[0]);
    return pid;
}

static void only_the_sessions_own_processes_are_killed(void **state)
{
    pid_t mine = sleeper("11111111111111111111111111111111"), other = sleeper("22222222222222222222222222222222");
    pid_t prefix = sleeper("111111111111111111111111111111112");
    int status;
    assert_int_equal(reap_round("", geteuid()), 0);
    assert_int_equal(reap_round("11111111111111111111111111111111", geteuid() + 1), 0);
    assert_int_equal(reap_round("11111111111111111111111111111111", geteuid()), 1);
    assert_int_equal(waitpid(mine, &status, 0), mine);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(reap_round("11111111111111111111111111111111", geteuid()), 0);
    assert_int_equal(waitpid(other, &status, WNOHANG), 0);
    assert_int_equal(waitpid(prefix, &status, WNOHANG), 0);
    kill(other, SIGKILL);
    kill(prefix, SIGKILL);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(waitpid(prefix, &status, 0), prefix);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
static void limits_are_read_as_systemctl_shows_them(void **state)
{
    struct limits l = {0};
    assert_true(limits_take_line(&l, "DefaultLimitNOFILE=524288"));
    assert_true(limits_take_line(&l, "DefaultLimitNOFILESoft=1024"));
    assert_int_equal(l.v[RLIMIT_NOFILE].rlim_cur, 1024);
    assert_int_equal(l.v[RLIMIT_NOFILE].rlim_max, 524288);
    assert_true(limits_take_line(&l, "DefaultLimitCORE=infinity"));
    assert_true(l.v[RLIMIT_CORE].rlim_max == RLIM_INFINITY);
    assert_true(limits_take_line(&l, "DefaultLimitRTTIME=7"));
    assert_int_equal(l.v[RLIMIT_RTTIME].rlim_max, 7);
    assert_true(limits_take_line(&l, "DefaultLimitRTPRIOSoft=3"));
    assert_int_equal(l.v[RLIMIT_RTPRIO].rlim_cur, 3);
    static const char *const others[] = {"DefaultLimitNOFILE", "DefaultLimitNOFILE=", "DefaultLimitNOFILE=-1",
        "DefaultLimitNOFILE=1x", "DefaultLimitNOFILEHard=1", "DefaultLimitCPUS=1", "LimitNOFILE=1",
        "DefaultLimitNOFILE=99999999999999999999", "DefaultLimitINTERVALUSec=10s", "Version=252", ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(limits_take_line(&l, others[i]));
    assert_int_equal(l.v[RLIMIT_NOFILE].rlim_max, 524288);
}

static void a_login_has_no_more_descriptors_than_any_other(void **state)
{
    struct limits l;
    limits_find(&l);
    if (access("/run/systemd/system", F_OK) < 0)
        assert_true(l.v[RLIMIT_NOFILE].rlim_cur <= LIMITS_SOFT_FILES);
    for (int i = 0; i < RLIM_NLIMITS; i++)
        assert_true(l.v[i].rlim_cur <= l.v[i].rlim_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_source_is_its_prefix),
        T(a_prefix_gets_its_burst_and_then_its_rate),
        T(nobody_can_lock_a_user_out_from_elsewhere),
        T(a_right_password_costs_nothing),
        T(a_users_success_does_not_wash_a_prefix_clean),
        T(a_clock_that_jumps_back_gives_nothing),
        T(the_administrator_can_look_and_clear),
        T(the_throttle_survives_a_restart_and_a_reboot),
        T(endless_names_do_not_fill_the_memory),
        T(a_session_number_is_never_given_twice),
        T(a_broken_store_is_set_aside),
        T(the_verifier_is_hmac_md5_over_zeros),
        T(a_cookie_works_once),
        T(a_cache_has_one_salt_for_a_user_of_a_host),
        T(a_cookie_is_refused_when),
        T(the_store_does_not_hold_the_secret),
        T(a_graphical_session_elsewhere_is_seen),
        T(only_the_sessions_own_processes_are_killed),
        T(limits_are_read_as_systemctl_shows_them),
        T(a_login_has_no_more_descriptors_than_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
