/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ORIEL_SESSION_LOGON_ENCLOSE_H
#define ORIEL_SESSION_LOGON_ENCLOSE_H

/* Enter the sandbox of oriel-logon: before Pango, which starts a thread of its own, and before the links are read. What
 * libraries open late stays readable by Landlock: fonts, fontconfig, keyboard and compose data. A kernel without
 * Landlock is refused: text would have no fonts. Returns 0 or negative errno, logged; the caller must then exit. */
int enclose(void);

#endif
