/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rig.h"

#include "common/sockets.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void nap(void)
{
    struct timespec t = {0, 10 * 1000 * 1000};
    nanosleep(&t, NULL);
}

static int connect_to(struct rig *r, const char *name)
{
    char path[128];
    int64_t until = now_ms() + RIG_WAIT_MS;
    snprintf(path, sizeof path, "%s/run/%s", r->dir, name);
    for (;;) {
        int fd = sockets_connect(path);
        if (fd >= 0)
            return fd;
        if (now_ms() > until)
            fail_msg("cannot connect to %s: %s", path, strerror(-fd));
        nap();
    }
}

void rig_write_config(struct rig *r, const char *options)
{
    char path[96];
    const struct passwd *pw = getpwuid(geteuid());
    assert_non_null(pw);
    FILE *f = fopen(r->conf, "w");
    assert_non_null(f);
    fprintf(f,
        "[paths]\nrun_dir = %s/run\nstate_dir = %s/state\nlibexec_dir = %s\nuser_server = %s\nuser_logon = %s\n"
        "[login]\npam_dir = %s\n%s",
        r->dir, r->dir, getenv("ORIEL_FAKES"), pw->pw_name, pw->pw_name, r->dir, options);
    fclose(f);
    snprintf(path, sizeof path, "%s/oriel", r->dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("auth required a.so\naccount required a.so\npassword required a.so\nsession required a.so\n", f);
    fclose(f);
}

static void start_monitor(struct rig *r)
{
    struct server_hello h = {.version = "test", .freerdp = "3.10.3"};
    fflush(NULL);
    r->monitor = fork();
    assert_true(r->monitor >= 0);
    if (r->monitor == 0) {
        execl(getenv("ORIEL_MONITOR"), "oriel-monitor", "--config", r->conf, NULL);
        _exit(127);
    }
    close(connect_to(r, "control.sock")); /* the last one it opens */
    r->server = connect_to(r, "monitor.sock");
    assert_int_equal(wire_send(r->server, &server_hello_def, &h, NULL), 0);
}

void rig_start(struct rig *r, const char *options)
{
    char path[128];
    *r = (struct rig){.dir = "/tmp/oriel-rig-XXXXXX"};
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->conf, sizeof r->conf, "%s/oriel.conf", r->dir);
    snprintf(path, sizeof path, "%s/run", r->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/state", r->dir);
    assert_int_equal(mkdir(path, 0755), 0);
    rig_write_config(r, options);
    start_monitor(r);
}

void rig_restart(struct rig *r)
{
    if (r->monitor) {
        kill(r->monitor, SIGKILL);
        assert_int_equal(waitpid(r->monitor, NULL, 0), r->monitor);
    }
    close(r->server);
    start_monitor(r);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

void rig_stop(struct rig *r)
{
    static struct rig_answer a, b;
    struct control_sessions q = {0};
    if (rig_control(r, &control_sessions_def, &q, &a) == 0) {
        for (size_t i = 0; i < a.nrows; i++) {
            struct control_logoff off = {.session = a.rows[i].session};
            (void)rig_control(r, &control_logoff_def, &off, &b);
        }
        for (size_t i = 0; i < a.nrows; i++)
            (void)rig_wait_session(r, a.rows[i].session, 0, 0);
    }
    int status = 0;
    kill(r->monitor, SIGTERM);
    assert_int_equal(waitpid(r->monitor, &status, 0), r->monitor);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(r->server);
    nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const void *rig_expect(int link, const struct wire_proto *proto, const struct wire_def *want, int *fd)
{
    static _Alignas(16) unsigned char buf[128 * 1024];
    const struct wire_def *def = NULL;
    int fds[WIRE_FDS_MAX];
    assert_true(wire_proto_max_size(proto) <= sizeof buf);
    int r = wire_recv(link, proto, &def, buf, fds, RIG_WAIT_MS);
    if (r < 0)
        fail_msg("%s expected, got: %s", want->name, strerror(-r));
    if (def != want)
        fail_msg("%s expected, got %s", want->name, def->name);
    if (def->nfds && fd)
        *fd = fds[0];
    else if (def->nfds)
        close(fds[0]);
    return buf;
}

void rig_expect_closed(int link)
{
    char buf[65536];
    int64_t until = now_ms() + RIG_WAIT_MS;
    struct pollfd p = {link, POLLIN, 0};
    while (now_ms() < until) {
        if (poll(&p, 1, 100) > 0 && read(link, buf, sizeof buf) <= 0)
            return;
    }
    fail_msg("the link is still open");
}

void rig_expect_kill(struct rig *r, uint64_t peer)
{
    const struct server_peer_kill *k = rig_expect(r->server, &monitor_to_server, &server_peer_kill_def, NULL);
    assert_int_equal(k->peer, peer);
}

const char *rig_expect_text(int display, const char *want)
{
    static char text[16384];
    struct pollfd p = {display, POLLIN, 0};
    assert_int_equal(poll(&p, 1, RIG_WAIT_MS), 1);
    ssize_t n = read(display, text, sizeof text - 1);
    assert_true(n >= 0);
    text[n] = 0;
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("\"%s…\" expected, got \"%s\"", want, text);
    return text;
}

void rig_type(int display, const char *text)
{
    assert_int_equal(write(display, text, strlen(text)), strlen(text));
}

struct rig_peer rig_reconnect(struct rig *r, uint64_t id, const char *address)
{
    struct rig_peer p = {.id = id, .fd = -1};
    struct server_peer_new n = {.peer = id, .pid = 1, .port = 4000};
    struct peer_hello h = {.width = 1024, .height = 768, .nmonitors = 1, .keyboard_layout = 0x409};
    snprintf(h.client_name, sizeof h.client_name, "%s", r->client_name ? r->client_name : "thin");
    snprintf(n.address, sizeof n.address, "%s", address);
    assert_int_equal(wire_send(r->server, &server_peer_new_def, &n, NULL), 0);
    const struct server_peer_link *l = rig_expect(r->server, &monitor_to_server, &server_peer_link_def, &p.fd);
    assert_int_equal(l->peer, id);
    assert_int_equal(wire_send(p.fd, &peer_hello_def, &h, NULL), 0);
    return p;
}

struct rig_peer rig_connect(struct rig *r, const char *address)
{
    return rig_reconnect(r, ++r->next_peer, address);
}

void rig_auth(struct rig_peer *p, enum auth_method method, const char *user, const void *secret, size_t nsecret)
{
    struct peer_auth a = {.method = (uint8_t)method, .nsecret = (uint32_t)nsecret};
    snprintf(a.user, sizeof a.user, "%s", user);
    memcpy(a.secret, secret, nsecret);
    assert_int_equal(wire_send(p->fd, &peer_auth_def, &a, NULL), 0);
}

void rig_auth_domain(struct rig_peer *p, const char *domain, const char *user, const char *password)
{
    struct peer_auth a = {.method = AUTH_PASSWORD, .nsecret = (uint32_t)strlen(password)};
    snprintf(a.user, sizeof a.user, "%s", user);
    snprintf(a.domain, sizeof a.domain, "%s", domain);
    memcpy(a.secret, password, a.nsecret);
    assert_int_equal(wire_send(p->fd, &peer_auth_def, &a, NULL), 0);
}

int rig_login(struct rig *r, struct rig_peer *p, const char *user, enum peer_verdict_kind kind, struct peer_verdict *v,
    struct peer_cookie *c)
{
    int display = -1;
    rig_auth(p, AUTH_PASSWORD, user, "right", 5);
    const struct peer_verdict *got = rig_peer_expect(p, peer_verdict, NULL);
    assert_int_equal(got->verdict, kind);
    assert_int_equal(got->ntoken, TOKEN_BYTES);
    if (v)
        *v = *got;
    const struct peer_display *d = rig_peer_expect(p, peer_display, &display);
    assert_int_equal(d->kind, DISPLAY_SESSION);
    const struct peer_cookie *k = rig_peer_expect(p, peer_cookie, NULL);
    if (c)
        *c = *k;
    rig_expect_text(display, "session ");
    return display;
}

void rig_expect_refused(struct rig_peer *p, enum refuse_reason reason)
{
    const struct peer_verdict *v = rig_peer_expect(p, peer_verdict, NULL);
    assert_int_equal(v->verdict, VERDICT_REFUSE);
    assert_int_equal(v->reason, reason);
    assert_int_equal(v->session, 0);
    assert_int_equal(v->ntoken, 0);
}

void rig_expect_end(struct rig_peer *p, enum end_cause cause)
{
    const struct peer_end *e = rig_peer_expect(p, peer_end, NULL);
    assert_int_equal(e->cause, cause);
}

static void append(struct rig_answer *a, const char *text)
{
    size_t at = strlen(a->text);
    snprintf(a->text + at, sizeof a->text - at, "%s", text);
}

int rig_control(struct rig *r, const struct wire_def *def, const void *msg, struct rig_answer *a)
{
    static _Alignas(16) unsigned char buf[65536];
    int fd = connect_to(r, "control.sock");
    *a = (struct rig_answer){.code = -1};
    assert_int_equal(wire_send(fd, def, msg, NULL), 0);
    for (;;) {
        const struct wire_def *got;
        int fds[WIRE_FDS_MAX];
        if (wire_recv(fd, &monitor_to_control, &got, buf, fds, RIG_WAIT_MS) < 0)
            fail_msg("no answer to %s", def->name);
        if (got == &control_done_def)
            break;
        if (got == &control_session_def && a->nrows < 16)
            memcpy(&a->rows[a->nrows++], buf, sizeof a->rows[0]);
        else if (got == &control_text_def)
            append(a, ((struct control_text *)buf)->text);
    }
    const struct control_done *d = (const struct control_done *)buf;
    a->code = d->code;
    append(a, d->text);
    close(fd);
    return a->code;
}

const struct control_session *rig_wait_session(struct rig *r, uint64_t id, enum session_state state, uint32_t nclients)
{
    static struct rig_answer a;
    struct control_sessions q = {0};
    int64_t until = now_ms() + RIG_WAIT_MS;
    while (now_ms() < until) {
        const struct control_session *row = NULL;
        assert_int_equal(rig_control(r, &control_sessions_def, &q, &a), 0);
        for (size_t i = 0; i < a.nrows; i++)
            if (a.rows[i].session == id)
                row = &a.rows[i];
        if (!state && !row)
            return NULL;
        if (row && state && row->state == state && row->nclients == nclients)
            return row;
        nap();
    }
    fail_msg("session %llu did not reach state %d", (unsigned long long)id, state);
    return NULL;
}
