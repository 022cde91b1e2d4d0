/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is the first X.224 Connection Request there? (MS-RDPBCGR 2.2.1.1; T.123 8, X.224 13.3). Pure; reads nothing else of
 * it. */
#ifndef ORIEL_SERVER_LISTEN_FIRST_REQUEST_H
#define ORIEL_SERVER_LISTEN_FIRST_REQUEST_H

#include <stddef.h>
#include <stdint.h>

/* X.224's length octet ends at 254: 4 (TPKT) + 1 + 254. */
#define FIRST_REQUEST_MAX 259

/* Look at `len` bytes from the start of a connection. Returns 0: the whole request is there; n > 0: wait until n bytes
 * are there; -EPROTO: this is no RDP client. */
int first_request_check(const uint8_t *data, size_t len);

#endif
