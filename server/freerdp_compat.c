/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All that one version of libfreerdp makes necessary stands here, each behind its guard, with the test that shows why.
 *
 *   defect                                           in            test
 *   a refused Logon does not disconnect              < 3.22        tests/scenario denials: Logon is never used for the verdict
 *   only the leaf certificate is sent                < 3.17        tests/pdu/test_refusals.py: the chain verifies against its root
 *   heap overflow in static-channel sends > 4 KiB    < 3.11        VCChunkSize below; tests/pdu/test_connect.py: frames of 100 KB
 *   RDSTLS server authentication can be passed over  < 3.30        RdstlsSecurity below; test_refusals.py
 *   UDP is offered that nobody serves                all           SupportMultitransport below
 *   NLA is selected with NlaSecurity off             >= 3.32       ExtSecurity below; test_refusals.py
 *   a failed negotiation goes on into TLSAccept      all so far    compat_nego_failed; test_refusals.py
 *   layer Read: "again" is 0, later errno EAGAIN     3.17          compat_layer_result: both at once
 */
#include "server/rdp.h"

#include "common/log.h"

#include <errno.h>
#include <freerdp/version.h>
#include <stdlib.h>
#include <winpr/ssl.h>
#include <winpr/wlog.h>

#if FREERDP_VERSION_MAJOR < 3 || (FREERDP_VERSION_MAJOR == 3 && FREERDP_VERSION_MINOR < 10)
#error "libfreerdp 3.10.3 or newer is needed"
#endif

#define VC_CHUNK 1600              /* CHANNEL_CHUNK_LENGTH of MS-RDPBCGR 2.2.6.1: what every client takes */
#define NEGO_FAILED 0x80000000u    /* PROTOCOL_FAILED_NEGO of the library */

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

bool compat_settings(rdpSettings *s)
{
    bool ok = freerdp_settings_set_uint32(s, FreeRDP_VCChunkSize, VC_CHUNK);
    ok &= freerdp_settings_set_bool(s, FreeRDP_RdstlsSecurity, FALSE);
    ok &= freerdp_settings_set_bool(s, FreeRDP_ExtSecurity, FALSE);
    ok &= freerdp_settings_set_bool(s, FreeRDP_SupportMultitransport, FALSE);
    ok &= freerdp_settings_set_uint32(s, FreeRDP_MultitransportFlags, 0);
    return ok;
}

int compat_layer_result(int n)
{
    errno = n == 0 ? EAGAIN : 0;
    return n;
}

bool compat_nego_failed(rdpContext *c)
{
    return (freerdp_settings_get_uint32(c->settings, FreeRDP_SelectedProtocol) & NEGO_FAILED) != 0;
}

bool compat_client_disconnected(rdpContext *c) { return freerdp_shall_disconnect_context(c); }
