/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session as its leader hosts it: shared by the files that make up the loop (session.c, begin.c, start.c, attach.c,
 * end.c).
 *
 *   BEGIN_DISPLAY → BEGIN_AGENT → RUNNING → END_TERM → END_KILL → END_DISPLAY → OVER
 *
 * From every phase before END_TERM a failure leads to END_TERM. `agent_up` may become false again in RUNNING: the agent
 * is restarted, for the display is the session. Everything runs in one thread on one event base. */
#ifndef ORIEL_SESSION_LEADER_KEEPER_H
#define ORIEL_SESSION_LEADER_KEEPER_H

#include "common/config.h"
#include "common/link.h"
#include "session/leader/auth.h"
#include "session/leader/env.h"
#include "session/leader/home.h"
#include "session/leader/hosted_services.h"
#include "session/leader/logfile.h"
#include "session/leader/runtime.h"
#include "session/leader/sweep.h"
#include "session/leader/userbus.h"

#include <event2/event.h>

/* Within AGENT_RESTART_WINDOW_MS: more is a fault that restarting does not mend */
#define AGENT_RESTARTS_MAX 5
#define AGENT_RESTART_WINDOW_MS 60000
/* Eight clients that all resize wildly stay below; it runs as the user and may be hostile */
#define AGENT_MESSAGES_PER_SECOND 200
/* X server and agent take 0.3 s; a loaded host may need seconds */
#define BEGIN_DEADLINE_MS 20000
/* From oriel-startup to the desktop: its own deadlines end after 20 s, a home may stall a little */
#define STARTUP_DEADLINE_MS 45000
/* A desktop that ends by itself within this time and with an error has not come up */
#define DESKTOP_FAILED_MS 10000
#define DESKTOP_EMPTY_MS 1000 /* and so has one that says it is content */

enum phase {
    PHASE_BEGIN_DISPLAY,
    PHASE_BEGIN_AGENT,
    PHASE_RUNNING,
    PHASE_END_TERM,
    PHASE_END_KILL,
    PHASE_END_DISPLAY,
    PHASE_OVER
};

/* A client that is attached, as the agent is told of it. The monitor's half is its `attachment`. */
struct hosted_attachment {
    struct leader_client info;
    int pending_fd; /* its display link while no agent is there to take it; else -1 */
};

/* The whole state of one leader. The monitor's half is its `session`. */
struct hosted_session {
    const struct config *cfg;
    struct auth *auth;
    struct account *who; /* &auth->who */
    struct leader_start start;
    enum phase phase;
    int64_t since; /* CLOCK_REALTIME seconds */

    struct event_base *base;
    struct event *on_child, *on_term, *on_listen, *on_display, *on_bus, *on_lent_late, *timer;
    struct link *monitor, *agent_link;
    /* To oriel-startup until it is the desktop, or for as long as it watches over it */
    struct link *startup_link;
    int listen_fd, display_pipe, bus_pipe, warden_fd;
    int startup_gate; /* oriel-startup waits for its end; -1: it does not */
    char socket_path[PATH_BYTES];

    int display; /* X display number, -1: none reserved */
    struct runtime runtime;
    struct userbus userbus;
    struct home home;
    struct logfile *logfile; /* NULL: no log */
    struct env_list env;
    struct startup_desktop desktop; /* what 0: not yet told */
    unsigned startup_troubles;
    bool desktop_gone; /* it ended, with desktop_status, while startup_link may still have messages */
    int desktop_status;
    pid_t xorg, agent, bus, lender, desktop_pid; /* 0: not running */
    bool agent_up, bus_up, lent, startup_begun, recorded, failed;
    int64_t desktop_started_ms, deadline_ms;
    int64_t restart_window_ms;
    unsigned restarts;
    int64_t agent_second; /* the second that agent_messages counts */
    unsigned agent_messages;

    struct hosted_attachment attachments[CLIENTS_MAX];
    uint32_t nattachments;
    struct hosted_service services[HOSTED_SERVICES_MAX];
    uint32_t nservices;
    enum end_cause cause;
    char end_text[TEXT_BYTES];
};

/* begin.c: each step starts the next; a failure ends in session_fail. */
/* PAM session, folders, cookie, environment. 0 or -errno */
int begin_open(struct hosted_session *s, char *why, size_t cap);
void begin_display(struct hosted_session *s);
int begin_agent(struct hosted_session *s); /* also the restart. 0 or -errno */
void begin_desktop_when_ready(struct hosted_session *s);
void begin_lent(struct hosted_session *s, int status); /* the lender ended */

/* start.c: oriel-startup, which reads the start-up files, waits for start_go, and becomes the desktop. 0 or -errno */
int start_desktop(struct hosted_session *s);
void start_go(struct hosted_session *s);
void start_ended(struct hosted_session *s, int status); /* its process did */

/* attach.c: the two links and the attachments. */
extern const struct link_ops monitor_ops, agent_ops;
void monitor_listen(struct hosted_session *s);
void monitor_hello(struct hosted_session *s);
void monitor_say(struct hosted_session *s, const struct wire_def *def, const void *msg); /* dropped without a monitor */
void agent_lost(struct hosted_session *s);
void attachments_drop_all(struct hosted_session *s, enum end_cause cause, bool tell);

/* end.c */
void session_describe_exit(int status, char *out, size_t cap); /* of a wait status, for people */
void session_fail(struct hosted_session *s,
    const char *reason); /* leader_failed with the last log lines, then the end */
void session_end(struct hosted_session *s, enum end_cause cause, const char *text);
void end_step(struct hosted_session *s); /* see how far the end has come */

#endif
