/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The X cookie file: MIT-MAGIC-COOKIE-1 entries as libXau reads them. */
#ifndef ORIEL_SESSION_LEADER_XAUTH_H
#define ORIEL_SESSION_LEADER_XAUTH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define XAUTH_COOKIE_BYTES 16
#define XAUTH_FILE_BYTES 1024 /* two entries with a 255 byte host name need 370 */

/* The file's content for display `display` into out: one entry for `host`, one for any address (the host may be renamed
 * while the session runs). Returns its length, or -EMSGSIZE. */
ssize_t xauth_format(const char *host, unsigned display, const uint8_t cookie[XAUTH_COOKIE_BYTES], uint8_t *out,
    size_t cap);
/* Make a new file, mode 0600, with a random cookie. An old one is replaced. Call it as the user. 0 or negative errno.
 */
int xauth_write_file(const char *path, unsigned display);

#endif
