/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All that one version of libfreerdp makes necessary stands here, each behind its guard, with the test that shows why.
 * A newer library sheds it by itself: what is only needed BEFORE(n) is not compiled from 3.n on.
 *
 *   defect                                           in            what is done              test
 *   heap overflow in static-channel sends > 4 KiB    < 3.11        SVC_CHUNK is below that   tests/pdu/test_connect.py:
 * frames of 100 KB layer Read: "again" is 0, later errno EAGAIN     from 3.17     compat_layer_result       each story:
 * a read that finds nothing a failed negotiation goes on into TLSAccept      all so far    compat_nego_failed
 * tests/pdu/test_refusals.py MCS ultimatum of the client is told as a failure all so far    compat_client_disconnected
 * tests/pdu/test_refusals.py rdesktop's Erect Domain Request is refused       all so far    erect_domain.c
 * tests/scenario/test_thin_clients.py no settings without a home folder                all so far compat_init_library
 * each story: the environment has none
 *
 * What these versions also do wrong, and we never ask them for: to refuse a login (< 3.22), to send a certificate chain
 * (< 3.17), RDSTLS
 * (< 3.30), names in Save Session Info (3.10). TLS, verdicts and notices are ours, whatever the version; what is off,
 * is off for all (rdp_settings.c).
 */
#include "common/log.h"
#include "server/rdp/rdp.h"

#include <errno.h>
#include <freerdp/version.h>
#include <stdlib.h>
#include <winpr/ssl.h>
#include <winpr/wlog.h>

#define BEFORE(minor) (FREERDP_VERSION_MAJOR == 3 && FREERDP_VERSION_MINOR < (minor))

#if FREERDP_VERSION_MAJOR < 3 || BEFORE(10)
#error "libfreerdp 3.10.3 or newer is needed"
#endif

#if BEFORE(11)
_Static_assert(SVC_CHUNK <= 4096, "the buffer for static channels has room for so much");
#endif

#define NEGO_FAILED 0x80000000u /* PROTOCOL_FAILED_NEGO of the library */

int compat_init_library(void)
{
    /* The library writes what it likes, also of clients, to its own log: ours tells what matters. */
    wLog *root = WLog_GetRoot();
    if (!root || !WLog_SetLogLevel(root, WLOG_OFF))
        return -ENOMEM;
    /* Without a home folder no settings can be made; nothing is ever read or written there. */
    if (setenv("HOME", "/", 1) < 0)
        return -errno;
    return winpr_InitializeSSL(WINPR_SSL_INIT_DEFAULT) ? 0 : -EIO;
}

int compat_layer_result(int n)
{
#if !BEFORE(17)
    errno = n == 0 ? EAGAIN : 0;
#endif
    return n;
}

bool compat_nego_failed(rdpContext *c)
{
    return (freerdp_settings_get_uint32(c->settings, FreeRDP_SelectedProtocol) & NEGO_FAILED) != 0;
}

bool compat_client_disconnected(rdpContext *c)
{
    return freerdp_shall_disconnect_context(c);
}
