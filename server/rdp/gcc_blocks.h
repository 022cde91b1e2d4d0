/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the library knows of the client's first blocks but does not tell. */
#ifndef ORIEL_SERVER_RDP_GCC_BLOCKS_H
#define ORIEL_SERVER_RDP_GCC_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does this whole TPKT (MCS Connect Initial, MS-RDPBCGR 2.2.1.3) ask for the message channel
 * (TS_UD_CS_MCS_MSGCHANNEL, 2.2.1.3.7)? Without it heartbeats and network measurements have nowhere to go. False for
 * every other PDU. */
bool gcc_has_message_channel(const uint8_t *pdu, size_t len);

#endif
