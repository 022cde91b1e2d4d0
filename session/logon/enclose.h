/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ORIEL_SESSION_LOGON_ENCLOSE_H
#define ORIEL_SESSION_LOGON_ENCLOSE_H

/* Enter the sandbox of oriel-logon. What its libraries open late stays readable: fonts, fontconfig, keyboard and compose data.
 * Returns 0 or negative errno, logged; the caller must then exit. */
int enclose(void);

#endif
