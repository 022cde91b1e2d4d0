/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/encoder/avcodec.h"

#include "common/log.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>
#include <libavutil/opt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEST_WIDTH 320
#define TEST_HEIGHT 192
#define TEST_PICTURES 3 /* an encoder that keeps pictures back shows it here */
/* The rate is followed when it changes by more than a fifth: that costs a key frame */
#define BITRATE_STEP 5

/* `options` as libavcodec wants them, for: no picture waits for another, key frames when we ask, parameter sets in
 * each. */
struct av_kind {
    const char *name;
    enum AVHWDeviceType device; /* NONE: takes pictures from memory */
    enum AVPixelFormat surface, memory;
    const char *options;
    bool hardware;
};
static const struct av_kind kinds[] = {
    {"h264_nvenc", AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_YUV420P,
        "preset=p3:tune=ull:rc=vbr:delay=0:zerolatency=1:forced-idr=1", true},
    {"h264_vaapi", AV_HWDEVICE_TYPE_VAAPI, AV_PIX_FMT_VAAPI, AV_PIX_FMT_NV12, "async_depth=1", true},
    {"h264_qsv", AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_NV12, "async_depth=1:forced_idr=1:preset=veryfast",
        true},
    {"h264_vulkan", AV_HWDEVICE_TYPE_VULKAN, AV_PIX_FMT_VULKAN, AV_PIX_FMT_NV12, "async_depth=1:tune=ull", true},
    {"h264_v4l2m2m", AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_NV12, "", true},
    {"libx264", AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_YUV420P,
        "preset=superfast:tune=zerolatency:forced-idr=1:crf=26", false},
    {"libopenh264", AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE, AV_PIX_FMT_YUV420P, "allow_skip_frames=0", false},
};
static AVBufferRef *device; /* of the kind that was chosen; lives as long as the process */

struct av_stream {
    const struct av_kind *kind;
    unsigned width, height, frame_rate;
    uint32_t rate;
    AVCodecContext *codec;
    AVFrame *memory, *surface;
    AVPacket *packet;
    int64_t pts;
};

/* Failures on demand, in the program that the tests build: ORIEL_ENCODER_FAIL is a step, or a step and the picture's
 * number. */
static bool fails(const char *step, int64_t picture)
{
#ifdef ORIEL_ENCODER_INJECT
    const char *wanted = getenv("ORIEL_ENCODER_FAIL");
    size_t n = strlen(step);
    if (!wanted || strncmp(wanted, step, n) != 0)
        return false;
    return wanted[n] == 0 || (wanted[n] == '@' && strtoll(wanted + n + 1, NULL, 10) == picture);
#else
    return false;
#endif
}

const char *av_name(const struct av_kind *kind)
{
    return kind->name;
}

static void set_rate(AVCodecContext *c, const struct av_kind *kind, uint32_t bytes_per_second)
{
    c->rc_max_rate = (int64_t)bytes_per_second * 8;
    c->rc_buffer_size = (int)(c->rc_max_rate / 4);
    if (strcmp(kind->name, "libx264") != 0) /* that one has a quality of its own below the ceiling */
        c->bit_rate = c->rc_max_rate;
}

static int attach_device(AVCodecContext *c, const struct av_kind *kind)
{
    if (kind->device == AV_HWDEVICE_TYPE_NONE)
        return 0;
    if (!device && av_hwdevice_ctx_create(&device, kind->device, NULL, NULL, 0) < 0)
        return -ENODEV;
    AVBufferRef *ref = av_hwframe_ctx_alloc(device);
    if (!ref)
        return -ENOMEM;
    AVHWFramesContext *frames = (AVHWFramesContext *)ref->data;
    frames->format = kind->surface;
    frames->sw_format = kind->memory;
    frames->width = c->width;
    frames->height = c->height;
    frames->initial_pool_size = 4;
    if (av_hwframe_ctx_init(ref) < 0) {
        av_buffer_unref(&ref);
        return -ENODEV;
    }
    c->hw_frames_ctx = ref;
    return 0;
}

static AVCodecContext *open_codec(const struct av_stream *s)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(s->kind->name);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    AVDictionary *options = NULL;
    if (!c)
        return NULL;
    c->width = (int)s->width;
    c->height = (int)s->height;
    c->time_base = (AVRational){1, (int)s->frame_rate};
    c->framerate = (AVRational){(int)s->frame_rate, 1};
    c->pix_fmt = s->kind->device == AV_HWDEVICE_TYPE_NONE ? s->kind->memory : s->kind->surface;
    c->gop_size = 1 << 20;
    c->max_b_frames = 0;
    c->thread_count = 1;
    c->flags |= AV_CODEC_FLAG_LOW_DELAY;
    c->color_range = AVCOL_RANGE_JPEG;
    c->colorspace = AVCOL_SPC_BT709;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    set_rate(c, s->kind, s->rate);
    bool ok = av_dict_parse_string(&options, s->kind->options, "=", ":", 0) >= 0 && attach_device(c, s->kind) == 0 &&
        avcodec_open2(c, codec, &options) >= 0;
    av_dict_free(&options);
    if (!ok)
        avcodec_free_context(&c);
    return c;
}

static bool make_frames(struct av_stream *s)
{
    s->memory = av_frame_alloc();
    s->surface = av_frame_alloc();
    s->packet = av_packet_alloc();
    if (!s->memory || !s->surface || !s->packet)
        return false;
    s->memory->format = s->kind->memory;
    s->memory->width = (int)s->width;
    s->memory->height = (int)s->height;
    return av_frame_get_buffer(s->memory, 0) >= 0;
}

struct av_stream *av_open(const struct av_kind *kind, unsigned width, unsigned height, unsigned frame_rate,
    uint32_t bytes_per_second)
{
    struct av_stream *s = fails("open", 0) ? NULL : calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct av_stream){.kind = kind,
        .width = width,
        .height = height,
        .frame_rate = frame_rate ? frame_rate : 30,
        .rate = bytes_per_second};
    s->codec = open_codec(s);
    if (s->codec && make_frames(s))
        return s;
    av_close(s);
    return NULL;
}

void av_close(struct av_stream *s)
{
    if (!s)
        return;
    avcodec_free_context(&s->codec);
    av_frame_free(&s->memory);
    av_frame_free(&s->surface);
    av_packet_free(&s->packet);
    free(s);
}

static void copy_rows(uint8_t *to, int stride, const uint8_t *from, size_t width, size_t rows)
{
    for (size_t y = 0; y < rows; y++)
        memcpy(to + y * (size_t)stride, from + y * width, width);
}

static void interleave(uint8_t *to, int stride, const uint8_t *u, const uint8_t *v, size_t width, size_t rows)
{
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < width; x++) {
            to[y * (size_t)stride + 2 * x] = u[y * width + x];
            to[y * (size_t)stride + 2 * x + 1] = v[y * width + x];
        }
}

static int load(struct av_stream *s, const struct yuv *p)
{
    AVFrame *f = s->memory;
    size_t w = s->width, h = s->height;
    if (av_frame_make_writable(f) < 0)
        return -EIO;
    copy_rows(f->data[0], f->linesize[0], p->y, w, h);
    if (s->kind->memory == AV_PIX_FMT_NV12) {
        interleave(f->data[1], f->linesize[1], p->u, p->v, w / 2, h / 2);
        return 0;
    }
    copy_rows(f->data[1], f->linesize[1], p->u, w / 2, h / 2);
    copy_rows(f->data[2], f->linesize[2], p->v, w / 2, h / 2);
    return 0;
}

/* The frame to encode: the picture itself, or its copy on the device. NULL: that failed. */
static AVFrame *upload(struct av_stream *s)
{
    if (s->kind->device == AV_HWDEVICE_TYPE_NONE)
        return s->memory;
    av_frame_unref(s->surface);
    if (av_hwframe_get_buffer(s->codec->hw_frames_ctx, s->surface, 0) < 0 ||
        av_hwframe_transfer_data(s->surface, s->memory, 0) < 0)
        return NULL;
    return s->surface;
}

static int quantizer(const AVPacket *p)
{
    size_t n = 0;
    const uint8_t *stats = av_packet_get_side_data(p, AV_PKT_DATA_QUALITY_STATS, &n);
    if (!stats || n < 4)
        return 26;
    uint32_t lambda = stats[0] | (uint32_t)stats[1] << 8 | (uint32_t)stats[2] << 16 | (uint32_t)stats[3] << 24;
    return lambda / FF_QP2LAMBDA > 51 ? 51 : (int)(lambda / FF_QP2LAMBDA);
}

/* libavcodec's encoders differ in what they take while they run: a new rate is a new encoder. */
static int follow_rate(struct av_stream *s, uint32_t rate, bool *key)
{
    uint32_t step = s->rate / BITRATE_STEP;
    if (rate + step >= s->rate && rate <= s->rate + step)
        return 0;
    s->rate = rate;
    avcodec_free_context(&s->codec);
    s->codec = open_codec(s);
    *key = true;
    return s->codec ? 0 : -EIO;
}

int av_encode(struct av_stream *s, const struct yuv *picture, bool key, uint32_t bytes_per_second,
    struct av_packet *out)
{
    while (fails("hang", s->pts))
        (void)nanosleep(&(struct timespec){1, 0}, NULL);
    if (fails("submit", s->pts) || follow_rate(s, bytes_per_second, &key) < 0 || load(s, picture) < 0)
        return -EIO;
    AVFrame *f = upload(s);
    if (!f)
        return -EIO;
    f->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    f->pts = s->pts;
    av_packet_unref(s->packet);
    if (avcodec_send_frame(s->codec, f) < 0 || avcodec_receive_packet(s->codec, s->packet) < 0 ||
        fails("collect", s->pts))
        return -EIO; /* a packet that comes with a later picture counts as none */
    s->pts++;
    *out = (struct av_packet){s->packet->data, (size_t)s->packet->size, (s->packet->flags & AV_PKT_FLAG_KEY) != 0,
        quantizer(s->packet)};
    return key && !out->key ? -EIO : 0;
}

/* ---- which one works ---- */

static bool works(const struct av_kind *kind)
{
    static uint8_t px[TEST_WIDTH * TEST_HEIGHT * 3 / 2];
    struct yuv picture = {px, px + TEST_WIDTH * TEST_HEIGHT, px + TEST_WIDTH * TEST_HEIGHT * 5 / 4, TEST_WIDTH,
        TEST_HEIGHT};
    struct av_packet out;
    if (!avcodec_find_encoder_by_name(kind->name))
        return false;
    struct av_stream *s = av_open(kind, TEST_WIDTH, TEST_HEIGHT, 30, 250000);
    bool ok = s != NULL;
    for (int i = 0; ok && i < TEST_PICTURES; i++) {
        for (size_t k = 0; k < sizeof px; k++)
            px[k] = (uint8_t)(k * 7 + (size_t)i * 31);
        ok = av_encode(s, &picture, i == 0, 250000, &out) == 0 && out.len > 4;
    }
    av_close(s);
    if (!ok)
        av_buffer_unref(&device);
    return ok;
}

static bool is_wanted(const char *list, const struct av_kind *kind)
{
    size_t n = strlen(kind->name);
    if (!*list)
        return kind->hardware;
    for (const char *at = list; (at = strstr(at, kind->name)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == 0 || at[n] == ' '))
            return true;
    return false;
}

const struct av_kind *av_probe(const char *wanted)
{
    av_log_set_level(AV_LOG_QUIET);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!is_wanted(wanted, &kinds[i]))
            continue;
        if (works(&kinds[i]))
            return &kinds[i];
        log_info("encoder does not work here", "encoder=%s", kinds[i].name);
    }
    return NULL;
}
