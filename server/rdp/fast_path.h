/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fast-path output (MS-RDPBCGR 2.2.9.1.2), as far as the stream has to know it. */
#ifndef ORIEL_SERVER_RDP_FAST_PATH_H
#define ORIEL_SERVER_RDP_FAST_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is this PDU of ours a fragment of an update, and not its last one? Until the last one no other update may come
 * between (2.2.9.1.2.1). */
bool fast_path_goes_on(const uint8_t *pdu, size_t len);

#endif
