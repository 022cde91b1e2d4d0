/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PAM conversation of one login attempt: what PAM asks is answered from the given secret or by the monitor.
 * Blocking; one thread. PAM calls conv_function from inside pam_authenticate and friends. */
#ifndef ORIEL_SESSION_LEADER_CONV_H
#define ORIEL_SESSION_LEADER_CONV_H

#include "session/proto/leader.h"

#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdint.h>

struct conv {
    int sock;               /* blocking link to the monitor; the caller's */
    int64_t deadline_ms;    /* CLOCK_MONOTONIC: no answer is waited for beyond it */
    bool interactive;       /* prompts can be shown */
    bool have_secret;       /* `secret` has not been used yet */
    bool first_prompt_seen; /* the first ECHO_OFF prompt was answered */
    uint32_t nsecret;
    char secret[SECRET_BYTES]; /* wiped by its first use and by conv_wipe */
    unsigned prompts;          /* how many were answered */
    bool keep_answers;         /* `latest` is kept: a password is being changed */
    char latest[SECRET_BYTES]; /* the last answer to an ECHO_OFF prompt; wiped by conv_wipe */
    /* What PAM said in infos and errors since conv_forget_text, one a line, clean UTF-8 */
    char text[TEXT_BYTES];
    /* Why the conversation failed, for the verdict: */
    bool wants_more;   /* a question that nobody was there to answer */
    bool empty_answer; /* the password was empty */
    int link_error;    /* -EPIPE, -EPROTO, -ETIMEDOUT: the attempt is over, no verdict can be given */
};

/* Milliseconds until `deadline_ms`, never negative. */
int conv_left_ms(int64_t deadline_ms);
/* Receive one message of the monitor. 0, or negative errno as wire_recv; descriptors that nobody expects are -EPROTO.
 * `*msg` is a static buffer, valid until the next call; conv_wipe clears it. */
int conv_receive(int sock, int64_t deadline_ms, const struct wire_def **def, void **msg);
/* struct pam_conv's function; appdata_ptr is the struct conv. */
int conv_function(int n, const struct pam_message **msgs, struct pam_response **out, void *appdata);
/* Have the user acknowledge the messages that no prompt followed: otherwise the session would wipe them off the screen.
 * 0, or negative errno, also in link_error. */
int conv_acknowledge(struct conv *c);
void conv_forget_text(struct conv *c);
/* Copy text from outside into out as UTF-8 without control characters other than newline and tab. Cuts at whole
 * characters. */
void conv_clean_text(const char *text, char *out, size_t cap);
/* Wipe the secret and every buffer that may have held an answer. */
void conv_wipe(struct conv *c);

#endif
