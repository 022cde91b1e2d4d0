/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libx264, low latency: no frame waits for another, one thread (a host serves many people). */
#include "codecs/h264_x264.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <x264.h>

struct x264_enc {
    x264_t *x;
    x264_param_t param;
    x264_picture_t out;
    struct h264_packet packet;
    int64_t pts;
    bool ready;
};

/* kbit/s; the buffer holds a quarter of a second. */
static void rate(x264_param_t *p, uint32_t bytes_per_second)
{
    p->rc.i_vbv_max_bitrate = (int)(bytes_per_second / 125);
    p->rc.i_vbv_buffer_size = p->rc.i_vbv_max_bitrate / 4;
}

static void quiet(void *ctx, int level, const char *format, va_list args)
{
    (void)ctx, (void)level, (void)format, (void)args;
}

static bool settings(x264_param_t *p, const struct h264_config *c)
{
    if (x264_param_default_preset(p, "superfast", "zerolatency") < 0)
        return false;
    p->pf_log = quiet;
    p->i_width = c->width;
    p->i_height = c->height;
    p->i_csp = X264_CSP_I420;
    p->i_fps_num = c->frame_rate;
    p->i_fps_den = 1;
    p->i_threads = 1;
    p->b_sliced_threads = 0;
    p->i_keyint_max = X264_KEYINT_MAX_INFINITE; /* we ask for key frames */
    p->i_scenecut_threshold = 0;
    p->b_repeat_headers = 1;
    p->b_annexb = 1;
    p->b_aud = 0;
    p->vui.b_fullrange = 1;
    p->vui.i_colorprim = p->vui.i_transfer = p->vui.i_colmatrix = 1; /* BT.709 */
    p->rc.i_rc_method = X264_RC_CRF;
    p->rc.f_rf_constant = 25;
    p->analyse.b_psnr = p->analyse.b_ssim = 0;
    rate(p, c->bytes_per_second);
    return x264_param_apply_profile(p, "high") == 0;
}

static void x264_shut(void *enc)
{
    struct x264_enc *e = enc;
    if (!e)
        return;
    if (e->x)
        x264_encoder_close(e->x);
    free(e);
}

static void *x264_begin(const struct h264_config *config)
{
    struct x264_enc *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    if (settings(&e->param, config))
        e->x = x264_encoder_open(&e->param);
    if (!e->x) {
        x264_shut(e);
        return NULL;
    }
    return e;
}

static int x264_submit(void *enc, const struct yuv *picture, bool key)
{
    struct x264_enc *e = enc;
    x264_picture_t in;
    x264_nal_t *nals;
    int n;
    x264_picture_init(&in);
    in.img.i_csp = X264_CSP_I420;
    in.img.i_plane = 3;
    in.img.plane[0] = picture->y;
    in.img.plane[1] = picture->u;
    in.img.plane[2] = picture->v;
    in.img.i_stride[0] = picture->width;
    in.img.i_stride[1] = in.img.i_stride[2] = picture->width / 2;
    in.i_type = key ? X264_TYPE_IDR : X264_TYPE_P;
    in.i_pts = e->pts++;
    int len = x264_encoder_encode(e->x, &nals, &n, &in, &e->out);
    if (len <= 0)
        return -EIO;
    e->packet = (struct h264_packet){nals[0].p_payload, (size_t)len, e->out.b_keyframe != 0, e->out.i_qpplus1 - 1};
    e->ready = true;
    return 0;
}

static int x264_collect(void *enc, struct h264_packet *out)
{
    struct x264_enc *e = enc;
    if (!e->ready)
        return 0;
    *out = e->packet;
    e->ready = false;
    return 1;
}

static int x264_rate(void *enc, uint32_t bytes_per_second)
{
    struct x264_enc *e = enc;
    rate(&e->param, bytes_per_second);
    return x264_encoder_reconfig(e->x, &e->param) < 0 ? -EIO : 0;
}

const struct h264_backend h264_x264 = {"x264", x264_begin, x264_shut, x264_submit, x264_collect, x264_rate};
