/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The measuring client: a headless libfreerdp client that reads the frame counter out of its own decoded picture.
 * Options are xfreerdp's. Commands on standard input, one answer line (JSON) on standard output each:
 *   begin SCENE LOG EVERY WARM TOTAL
 *                             get ready for TOTAL frames; all but the first WARM count, each EVERY-th (0: none) is
 *                             compared
 *   begin - - 0 0 0           the same without a scene: an application draws
 *   mark                      what follows counts
 *   end                       figures since mark
 *   settle SECONDS            how long after its last frame the picture became sharp and exact
 *   moving                    how true the compared frames were
 *   compare FILE              the picture against a file of BGRX rows
 *   keys N MS                 press a key N times, MS apart; answers key-to-pixel times
 *   keys2 N MS                the same, answered by the second strip while a scene plays
 *   wheel N MS                turn the wheel down N times in the middle of the screen, MS apart
 *   shot FILE                 write the picture as PPM
 *   quit                      */
#include "bench/measure.h"

#include <errno.h>
#include <freerdp/channels/channels.h>
#include <freerdp/channels/rdpgfx.h>
#include <freerdp/client.h>
#include <freerdp/client/channels.h>
#include <freerdp/client/cmdline.h>
#include <freerdp/client/rdpgfx.h>
#include <freerdp/event.h>
#include <freerdp/freerdp.h>
#include <freerdp/gdi/gdi.h>
#include <freerdp/gdi/gfx.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <winpr/synch.h>

#define WORDS 6 /* of a command, the verb among them */
/* One notch, as two's complement of 9 bits */
#define WHEEL_DOWN (PTR_FLAGS_WHEEL | PTR_FLAGS_WHEEL_NEGATIVE | (0x100 - 120))

struct presses {
    uint32_t left, ms;
    uint64_t last_us;
};
struct bench_client {
    rdpClientContext common;
    struct measure m;
    uint64_t key_sent; /* keys are under the measure's lock: the decoder's thread answers them */
    double *key_times;
    uint32_t nkeys, key_max;
    struct presses keys, wheel;
    bool second_strip;
    pcRdpgfxSurfaceCommand surface_command;
    pcRdpgfxSolidFill solid_fill;
    pcRdpgfxSurfaceToSurface surface_to_surface;
    pcRdpgfxCacheToSurface cache_to_surface;
    pcRdpgfxEndFrame end_frame;
};

static struct picture picture(struct bench_client *c)
{
    rdpGdi *gdi = c->common.context.gdi;
    return gdi ? (struct picture){gdi->primary_buffer, gdi->stride} : (struct picture){0};
}

static void key_answered(struct bench_client *c)
{
    pthread_mutex_lock(&c->m.lock);
    if (c->key_sent && c->nkeys < c->key_max) {
        c->key_times[c->nkeys++] = (double)(now_us() - c->key_sent) / 1000;
        c->key_sent = 0;
    }
    pthread_mutex_unlock(&c->m.lock);
}

static BOOL on_end_paint(rdpContext *context)
{
    struct bench_client *c = (struct bench_client *)context;
    struct picture p = picture(c);
    GDI_RGN *invalid = context->gdi->primary->hdc->hwnd->invalid;
    uint32_t y0 = invalid->null || invalid->y < 0 ? 0 : (uint32_t)invalid->y,
             y1 = invalid->null ? 0 : (uint32_t)(invalid->y + invalid->h);
    invalid->null = TRUE;
    context->gdi->primary->hdc->hwnd->ninvalid = 0;
    int news = p.px ? measure_painted(&c->m, p, y0, y1, c->second_strip) : 0;
    if (news & (c->second_strip ? 2 : 1))
        key_answered(c);
    return TRUE;
}

static UINT on_surface_command(RdpgfxClientContext *gfx, const RDPGFX_SURFACE_COMMAND *cmd)
{
    struct bench_client *c = (struct bench_client *)((rdpGdi *)gfx->custom)->context;
    uint32_t codec = cmd->codecId < CODECS ? cmd->codecId : 0;
    c->m.codec_bytes[codec] += cmd->length;
    c->m.codec_count[codec]++;
    return c->surface_command(gfx, cmd);
}

static UINT on_solid_fill(RdpgfxClientContext *gfx, const RDPGFX_SOLID_FILL_PDU *pdu)
{
    struct bench_client *c = (struct bench_client *)((rdpGdi *)gfx->custom)->context;
    c->m.fills++;
    return c->solid_fill(gfx, pdu);
}

static UINT on_copy(RdpgfxClientContext *gfx, const RDPGFX_SURFACE_TO_SURFACE_PDU *pdu)
{
    struct bench_client *c = (struct bench_client *)((rdpGdi *)gfx->custom)->context;
    c->m.copies++;
    return c->surface_to_surface(gfx, pdu);
}

static UINT on_cached(RdpgfxClientContext *gfx, const RDPGFX_CACHE_TO_SURFACE_PDU *pdu)
{
    struct bench_client *c = (struct bench_client *)((rdpGdi *)gfx->custom)->context;
    c->m.cached++;
    return c->cache_to_surface(gfx, pdu);
}

static UINT on_end_frame(RdpgfxClientContext *gfx, const RDPGFX_END_FRAME_PDU *pdu)
{
    struct bench_client *c = (struct bench_client *)((rdpGdi *)gfx->custom)->context;
    c->m.acked++; /* the library acknowledges each */
    return c->end_frame(gfx, pdu);
}

static void on_channel(void *context, const ChannelConnectedEventArgs *e)
{
    struct bench_client *c = context;
    freerdp_client_OnChannelConnectedEventHandler(context, e);
    if (strcmp(e->name, RDPGFX_DVC_CHANNEL_NAME) != 0)
        return;
    RdpgfxClientContext *gfx = e->pInterface;
    c->surface_command = gfx->SurfaceCommand;
    c->solid_fill = gfx->SolidFill;
    c->surface_to_surface = gfx->SurfaceToSurface;
    c->cache_to_surface = gfx->CacheToSurface;
    c->end_frame = gfx->EndFrame;
    gfx->EndFrame = on_end_frame;
    gfx->SurfaceCommand = on_surface_command;
    gfx->SolidFill = on_solid_fill;
    gfx->SurfaceToSurface = on_copy;
    gfx->CacheToSurface = on_cached;
}

static BOOL pre_connect(freerdp *instance)
{
    rdpContext *context = instance->context;
    PubSub_SubscribeChannelConnected(context->pubSub, on_channel);
    PubSub_SubscribeChannelDisconnected(context->pubSub, freerdp_client_OnChannelDisconnectedEventHandler);
    return TRUE;
}

static BOOL desktop_resize(rdpContext *context)
{
    return gdi_resize(context->gdi, freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopWidth),
        freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopHeight));
}

static BOOL post_connect(freerdp *instance)
{
    if (!gdi_init(instance, PIXEL_FORMAT_BGRX32))
        return FALSE;
    instance->context->update->EndPaint = on_end_paint;
    instance->context->update->DesktopResize = desktop_resize;
    return TRUE;
}

static DWORD accept_certificate(freerdp *instance, const char *host, UINT16 port, const char *cn, const char *subject,
    const char *issuer, const char *fingerprint, DWORD flags)
{
    return 2; /* for this connection: the bench talks to servers it started itself */
}

static BOOL client_new(freerdp *instance, rdpContext *context)
{
    struct bench_client *c = (struct bench_client *)context;
    instance->PreConnect = pre_connect;
    instance->PostConnect = post_connect;
    instance->VerifyCertificateEx = accept_certificate;
    return measure_init(&c->m) == 0;
}

static void client_free(freerdp *instance, rdpContext *context)
{
    measure_finish(&((struct bench_client *)context)->m);
}

static void cmd_begin(struct bench_client *c, char *const *w)
{
    c->second_strip = false;
    int r = measure_begin(&c->m, w[1], w[2], (uint32_t)strtoul(w[3], NULL, 10), (uint32_t)strtoul(w[4], NULL, 10),
        (uint32_t)strtoul(w[5], NULL, 10));
    if (r < 0)
        printf("{\"error\":\"begin: %s\"}\n", strerror(-r));
    else
        printf("{\"ok\":true}\n");
}

static void cmd_shot(struct bench_client *c, const char *path)
{
    struct picture pic = picture(c);
    FILE *f = pic.px ? fopen(path, "wb") : NULL;
    if (!f) {
        printf("{\"error\":\"%s\"}\n", strerror(errno));
        return;
    }
    rdpGdi *gdi = c->common.context.gdi;
    fprintf(f, "P6\n%d %d\n255\n", gdi->width, gdi->height);
    for (int y = 0; y < gdi->height; y++)
        for (int x = 0; x < gdi->width; x++) {
            const uint8_t *p = pic.px + (size_t)y * pic.stride + (size_t)x * 4;
            const uint8_t rgb[3] = {p[2], p[1], p[0]};
            fwrite(rgb, 1, 3, f);
        }
    fclose(f);
    printf("{\"ok\":true}\n");
}

/* Whether the next press is due. */
static bool due(const struct presses *p)
{
    return p->left && now_us() - p->last_us >= (uint64_t)p->ms * 1000;
}

static void press(struct presses *p)
{
    p->last_us = now_us();
    p->left--;
}

static void keys_end(struct bench_client *c)
{
    qsort(c->key_times, c->nkeys, sizeof(double), compare_doubles);
    printf("{\"keys\":%u,\"of\":%u,\"p50\":%.2f,\"p95\":%.2f,\"max\":%.2f}\n", c->nkeys, c->key_max,
        percentile(c->key_times, c->nkeys, 0.5), percentile(c->key_times, c->nkeys, 0.95),
        percentile(c->key_times, c->nkeys, 1));
    c->key_max = c->keys.left = 0;
}

/* One key at a time; one that is not answered in 3 s ends it. */
static void keys_step(struct bench_client *c)
{
    rdpInput *in = c->common.context.input;
    if (!c->key_max)
        return;
    pthread_mutex_lock(&c->m.lock);
    bool over = c->nkeys == c->key_max || now_us() - c->keys.last_us > 3000000u + c->keys.ms * 1000u;
    bool send = !over && !c->key_sent && due(&c->keys);
    if (over)
        keys_end(c);
    if (send) {
        press(&c->keys);
        c->key_sent = now_us();
    }
    pthread_mutex_unlock(&c->m.lock);
    if (send) {
        freerdp_input_send_keyboard_event_ex(in, TRUE, FALSE, 0x1e);
        freerdp_input_send_keyboard_event_ex(in, FALSE, FALSE, 0x1e);
    }
}

static void wheel_step(struct bench_client *c)
{
    rdpContext *context = &c->common.context;
    if (!due(&c->wheel))
        return;
    press(&c->wheel);
    uint16_t x = (uint16_t)(context->gdi->width / 2), y = (uint16_t)(context->gdi->height / 2);
    freerdp_input_send_mouse_event(context->input, WHEEL_DOWN, x, y);
    if (!c->wheel.left)
        printf("{\"ok\":true}\n");
}

static void cmd_keys(struct bench_client *c, char *const *w)
{
    pthread_mutex_lock(&c->m.lock);
    c->second_strip = strcmp(w[0], "keys2") == 0;
    c->key_max = (uint32_t)strtoul(w[1], NULL, 10);
    c->keys = (struct presses){c->key_max, (uint32_t)strtoul(w[2], NULL, 10), now_us()};
    c->nkeys = 0;
    c->key_sent = 0;
    free(c->key_times);
    c->key_times = calloc(c->key_max + 1, sizeof(double));
    if (!c->key_times)
        c->key_max = 0;
    pthread_mutex_unlock(&c->m.lock);
}

static void cmd_wheel(struct bench_client *c, char *const *w)
{
    rdpContext *context = &c->common.context;
    c->wheel = (struct presses){(uint32_t)strtoul(w[1], NULL, 10), (uint32_t)strtoul(w[2], NULL, 10), now_us()};
    freerdp_input_send_mouse_event(context->input, PTR_FLAGS_MOVE, (uint16_t)(context->gdi->width / 2),
        (uint16_t)(context->gdi->height / 2));
}

static void compare(struct bench_client *c, const char *file)
{
    rdpGdi *gdi = c->common.context.gdi;
    measure_compare(picture(c), gdi ? (uint32_t)gdi->width : 0, gdi ? (uint32_t)gdi->height : 0, file);
}

static bool command(struct bench_client *c, char *line)
{
    static char none[] = "";
    char *w[WORDS] = {none, none, none, none, none, none}, *rest = NULL, *word = strtok_r(line, " ", &rest);
    for (int i = 0; i < WORDS && word; i++, word = strtok_r(NULL, " ", &rest))
        w[i] = word;
    if (strcmp(w[0], "begin") == 0)
        cmd_begin(c, w);
    else if (strcmp(w[0], "mark") == 0) {
        measure_mark(&c->m);
        printf("{\"ok\":true}\n");
    } else if (strcmp(w[0], "end") == 0)
        measure_end(&c->m);
    else if (strcmp(w[0], "settle") == 0)
        measure_settle(&c->m, strtod(w[1], NULL));
    else if (strcmp(w[0], "moving") == 0)
        measure_moving(&c->m);
    else if (strcmp(w[0], "compare") == 0)
        compare(c, w[1]);
    else if (strcmp(w[0], "shot") == 0)
        cmd_shot(c, w[1]);
    else if (strcmp(w[0], "keys") == 0 || strcmp(w[0], "keys2") == 0)
        cmd_keys(c, w);
    else if (strcmp(w[0], "wheel") == 0)
        cmd_wheel(c, w);
    else
        return false;
    fflush(stdout);
    return true;
}

/* Presses are due at their time; an unanswered key waits for the decoder's thread, which does not wake this one. */
static DWORD wait_ms(const struct bench_client *c)
{
    uint64_t now = now_us(), most = measure_wait_ms(&c->m);
    const struct presses *const all[] = {&c->keys, &c->wheel};
    for (int i = 0; i < 2; i++) {
        uint64_t at = all[i]->last_us + (uint64_t)all[i]->ms * 1000, left = at > now ? (at - now) / 1000 + 1 : 1;
        if ((all[i]->left || (i == 0 && c->key_max)) && left < most)
            most = left;
    }
    return (DWORD)most;
}

static bool read_commands(struct bench_client *c)
{
    static char buf[4096];
    static size_t len;
    struct pollfd p = {0, POLLIN, 0};
    if (poll(&p, 1, 0) <= 0)
        return true;
    ssize_t n = read(0, buf + len, sizeof buf - 1 - len);
    if (n <= 0)
        return false;
    len += (size_t)n;
    buf[len] = 0;
    for (char *nl; (nl = strchr(buf, '\n'));) {
        *nl = 0;
        if (!command(c, buf))
            return false;
        len -= (size_t)(nl + 1 - buf);
        memmove(buf, nl + 1, len + 1);
    }
    return len < sizeof buf - 1;
}

static int run(struct bench_client *c)
{
    rdpContext *context = &c->common.context;
    if (!freerdp_connect(context->instance)) {
        printf("{\"error\":\"%s\"}\n", freerdp_get_last_error_string(freerdp_get_last_error(context)));
        return 1;
    }
    printf("{\"connected\":true}\n");
    fflush(stdout);
    HANDLE in = CreateFileDescriptorEventA(NULL, FALSE, FALSE, 0, WINPR_FD_READ);
    while (!freerdp_shall_disconnect_context(context)) {
        HANDLE handles[MAXIMUM_WAIT_OBJECTS];
        DWORD n = freerdp_get_event_handles(context, handles, MAXIMUM_WAIT_OBJECTS - 1);
        if (n == 0)
            break;
        handles[n++] = in;
        if (WaitForMultipleObjects(n, handles, FALSE, wait_ms(c)) == WAIT_FAILED)
            break;
        if (!freerdp_check_event_handles(context) || !read_commands(c))
            break;
        measure_step(&c->m, picture(c));
        keys_step(c);
        wheel_step(c);
        fflush(stdout);
    }
    CloseHandle(in);
    freerdp_disconnect(context->instance);
    return 0;
}

int main(int argc, char **argv)
{
    RDP_CLIENT_ENTRY_POINTS ep = {0};
    ep.Size = sizeof ep;
    ep.Version = RDP_CLIENT_INTERFACE_VERSION;
    ep.ContextSize = sizeof(struct bench_client);
    ep.ClientNew = client_new;
    ep.ClientFree = client_free;
    rdpContext *context = freerdp_client_context_new(&ep);
    if (!context)
        return 1;
    if (freerdp_client_settings_parse_command_line(context->settings, argc, argv, FALSE) != 0)
        return 2;
    int r = run((struct bench_client *)context);
    freerdp_client_context_free(context);
    return r;
}
