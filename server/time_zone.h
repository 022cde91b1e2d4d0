/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows time zone names (MS-RDPBCGR 2.2.1.11.1.1.1.1, dynamicDSTTimeZoneKeyName) to IANA's. */
#ifndef ORIEL_SERVER_TIME_ZONE_H
#define ORIEL_SERVER_TIME_ZONE_H

/* NULL when the name is NULL or unknown. Source: the territory "001" rows of CLDR's windowsZones. */
const char *time_zone_iana(const char *windows_name);

#endif
