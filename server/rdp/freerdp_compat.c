/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All that versions of libfreerdp make necessary, with the test that shows why. What a version ended is compiled only
 * BEFORE it, or from it on. What none has ended yet has no guard: it does no harm to a library that needs it no more.
 *
 * - before 3.11: heap overflow in sends of more than 4 KiB in a static channel: SVC_CHUNK is held below it.
 *   Test: each frame that tests/pdu gets.
 * - from 3.17: a layer's Read has to say "again" by errno, too: compat_layer_result.
 *   Test: each story: a read that finds nothing.
 * - all: a failed negotiation goes on into TLSAccept: compat_nego_failed.
 *   Test: tests/pdu/test_refusals.py.
 * - all: the client's MCS ultimatum is told as a failure: compat_client_disconnected.
 *   Test: tests/pdu/test_refusals.py.
 * - all: no settings without a home folder: compat_init_library.
 *   Test: each story: the environment has none.
 * - all: rdesktop's Erect Domain Request is refused: erect_domain.c.
 *   Test: tests/scenario/test_thin_clients.py.
 * - all: Client Info with odd strings ends the connection: client_info.c.
 *   Test: tests/unit/server/test_client_info.c.
 * - all: whether there is a message channel is not told: gcc_blocks.c.
 *   Test: tests/unit/server/test_gcc_blocks.c.
 *
 * We never ask a version for what it does wrong, and need nothing for it: to refuse a login (< 3.22), to send a chain
 * of certificates (< 3.17), RDSTLS (< 3.30), names in Save Session Info (3.10: rdp_info.c sends the plain notice). TLS,
 * verdicts and notices are ours in every version, and what is off is off in all (rdp_settings.c).
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
