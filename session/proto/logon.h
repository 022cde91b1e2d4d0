/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-monitor ↔ oriel-logon (a socketpair at descriptor 3 of oriel-logon; its display link is descriptor 4).
 * What is typed on the screen goes from oriel-logon to the monitor and to nobody else. */
#ifndef ORIEL_SESSION_PROTO_LOGON_H
#define ORIEL_SESSION_PROTO_LOGON_H

#include "session/proto/types.h"

/* monitor → logon */
#define LOGON_NOTICE_WIDTH 480 /* pixels of what RENDER draws, at 100 percent */
#define LOGON_SCALE_MAX 500    /* MS-RDPBCGR 2.2.1.3.2: desktopScaleFactor */

enum logon_mode { LOGON_MODE_LOGON = 1, LOGON_MODE_NOTICE, LOGON_MODE_RENDER, LOGON_MODE_MAX = LOGON_MODE_RENDER };
struct logon_start {
    /* NOTICE: show `text`, a button ends it. RENDER: draw `text` once, answer logon_rendered, exit */
    uint8_t mode;
    uint8_t reason;            /* enum refuse_reason to explain first, REFUSE_NONE none */
    char user[USER_BYTES];     /* prefilled */
    char host[256];            /* shown */
    char title[256];           /* NOTICE: headline */
    char text[LOG_TAIL_BYTES]; /* banner, or the notice */
    uint32_t scale;            /* RENDER: percent; 0 as 100 */
    uint32_t ndesktops;        /* LOGON: what there is to choose; fewer than two: nothing is asked */
    struct desktop_offer desktops[DESKTOPS_MAX];
    char why[TEXT_BYTES]; /* LOGON: what the refusal of `reason` said; "" nothing more */
};
struct logon_conv { /* answer with logon_answers */
    uint32_t nprompts;
    struct conv_prompt prompts[CONV_MAX];
    uint8_t inform; /* 1: messages only: show them, answer at once, keep them above the next prompts */
};
struct logon_refused { /* back to the first page, unless `final` */
    uint8_t reason;
    uint8_t final; /* no more attempts: show it, the monitor ends the connection */
    char text[TEXT_BYTES];
};
/* Logged in: show "Starting your session", the monitor closes when it draws */
struct logon_done {
    uint8_t unused;
};
extern const struct wire_proto monitor_to_logon;
extern const struct wire_def logon_start_def, logon_conv_def, logon_refused_def, logon_done_def;

/* logon → monitor */
struct logon_submit {
    char user[USER_BYTES];
    uint32_t nsecret;
    uint8_t secret[SECRET_BYTES];
    char desktop[DESKTOP_ID_BYTES]; /* an id of logon_start, DESKTOP_DEFAULT, or "": as last time */
};
struct logon_answers {
    uint32_t nanswers;
    struct conv_answer answers[CONV_MAX];
};
/* User gave up: during a conversation ends the attempt, else disconnects */
struct logon_cancel {
    uint8_t unused;
};
/* fd: sealed memfd */
struct logon_rendered {
    uint32_t width, height, stride;
};
extern const struct wire_proto logon_to_monitor;
extern const struct wire_def logon_submit_def, logon_answers_def, logon_cancel_def, logon_rendered_def;

#endif
