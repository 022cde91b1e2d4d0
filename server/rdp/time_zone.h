/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows time zone names (MS-RDPBCGR 2.2.1.11.1.1.1.1, dynamicDSTTimeZoneKeyName) to IANA's. */
#ifndef ORIEL_SERVER_RDP_TIME_ZONE_H
#define ORIEL_SERVER_RDP_TIME_ZONE_H

#include <stddef.h>

/* NULL when the name is NULL or unknown. Source: the territory "001" rows of CLDR's windowsZones, under the names that
 * IANA gives them today (Debian has the old ones in a package of their own, tzdata-legacy); and two zones that Windows
 * still has and CLDR had
 * ("Mid-Atlantic", "Kamchatka"). */
const char *time_zone_iana(const char *windows_name);
/* All of them: the Windows name of the `i`th goes to *windows, IANA's is returned. */
size_t time_zone_count(void);
const char *time_zone_at(size_t i, const char **windows);

#endif
