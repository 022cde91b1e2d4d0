/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/listen/self_check.h"

#include "common/clock.h"
#include "common/keys/pair.h"
#include "common/keys/serve.h"
#include "common/link.h"
#include "common/log.h"
#include "common/process.h"
#include "common/spawn.h"
#include "server/listen/daemon.h"
#include "session/proto/server.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* For all of it; a tenth of a second is usual, a sanitizer on a busy machine takes seconds */
#define PATIENCE_SECONDS 20
#define SIGNS_PER_MINUTE 600 /* one handshake signs once */

struct check {
    const struct daemon *d;
    int64_t end;      /* clock_s() of the deadline */
    pid_t peer, keys; /* 0 none */
    int link;         /* our end of its link, which nobody reads */
    int client;       /* our end of its client's stream */
    int output;       /* what it writes to standard error */
    char said[8192];
    size_t nsaid;
    unsigned threads;
};

/* ---- what stands beside a peer ---- */

/* A child that signs for the one certificate of this check until it is killed. Returns the peer's end of the link or
 * negative errno. */
static int start_keys(struct check *c)
{
    char why[512];
    int sv[2];
    struct pair *pair = pair_temporary(why, sizeof why);
    int r = pair ? link_pair(sv) : -ENOMEM;
    if (r < 0) {
        pair_unref(pair);
        return r;
    }
    c->keys = fork();
    if (c->keys == 0) {
        struct event_base *base = event_base_new();
        struct keys_server *s = base ? keys_server_create(base, pair, SIGNS_PER_MINUTE, 1) : NULL;
        close(sv[1]);
        if (s && keys_server_add(s, sv[0]) == 0)
            (void)event_base_dispatch(base);
        _exit(1);
    }
    pair_unref(pair);
    close(sv[0]);
    if (c->keys > 0)
        return sv[1];
    c->keys = 0;
    close(sv[1]);
    return -EAGAIN;
}

/* As connection.c starts one, with the last of the uids. */
static pid_t spawn_peer(const struct check *c, const int *fds, size_t nfds)
{
    const char *const argv[] = {"oriel-peer", PEER_CHECK_ARGUMENT, PEER_FRONT_END_RDP, NULL};
    uid_t uid = (uid_t)(c->d->config.server_peer_uid_first + c->d->uid_slots - 1);
    struct spawn s = {.path = c->d->peer_program,
        .argv = argv,
        .fds = fds,
        .nfds = nfds,
        .uid = uid,
        .gid = (gid_t)uid,
        .death_signal = SIGKILL,
        .ambient_caps = 1ull << CAP_SYS_CHROOT};
    return spawn_program(&s);
}

/* With its standard error going to us. */
static pid_t spawn_listened_to(struct check *c, const int *fds, size_t nfds)
{
    int sink[2];
    int ours = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (ours < 0 || pipe2(sink, O_CLOEXEC) < 0)
        return -errno;
    (void)dup2(sink[1], STDERR_FILENO);
    pid_t pid = spawn_peer(c, fds, nfds);
    (void)dup2(ours, STDERR_FILENO);
    close(ours);
    close(sink[1]);
    c->output = sink[0];
    return pid;
}

static int talkative_config(const struct daemon *d)
{
    struct config *copy = malloc(sizeof *copy);
    if (!copy)
        return -ENOMEM;
    *copy = d->config;
    copy->log_level = LOG_LEVEL_DEBUG - 1;
    int fd = config_to_memfd(copy);
    free(copy);
    return fd;
}

static int start_peer(struct check *c, int *spawn_error)
{
    int client[2] = {-1, -1}, link[2] = {-1, -1};
    int config = talkative_config(c->d), keys = start_keys(c);
    int r = config < 0 ? config : keys < 0 ? keys : link_pair(link);
    if (r == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client) < 0)
        r = -errno;
    if (r == 0) {
        const int fds[] = {client[1], link[1], keys, config}; /* FD_PEER_* */
        pid_t pid = spawn_listened_to(c, fds, sizeof fds / sizeof fds[0]);
        *spawn_error = pid < 0 ? (int)pid : 0;
        c->peer = pid > 0 ? pid : 0;
    }
    c->client = client[0];
    c->link = link[0];
    const int theirs[] = {client[1], link[1], keys, config};
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    return r;
}

/* ---- a client ---- */

/* MS-RDPBCGR 2.2.1.1: TLS is asked for and nothing else. */
static const uint8_t request[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0};
#define CONFIRM_BYTES 19 /* 2.2.1.2 with its RDP_NEG_RSP */
#define NEG_RSP_AT 11

static bool confirmed(const struct check *c)
{
    uint8_t answer[CONFIRM_BYTES];
    size_t have = 0;
    if (send(c->client, request, sizeof request, MSG_NOSIGNAL) != (ssize_t)sizeof request)
        return false;
    while (have < sizeof answer) {
        ssize_t n = recv(c->client, answer + have, sizeof answer - have, 0);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return answer[0] == 3 && answer[NEG_RSP_AT] == 2;
}

/* A whole TLS handshake, and the next thing that would come is the client's: the peer has signed, and has been waiting
 * since. */
static bool encrypted(const struct check *c)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    bool ok = ssl && SSL_set_fd(ssl, c->client) == 1 && SSL_connect(ssl) == 1;
    if (ok)
        (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return ok;
}

static bool read_status(pid_t pid, const char *task, char *out, size_t cap)
{
    char path[320];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, task);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(out, 1, cap - 1, f) : 0;
    out[n] = 0;
    if (f)
        fclose(f);
    return n > 0;
}

/* Returns false with a line on standard output for the first thread that is not shut in. */
static bool threads_are_inside(struct check *c)
{
    char path[32], status[4096], why[128];
    uid_t uid = (uid_t)(c->d->config.server_peer_uid_first + c->d->uid_slots - 1);
    bool inside = true;
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)c->peer);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && inside && (e = readdir(dir));) {
        if (e->d_name[0] == '.' || !read_status(c->peer, e->d_name, status, sizeof status))
            continue;
        c->threads++;
        inside = self_check_thread(status, uid, why, sizeof why);
        if (!inside)
            printf("A thread of oriel-peer is not inside its sandbox: %s. The installed libfreerdp starts it too "
                   "early; use another version "
                   "(3.10, 3.15 and 3.33 were tried).\n",
                why);
    }
    if (dir)
        closedir(dir);
    return inside;
}

/* ---- the end ---- */

/* Read what it says until it has ended; it alone has the other end of the pipe. False: the deadline came first. */
static bool listen_to_the_end(struct check *c)
{
    char sink[512];
    for (;;) {
        int64_t left = c->end - clock_s();
        struct pollfd p = {c->output, POLLIN, 0};
        if (left <= 0 || poll(&p, 1, (int)left * 1000) <= 0)
            return false;
        size_t room = sizeof c->said - 1 - c->nsaid;
        ssize_t n = read(c->output, room ? c->said + c->nsaid : sink, room ? room : sizeof sink);
        if (n <= 0)
            return n == 0;
        c->nsaid += room ? (size_t)n : 0;
        c->said[c->nsaid] = 0;
    }
}

static int bury(pid_t pid, bool kill_first)
{
    int status = 0;
    if (pid <= 0)
        return 0;
    if (kill_first)
        (void)process_signal(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void set_patience(int fd)
{
    struct timeval t = {PATIENCE_SECONDS, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static enum self_check verdict_of(struct check *c, int spawn_error, bool served, bool inside)
{
    char words[4096];
    struct self_check_end e = {.spawn_error = spawn_error, .said = c->said};
    e.over = c->peer > 0 && listen_to_the_end(c);
    e.status = bury(c->peer, !e.over);
    bool left = e.over && WIFEXITED(e.status) && WEXITSTATUS(e.status) == PEER_EXIT_UNAUTHENTICATED;
    if (served && inside && left) {
        self_check_praise(c->said, c->threads, words, sizeof words);
        printf("%s\n", words);
        return SELF_CHECK_FINE;
    }
    if (!inside)
        return SELF_CHECK_HINDERED;
    enum self_check verdict = self_check_explain(&e, words, sizeof words);
    printf("self-check: %s\n%s",
        verdict == SELF_CHECK_HINDERED ? "no client could be served on this machine." : "undecided.", words);
    return verdict;
}

enum self_check self_check(const struct daemon *d)
{
    static struct check c;
    int spawn_error = 0;
    c = (struct check){.d = d, .end = clock_s() + PATIENCE_SECONDS, .link = -1, .client = -1, .output = -1};
    (void)signal(SIGPIPE, SIG_IGN);
    int r = start_peer(&c, &spawn_error);
    if (r < 0) {
        printf("self-check: undecided: %s\n", strerror(-r));
        (void)bury(c.keys, true);
        return SELF_CHECK_UNDECIDED;
    }
    set_patience(c.client);
    bool served = c.peer > 0 && confirmed(&c);
    bool inside = !served || threads_are_inside(&c);
    served = served && encrypted(&c);
    close(c.client);
    enum self_check verdict = verdict_of(&c, spawn_error, served, inside);
    close(c.link);
    if (c.output >= 0)
        close(c.output);
    (void)bury(c.keys, true);
    (void)fflush(stdout);
    return verdict;
}
