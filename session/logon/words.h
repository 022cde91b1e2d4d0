/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the logon screen says of its own accord. PAM's words come from PAM. */
#ifndef ORIEL_SESSION_LOGON_WORDS_H
#define ORIEL_SESSION_LOGON_WORDS_H

#include "session/proto/types.h"

/* One or two sentences: what happened and what to do. Tells nothing that PAM did not say first: a wrong password, an
 * unknown user and a locked account read the same. Never NULL. */
const char *words_refusal(enum refuse_reason reason);
/* Whether the refusal's `text` (PAM's own) takes the place of ours. */
int words_text_replaces(enum refuse_reason reason);

#define WORDS_SUBTITLE "Sign in to this computer"
#define WORDS_USER "User name"
#define WORDS_PASSWORD "Password"
#define WORDS_DESKTOP "Desktop"
#define WORDS_DESKTOP_TITLE "Choose a desktop"
#define WORDS_DESKTOP_NOTE "For a session that starts now. A session that runs already is shown as it is."
#define WORDS_DESKTOP_LAST "As last time"
#define WORDS_DESKTOP_DEFAULT "Default"
#define WORDS_BACK "Back"
#define WORDS_SIGN_IN "Sign in"
#define WORDS_CONTINUE "Continue"
#define WORDS_CANCEL "Cancel"
#define WORDS_DISCONNECT "Disconnect"
#define WORDS_CLOSE "Close"
#define WORDS_SIGNING_IN "Signing in\u2026"
#define WORDS_STARTING "Starting your session\u2026"
#define WORDS_NO_USER "Enter your user name."
#define WORDS_FINAL "No attempts are left on this connection. Disconnect, then connect again."
#define WORDS_UNLABELLED "Answer"

#endif
