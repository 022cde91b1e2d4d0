/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/logon_end.h"

#include "common/link.h"
#include "common/log.h"
#include "common/process.h"
#include "common/secret.h"
#include "session/monitor/attempt.h"
#include "session/monitor/control_end.h"
#include "session/monitor/offers.h"
#include "session/monitor/peer.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_submit(void *end, const void *msg, const int *fds);
static void on_answers(void *end, const void *msg, const int *fds);
static void on_cancel(void *end, const void *msg, const int *fds);
static void on_rendered(void *end, const void *msg, const int *fds);

static const struct request logon_rows[] = {
    {&logon_submit_def, LOGON_FORM, LOGON_FINAL | LOGON_DONE, false, on_submit},
    {&logon_answers_def, LOGON_ASKED, LOGON_FORM | LOGON_FINAL | LOGON_DONE, false, on_answers},
    {&logon_cancel_def, LOGON_FORM | LOGON_BUSY | LOGON_ASKED | LOGON_FINAL | LOGON_NOTICE, LOGON_DONE, false,
        on_cancel},
    {&logon_rendered_def, LOGON_RENDER, 0, true, on_rendered},
};
static const char *const state_names[LOGON_STATES] = {"FORM", "BUSY", "ASKED", "DONE", "FINAL", "NOTICE", "RENDER"};
const struct request_table logon_table = {"logon", logon_rows, sizeof logon_rows / sizeof logon_rows[0], state_names,
    LOGON_STATES};

void logon_destroy(struct logon *l)
{
    if (!l || l->life.ended)
        return;
    if (l->peer && l->peer->logon == l)
        l->peer->logon = NULL;
    LIST_REMOVE(l, entry);
    monitor_timer_free(&l->timer);
    link_destroy(l->link);
    l->link = NULL;
    (void)process_signal(l->pid, SIGTERM); /* ours, and not yet waited for: on_sigchld forgets the pid first */
    monitor_end(l->m, &l->life, free);
}

/* It can do no more. Whoever depends on it must hear. */
static void gone(struct logon *l, const char *why)
{
    logon_destroy(l);
    if (l->control)
        control_rendered(l->control, NULL, -1);
    if (!l->peer || l->state == LOGON_DONE)
        return;
    if (l->state == LOGON_NOTICE)
        peer_finish(l->peer, l->cause, "");
    else
        peer_finish(l->peer, END_DENIED, why);
}

static void on_message(void *user, struct link *link, const struct wire_def *def, void *msg, const int *fds)
{
    struct logon *l = user;
    const struct request *row;
    const char *why;
    switch (request_judge(&logon_table, def, l->state, &l->said, &row, &why)) {
    case REQUEST_RUN:
        row->handler(l, msg, fds);
        return;
    case REQUEST_LATE:
        break;
    case REQUEST_REFUSED:
        log_warning("logon screen ended", "pid=%d state=%s message=%s why=%s", (int)l->pid,
            request_state_name(&logon_table, l->state), def->name, why);
        (void)process_signal(l->pid, SIGKILL); /* unless it has ended before its message was read */
        gone(l, monitor_refuse_text(REFUSE_UNAVAILABLE, 0));
        break;
    }
    for (int i = 0; i < def->nfds; i++)
        close(fds[i]);
}

static void on_closed(void *user, struct link *link, int err)
{
    struct logon *l = user;
    if (l->state != LOGON_NOTICE && l->state != LOGON_DONE && l->state != LOGON_FINAL)
        log_warning("logon screen lost", "pid=%d error=%s", (int)l->pid, strerror(-err));
    gone(l, monitor_refuse_text(REFUSE_UNAVAILABLE, 0));
}

static struct logon *spawn_logon(struct monitor *m, const struct logon_start *start, int display_fd)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    int sv[2], r = link_pair(sv);
    struct logon *l = calloc(1, sizeof *l);
    struct logon_start s = *start;
    if (r < 0 || !l)
        goto fail;
    int fds[] = {sv[1], display_fd};
    l->m = m;
    l->pid = monitor_spawn(m, "oriel-logon", fds, 2, m->logon_uid, m->logon_gid, false);
    close(sv[1]);
    if (l->pid < 0)
        r = l->pid;
    else if (!(l->link = link_create(m->base, sv[0], &logon_to_monitor, &ops, l, LINK_QUEUE_DEFAULT)))
        r = -ENOMEM;
    if (r < 0) {
        close(sv[0]);
        goto fail;
    }
    snprintf(s.host, sizeof s.host, "%s", m->host);
    LIST_INSERT_HEAD(&m->logons, l, entry);
    (void)monitor_send(l->link, &logon_start_def, &s, NULL);
    return l;
fail:
    log_error("logon screen not started", "error=%s user=%s", strerror(-r), m->config.paths_user_logon);
    if (l)
        (void)process_signal(l->pid, SIGKILL);
    free(l);
    return NULL;
}

struct logon *logon_open(struct monitor_peer *p, const struct logon_start *start)
{
    int sv[2];
    if (link_pair(sv) < 0)
        return NULL;
    bool notice = start->mode == LOGON_MODE_NOTICE;
    struct logon *l = spawn_logon(p->m, start, sv[0]);
    if (l) {
        l->peer = p;
        l->state = notice ? LOGON_NOTICE : LOGON_FORM;
        l->cause = notice ? END_SESSION_FAILED : END_NONE;
        (void)peer_show(p, notice ? DISPLAY_NOTICE : DISPLAY_LOGON, sv[1]);
    }
    close(sv[0]);
    close(sv[1]);
    return l;
}

static void on_render_overdue(int fd, short what, void *arg)
{
    gone(arg, "");
}

struct logon *logon_render(struct monitor *m, struct control_end *c, const struct logon_start *start)
{
    struct logon *l = spawn_logon(m, start, -1);
    if (!l)
        return NULL;
    l->state = LOGON_RENDER;
    l->control = c;
    (void)monitor_timer(m, &l->timer, LOGON_RENDER_MS, on_render_overdue, l);
    return l;
}

void logon_ask(struct logon *l, const struct leader_conv *conv)
{
    struct logon_conv *c = calloc(1, sizeof *c);
    if (!c)
        return;
    c->nprompts = conv->nprompts;
    c->inform = conv->inform;
    memcpy(c->prompts, conv->prompts, conv->nprompts * sizeof conv->prompts[0]);
    l->nprompts = conv->nprompts;
    l->state = LOGON_ASKED;
    (void)monitor_send(l->link, &logon_conv_def, c, NULL);
    free(c);
}

static void on_final_over(int fd, short what, void *arg)
{
    struct logon *l = arg;
    peer_finish(l->peer, END_DENIED, "Too many attempts.");
}

void logon_refuse(struct logon *l, enum refuse_reason reason, bool final, const char *text)
{
    struct logon_refused r = {.reason = (uint8_t)reason, .final = final};
    if (!l)
        return;
    snprintf(r.text, sizeof r.text, "%s", text);
    l->state = final ? LOGON_FINAL : LOGON_FORM;
    (void)monitor_send(l->link, &logon_refused_def, &r, NULL);
    if (final)
        (void)monitor_timer(l->m, &l->timer, LOGON_FINAL_MS, on_final_over, l);
}

void logon_welcome(struct logon *l)
{
    struct logon_done d = {0};
    l->state = LOGON_DONE;
    (void)monitor_send(l->link, &logon_done_def, &d, NULL);
}

static void on_submit(void *end, const void *msg, const int *fds)
{
    struct logon *l = end;
    const struct logon_submit *s = msg;
    struct peer_auth q = {.method = s->nsecret ? AUTH_PASSWORD : AUTH_CONVERSATION, .nsecret = s->nsecret};
    snprintf(q.user, sizeof q.user, "%s", s->user);
    memcpy(q.secret, s->secret, s->nsecret);
    if (!offers_has(s->desktop)) {
        log_warning("logon screen ended", "pid=%d why=it chose a desktop that this host does not offer", (int)l->pid);
        secret_wipe(&q, sizeof q);
        gone(l, monitor_refuse_text(REFUSE_UNAVAILABLE, 0));
        return;
    }
    snprintf(l->peer->desktop, sizeof l->peer->desktop, "%s", s->desktop);
    l->state = LOGON_BUSY;
    attempt_begin(l->peer, &q, true);
    secret_wipe(&q, sizeof q);
}

static void on_answers(void *end, const void *msg, const int *fds)
{
    struct logon *l = end;
    const struct logon_answers *s = msg;
    struct leader_answers *a = calloc(1, sizeof *a);
    if (!a || s->nanswers != l->nprompts) {
        log_warning("logon screen ended", "pid=%d why=%u answers to %u prompts", (int)l->pid, s->nanswers, l->nprompts);
        free(a);
        gone(l, monitor_refuse_text(REFUSE_UNAVAILABLE, 0));
        return;
    }
    a->nanswers = s->nanswers;
    memcpy(a->answers, s->answers, s->nanswers * sizeof s->answers[0]);
    l->state = LOGON_BUSY;
    attempt_answers(l->peer->attempt, a);
    secret_wipe(a, sizeof *a);
    free(a);
}

static void on_cancel(void *end, const void *msg, const int *fds)
{
    struct logon *l = end;
    struct monitor_peer *p = l->peer;
    if (l->state == LOGON_BUSY || l->state == LOGON_ASKED) {
        attempt_abandon(p->attempt);
        logon_refuse(l, REFUSE_NONE, false, "");
    } else if (l->state == LOGON_NOTICE) {
        peer_finish(p, l->cause, "");
    } else {
        bool final = l->state == LOGON_FINAL;
        peer_finish(p, final ? END_DENIED : END_USER_DISCONNECT, final ? "Too many attempts." : "");
    }
}

static void on_rendered(void *end, const void *msg, const int *fds)
{
    struct logon *l = end;
    struct control_end *c = l->control;
    l->control = NULL;
    l->state = LOGON_DONE;
    if (c)
        control_rendered(c, msg, fds[0]);
    close(fds[0]);
    logon_destroy(l);
}
