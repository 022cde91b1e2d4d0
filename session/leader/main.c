/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-leader: one login attempt; on the monitor's word, the leader of the session. The link to the monitor is
 * descriptor 3. */
#include "common/clock.h"
#include "common/config.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/spawn.h"
#include "session/leader/child.h"
#include "session/leader/env.h"
#include "session/leader/loginshell.h"
#include "session/leader/plain.h"
#include "session/leader/session.h"
#include "session/leader/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANG_SECONDS 10 /* a PAM module that hangs beyond the deadline takes the attempt with it */

static int load_config(int argc, char **argv, struct config *c)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
        {"config-fd", required_argument, NULL, 'f'}, {"version", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};
    struct config_error err = {0};
    int opt, r = 0;
    config_defaults(c);
    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'v') {
            puts("oriel-leader " ORIEL_VERSION);
            exit(EXIT_SUCCESS);
        }
        char *end = NULL;
        long fd = opt == 'f' ? strtol(optarg, &end, 10) : -1;
        if (opt == 'c')
            r = config_load(c, optarg, &err);
        else if (opt == 'f' && *optarg && !*end && fd > FD_LEADER_MONITOR && fd < 1024)
            r = config_from_fd(c, (int)fd, &err);
        else
            r = -EINVAL;
        if (fd > FD_LEADER_MONITOR)
            close((int)fd);
        if (r < 0)
            break;
    }
    if (r < 0 || optind != argc)
        log_error("configuration", "%s:%u: %s", err.file[0] ? err.file : "command line", err.line,
            err.text[0] ? err.text : "usage: oriel-leader [--config FILE | --config-fd N]");
    return optind != argc ? -EINVAL : r;
}

/* PAM's messages in the host's language. */
static void set_language(void)
{
    struct env_list e = {0};
    if (env_load_locale(&e, "/etc/default/locale") < 0)
        (void)env_load_locale(&e, "/etc/locale.conf");
    for (size_t i = 0; i < e.n; i++) {
        char *eq = strchr(e.v[i], '=');
        *eq = 0;
        (void)setenv(e.v[i], eq + 1, 1);
        *eq = '=';
    }
    env_finish(&e);
    (void)setlocale(LC_CTYPE, "");
    (void)setlocale(LC_MESSAGES, "");
}

/* After a verdict the monitor decides: start, refresh, or nothing (the link closes). */
static int follow_verdict(const struct config *cfg, struct auth *a, int64_t deadline_ms, int warden_fd)
{
    static struct leader_start start;
    const struct wire_def *def;
    void *msg;
    int r = conv_receive(FD_LEADER_MONITOR, deadline_ms, &def, &msg);
    if (r == -EPIPE)
        return EXIT_SUCCESS;
    if (r == 0 && def == &leader_refresh_def) {
        struct leader_refreshed done = {0};
        (void)auth_refresh(a, msg);
        return wire_send(FD_LEADER_MONITOR, &leader_refreshed_def, &done, NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    if (r == 0 && def == &leader_start_def) {
        start = *(struct leader_start *)msg;
        (void)alarm(0);
        return session_run(cfg, a, &start, FD_LEADER_MONITOR, warden_fd);
    }
    log_error("attempt given up", "%s", r == 0 ? "the monitor sent what does not follow a verdict" : strerror(-r));
    return EXIT_FAILURE;
}

/* PAM and policy said yes. Last, for its words are for the account's owner alone. */
static void judge_shell(struct auth *a, struct leader_verdict *v)
{
    char why[TEXT_BYTES];
    if (v->reason != REFUSE_NONE || loginshell_ok(a->who.shell, why, sizeof why))
        return;
    log_info("account without a login shell", "user=%s: %s", a->who.user, why);
    *v = (struct leader_verdict){.reason = REFUSE_ACCOUNT};
    conv_clean_text(why, v->text, sizeof v->text);
}

static int run_attempt(const struct config *cfg, struct auth *a, int warden_fd)
{
    const struct auth_options o = {.service = cfg->login_pam_service,
        .pam_dir = cfg->login_pam_dir,
        .policy = {cfg->login_allow_root, cfg->login_allowed_groups},
        .sock = FD_LEADER_MONITOR,
        .deadline_ms = clock_ms() + cfg->server_login_deadline * 1000};
    static struct leader_auth req;
    struct leader_verdict v;
    const struct wire_def *def;
    void *msg;
    (void)alarm((unsigned)cfg->server_login_deadline + HANG_SECONDS);
    int r = conv_receive(FD_LEADER_MONITOR, o.deadline_ms, &def, &msg);
    if (r < 0 || def != &leader_auth_def)
        return r == -EPIPE ? EXIT_SUCCESS : EXIT_FAILURE;
    memcpy(&req, msg, sizeof req);
    secret_wipe(msg, sizeof req);
    bool trusted = req.trusted;
    r = auth_attempt(a, &o, &req, &v);
    if (r < 0) {
        log_info("attempt given up", "%s", strerror(-r));
        return EXIT_FAILURE;
    }
    judge_shell(a, &v);
    if (wire_send(FD_LEADER_MONITOR, &leader_verdict_def, &v, NULL) < 0 || v.reason != REFUSE_NONE)
        return EXIT_SUCCESS;
    if (trusted)
        return EXIT_SUCCESS; /* nothing was proven to PAM: this handle opens no session */
    return follow_verdict(cfg, a, o.deadline_ms, warden_fd);
}

int main(int argc, char **argv)
{
    static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};
    static struct config cfg;
    static struct auth a;
    log_init("oriel-leader", LOG_LEVEL_INFO);
    if (load_config(argc, argv, &cfg) < 0)
        return EXIT_FAILURE;
    log_set_level(levels[cfg.log_level]);
    if (fcntl(FD_LEADER_MONITOR, F_SETFD, FD_CLOEXEC) < 0) {
        log_error("no monitor", "descriptor %d is not open: oriel-leader is started by oriel-monitor",
            FD_LEADER_MONITOR);
        return EXIT_FAILURE;
    }
    plain_start();
    leader_hide();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* PAM's helpers are waited for */
    int warden_fd = warden_fork();
    if (warden_fd < 0) {
        log_error("no warden", "%s", strerror(-warden_fd));
        return EXIT_FAILURE;
    }
    set_language();
    int status = run_attempt(&cfg, &a, warden_fd);
    auth_end(&a);
    return status;
}
