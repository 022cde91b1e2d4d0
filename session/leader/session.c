/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/session.h"

#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "session/leader/child.h"
#include "session/leader/keeper.h"
#include "session/leader/record.h"
#include "session/leader/warden.h"
#include "session/leader/xorg.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FAREWELL_MS 500 /* the last message waits so long for a monitor that does not read */

static void display_ended(struct hosted_session *s, int status)
{
    char how[96], why[256];
    s->xorg = 0;
    if (s->phase > PHASE_RUNNING)
        return;
    session_describe_exit(status, how, sizeof how);
    snprintf(why, sizeof why, "The X server of the session ended: %s.", how);
    session_fail(s, why);
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
    struct hosted_session *s = arg;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->xorg)
            display_ended(s, status);
        else if (pid == s->desktop_pid)
            start_ended(s, status);
        else if (pid == s->bus)
            s->bus = 0;
        else if (pid == s->lender)
            begin_lent(s, status);
        else if (pid == s->agent) {
            s->agent = 0;
            agent_lost(s);
        } else
            (void)hosted_services_ended(s, pid, status);
    }
    if (s->phase > PHASE_RUNNING && s->phase != PHASE_OVER)
        end_step(s);
}

static void on_term(evutil_socket_t sig, short what, void *arg)
{
    session_end(arg, END_SHUTDOWN, "");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct hosted_session *s = arg;
    if (s->phase == PHASE_BEGIN_DISPLAY)
        session_fail(s, "The X server did not come up in time.");
    else if (s->phase == PHASE_BEGIN_AGENT)
        session_fail(s, "The agent that carries the picture (oriel-agent) did not come up in time.");
    else if (s->phase == PHASE_RUNNING && !s->desktop.what[0])
        session_fail(s,
            "The start-up files could not be read in time: the home folder does not answer, or something in it hangs.");
    else if (s->phase > PHASE_RUNNING)
        end_step(s);
}

static int make_loop(struct hosted_session *s, int monitor_fd)
{
    s->base = event_base_new();
    if (!s->base)
        return -ENOMEM;
    s->monitor = link_create(s->base, monitor_fd, &monitor_to_leader, &monitor_ops, s, LINK_QUEUE_DEFAULT);
    s->on_child = evsignal_new(s->base, SIGCHLD, on_child, s);
    s->on_term = evsignal_new(s->base, SIGTERM, on_term, s);
    s->timer = evtimer_new(s->base, on_timer, s);
    if (!s->monitor || !s->on_child || !s->on_term || !s->timer || event_add(s->on_child, NULL) < 0 ||
        event_add(s->on_term, NULL) < 0)
        return -ENOMEM;
    return 0;
}

/* No terminal, no parent to die with, heir of all orphans of the session. */
static void detach(void)
{
    (void)setsid();
    if (chdir("/") < 0)
        log_warning("working folder", "%s", strerror(errno));
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        log_warning("not a subreaper", "%s", strerror(errno));
    (void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

static void free_event(struct event **e)
{
    if (*e)
        event_free(*e);
    *e = NULL;
}

/* Everything of the session is dead: take its traces away, then say so. */
static void clean_up(struct hosted_session *s)
{
    if (s->recorded)
        record_logout((unsigned)s->display, getpid());
    logfile_destroy(s->logfile);
    s->logfile = NULL;
    userbus_end(&s->userbus, &s->runtime, s->who, (unsigned)s->display);
    runtime_destroy(&s->runtime, s->who);
    if (s->display >= 0)
        xorg_release_display(&xorg_system_places, (unsigned)s->display, getpid());
    auth_end(s->auth);
    if (s->listen_fd >= 0)
        (void)unlink(s->socket_path);
    struct leader_ended m = {.cause = (uint8_t)s->cause};
    snprintf(m.text, sizeof m.text, "%s", s->end_text);
    monitor_say(s, &leader_ended_def, &m);
    if (s->monitor)
        (void)link_flush(s->monitor, FAREWELL_MS);
    log_info("session ended", "user=%s cause=%d", s->who->user, (int)s->cause);
}

static void finish(struct hosted_session *s)
{
    link_destroy(s->monitor);
    link_destroy(s->agent_link);
    link_destroy(s->startup_link);
    free_event(&s->on_child);
    free_event(&s->on_term);
    free_event(&s->on_listen);
    free_event(&s->on_display);
    free_event(&s->on_bus);
    free_event(&s->on_lent_late);
    free_event(&s->timer);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->display_pipe >= 0)
        close(s->display_pipe);
    if (s->bus_pipe >= 0)
        close(s->bus_pipe);
    if (s->startup_gate >= 0)
        close(s->startup_gate);
    if (s->base)
        event_base_free(s->base);
    env_finish(&s->env);
    secret_wipe(s->start.key, sizeof s->start.key);
}

/* So that the warden can clean up after a killed leader. */
static void tell_warden(const struct hosted_session *s)
{
    static struct warden_note n;
    n = (struct warden_note){.session = s->start.session,
        .leader = getpid(),
        .who = *s->who,
        .display = s->display,
        .recorded = s->recorded,
        .runtime = s->runtime,
        .userbus = s->userbus};
    snprintf(n.key, sizeof n.key, "%s", s->start.key);
    snprintf(n.socket_path, sizeof n.socket_path, "%s", s->listen_fd >= 0 ? s->socket_path : "");
    warden_tell(s->warden_fd, &n);
}

int session_run(const struct config *cfg, struct auth *a, const struct leader_start *start, int monitor_fd,
    int warden_fd)
{
    struct hosted_session *s = calloc(1, sizeof *s);
    char why[TEXT_BYTES], name[32];
    if (!s)
        return EXIT_FAILURE;
    *s = (struct hosted_session){.cfg = cfg,
        .auth = a,
        .who = &a->who,
        .start = *start,
        .since = time(NULL),
        .display = -1,
        .listen_fd = -1,
        .display_pipe = -1,
        .bus_pipe = -1,
        .startup_gate = -1,
        .warden_fd = warden_fd,
        .runtime = {.log_fd = -1, .hold = -1, .user = {.lock = -1}},
        .userbus = {.lock = -1}};
    snprintf(name, sizeof name, "%llu", (unsigned long long)start->session);
    log_set_session(name);
    detach();
    int r = make_loop(s, monitor_fd);
    if (r == 0) {
        monitor_listen(s);
        r = begin_open(s, why, sizeof why);
        tell_warden(s);
        s->logfile = logfile_create(s->base, s->who, s->runtime.log_fd >= 0 ? s->runtime.log_path : "");
        (void)loop_arm_ms(s->timer, BEGIN_DEADLINE_MS);
        if (r < 0)
            session_fail(s, why);
        else
            begin_display(s);
        if (s->phase != PHASE_OVER)
            (void)event_base_dispatch(s->base);
    }
    clean_up(s);
    bool failed = r < 0 || s->failed;
    finish(s);
    free(s);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
