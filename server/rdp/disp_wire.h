/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Display control PDUs from the client (MS-RDPEDISP 2.2). Pure. */
#ifndef ORIEL_SERVER_RDP_DISP_WIRE_H
#define ORIEL_SERVER_RDP_DISP_WIRE_H

#include "session/proto/display.h"

/* Read DISPLAYCONTROL_MONITOR_LAYOUT_PDU; the layout still has to go through client_layout_normalise. Monitors beyond
 * DISPLAY_MONITORS_MAX are dropped. Returns 0; -ENOENT: another PDU; -EPROTO. */
int disp_wire_layout(const uint8_t *data, size_t len, struct display_layout *l);

#endif
