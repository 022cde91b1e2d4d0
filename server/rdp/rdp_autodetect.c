/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network measurements with the client's help (MS-RDPBCGR 2.2.14), for ways on which the kernel knows nothing: behind a
 * gateway the socket is a local one. Nothing is ever sent for measuring alone: a large frame that goes anyway is put
 * between a start and a stop, at most every few seconds, so that who is idle stays silent. Nothing is measured while
 * connecting: that would cost a round trip.
 */
#include "common/clock.h"
#include "server/rdp/rdp.h"

#include <freerdp/autodetect.h>

/* A shorter frame measures the client's clock, which counts milliseconds */
#define FRAME_MIN 24576u
#define EVERY_US 5000000u
#define FORGET_US 10000000u /* an answer that takes longer is not waited for */
#define DELTA_MAX_MS 60000u
#define RATE_MAX 1250000000u /* 10 Gbit/s: what is faster is a lie or a rounding */

/* Skips the exchange while connecting. */
static FREERDP_AUTODETECT_STATE on_begin(rdpAutoDetect *a)
{
    return FREERDP_AUTODETECT_STATE_COMPLETE;
}

/* Answers that nobody asked for, late or twice, say nothing. */
static BOOL on_rtt(rdpAutoDetect *a, RDP_TRANSPORT_TYPE transport, UINT16 sequence)
{
    struct measurement *d = &front_of(a->context)->autodetect;
    if (!d->rtt_asked || sequence != d->sequence)
        return TRUE;
    d->rtt_asked = false;
    uint64_t took = clock_us() - d->asked_us;
    if (took < FORGET_US && (d->rtt_us == 0 || took < d->rtt_us))
        d->rtt_us = (uint32_t)took;
    return TRUE;
}

static void tell_client(rdpAutoDetect *a, const struct measurement *d)
{
    rdpNetworkCharacteristicsResult r = {.type = RDP_NETCHAR_RESULT_TYPE_BASE_RTT_BW_AVG_RTT,
        .baseRTT = d->rtt_us / 1000,
        .averageRTT = d->rtt_us / 1000,
        .bandwidth = d->bytes_per_second / 125};
    (void)a->NetworkCharacteristicsResult(a, RDP_TRANSPORT_TCP, d->sequence, &r);
}

static BOOL on_bandwidth(rdpAutoDetect *a, RDP_TRANSPORT_TYPE transport, UINT16 sequence, UINT16 type, UINT32 ms,
    UINT32 bytes)
{
    struct measurement *d = &front_of(a->context)->autodetect;
    if (!d->bandwidth_asked || sequence != d->sequence)
        return TRUE;
    d->bandwidth_asked = false;
    uint64_t rate = ms ? (uint64_t)bytes * 1000u / ms : 0;
    if (ms > DELTA_MAX_MS || bytes < FRAME_MIN / 2 || rate == 0 || rate > RATE_MAX)
        return TRUE;
    d->bytes_per_second = (uint32_t)rate;
    tell_client(a, d);
    return TRUE;
}

void rdp_autodetect_init(struct front *f)
{
    rdpAutoDetect *a = autodetect_get(f->client->context);
    a->OnConnectTimeAutoDetectBegin = on_begin;
    a->RTTMeasureResponse = on_rtt;
    a->BandwidthMeasureResults = on_bandwidth;
}

bool rdp_autodetect_before(struct front *f, size_t frame_bytes)
{
    struct measurement *d = &f->autodetect;
    uint64_t now = clock_us();
    if (!f->message_channel || !f->granted || frame_bytes < FRAME_MIN ||
        (d->asked_us && now - d->asked_us < EVERY_US) ||
        !freerdp_settings_get_bool(f->client->context->settings, FreeRDP_NetworkAutoDetect))
        return false;
    rdpAutoDetect *a = autodetect_get(f->client->context);
    d->sequence++;
    d->asked_us = now;
    d->rtt_asked = a->RTTMeasureRequest(a, RDP_TRANSPORT_TCP, d->sequence);
    d->bandwidth_asked = a->BandwidthMeasureStart(a, RDP_TRANSPORT_TCP, d->sequence);
    return d->bandwidth_asked;
}

void rdp_autodetect_after(struct front *f)
{
    rdpAutoDetect *a = autodetect_get(f->client->context);
    (void)a->BandwidthMeasureStop(a, RDP_TRANSPORT_TCP, f->autodetect.sequence, 0);
}
