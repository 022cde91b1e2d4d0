/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client brought for its login, whatever its protocol. */
#ifndef ORIEL_SERVER_PEER_CREDENTIALS_H
#define ORIEL_SERVER_PEER_CREDENTIALS_H

#include "session/proto/types.h"

struct credentials {
    char user[USER_BYTES], domain[USER_BYTES]; /* UTF-8 */
    bool autologon;                            /* INFO_AUTOLOGON: the client means to log in without asking */
    bool bad_credentials;                      /* not text, or too long for any account: cannot be right */
    bool have_password;                        /* also when empty but AUTOLOGON is set */
    uint32_t npassword;
    uint8_t password[SECRET_BYTES]; /* UTF-8, not terminated; may hold NULs if the client sent some */
    bool have_cookie;               /* of an earlier connection: logon_id and verifier are valid */
    uint32_t logon_id;
    uint8_t verifier[16];
};

/* Wipe everything secret in it. */
void credentials_wipe(struct credentials *c);

#endif
