/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desktops that the logon screen offers. They are read anew for each screen: a desktop that was just installed is
 * there. */
#ifndef ORIEL_SESSION_MONITOR_OFFERS_H
#define ORIEL_SESSION_MONITOR_OFFERS_H

#include "session/proto/logon.h"

#include <stdbool.h>

/* Fill in m->desktops. Fewer than two: none, for there is nothing to choose. */
void offers_fill(struct logon_start *m);
/* Whether a logon screen may have sent this choice: "", DESKTOP_DEFAULT or an entry of this host. */
bool offers_has(const char *desktop);

#endif
