/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/words.h"

const char *words_refusal(enum refuse_reason reason)
{
    switch (reason) {
    case REFUSE_NONE:
        return "";
    case REFUSE_CREDENTIALS:
        return "The user name or the password is not correct.";
    case REFUSE_CONVERSATION:
        return "This computer asks for more than a password. Please sign in here.";
    case REFUSE_ACCOUNT:
        return "This account cannot sign in at the moment. Please ask the administrator.";
    case REFUSE_POLICY:
        return "This account is not allowed to sign in here. Please ask the administrator.";
    case REFUSE_THROTTLED:
        return "There were too many failed attempts from your network. Please wait a minute, then try again.";
    case REFUSE_LIMIT:
        return "No further session can be opened at the moment. Please try again later.";
    case REFUSE_ELSEWHERE:
        return "You are signed in on this computer's own screen. Please sign out there first.";
    case REFUSE_COOKIE:
        return "The connection was interrupted. Sign in to return to your session.";
    case REFUSE_UNAVAILABLE:
        return "Signing in does not work at the moment. The administrator finds the reason in this computer's log.";
    }
    return "Signing in was refused.";
}

int words_text_replaces(enum refuse_reason reason)
{
    return reason == REFUSE_ACCOUNT || reason == REFUSE_CREDENTIALS;
}
