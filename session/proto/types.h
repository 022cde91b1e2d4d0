/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words that several of the session protocols share. */
#ifndef ORIEL_SESSION_PROTO_TYPES_H
#define ORIEL_SESSION_PROTO_TYPES_H

#include "common/wire.h"

#define USER_BYTES 256 /* LOGIN_NAME_MAX, with its NUL */
/* Client Info passwords end at 512 bytes of UTF-16 (MS-RDPBCGR 2.2.1.11.1.1); PAM's own limit is 512 */
#define SECRET_BYTES 512
#define ADDRESS_BYTES 64     /* a numeric IPv6 address with scope */
#define CLIENT_NAME_BYTES 64 /* 15 UTF-16 units on the wire, up to 4 bytes each */
#define TEXT_BYTES 1024      /* one human message */
#define LOG_TAIL_BYTES 8192  /* the last lines of a failed session's log: fills a screen */
#define TOKEN_BYTES 16       /* 128 random bits */
#define HASH_BYTES 32        /* SHA-256 */
/* Prompts in one PAM conversation call: PAM_MAX_NUM_MSG is 32, real modules use 1 to 3 */
#define CONV_MAX 16
#define CLIENTS_MAX 8         /* attachments of one session: one controls, the others view */
#define DESKTOP_ID_BYTES 64   /* the name of an entry of xsessions: twenty letters in practice */
#define DESKTOP_NAME_BYTES 96 /* what people read of it */
/* Entries that the logon screen offers: Debian has some forty in all its packages */
#define DESKTOPS_MAX 32
/* Chosen in place of an entry: what is started where nobody chose */
#define DESKTOP_DEFAULT "default"

/* Why a login was refused. What the user is told depends on it, what an attacker learns does not: unknown user, wrong
 * password and a locked account are all REFUSE_CREDENTIALS unless PAM itself said the password was right. */
enum refuse_reason {
    REFUSE_NONE = 0,
    REFUSE_CREDENTIALS,  /* wrong user or password */
    REFUSE_CONVERSATION, /* PAM wants to ask more than a password: use the logon screen */
    REFUSE_ACCOUNT,      /* expired, locked, outside hours, nologin: `text` says it */
    REFUSE_POLICY,       /* not in an allowed group, or root */
    REFUSE_THROTTLED,    /* this source guessed too often */
    REFUSE_LIMIT,        /* sessions per host or user */
    REFUSE_ELSEWHERE,    /* the user has a graphical session outside Oriel and the option says no */
    REFUSE_COOKIE,       /* automatic reconnection is not possible: ask for a password */
    REFUSE_UNAVAILABLE,  /* PAM or a part of Oriel is broken: the log says more */
    REFUSE_MAX = REFUSE_UNAVAILABLE
};
/* Why a client is disconnected. Each has its error-info code in server/ (MS-RDPBCGR 2.2.5.1.1). */
enum end_cause {
    END_NONE = 0,
    END_REPLACED, /* another client of this user took over */
    END_IDLE,
    END_LOGON_TIMEOUT,
    END_DENIED,
    END_ADMIN_DISCONNECT,
    END_ADMIN_LOGOFF,
    END_USER_LOGOFF,
    END_USER_DISCONNECT,
    END_SESSION_FAILED,
    END_SHUTDOWN,
    END_PROTOCOL,
    END_MAX = END_PROTOCOL
};
enum auth_method {
    AUTH_PASSWORD = 1,     /* user + secret */
    AUTH_CONVERSATION,     /* user; PAM asks through the logon screen */
    AUTH_ASSERTION,        /* secret: a gateway's token. Reserved until the gateway is there: refused */
    AUTH_RECONNECT_COOKIE, /* secret: u32 logon id (LE) + 16 byte security verifier of ARC_CS_PRIVATE_PACKET */
    AUTH_SPNEGO,           /* reserved: refused */
    AUTH_CERT,             /* reserved: refused */
    AUTH_METHOD_MAX = AUTH_CERT
};
enum client_role { ROLE_CONTROL = 1, ROLE_VIEW, ROLE_RECORD, ROLE_MAX = ROLE_RECORD };

struct conv_prompt {
    uint8_t style;         /* PAM_PROMPT_ECHO_OFF 1, PAM_PROMPT_ECHO_ON 2, PAM_ERROR_MSG 3, PAM_TEXT_INFO 4 */
    char text[TEXT_BYTES]; /* UTF-8 */
};
/* "" for styles 3 and 4 */
struct conv_answer {
    char text[SECRET_BYTES];
};
/* a desktop of this host */
struct desktop_offer {
    char id[DESKTOP_ID_BYTES], name[DESKTOP_NAME_BYTES];
};
extern const struct wire_def conv_prompt_def, conv_answer_def, desktop_offer_def;

#endif
