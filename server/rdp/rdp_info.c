/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the client is told about the session: logon, reconnect cookie, keyboard lights, heartbeat, and why it ended. */
#include "common/log.h"
#include "server/rdp/rdp.h"

#include <freerdp/error.h>
#include <freerdp/heartbeat.h>
#include <freerdp/session.h>
#include <string.h>

/* For the last words to leave; a client that does not read them is not waited for */
#define FAREWELL_MS 1500

/* Save Session Info (MS-RDPBCGR 2.2.10.1). The plain notice: clients do nothing with names. */
void rdp_info_logon(struct front *f)
{
    rdpContext *c = f->client->context;
    if (!f->granted || !f->active || f->logon_told)
        return;
    f->logon_told = true;
    (void)c->update->SaveSessionInfo(c, INFO_TYPE_LOGON_PLAIN_NOTIFY, NULL);
}

void rdp_info_cookie(struct front *f)
{
    rdpContext *c = f->client->context;
    if (!f->cookie_due || !f->active)
        return;
    f->cookie_due = false;
    logon_info_ex ex = {.haveCookie = TRUE, .LogonId = f->cookie.logon_id};
    memcpy(ex.ArcRandomBits, f->cookie.random, sizeof ex.ArcRandomBits);
    (void)c->update->SaveSessionInfo(c, INFO_TYPE_LOGON_EXTENDED_INF, &ex);
}

void rdp_info_leds(struct front *f, uint8_t locks)
{
    rdpContext *c = f->client->context;
    if (!f->active)
        return;
    enum traffic_class before = transport_class(f->tp, TRAFFIC_CONTROL);
    (void)c->update->SetKeyboardIndicators(c, locks);
    transport_class(f->tp, before);
}

void rdp_info_heartbeat(struct front *f, unsigned period)
{
    if (!f->active || !f->message_channel ||
        !freerdp_settings_get_bool(f->client->context->settings, FreeRDP_SupportHeartbeatPdu))
        return;
    enum traffic_class before = transport_class(f->tp, TRAFFIC_CONTROL);
    (void)freerdp_heartbeat_send_heartbeat_pdu(f->client, (BYTE)(period > 255 ? 255 : period), 2, 3);
    transport_class(f->tp, before);
}

/* MS-RDPBCGR 2.2.5.1.1 */
static uint32_t error_info(enum end_cause cause)
{
    switch (cause) {
    case END_REPLACED:
        return ERRINFO_DISCONNECTED_BY_OTHER_CONNECTION;
    case END_IDLE:
        return ERRINFO_IDLE_TIMEOUT;
    case END_LOGON_TIMEOUT:
        return ERRINFO_LOGON_TIMEOUT;
    case END_DENIED:
        return ERRINFO_SERVER_DENIED_CONNECTION;
    case END_ADMIN_DISCONNECT:
    case END_SHUTDOWN:
        return ERRINFO_RPC_INITIATED_DISCONNECT;
    case END_ADMIN_LOGOFF:
        return ERRINFO_RPC_INITIATED_LOGOFF;
    case END_USER_LOGOFF:
        return ERRINFO_LOGOFF_BY_USER;
    case END_USER_DISCONNECT:
        return ERRINFO_RPC_INITIATED_DISCONNECT_BY_USER;
    case END_SESSION_FAILED:
        return ERRINFO_CLOSE_STACK_ON_DRIVER_FAILURE;
    case END_PROTOCOL:
        return ERRINFO_INVALID_INPUT_PDU_TYPE;
    case END_NONE:
        break;
    }
    return ERRINFO_SUCCESS;
}

void rdp_info_end(struct front *f, enum end_cause cause, const char *text)
{
    rdpContext *c = f->client->context;
    if (!transport_dead(f->tp) && f->connected) {
        /* Also to clients that did not announce it (xfreerdp 3.10 does not, but understands it): it is our last word
         * anyway. */
        freerdp_set_error_info(c->rdp, error_info(cause));
        if (f->active)
            (void)freerdp_send_error_info(c->rdp);
        (void)f->client->Close(f->client);
    }
    transport_finish(f->tp, FAREWELL_MS);
}
