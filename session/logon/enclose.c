/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/enclose.h"

#include "common/log.h"
#include "common/sandbox.h"

#include <string.h>

/* Two pictures of the largest desktop during a change of layout, fonts mapped, libraries */
#define ADDRESS_SPACE (3ULL << 30)
#define FILES 64 /* font files in use, links, buffers */

/* Pango opens a font when it first meets its script, xkbcommon a layout when the client names it. */
static const char *const readable[] = {
    "/etc/fonts",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/fontconfig",
    "/var/cache/fontconfig",
    "/usr/share/X11/xkb",
    "/usr/share/X11/locale",
    "/etc/xkb",
    "/usr/share/zoneinfo",
    "/etc/localtime",
    NULL,
};

int enclose(void)
{
    const char *what = "";
    struct sandbox s = {.profile = SANDBOX_LOGON,
        .require_empty_root = true,
        .read_paths = readable,
        .address_space = ADDRESS_SPACE,
        .nofile = FILES};
    int r = sandbox_enter(&s, &what);
    if (r < 0)
        log_error("sandbox refused", "step=\"%s\" error=%s", what ? what : "", strerror(-r));
    return r;
}
