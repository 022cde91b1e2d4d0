/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one PDU that clients send in a form which the library refuses. */
#ifndef ORIEL_SERVER_RDP_ERECT_DOMAIN_H
#define ORIEL_SERVER_RDP_ERECT_DOMAIN_H

#include <stddef.h>
#include <stdint.h>

/* If this whole TPKT is an MCS Erect Domain Request (MS-RDPBCGR 2.2.1.5; T.125 11.8), write its two integers in their
 * shortest form and cut what follows them. rdesktop 1.9 writes 16-bit numbers there, other clients padding; servers do
 * not use the values. Returns the length from now on. Every other PDU stays as it is. */
size_t erect_domain_mend(uint8_t *pdu, size_t len);

#endif
