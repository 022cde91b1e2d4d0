/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Credentials out of the Client Info PDU, before libfreerdp sees them (MS-RDPBCGR 2.2.1.11, with Enhanced RDP
 * Security).
 *
 * libfreerdp copies strings through several buffers that it frees without wiping. So the password and the reconnect
 * cookie are taken from the PDU here and overwritten in place; the library parses the rest as usual and never holds a
 * secret.
 */
#ifndef ORIEL_SERVER_RDP_CLIENT_INFO_H
#define ORIEL_SERVER_RDP_CLIENT_INFO_H

#include "server/peer/credentials.h"

/* Read one whole TPKT from the client; its secrets are overwritten. Strings that the library would end the connection
 * over (of an odd length, of 512 bytes, no text) are taken or refused here, and become others of the same length
 * altogether: the client is told in words that name or password are wrong. A terminator that is counted in does not
 * belong to the string. Returns 0, -ENOENT (another PDU: untouched), -EPROTO (a string too long or not terminated, or
 * fewer bytes than announced). */
int client_info_take(uint8_t *pdu, size_t len, struct credentials *out);
/* Is this whole TPKT the client's Shutdown Request (2.2.2.2)? The library answers it by ending, as it ends for broken
 * PDUs. */
bool client_pdu_is_shutdown(const uint8_t *pdu, size_t len);

#endif
