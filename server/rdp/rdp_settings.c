/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What we offer the client, and what it told us. */
#include "server/peer/layout.h"
#include "server/rdp/rdp.h"
#include "server/rdp/time_zone.h"

#include <freerdp/crypto/certificate.h>
#include <stdio.h>
#include <string.h>

struct flag {
    FreeRDP_Settings_Keys_Bool key;
    BOOL value;
};

static const struct flag flags[] = {
    {FreeRDP_TlsSecurity, TRUE},
    {FreeRDP_NlaSecurity, FALSE},
    {FreeRDP_RdpSecurity, FALSE},
    {FreeRDP_UseRdpSecurityLayer, FALSE},
    /* TLS and nothing else */
    {FreeRDP_AadSecurity, FALSE},
    {FreeRDP_RdstlsSecurity, FALSE},
    {FreeRDP_ExtSecurity, FALSE},
    {FreeRDP_SupportMultitransport, FALSE}, /* nobody serves UDP */
    {FreeRDP_SupportGraphicsPipeline, TRUE},
    {FreeRDP_SupportDisplayControl, TRUE},
    {FreeRDP_SupportDynamicChannels, TRUE},
    {FreeRDP_SupportMonitorLayoutPdu, TRUE},
    {FreeRDP_SupportHeartbeatPdu, TRUE},
    {FreeRDP_SupportErrorInfoPdu, TRUE},
    {FreeRDP_NetworkAutoDetect, TRUE},
    {FreeRDP_CompressionEnabled, FALSE},
    {FreeRDP_AutoReconnectionEnabled, TRUE},
    {FreeRDP_AutoReconnectionPacketSupported, TRUE},
    {FreeRDP_HasExtendedMouseEvent, TRUE},
    {FreeRDP_HasHorizontalWheel, TRUE},
    {FreeRDP_HasRelativeMouseEvent, TRUE},
    {FreeRDP_HasQoeEvent, FALSE},
    {FreeRDP_UnicodeInput, TRUE},
    {FreeRDP_RefreshRect, TRUE},
    {FreeRDP_SuppressOutput, TRUE},
    {FreeRDP_SurfaceCommandsEnabled, TRUE},
    {FreeRDP_SurfaceFrameMarkerEnabled, TRUE},
    {FreeRDP_FrameMarkerCommandEnabled, TRUE},
    {FreeRDP_RemoteFxCodec, TRUE},
    {FreeRDP_NSCodec, FALSE},
    {FreeRDP_JpegCodec, FALSE},
    {FreeRDP_FastPathOutput, TRUE},
    {FreeRDP_FastPathInput, TRUE},
    {FreeRDP_DesktopResize, TRUE},
    {FreeRDP_NoBitmapCompressionHeader, TRUE},
    {FreeRDP_SupportDynamicTimeZone, TRUE},
    {FreeRDP_DrawAllowSkipAlpha, TRUE},
    {FreeRDP_DrawAllowColorSubsampling, FALSE},
    {FreeRDP_DrawAllowDynamicColorFidelity, FALSE},
    {FreeRDP_BitmapCacheEnabled, FALSE},
    {FreeRDP_BitmapCachePersistEnabled, FALSE},
    {FreeRDP_WaitForOutputBufferFlush, FALSE},
};

bool rdp_settings_init(struct front *f, const char *certificate_pem)
{
    rdpSettings *s = f->client->context->settings;
    bool ok = freerdp_settings_set_uint32(s, FreeRDP_VCChunkSize, SVC_CHUNK);
    ok &= freerdp_settings_set_uint32(s, FreeRDP_MultitransportFlags, 0);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        ok &= freerdp_settings_set_bool(s, flags[i].key, flags[i].value);
    ok &= freerdp_settings_set_uint32(s, FreeRDP_EncryptionLevel, ENCRYPTION_LEVEL_NONE);
    ok &= freerdp_settings_set_uint32(s, FreeRDP_ColorDepth, 32);
    ok &= freerdp_settings_set_uint32(s, FreeRDP_OsMajorType, OSMAJORTYPE_UNIX);
    ok &= freerdp_settings_set_uint32(s, FreeRDP_PointerCacheSize, POINTER_SLOTS_MAX);
    ok &= freerdp_settings_set_uint32(s, FreeRDP_ColorPointerCacheSize, POINTER_SLOTS_MAX);
    ok &= freerdp_settings_set_uint32(s, FreeRDP_LargePointerFlag, LARGE_POINTER_FLAG_96x96);
    /* Initialize() wants a certificate, though the handshake is ours. */
    rdpCertificate *cert = freerdp_certificate_new_from_pem(certificate_pem);
    if (!cert)
        return false;
    return ok && freerdp_settings_set_pointer_len(s, FreeRDP_RdpServerCertificate, cert, 1);
}

static void copy_text(char *out, size_t cap, const char *in)
{
    (void)snprintf(out, cap, "%s", in ? in : "");
}

static struct display_monitor monitor_of(const rdpMonitor *m)
{
    return (struct display_monitor){.x = m->x,
        .y = m->y,
        .width = m->width > 0 ? (uint32_t)m->width : 0,
        .height = m->height > 0 ? (uint32_t)m->height : 0,
        .phys_width = m->attributes.physicalWidth,
        .phys_height = m->attributes.physicalHeight,
        .scale = m->attributes.desktopScaleFactor,
        .orientation = m->attributes.orientation,
        .primary = m->is_primary != 0};
}

static void take_monitors(const rdpSettings *s, struct display_layout *l)
{
    uint32_t n = freerdp_settings_get_uint32(s, FreeRDP_MonitorCount);
    l->nmonitors = 0;
    for (uint32_t i = 0; i < n && l->nmonitors < DISPLAY_MONITORS_MAX; i++) {
        const rdpMonitor *m = freerdp_settings_get_pointer_array(s, FreeRDP_MonitorDefArray, i);
        if (m)
            l->monitors[l->nmonitors++] = monitor_of(m);
    }
}

static void single_monitor(const rdpSettings *s, struct display_layout *l, uint32_t width, uint32_t height)
{
    l->nmonitors = 1;
    l->monitors[0] = (struct display_monitor){.width = width,
        .height = height,
        .primary = 1,
        .phys_width = freerdp_settings_get_uint32(s, FreeRDP_DesktopPhysicalWidth),
        .phys_height = freerdp_settings_get_uint32(s, FreeRDP_DesktopPhysicalHeight),
        .scale = freerdp_settings_get_uint32(s, FreeRDP_DesktopScaleFactor),
        .orientation = freerdp_settings_get_uint16(s, FreeRDP_DesktopOrientation)};
}

static uint32_t clamp(uint32_t v, uint32_t lo, uint32_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static void take_layout(struct front *f, const rdpSettings *s)
{
    struct display_layout *l = &f->facts.layout;
    uint32_t max_w = (uint32_t)f->peer->config.display_max_width, max_h = (uint32_t)f->peer->config.display_max_height;
    take_monitors(s, l);
    uint32_t scale = freerdp_settings_get_uint32(s, FreeRDP_DesktopScaleFactor);
    for (uint32_t i = 0; i < l->nmonitors; i++)
        if (l->monitors[i].scale == 0)
            l->monitors[i].scale = scale;
    if (l->nmonitors && client_layout_normalise(l, max_w, max_h) == 0)
        return;
    /* 200 pixels is the smallest desktop of the protocol (MS-RDPEDISP 2.2.2.2.1) */
    single_monitor(s, l, clamp(freerdp_settings_get_uint32(s, FreeRDP_DesktopWidth), 200, max_w),
        clamp(freerdp_settings_get_uint32(s, FreeRDP_DesktopHeight), 200, max_h));
    (void)client_layout_normalise(l, max_w, max_h);
}

void rdp_facts(struct front *f)
{
    const rdpSettings *s = f->client->context->settings;
    struct client_facts *c = &f->facts;
    copy_text(c->name, sizeof c->name, freerdp_settings_get_string(s, FreeRDP_ClientHostname));
    (void)snprintf(c->software, sizeof c->software, "build %u, %s", freerdp_settings_get_uint32(s, FreeRDP_ClientBuild),
        freerdp_peer_os_major_type_string(f->client));
    c->keyboard_layout = freerdp_settings_get_uint32(s, FreeRDP_KeyboardLayout);
    c->keyboard_type = freerdp_settings_get_uint32(s, FreeRDP_KeyboardType);
    c->keyboard_subtype = freerdp_settings_get_uint32(s, FreeRDP_KeyboardSubType);
    const char *zone = time_zone_iana(freerdp_settings_get_string(s, FreeRDP_DynamicDSTTimeZoneKeyName));
    copy_text(c->time_zone, sizeof c->time_zone, zone);
    take_layout(f, s);
    f->facts_known = true;
}
