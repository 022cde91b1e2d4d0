/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The measuring client: a headless libfreerdp client that reads the frame counter out of its own decoded picture.
 * Options are xfreerdp's. Commands on standard input, one answer line (JSON) on standard output each:
 *   begin SCENE LOG [SAMPLE]  start measuring; compare each SAMPLE-th frame with the drawn one (0: none)
 *   end                       figures since begin
 *   check                     compare the whole picture with the scene's last shown frame
 *   keys N MS                 press a key N times, MS apart; answers key-to-pixel times
 *   keys2 N MS                the same, answered by the second strip while a scene plays
 *   shot FILE                 write the picture as PPM
 *   quit                      */
#include <errno.h>
#include <linux/tcp.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

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
#include <winpr/synch.h>

#include "bench/scene_file.h"

#define SAMPLES_MAX 64
#define CODECS 16
#define STATE_ESTABLISHED 1 /* TCP_ESTABLISHED of a header that clashes with linux/tcp.h */

struct sample {
    uint32_t counter;
    uint8_t *px; /* the changing rectangle */
};
struct measure {
    struct scene scene;
    uint64_t *drawn;
    uint64_t *seen;
    int32_t last, last2;
    uint64_t last_us, gap_us;         /* when the last new frame was seen; the longest time without one */
    uint32_t first, frames, sample_every;
    struct sample samples[SAMPLES_MAX];
    uint32_t nsamples;
    uint64_t start_us, rx, tx;
    double cpu;
    uint64_t codec_bytes[CODECS], codec_count[CODECS], copies, fills, cached;
};
struct bench_client {
    rdpClientContext common;
    struct measure m;
    bool measuring;
    uint64_t key_sent, key_last;
    double *key_times;
    uint32_t nkeys, key_max, key_ms;
    bool second_strip;
    pcRdpgfxSurfaceCommand surface_command;
    pcRdpgfxSolidFill solid_fill;
    pcRdpgfxSurfaceToSurface surface_to_surface;
    pcRdpgfxCacheToSurface cache_to_surface;
};

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* The library owns the socket; it is the process's only connected TCP one. */
static void tcp_bytes(uint64_t *rx, uint64_t *tx)
{
    *rx = *tx = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct tcp_info ti;
        socklen_t len = sizeof ti;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) == 0 && ti.tcpi_state == STATE_ESTABLISHED) {
            *rx = ti.tcpi_bytes_received;
            *tx = ti.tcpi_bytes_acked;
            return;
        }
    }
}

static const uint8_t *picture(struct bench_client *c, size_t *stride)
{
    rdpGdi *gdi = c->common.context.gdi;
    *stride = gdi ? gdi->stride : 0;
    return gdi ? gdi->primary_buffer : NULL;
}

static void take_sample(struct bench_client *c, uint32_t counter)
{
    struct measure *m = &c->m;
    const struct scene_frame *f = &m->scene.frames[(counter - 1) % m->scene.nframes];
    size_t stride;
    const uint8_t *px = picture(c, &stride);
    if (m->nsamples == SAMPLES_MAX)
        return;
    struct sample *s = &m->samples[m->nsamples];
    s->px = malloc((size_t)f->width * f->height * 4);
    if (!s->px)
        return;
    s->counter = counter;
    for (uint32_t y = 0; y < f->height; y++)
        memcpy(s->px + (size_t)y * f->width * 4, px + (f->y + y) * stride + (size_t)f->x * 4, (size_t)f->width * 4);
    m->nsamples++;
}

static void key_answered(struct bench_client *c, uint64_t now)
{
    if (!c->key_sent || c->nkeys >= c->key_max)
        return;
    c->key_times[c->nkeys++] = (double)(now - c->key_sent) / 1000;
    c->key_sent = 0;
}

static void saw2(struct bench_client *c, int32_t counter)
{
    if (counter <= 0 || counter == c->m.last2)
        return;
    c->m.last2 = counter;
    key_answered(c, now_us());
}

static void saw(struct bench_client *c, int32_t counter)
{
    struct measure *m = &c->m;
    uint64_t now = now_us();
    if (counter <= 0 || counter == m->last || (uint32_t)counter >= DRAW_LOG_MAX)
        return;
    m->last = counter;
    m->frames++;
    m->seen[counter] = now;
    if (m->last_us && now - m->last_us > m->gap_us)
        m->gap_us = now - m->last_us;
    m->last_us = now;
    if (!c->second_strip)
        key_answered(c, now);
    if (m->sample_every && (uint32_t)counter % m->sample_every == 0)
        take_sample(c, (uint32_t)counter);
}

static BOOL on_end_paint(rdpContext *context)
{
    struct bench_client *c = (struct bench_client *)context;
    size_t stride;
    const uint8_t *px = picture(c, &stride);
    context->gdi->primary->hdc->hwnd->invalid->null = TRUE;
    context->gdi->primary->hdc->hwnd->ninvalid = 0;
    if (c->measuring && px)
        saw(c, stamp_read(px, stride));
    if (c->measuring && px && c->second_strip)
        saw2(c, stamp_read(px + STAMP2_X * 4, stride));
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
    (void)instance, (void)host, (void)port, (void)cn, (void)subject, (void)issuer, (void)fingerprint, (void)flags;
    return 2; /* for this connection: the bench talks to servers it started itself */
}

static BOOL client_new(freerdp *instance, rdpContext *context)
{
    struct bench_client *c = (struct bench_client *)context;
    instance->PreConnect = pre_connect;
    instance->PostConnect = post_connect;
    instance->VerifyCertificateEx = accept_certificate;
    c->m.seen = calloc(DRAW_LOG_MAX, sizeof(uint64_t));
    return c->m.seen != NULL;
}

static void client_free(freerdp *instance, rdpContext *context)
{
    (void)instance;
    free(((struct bench_client *)context)->m.seen);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(double *v, uint32_t n, double p)
{
    return n ? v[(uint32_t)(p * (n - 1) + 0.5)] : NAN;
}

/* Sum of squared differences of the colour channels; *differing counts pixels. */
static double squared_error(const uint8_t *a, size_t as, const uint8_t *b, size_t bs, uint32_t w, uint32_t h, uint64_t *differing)
{
    double sum = 0;
    for (uint32_t y = 0; y < h; y++) {
        uint64_t row = 0;
        for (uint32_t x = 0; x < w; x++) {
            const uint8_t *p = a + y * as + x * 4, *q = b + y * bs + x * 4;
            int d0 = p[0] - q[0], d1 = p[1] - q[1], d2 = p[2] - q[2];
            uint64_t d = (uint64_t)(d0 * d0 + d1 * d1 + d2 * d2);
            row += d;
            *differing += d != 0;
        }
        sum += (double)row;
    }
    return sum;
}

static double psnr(double sum, double pixels)
{
    return sum > 0 ? 10 * log10(255.0 * 255.0 * 3 * pixels / sum) : 99.0;
}

static void reference_at(struct measure *m, uint32_t *done, uint32_t counter, uint8_t *ref)
{
    for (; *done < counter; (*done)++)
        scene_apply(&m->scene, *done % m->scene.nframes, ref);
}

static double moving_psnr(struct measure *m)
{
    uint8_t *ref = malloc((size_t)m->scene.width * m->scene.height * 4);
    uint32_t done = 0;
    double sum = 0, pixels = 0;
    uint64_t differing = 0;
    if (!ref)
        return NAN;
    scene_background(&m->scene, ref);
    for (uint32_t i = 0; i < m->nsamples; i++) {
        const struct scene_frame *f = &m->scene.frames[(m->samples[i].counter - 1) % m->scene.nframes];
        reference_at(m, &done, m->samples[i].counter, ref);
        size_t stride = (size_t)m->scene.width * 4;
        sum += squared_error(m->samples[i].px, (size_t)f->width * 4, ref + f->y * stride + (size_t)f->x * 4, stride, f->width,
                             f->height, &differing);
        pixels += (double)f->width * f->height;
    }
    free(ref);
    return pixels > 0 ? psnr(sum, pixels) : NAN;
}

static void print_codecs(const struct measure *m)
{
    static const char *names[CODECS] = {[0] = "raw", [3] = "rfx", [8] = "clear", [9] = "progressive", [10] = "planar",
                                        [11] = "avc420", [12] = "alpha", [14] = "avc444", [15] = "avc444v2"};
    printf("\"codecs\":{");
    for (int i = 0, n = 0; i < CODECS; i++)
        if (m->codec_count[i])
            printf("%s\"%s\":[%llu,%llu]", n++ ? "," : "", names[i] ? names[i] : "other", (unsigned long long)m->codec_count[i],
                   (unsigned long long)m->codec_bytes[i]);
    printf("},\"copies\":%llu,\"fills\":%llu,\"cached\":%llu", (unsigned long long)m->copies, (unsigned long long)m->fills,
           (unsigned long long)m->cached);
}

static void measure_finish(struct measure *m)
{
    for (uint32_t i = 0; i < m->nsamples; i++)
        free(m->samples[i].px);
    m->nsamples = 0;
    scene_close(&m->scene);
}

static void cmd_begin(struct bench_client *c, const char *scene, const char *log, unsigned every)
{
    struct measure *m = &c->m;
    uint64_t *seen = m->seen;
    measure_finish(m);
    memset(m, 0, sizeof *m);
    m->seen = seen;
    memset(seen, 0, DRAW_LOG_MAX * sizeof(uint64_t));
    m->drawn = draw_log_open(log);
    if (scene_open(&m->scene, scene) < 0 || !m->drawn) {
        printf("{\"error\":\"cannot open scene or log\"}\n");
        return;
    }
    memset(m->drawn, 0, DRAW_LOG_MAX * sizeof(uint64_t));
    m->sample_every = every;
    m->last = -1;
    c->measuring = true;
    c->second_strip = false;
    tcp_bytes(&m->rx, &m->tx);
    m->cpu = cpu_seconds();
    m->start_us = now_us();
    printf("{\"ok\":true}\n");
}

/* Restart the byte and CPU accounts: after the first picture, before the scene. */
static void cmd_mark(struct bench_client *c)
{
    struct measure *m = &c->m;
    tcp_bytes(&m->rx, &m->tx);
    m->cpu = cpu_seconds();
    m->start_us = now_us();
    m->copies = m->fills = m->cached = 0;
    m->last_us = m->gap_us = 0;
    while (m->nsamples)
        free(m->samples[--m->nsamples].px);
    memset(m->codec_bytes, 0, sizeof m->codec_bytes);
    memset(m->codec_count, 0, sizeof m->codec_count);
    printf("{\"ok\":true}\n");
}

static void cmd_end(struct bench_client *c)
{
    struct measure *m = &c->m;
    uint64_t rx, tx;
    double cpu = cpu_seconds() - m->cpu, seconds = (double)(now_us() - m->start_us) / 1e6;
    double *lags = calloc(DRAW_LOG_MAX, sizeof *lags);
    uint32_t n = 0, drawn = 0;
    tcp_bytes(&rx, &tx);
    for (uint32_t i = 1; lags && i < DRAW_LOG_MAX; i++) {
        drawn += m->drawn[i] != 0;
        if (m->drawn[i] && m->seen[i])
            lags[n++] = (double)(m->seen[i] - m->drawn[i]) / 1000;
    }
    if (lags)
        qsort(lags, n, sizeof *lags, compare_doubles);
    printf("{\"seconds\":%.3f,\"rx\":%llu,\"tx\":%llu,\"client_cpu\":%.4f,\"drawn\":%u,\"shown\":%u,\"lag_p50\":%.2f,\"lag_p95\":%.2f,"
           "\"lag_max\":%.2f,\"gap_max\":%.0f,\"psnr_moving\":%.2f,",
           seconds, (unsigned long long)(rx - m->rx), (unsigned long long)(tx - m->tx), cpu, drawn, n,
           lags ? percentile(lags, n, 0.5) : NAN, lags ? percentile(lags, n, 0.95) : NAN, n ? lags[n - 1] : NAN, (double)m->gap_us / 1000, moving_psnr(m));
    print_codecs(m);
    printf("}\n");
    free(lags);
}

static void cmd_check(struct bench_client *c)
{
    struct measure *m = &c->m;
    size_t stride, rs = (size_t)m->scene.width * 4;
    const uint8_t *px = picture(c, &stride);
    uint8_t *ref = malloc(rs * m->scene.height);
    uint32_t done = 0;
    uint64_t differing = 0;
    if (!ref || !px || m->last < 0) {
        printf("{\"error\":\"nothing to compare\"}\n");
        free(ref);
        return;
    }
    scene_background(&m->scene, ref);
    reference_at(m, &done, (uint32_t)m->last, ref);
    stamp_draw(ref, rs, (uint32_t)m->last);
    if (m->last2)
        stamp_draw(ref + STAMP2_X * 4, rs, (uint32_t)m->last2);
    double sum = squared_error(px, stride, ref, rs, m->scene.width, m->scene.height, &differing);
    printf("{\"counter\":%d,\"psnr\":%.2f,\"differing\":%llu}\n", m->last, psnr(sum, (double)m->scene.width * m->scene.height),
           (unsigned long long)differing);
    free(ref);
}

static void cmd_shot(struct bench_client *c, const char *path)
{
    size_t stride;
    const uint8_t *px = picture(c, &stride);
    FILE *f = px ? fopen(path, "wb") : NULL;
    if (!f) {
        printf("{\"error\":\"%s\"}\n", strerror(errno));
        return;
    }
    rdpGdi *gdi = c->common.context.gdi;
    fprintf(f, "P6\n%d %d\n255\n", gdi->width, gdi->height);
    for (int y = 0; y < gdi->height; y++)
        for (int x = 0; x < gdi->width; x++) {
            const uint8_t *p = px + (size_t)y * stride + (size_t)x * 4;
            const uint8_t rgb[3] = {p[2], p[1], p[0]};
            fwrite(rgb, 1, 3, f);
        }
    fclose(f);
    printf("{\"ok\":true}\n");
}

static void keys_step(struct bench_client *c)
{
    if (!c->key_max)
        return;
    uint64_t now = now_us();
    if (c->nkeys == c->key_max || now - c->key_last > 3000000u + c->key_ms * 1000u) {
        qsort(c->key_times, c->nkeys, sizeof(double), compare_doubles);
        printf("{\"keys\":%u,\"of\":%u,\"p50\":%.2f,\"p95\":%.2f,\"max\":%.2f}\n", c->nkeys, c->key_max,
               percentile(c->key_times, c->nkeys, 0.5), percentile(c->key_times, c->nkeys, 0.95), percentile(c->key_times, c->nkeys, 1));
        c->key_max = 0;
        return;
    }
    if (c->key_sent || now - c->key_last < (uint64_t)c->key_ms * 1000)
        return;
    rdpInput *in = c->common.context.input;
    c->key_last = now;
    c->key_sent = now_us();
    freerdp_input_send_keyboard_event_ex(in, TRUE, FALSE, 0x1e);
    freerdp_input_send_keyboard_event_ex(in, FALSE, FALSE, 0x1e);
}

static bool command(struct bench_client *c, const char *line)
{
    char verb[16] = "", a[512] = "", b[512] = "";
    unsigned n = 0;
    (void)sscanf(line, "%15s %511s %511s %u", verb, a, b, &n);
    if (strcmp(verb, "begin") == 0)
        cmd_begin(c, a, b, n);
    else if (strcmp(verb, "mark") == 0)
        cmd_mark(c);
    else if (strcmp(verb, "end") == 0)
        cmd_end(c);
    else if (strcmp(verb, "check") == 0)
        cmd_check(c);
    else if (strcmp(verb, "shot") == 0)
        cmd_shot(c, a);
    else if (strcmp(verb, "keys") == 0 || strcmp(verb, "keys2") == 0) {
        c->second_strip = verb[4] == '2';
        c->key_max = (uint32_t)strtoul(a, NULL, 10);
        c->key_ms = (uint32_t)strtoul(b, NULL, 10);
        c->nkeys = 0;
        c->key_sent = 0;
        c->key_last = now_us();
        free(c->key_times);
        c->key_times = calloc(c->key_max + 1, sizeof(double));
    } else
        return false;
    fflush(stdout);
    return true;
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
        if (WaitForMultipleObjects(n, handles, FALSE, c->key_max ? 1 : 1000) == WAIT_FAILED)
            break;
        if (!freerdp_check_event_handles(context) || !read_commands(c))
            break;
        keys_step(c);
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
