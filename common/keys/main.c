/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-keys: holds the TLS private key so that no process which reads from the network has to. */
#include "common/config.h"
#include "common/keys/pair.h"
#include "common/keys/serve.h"
#include "common/log.h"
#include "common/rundir.h"
#include "common/sandbox.h"
#include "common/sockets.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Locked memory for private numbers: two RSA-4096 keys and the work on them */
#define SECURE_HEAP 65536
#define BACKLOG 128 /* a burst of connecting clients while one signature is made */
/* server.max_clients ends at 4096, and each has one link; half as many again are just leaving */
#define LINKS_MAX 6144
#define OTHER_FDS 32

struct keys_daemon {
    const char *config_path;
    struct config config;
    struct event_base *base;
    struct keys_server *server;
    int listener;
    uid_t server_uid;
};

static void pair_paths(const struct config *c, char *cert, char *key, size_t cap)
{
    if (c->tls_certificate[0]) {
        snprintf(cert, cap, "%s", c->tls_certificate);
        snprintf(key, cap, "%s", c->tls_key);
    } else {
        snprintf(cert, cap, "%s/tls/cert.pem", c->paths_state_dir);
        snprintf(key, cap, "%s/tls/key.pem", c->paths_state_dir);
    }
}

static void log_pair(const struct pair *p)
{
    char fingerprint[128], subject[256], until[32];
    pair_describe(p, fingerprint, sizeof fingerprint, subject, sizeof subject, until, sizeof until);
    log_info("certificate", "subject=%s fingerprint=%s until=%s", subject, fingerprint, until);
    int days = pair_days_left(p);
    if (days < 30)
        log_warning("certificate ends", "days=%d advice=%s", days, "put a new one in place and reload");
}

static struct pair *load_or_make(const struct config *c, bool may_make)
{
    char cert[PATH_MAX], key[PATH_MAX], why[PATH_MAX + 256];
    pair_paths(c, cert, key, sizeof cert);
    bool missing = access(cert, F_OK) < 0 && errno == ENOENT;
    if (may_make && missing && !c->tls_certificate[0]) {
        if (pair_generate(cert, key, why, sizeof why) < 0) {
            log_error("certificate not made", "reason=%s", why);
            return NULL;
        }
        log_info("certificate made", "file=%s", cert);
    }
    struct pair *p = pair_load(cert, key, why, sizeof why);
    if (p)
        log_pair(p);
    else
        log_error("certificate not loaded", "reason=%s", why);
    return p;
}

static void on_connection(evutil_socket_t fd, short what, void *arg)
{
    struct keys_daemon *d = arg;
    struct ucred who;
    int s = sockets_accept(fd, &who);
    if (s < 0) {
        if (s != -EAGAIN)
            log_warning("link not accepted", "error=%s", strerror(-s));
        return;
    }
    if (who.uid != d->server_uid) {
        log_warning("link refused", "uid=%u pid=%d reason=%s", who.uid, who.pid, "not oriel-server's account");
        close(s);
        return;
    }
    int r = keys_server_add(d->server, s);
    if (r < 0)
        log_warning("link refused", "error=%s", strerror(-r));
}

static void on_reload(evutil_socket_t sig, short what, void *arg)
{
    struct keys_daemon *d = arg;
    struct config c;
    struct config_error err;
    if (d->config_path && config_load(&c, d->config_path, &err) < 0) {
        log_error("configuration kept", "file=%s line=%u reason=%s", err.file, err.line, err.text);
        return;
    }
    if (!d->config_path)
        c = d->config;
    config_keep_fixed(&c, &d->config);
    struct pair *p = load_or_make(&c, false);
    if (!p) {
        log_error("certificate kept", "reason=%s", "the new one is broken; the old one stays in use");
        return;
    }
    log_set_level(LOG_LEVEL_ERROR + (enum log_level)c.log_level);
    d->config = c;
    keys_server_set_pair(d->server, p);
    keys_server_set_rate(d->server, (unsigned)c.tls_signs_per_minute);
    pair_unref(p);
    log_info("reloaded", "links=%zu", keys_server_links(d->server));
}

static void on_end(evutil_socket_t sig, short what, void *arg)
{
    struct keys_daemon *d = arg;
    event_base_loopbreak(d->base);
}

/* The folders a reload may have to read: where the files are now, and where links among them lead. */
static int enter_sandbox(const struct keys_daemon *d)
{
    char cert[PATH_MAX], key[PATH_MAX], real[3][PATH_MAX];
    const char *paths[8] = {"/etc", d->config.paths_state_dir};
    size_t n = 2;
    const char *files[] = {cert, key, d->config_path};
    pair_paths(&d->config, cert, key, sizeof cert);
    for (size_t i = 0; i < 3; i++) {
        if (!files[i] || !realpath(files[i], real[i]))
            continue;
        *strrchr(real[i], '/') = 0;
        if (real[i][0])
            paths[n++] = real[i];
    }
    const char *what;
    struct sandbox s = {.profile = SANDBOX_KEYS,
        .read_paths = paths,
        .require_empty_root = d->config.server_require_empty_root,
        .address_space = 512ULL << 20,
        .nofile = LINKS_MAX + OTHER_FDS};
    int r = sandbox_enter(&s, &what);
    if (r < 0)
        log_error("sandbox not entered", "step=%s error=%s", what, strerror(-r));
    return r;
}

static int prepare(struct keys_daemon *d)
{
    char path[128];
    gid_t gid;
    int r = rundir_account(d->config.paths_user_server, &d->server_uid, &gid);
    if (r < 0) {
        log_error("account missing", "name=%s advice=%s", d->config.paths_user_server,
            "systemd-sysusers or scripts/serve makes it");
        return r;
    }
    if ((r = config_run_path(&d->config, "keys/keys.sock", path, sizeof path)) < 0)
        return r;
    d->listener = sockets_listen(path, 0660, (gid_t)-1, BACKLOG); /* the folder's set-group-id bit gives the group */
    if (d->listener < 0) {
        log_error("not listening", "socket=%s error=%s", path, strerror(-d->listener));
        return d->listener;
    }
    return 0;
}

static int serve(struct keys_daemon *d, struct pair *pair)
{
    d->base = event_base_new();
    if (!d->base)
        return -ENOMEM;
    d->server = keys_server_create(d->base, pair, (unsigned)d->config.tls_signs_per_minute, LINKS_MAX);
    if (!d->server)
        return -ENOMEM;
    struct event *accepting = event_new(d->base, d->listener, EV_READ | EV_PERSIST, on_connection, d);
    struct event *hup = evsignal_new(d->base, SIGHUP, on_reload, d);
    struct event *term = evsignal_new(d->base, SIGTERM, on_end, d);
    struct event *intr = evsignal_new(d->base, SIGINT, on_end, d);
    struct event *all[] = {accepting, hup, term, intr};
    int r = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && r == 0; i++)
        r = all[i] && event_add(all[i], NULL) == 0 ? 0 : -ENOMEM;
    if (r == 0)
        sockets_tell_ready(); /* what asks before the sandbox stands waits for it; after it there is no way out */
    if (r == 0)
        r = enter_sandbox(d);
    if (r == 0) {
        log_info("ready", "pid=%d", (int)getpid());
        r = event_base_dispatch(d->base) < 0 ? -EIO : 0;
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i])
            event_free(all[i]);
    keys_server_destroy(d->server);
    event_base_free(d->base);
    return r;
}

static int read_options(struct keys_daemon *d, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
    struct config_error err;
    int opt;
    while ((opt = getopt_long(argc, argv, "c:", options, NULL)) >= 0) {
        if (opt != 'c')
            return -EINVAL;
        d->config_path = optarg;
    }
    if (optind < argc)
        return -EINVAL;
    config_defaults(&d->config);
    if (d->config_path && config_load(&d->config, d->config_path, &err) < 0) {
        log_error("configuration refused", "file=%s line=%u reason=%s", err.file, err.line, err.text);
        return -EINVAL;
    }
    log_init("oriel-keys", LOG_LEVEL_ERROR + (enum log_level)d->config.log_level);
    return 0;
}

int main(int argc, char **argv)
{
    static struct keys_daemon d = {.listener = -1};
    struct rlimit no_core = {0, 0};
    log_init("oriel-keys", LOG_LEVEL_INFO);
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* before the key is here */
    umask(0077);
    signal(SIGPIPE, SIG_IGN);
    if (read_options(&d, argc, argv) < 0)
        return 2;
    if (CRYPTO_secure_malloc_init(SECURE_HEAP, 32) != 1)
        log_warning("key memory not locked", "advice=%s", "raise RLIMIT_MEMLOCK to 64 KiB or more");
    struct pair *pair = load_or_make(&d.config, true);
    int r = pair ? prepare(&d) : -ENOENT;
    if (r == 0)
        r = serve(&d, pair);
    pair_unref(pair);
    return r == 0 ? 0 : 1;
}
