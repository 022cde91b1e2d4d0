/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Credentials out of the Client Info PDU, before libfreerdp sees them (MS-RDPBCGR 2.2.1.11, with Enhanced RDP Security).
 *
 * libfreerdp copies strings through several buffers that it frees without wiping. So the password and the reconnect cookie are
 * taken from the PDU here and overwritten in place; the library parses the rest as usual and never holds a secret.
 */
#ifndef ORIEL_SERVER_CLIENT_INFO_H
#define ORIEL_SERVER_CLIENT_INFO_H

#include "session/proto/types.h"

struct client_info {
    char user[USER_BYTES], domain[USER_BYTES]; /* UTF-8 */
    bool autologon;            /* INFO_AUTOLOGON: the client means to log in without asking */
    bool bad_credentials;      /* not text, or too long for any account: cannot be right */
    bool have_password;        /* also when empty but AUTOLOGON is set */
    uint32_t npassword;
    uint8_t password[SECRET_BYTES]; /* UTF-8, not terminated; may hold NULs if the client sent some */
    bool have_cookie;          /* ARC_CS_PRIVATE_PACKET, 2.2.4.3 */
    uint32_t logon_id;
    uint8_t verifier[16];
};

/* Read one whole TPKT from the client; its secrets are overwritten. Strings that the library would end the connection over (of an odd
 * length, of 512 bytes, no text) are taken or refused here, and become others of the same length altogether: the client is told in words
 * that name or password are wrong. A terminator that is counted in does not belong to the string. Returns 0, -ENOENT (another PDU:
 * untouched), -EPROTO (a string too long or not terminated, or fewer bytes than announced). */
int client_info_take(uint8_t *pdu, size_t len, struct client_info *out);
/* Is this whole TPKT the client's Shutdown Request (2.2.2.2)? The library answers it by ending, as it ends for broken PDUs. */
bool client_pdu_is_shutdown(const uint8_t *pdu, size_t len);
/* Wipe everything secret in it. */
void client_info_wipe(struct client_info *ci);

#endif
