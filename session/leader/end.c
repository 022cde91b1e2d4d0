/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/process.h"
#include "session/leader/child.h"
#include "session/leader/keeper.h"
#include "session/leader/tail.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_MS 30 /* how often the end looks who is still there */
/* Processes that do not die of SIGKILL hang in the kernel: they are left to it */
#define KILL_MS 3000
#define DISPLAY_MS 1000 /* an X server ends within 50 ms */

static void add_file(struct tail_file *files, size_t *n, const char *title, const char *path, int64_t not_before)
{
    if (!path[0])
        return;
    files[*n] = (struct tail_file){.title = title, .not_before = not_before};
    snprintf(files[(*n)++].path, sizeof files[0].path, "%s", path);
}

static void add_logs(struct hosted_session *s, char *text, size_t cap)
{
    struct tail_file files[TAIL_FILES_MAX];
    char errors[PATH_BYTES + 32];
    size_t n = 0, used = strlen(text);
    if (!s->runtime.dir[0])
        return;
    if (s->home.note[0])
        snprintf(text + used, cap - used, "\n\n%s", s->home.note);
    if (!s->xorg) {
        add_file(files, &n, "X server log", s->runtime.xorg_log, 0);
        add_file(files, &n, "X server", s->runtime.xorg_out, 0);
    }
    if (!s->agent)
        add_file(files, &n, "Agent", s->runtime.agent_out, 0);
    snprintf(errors, sizeof errors, "%s/.xsession-errors", s->who->home);
    add_file(files, &n, "Session log", s->runtime.log_path, 0);
    if (s->runtime.log_path[0]) /* else the home was refused, and is not asked again */
        add_file(files, &n, "Desktop", errors, s->since);
    tail_append(s->who, files, n, text, cap);
}

void session_describe_exit(int status, char *out, size_t cap)
{
    if (WIFSIGNALED(status))
        snprintf(out, cap, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out, cap, "exit status %d", WEXITSTATUS(status));
}

void session_fail(struct hosted_session *s, const char *reason)
{
    static struct leader_failed m;
    if (s->phase > PHASE_RUNNING)
        return;
    m = (struct leader_failed){0};
    conv_clean_text(reason, m.text, sizeof m.text);
    log_error("session failed", "user=%s: %s", s->who->user, m.text);
    add_logs(s, m.text, sizeof m.text);
    monitor_say(s, &leader_failed_def, &m);
    s->failed = true;
    session_end(s, END_SESSION_FAILED, reason);
}

static struct sweep whole_session(const struct hosted_session *s, bool spare_display)
{
    struct sweep w = {.leader = getpid(), .uid = s->who->uid, .key = s->start.key};
    if (spare_display) {
        w.spare[0] = s->xorg;
        w.spare[1] = s->agent;
        w.spare[2] = s->bus;
    }
    return w;
}

static void next_phase(struct hosted_session *s, enum phase phase, int64_t ms)
{
    s->phase = phase;
    s->deadline_ms = clock_ms() + ms;
}

void session_end(struct hosted_session *s, enum end_cause cause, const char *text)
{
    if (s->phase > PHASE_RUNNING)
        return;
    s->cause = cause;
    conv_clean_text(text, s->end_text, sizeof s->end_text);
    log_info("session ending", "user=%s cause=%d", s->who->user, (int)cause);
    next_phase(s, PHASE_END_TERM, s->cfg->session_logoff_grace * 1000);
    struct sweep w = whole_session(s, true);
    (void)sweep_signal(&w, SIGTERM);
    (void)sweep_signal(&w, SIGCONT); /* a stopped program hears nothing */
    userbus_stop_units(&s->userbus, &s->runtime, s->who, (unsigned)s->display);
    end_step(s);
}

static void stop_display(struct hosted_session *s)
{
    next_phase(s, PHASE_END_DISPLAY, DISPLAY_MS);
    attachments_drop_all(s, s->cause, true);
    if (s->agent)
        (void)process_signal(s->agent, SIGTERM);
    if (s->bus)
        (void)process_signal(s->bus, SIGTERM);
    if (s->xorg)
        (void)process_signal(s->xorg, SIGTERM);
}

static void end_display(struct hosted_session *s)
{
    bool gone = !s->agent && !s->bus && !s->xorg;
    if (!gone && clock_ms() < s->deadline_ms)
        return;
    struct sweep w = whole_session(s, false);
    int left = sweep_signal(&w, SIGKILL);
    if (left <= 0 || clock_ms() > s->deadline_ms + KILL_MS) {
        if (left > 0)
            log_error("processes left", "count=%d: they do not end", left);
        s->phase = PHASE_OVER;
        event_base_loopbreak(s->base);
    }
}

void end_step(struct hosted_session *s)
{
    struct sweep w = whole_session(s, true);
    if (s->phase == PHASE_END_TERM) {
        if (sweep_signal(&w, 0) <= 0)
            stop_display(s);
        else if (clock_ms() >= s->deadline_ms)
            next_phase(s, PHASE_END_KILL, KILL_MS);
    }
    if (s->phase == PHASE_END_KILL && (sweep_signal(&w, SIGKILL) <= 0 || clock_ms() >= s->deadline_ms))
        stop_display(s);
    if (s->phase == PHASE_END_DISPLAY)
        end_display(s);
    if (s->phase != PHASE_OVER)
        (void)loop_arm_ms(s->timer, STEP_MS);
}
