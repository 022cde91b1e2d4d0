/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libx264, low latency: no frame waits for another, one thread (a host serves many people). */
#include "codecs/video/h264_x264.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <x264.h>

struct x264_enc {
    x264_t *x;
    x264_param_t param;
    x264_picture_t out;
    struct h264_packet packet;
    uint8_t *kept; /* the picture's bytes while its chroma is encoded */
    size_t kept_cap;
    int64_t pts;
    bool ready;
};

/* In kbit. The buffer is what a picture may have at most: a quarter of a second's, and where that would hold up
 * everything else on the link as much as that allows. libx264 makes it one picture's at least. */
static void rate(x264_param_t *p, uint32_t bytes_per_second, uint32_t picture_bytes)
{
    uint32_t quarter = bytes_per_second / 4;
    p->rc.i_vbv_max_bitrate = (int)(bytes_per_second / 125);
    p->rc.i_vbv_buffer_size = (int)((picture_bytes && picture_bytes < quarter ? picture_bytes : quarter) / 125);
}

static void quiet(void *ctx, int level, const char *format, va_list args)
{
}

static bool settings(x264_param_t *p, const struct h264_config *c)
{
    bool careful = c->scarce || c->pairs; /* full colour is for thin lines: those are all edges */
    /* Measured on film with grain: without the loop filter and arithmetic coding an encoder needs three quarters of the
     * time and a client half, for an eighth more bytes at the same distance from the source. */
    if (x264_param_default_preset(p, careful ? "superfast" : "ultrafast", "zerolatency") < 0)
        return false;
    p->pf_log = quiet;
    p->i_width = c->width;
    p->i_height = c->height;
    p->i_csp = X264_CSP_I420;
    p->i_fps_num = c->pairs ? 2 * c->frame_rate : c->frame_rate;
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
    /* Measured on film with grain: these cost a quarter less time and bytes than the preset at the same distance from
     * the source. */
    p->rc.f_rf_constant = careful ? 26 : 25;
    p->rc.i_aq_mode = X264_AQ_NONE;
    p->analyse.i_subpel_refine = 0;
    p->analyse.i_weighted_pred = X264_WEIGHTP_NONE;
    p->analyse.b_psnr = p->analyse.b_ssim = 0;
    if (c->pairs) { /* each of the two predicts from its own last picture: luma from luma, chroma from chroma */
        p->i_frame_reference = 2;
        p->rc.f_qcompress = 1; /* they alternate: to the rate control every picture would be a cut, worth few bits */
    }
    rate(p, c->bytes_per_second, c->picture_bytes);
    return x264_param_apply_profile(p, "high") == 0;
}

static void x264_shut(void *enc)
{
    struct x264_enc *e = enc;
    if (!e)
        return;
    if (e->x)
        x264_encoder_close(e->x);
    free(e->kept);
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

static int encode(struct x264_enc *e, const struct yuv *picture, bool key, struct h264_stream *out)
{
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
    *out = (struct h264_stream){nals[0].p_payload, (size_t)len, e->out.i_qpplus1 - 1};
    e->packet.key |= e->out.b_keyframe != 0;
    return 0;
}

/* libx264 writes the next picture over the last one's bytes. */
static int keep(struct x264_enc *e, struct h264_stream *s)
{
    if (s->len > e->kept_cap) {
        uint8_t *p = reallocarray(e->kept, s->len, 2);
        if (!p)
            return -EIO;
        e->kept = p;
        e->kept_cap = s->len * 2;
    }
    memcpy(e->kept, s->data, s->len);
    s->data = e->kept;
    return 0;
}

static int x264_submit(void *enc, const struct yuv *picture, const struct yuv *chroma, bool key)
{
    struct x264_enc *e = enc;
    e->packet = (struct h264_packet){0};
    int r = picture ? encode(e, picture, key, &e->packet.picture) : 0;
    if (r == 0 && picture && chroma)
        r = keep(e, &e->packet.picture);
    if (r == 0 && chroma)
        r = encode(e, chroma, key && !picture, &e->packet.chroma);
    e->ready = r == 0;
    return r;
}

static bool x264_ready(void *enc)
{
    const struct x264_enc *e = enc;
    return e->ready;
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

static int x264_rate(void *enc, uint32_t bytes_per_second, uint32_t picture_bytes)
{
    struct x264_enc *e = enc;
    rate(&e->param, bytes_per_second, picture_bytes);
    return x264_encoder_reconfig(e->x, &e->param) < 0 ? -EIO : 0;
}

const struct h264_backend h264_x264 = {.name = "x264",
    .pairs = true,
    .parts = true,
    .open = x264_begin,
    .close = x264_shut,
    .submit = x264_submit,
    .ready = x264_ready,
    .collect = x264_collect,
    .set_rate = x264_rate};
