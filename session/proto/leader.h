/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-monitor ↔ oriel-leader, oriel-leader ↔ oriel-agent, and oriel-startup → oriel-leader.
 *
 * A leader is started for one login attempt (its link is a socketpair) and authenticates once. Then the monitor sends
 * leader_start (it becomes the session's leader), leader_refresh (the user has a session already: refresh its
 * credentials and exit), or closes the link (exit). A session's leader also listens at RUN_DIR/leaders/ID.sock; after a
 * restart the monitor connects there (both check uid 0) and the leader says leader_hello.
 */
#ifndef ORIEL_SESSION_PROTO_LEADER_H
#define ORIEL_SESSION_PROTO_LEADER_H

#include "session/proto/display.h"
#include "session/proto/services.h"
#include "session/proto/types.h"

#define ENV_MAX 64 /* variables PAM modules set: a dozen in practice */
#define ENV_BYTES 512
#define COMMAND_BYTES 1024
#define PATH_BYTES 256

/* NAME=value */
struct env_entry {
    char text[ENV_BYTES];
};
extern const struct wire_def env_entry_def;

/* monitor → leader */
struct leader_auth {
    uint8_t method; /* AUTH_PASSWORD or AUTH_CONVERSATION */
    /* 1: prompts can be shown (leader_conv); 0: anything but one password prompt is a refusal */
    uint8_t interactive;
    /* "user", "DOMAIN\user" or "user@domain"; the leader asks the name service which account that is */
    char user[USER_BYTES];
    uint32_t nsecret;
    uint8_t secret[SECRET_BYTES]; /* the answer to the first ECHO_OFF prompt */
    char rhost[ADDRESS_BYTES];
    /* 1: the monitor has proof of who this is (a reconnect cookie): no pam_authenticate, no prompts, pam_acct_mgmt
     * decides. Such a leader is never started or refreshed */
    uint8_t trusted;
};
/* Answers leader_name */
struct leader_go {
    uint8_t unused;
};
struct leader_answers {
    uint32_t nanswers;
    struct conv_answer answers[CONV_MAX];
};
/* The session's PAM environment (KRB5CCNAME …) */
struct leader_refresh {
    uint32_t nenv;
    struct env_entry env[ENV_MAX];
};
struct leader_start {
    uint64_t session;
    /* ORIEL_SESSION_KEY in the environment of everything the session starts */
    char key[2 * TOKEN_BYTES + 1];
    struct display_open open; /* the first client's monitors and keyboard */
    char client_address[ADDRESS_BYTES];
    char client_name[CLIENT_NAME_BYTES];
    /* Chosen on the logon screen: an entry's id, DESKTOP_DEFAULT; "" nothing */
    char desktop[DESKTOP_ID_BYTES];
};
struct leader_attach { /* fd: the drawer's end of a display link, for the agent */
    uint32_t client;
    uint8_t role; /* enum client_role */
    uint32_t nhash;
    uint8_t token_hash[HASH_BYTES];
    char address[ADDRESS_BYTES];
    char client_name[CLIENT_NAME_BYTES];
};
struct leader_detach {
    uint32_t client;
    uint8_t cause;
};
struct leader_logoff {
    uint8_t cause;
};
/* fd: sealed memfd, BGRX: show it in the session until clicked */
struct leader_notice {
    uint32_t width, height, stride;
};
/* fd: the session's end of a service's link, for the process that serves it. One after another for the same client and
 * service: the earlier process is ended. Answered with leader_service_gone when there is none to serve it (any more) */
struct leader_service {
    struct service_grant grant;
};
extern const struct wire_proto monitor_to_leader;
extern const struct wire_def leader_auth_def, leader_answers_def, leader_refresh_def, leader_start_def,
    leader_attach_def, leader_detach_def, leader_logoff_def, leader_notice_def, leader_go_def, leader_service_def;

/* leader → monitor */
/* The name service has an account under another name than the one that was given, or (its user part) in other letters.
 * Before PAM is asked, so that attempts count for the account: answered with leader_go, or the link closes. */
struct leader_name {
    char user[USER_BYTES];
};
struct leader_conv { /* answered with leader_answers */
    uint32_t nprompts;
    struct conv_prompt prompts[CONV_MAX];
    uint8_t inform; /* 1: messages only, PAM goes on at once ("touch your key"): show them and answer without waiting.
                     * 0: wait for the user, who also acknowledges messages that no prompt followed */
};
struct leader_verdict {
    uint8_t reason; /* REFUSE_NONE: authenticated, account valid, password (if it was expired) changed */
    char text[TEXT_BYTES];
    /* The account's one name: PAM_USER after the stack ran, as the passwd entry spells it. Refused: what PAM was
     * asked about, or would have been; "" when it was no name */
    char user[USER_BYTES];
    uint32_t uid, gid; /* REFUSE_POLICY with uid 0: root's account, PAM was not asked */
};
struct leader_refreshed {
    uint8_t unused;
};
struct leader_client { /* a client as the session sees it */
    uint32_t client;
    uint8_t role;
    uint32_t nhash;
    uint8_t token_hash[HASH_BYTES];
    char address[ADDRESS_BYTES];
    char client_name[CLIENT_NAME_BYTES];
    uint32_t width, height, nmonitors; /* 0 until its display_open came */
};
extern const struct wire_def leader_client_element_def;
/* After leader_start succeeded, to a monitor that connected anew, and when process ids changed */
struct leader_hello {
    uint64_t session;
    char user[USER_BYTES];
    uint32_t uid, gid;
    uint64_t since; /* CLOCK_REALTIME seconds */
    char key[2 * TOKEN_BYTES + 1];
    uint32_t display; /* X display number */
    char xauthority[PATH_BYTES];
    int32_t leader_pid, display_pid, agent_pid, desktop_pid;
    uint32_t nclients;
    struct leader_client clients[CLIENTS_MAX];
    uint32_t nenv; /* the PAM environment, for leader_refresh */
    struct env_entry env[ENV_MAX];
    /* What its build serves: bits SERVICE_BIT; those that the monitor does not know mean nothing to it */
    uint32_t services;
};
/* the start failed, or X server or desktop died: why, and the last lines of the
 * log. leader_ended follows when everything is cleared up */
struct leader_failed {
    char text[LOG_TAIL_BYTES];
};
/* attached, or its size changed */
struct leader_client_state {
    struct leader_client client;
};
/* Cause 0: its display link is gone. If the client still is there the agent died: leader_attach gives it to the next
 * one. */
struct leader_client_gone {
    uint32_t client;
    uint8_t cause;
};
/* The process that served it ended, or never began. The services of a client that is gone are gone without a word. */
struct leader_service_gone {
    uint32_t client;
    uint8_t service;
    uint8_t for_good; /* 1: this leader cannot serve it: another link would change nothing */
};
/* The idle limit was reached */
struct leader_idle {
    uint32_t seconds;
};
/* Everything of the session is gone; it exits */
struct leader_ended {
    uint8_t cause;
    char text[TEXT_BYTES];
};
extern const struct wire_proto leader_to_monitor;
extern const struct wire_def leader_name_def, leader_conv_def, leader_verdict_def, leader_refreshed_def,
    leader_hello_def, leader_failed_def, leader_client_state_def, leader_client_gone_def, leader_service_gone_def,
    leader_idle_def, leader_ended_def;

/* leader → agent (the agent finds DISPLAY and XAUTHORITY in its environment, the link at descriptor 3) */
struct agent_start {
    struct display_open open; /* nmonitors 0: an agent before this one set the display up; leave it as it is */
    uint32_t idle_seconds;    /* 0: no limit */
};
/* fd: the drawer's end of a display link */
struct agent_client {
    uint32_t client;
    uint8_t role;
};
struct agent_drop {
    uint32_t client;
    uint8_t cause;
};
struct agent_notice {
    uint32_t width, height, stride;
}; /* fd: as leader_notice */
extern const struct wire_proto leader_to_agent;
extern const struct wire_def agent_start_def, agent_client_def, agent_drop_def, agent_notice_def;

/* agent → leader */
/* Display set up: start the desktop */
struct agent_ready {
    uint8_t unused;
};
struct agent_failed {
    char text[TEXT_BYTES];
};
struct agent_client_size {
    uint32_t client, width, height, nmonitors;
};
/* Its link closed or broke the protocol */
struct agent_client_gone {
    uint32_t client;
};
struct agent_idle {
    uint32_t seconds;
};
extern const struct wire_proto agent_to_leader;
extern const struct wire_def agent_ready_def, agent_failed_def, agent_client_size_def, agent_client_gone_def,
    agent_idle_def;

/* startup → leader: oriel-startup runs as the user, between the leader and the desktop. Nothing goes the other way. */
#define STARTUP_TROUBLES_MAX 16 /* of one session in the host's log: a line a start-up file */
/* a start-up file or a choice that did not work; the session goes on */
struct startup_trouble {
    char text[TEXT_BYTES];
};
struct startup_desktop { /* the desktop starts now */
    uint8_t kind;        /* enum desktop_kind */
    char what[PATH_BYTES];
    char id[DESKTOP_ID_BYTES];
};
/* There is none to start */
struct startup_failed {
    char text[TEXT_BYTES];
};
extern const struct wire_proto startup_to_leader;
extern const struct wire_def startup_trouble_def, startup_desktop_def, startup_failed_def;

#endif
