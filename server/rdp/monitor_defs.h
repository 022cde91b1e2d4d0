/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monitors as clients are told them: TS_MONITOR_DEF (MS-RDPBCGR 2.2.1.3.6.1), in the Monitor Layout PDU (2.2.12.1) and
 * in RDPGFX_RESET_GRAPHICS_PDU (MS-RDPEGFX 2.2.2.14). Both count from the primary's corner; everything else in RDP and
 * all our links count from the union's: surfaces in the output, pointer positions both ways. Pure. */
#ifndef ORIEL_SERVER_RDP_MONITOR_DEFS_H
#define ORIEL_SERVER_RDP_MONITOR_DEFS_H

#include "codecs/wire/gfx_wire.h"
#include "session/proto/display.h"

/* Returns how many, 1 … GFX_MONITORS_MAX: exactly one is the primary, and its corner is 0,0. Without any it is one of
 * width x height, the desktop's size. Takes any
 * coordinates; those that no desktop has are cut to ±32767. */
size_t monitor_defs(const struct display_layout *l, uint32_t width, uint32_t height,
    struct gfx_monitor out[GFX_MONITORS_MAX]);

#endif
